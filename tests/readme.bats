#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What README.md says that was seen: it is what a run measured, and each claim has its test.

load helpers

figure() { # table|svg
	"$ROOT/tests/vm/figure" "$1" "$ROOT/tests/vm/long/outages"
}

@test "README.md shows the outages as the kept run measured them" {
	figure table >"$BATS_TEST_TMPDIR/table"
	sed -n '/^| settings /,/^$/{/^|/p}' "$ROOT/README.md" | diff - "$BATS_TEST_TMPDIR/table"
	figure svg | diff "$ROOT/tests/vm/long/outage.svg" -
	grep -q '](tests/vm/long/outage.svg)' "$ROOT/README.md"
}

@test "the figure of the outages is whole XML that needs nothing from elsewhere" {
	need xmllint
	figure svg >"$BATS_TEST_TMPDIR/a.svg"
	xmllint --noout "$BATS_TEST_TMPDIR/a.svg"
	run ! grep -E 'href|url\(|@import' "$BATS_TEST_TMPDIR/a.svg"
}

@test "the outages that were kept are those of tests/vm/long" {
	# The kind, the settings' name, the four timeouts, and what became of I/O and session in each case.
	# shellcheck disable=SC2016 # the test's own variable
	sed -n 's/^\t\t\t$kind //p' "$ROOT/tests/vm/long/outage.bats" | awk '
		{ print "freeze", $1, $2, $3, $4, $5, $7, $8; print "away", $1, $2, $3, $4, $5, $7, "broken" }' |
		sort >"$BATS_TEST_TMPDIR/cases"
	awk '$1 == 150 { print $2, $3, $4, $5, $6, $7, $11 == "-" ? "goes-on" : "error",
		$10 == "-" ? "unbroken" : "broken" }' "$ROOT/tests/vm/long/outages" | sort |
		diff "$BATS_TEST_TMPDIR/cases" -
	[ "$(wc -l <"$BATS_TEST_TMPDIR/cases")" -eq 8 ]
}

# The prose of the sections that say what sgw-init does to a host, on one line; examples and tables are
# not prose.
prose() { # README
	awk '
		/^# / { listed = 1; next }
		/^## / { listed = /^## (Ten minutes|What the tuning buys|How to undo|Why it is safe)$/; next }
		!listed || /^(    |\||!\[)/ { next }
		{ sub(/^- /, ""); print }' "$1" | tr -s ' \n' '  ' | sed 's/^ //; s/ $//'
}

# "CLAIM|FILE|TITLE" of each test in the list, the claim's lines joined; FILE is - where TITLE is why
# there is none.
claims() { # LIST
	awk '
		function end_claim() {
			if (claim != "" && !named)
				print claim "||"
			claim = ""
			named = 0
		}
		/^#/ { next }
		/^$/ { end_claim(); next }
		/^\t- / { print claim "|-|" substr($0, 4); named = 1; next }
		/^\t/ {
			at = index($0, ": ")
			print claim "|" substr($0, 2, at - 2) "|" substr($0, at + 2)
			named = 1
			next
		}
		{ claim = claim (claim == "" ? "" : " ") $0 }
		END { end_claim() }' "$1"
}

# Whether a file below tests/ has a test of that name.
has_test() { # FILE TITLE
	grep -q -s -F "@test \"$2\" {" "$ROOT/tests/$1.bats" ||
		grep -q -s -x -F "static void $2(void **state)" "$ROOT/tests/$1.c"
}

# Go through both at once: what README.md says and the list does not, or the other way round, and
# tests that are not there.
judge_claims() { # README LIST
	local text claim before='' file title status=0
	text=$(prose "$1")
	while IFS='|' read -r claim file title; do
		if [ "$claim" != "$before" ]; then
			if [[ $text != "$claim"* ]]; then
				printf 'README.md says: %.100s...\nthe list has: %s\n' "$text" "$claim"
				return 1
			fi
			text=${text#"$claim"}
			text=${text# }
			before=$claim
		fi
		[ "$file" = - ] || has_test "$file" "$title" ||
			{ echo "\"$claim\" names a test that ${file:-no file} has not: $title"; status=1; }
	done < <(claims "$2")
	[ -z "$text" ] || { echo "README.md says, and the list does not: $text"; status=1; }
	return "$status"
}

@test "each claim of README.md about a host has its tests" {
	judge_claims "$ROOT/README.md" "$ROOT/tests/data/readme-claims"
	[ "$(claims "$ROOT/tests/data/readme-claims" | grep -c '|vm/')" -gt 40 ]
	# A new section is to be listed, or to be named here.
	sed -n 's/^## //p' "$ROOT/README.md" | diff - <(printf '%s\n' 'Ten minutes' \
		'What the tuning buys' 'How to undo' 'Why it is safe' 'sgw-target in your own CI' \
		'What was never tried')
}

@test "the list of claims fails for a sentence that is new, gone or without a test" {
	local list=$ROOT/tests/data/readme-claims file
	cd "$BATS_TEST_TMPDIR"
	sed 's/^- A second .apply. writes nothing\.$/& It sings./' "$ROOT/README.md" >new
	sed '/^- A second .apply. writes nothing\.$/d' "$ROOT/README.md" >gone
	for file in new gone; do
		run ! cmp -s "$file" "$ROOT/README.md"
		run ! judge_claims "$file" "$list"
	done
	[[ $output == *'the list has: A second '* ]]
	sed 's/\(vm\/apply: a second apply writes nothing\)$/\1 twice/' "$list" >renamed
	run ! judge_claims "$ROOT/README.md" renamed
	[[ $output == *'that vm/apply has not: a second apply writes nothing twice'* ]]
	grep -v ': a second apply writes nothing$' "$list" >bare
	run ! judge_claims "$ROOT/README.md" bare
	[[ $output == *'names a test that no file has'* ]]
	head -n -2 "$list" >short
	run ! judge_claims "$ROOT/README.md" short
	[[ $output == *'the list does not: '*'probe refuses a target'* ]]
}

# In an empty directory, where the commands that README.md has for one's own CI find what they name.
# your-initiator does what $INITIATOR says with the portal.
own_ci() {
	need iscsi-inq jq
	cd "$BATS_TEST_TMPDIR" || return
	cat >chap.json <<-'END'
		{ "ChapCredentials": [ { "TargetARN": "iqn.1997-05.com.amazon:myvolume",
		  "InitiatorName": "iqn.2026-01.com.example:host",
		  "SecretToAuthenticateInitiator": "initiatorsec1",
		  "SecretToAuthenticateTarget": "targetsecret1" } ] }
	END
	mkdir bin
	# shellcheck disable=SC2016 # the script fills it in
	printf '#!/bin/bash\nset -e\neval "$INITIATOR"\n' >bin/your-initiator
	chmod +x bin/your-initiator
	PATH=$PWD/bin:$PATH
	sed -n '/^## sgw-target in your own CI/,/^## /s/^    //p' "$ROOT/README.md" >commands
}

@test "the commands that README.md has for one's own CI tell by their exit status what was expected" {
	own_ci
	sed '/^echo/d' commands >once
	# shellcheck disable=SC2016 # your-initiator fills them in
	export INITIATOR='iscsi-inq -i $host "iscsi://$host%initiatorsec1@$2/$iqn:myvolume/0" >inq'
	export host=iqn.2026-01.com.example:host iqn=iqn.1997-05.com.amazon
	LIBISCSI_CHAP_TARGET_USERNAME=$iqn:myvolume LIBISCSI_CHAP_TARGET_PASSWORD=targetsecret1 \
		run -0 timeout 60 bash once
	grep -q Vendor:Amazon inq
	rm ready inq
	run -1 timeout 60 bash once
	grep -q Vendor:Amazon inq
	[[ $output == *"expected CHAP=mutual: it was one-way in the login of connection 1, $host to "* ]]
}

@test "the fault that README.md has for one's own CI silences the target at the hundredth write" {
	need qemu-io socat
	own_ci
	local line writes=() n
	line=$(grep ^echo commands)
	# shellcheck disable=SC2034 # for the helpers
	CONTROL=$PWD/control TARGET_LOG=$PWD/target.log
	eval "${line/ --ready-file/ --control control --ready-file}" >target.log 2>&1 3>&-
	TARGET_PIDS+=("$!")
	wait_for test -e ready
	PORTAL=$(<ready)
	for ((n = 1; n <= 100; n++)); do
		writes+=(-c "write $((n * 4))k 4k")
	done
	timeout 60 stdbuf -oL qemu-io -f raw "${writes[@]}" \
		"iscsi://$PORTAL/iqn.1997-05.com.amazon:myvolume/0" >io 2>&1 3>&- &
	wait_for is_frozen
	[ "$(control status | jq -c '.rules[0] | [.met, .struck]')" = '[100,1]' ]
	wait_for has_written 99
	run -0 control clear
	wait_for has_written 100
	run -0 control quit
	TARGET_PID=${TARGET_PIDS[-1]} wait_target 0
}

is_frozen() {
	[ "$(control status | jq .frozen)" = true ]
}

has_written() { # TIMES
	[ "$(grep -c '^wrote 4096/4096' io)" -eq "$1" ]
}
