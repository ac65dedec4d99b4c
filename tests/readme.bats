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
	# The kind, the settings' name and the four timeouts of each case.
	# shellcheck disable=SC2016 # the test's own variable
	sed -n 's/^\t\t\t$kind //p' "$ROOT/tests/vm/long/outage.bats" |
		awk '{ for (i = 1; i <= 2; i++) print i == 1 ? "freeze" : "away", $1, $2, $3, $4, $5 }' |
		sort >"$BATS_TEST_TMPDIR/cases"
	awk '$1 == 150 { print $2, $3, $4, $5, $6, $7 }' "$ROOT/tests/vm/long/outages" | sort |
		diff "$BATS_TEST_TMPDIR/cases" -
	[ "$(wc -l <"$BATS_TEST_TMPDIR/cases")" -eq 8 ]
}

# What README.md says of a host, and the test in tests/vm that sees it there.
claims() {
	cat <<-'END'
		after some 130|long/outage|a host with stock settings loses its disk after some 130 s of silence, a tuned one does not
		tuned right it survives at least ten minutes|long/outage|tuned right it survives ten minutes, and silence even longer
		writes the timeouts and burst lengths of iscsid.conf and of the node records|apply|apply makes records that iscsiadm reads, logs in by, and that tune the session
		sets up mutual CHAP|procedure|apply --connect takes a stock host to a tuned session with mutual CHAP and a file system
		proves that every layer holds what is wanted|apply|check names the one layer that lost its value
		takes all of it back, to the byte|apply|undo takes an apply back to the byte, and what discovery finds next is stock
		without the blanks that open-iscsi insists on|readme|a line without the blanks that open-iscsi insists on is ignored, and check names it
		`apply` without a portal tunes what is there already|apply|apply without a portal tunes what plain discovery then finds, and its disk alone
		To want another value|readme|to want another value, say --set
		only our values that still stand go back|readme|where somebody edited a file meanwhile, only our values that still stand go back
		undo logs no session out|readme|undo logs no session out, and does not remove a record with a live session
		leaves every file whole|races|apply killed at any moment under a disk that is written to costs no I/O, and the next makes good
		the kernel takes anything for a disk's timeout|effects|the kernel checks a session's timeout, and takes anything for a disk's
		so that `undo` puts them back|live|undo brings the stock values back on the session that is up
		Records of other arrays are never touched|readme|records of other arrays are never touched
		Records are edited under open-iscsi's own lock|readme|records are edited under open-iscsi's own lock
		A second `apply` writes nothing|apply|a second apply writes nothing
		They are in no argument, no output, no log and no file that others can read|readme|secrets are in no argument, no output, no log and no file that others can read
		disturb no session of iscsid|readme|discover and probe disturb no session of iscsid, and probe refuses a target that has one
		The udev rule alone buys nothing. iscsid.conf alone comes through|outage|an outage costs what check said that it would, by every setting alone and by all together
	END
}

@test "each claim of README.md about a host has its test in the guest" {
	local text claim file title status=0 n=0
	text=$(tr -s ' \n' '  ' <"$ROOT/README.md")
	while IFS='|' read -r claim file title; do
		n=$((n + 1))
		[[ $text == *"$claim"* ]] || { echo "README.md does not say: $claim"; status=1; }
		grep -q -F "@test \"$title\" {" "$ROOT/tests/vm/$file.bats" ||
			{ echo "tests/vm/$file.bats has no: $title"; status=1; }
	done < <(claims)
	[ "$n" -eq 20 ]
	return "$status"
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
