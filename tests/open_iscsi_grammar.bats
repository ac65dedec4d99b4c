# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# The real iscsiadm says whether our reader reads, and our writer writes, as open-iscsi does.

load helpers

setup() {
	tool=$BUILD/unit/test_open_iscsi
	records=$BUILD/unit/test_records
	# shellcheck source=/dev/null
	. "$ROOT/build/deps/env" 2>/dev/null || skip "iscsiadm is missing: run: make deps"
	"$ROOT/tests/initiator" --possible || skip "a private mount namespace takes root"
	cd "$BATS_TEST_TMPDIR" || return
	mkdir -p etc
}

teardown() {
	:
}

record_of() { # TARGET: its record at 10.0.0.1:3260, below ./etc
	echo "etc/nodes/$1/10.0.0.1,3260,1/default"
}

show() { # TARGET: its record as iscsiadm reads it
	"$ROOT/tests/initiator" "$PWD/etc" iscsiadm -m node -T "$1" -p 10.0.0.1:3260 -o show -S
}

@test "our reader takes every form of a line as iscsiadm does" {
	local row expected got record status=0
	record=$(record_of iqn.x:row)
	mkdir -p rows "$(dirname "$record")"
	"$tool" records rows
	ls rows/*.record
	"$ROOT/tests/initiator" "$PWD/etc" iscsiadm -m node -o new -T iqn.x:default -p 10.0.0.1:3260
	mv etc/nodes/iqn.x:default/* default
	rm -r etc/nodes/iqn.x:default

	for row in rows/*.record; do
		# An update makes iscsiadm write down all that it read.
		cp "$row" "$record"
		"$ROOT/tests/initiator" "$PWD/etc" iscsiadm -m node -T iqn.x:row -p 10.0.0.1:3260 \
			-o update -n node.conn[0].tcp.window_size -v 524288 2>messages
		expected=$(cat "${row%.record}.expected")
		case $expected in
		*' = '*) got=$(grep -F -- "${expected%% = *} = " "$record") ;;
		*)	# our reader found nothing: neither did iscsiadm, if its own default stands
			got=$(grep -F -- "$expected = " "$record") || :
			expected=$(grep -F -- "$expected = " default) || : ;;
		esac
		if [ "$got" != "$expected" ]; then
			printf 'of this record iscsiadm takes "%s", we "%s":\n' "$got" "$expected"
			cat -A "$row" messages
			status=1
		fi
	done
	return "$status"
}

@test "of the distribution's iscsid.conf only the three timeouts change" {
	"$tool" set "$STOCK_ISCSID_CONF" \
		node.session.timeo.replacement_timeout 600 \
		'node.conn[0].timeo.noop_out_interval' 60 \
		'node.conn[0].timeo.noop_out_timeout' 600 >iscsid.conf
	run diff --unchanged-line-format= --old-line-format='-%L' --new-line-format='+%L' \
		"$STOCK_ISCSID_CONF" iscsid.conf
	diff - <(echo "$output") <<-'END'
		-node.session.timeo.replacement_timeout = 120
		+node.session.timeo.replacement_timeout = 600
		-node.conn[0].timeo.noop_out_interval = 5
		+node.conn[0].timeo.noop_out_interval = 60
		-node.conn[0].timeo.noop_out_timeout = 5
		+node.conn[0].timeo.noop_out_timeout = 600
	END
}

@test "CHAP goes below its commented-out defaults in the distribution's iscsid.conf" {
	"$tool" set "$STOCK_ISCSID_CONF" node.session.auth.authmethod CHAP \
		node.session.auth.username me >iscsid.conf
	run grep -n -A 1 -E '^#node.session.auth.(authmethod|username) ' iscsid.conf
	[[ ${lines[1]} == *'node.session.auth.authmethod = CHAP' ]]
	[[ $output == *'#node.session.auth.username = username'$'\n'*'node.session.auth.username = me' ]]
	[ "$(diff "$STOCK_ISCSID_CONF" iscsid.conf | grep -c '^[<>]')" -eq 2 ]
}

@test "nothing is odd in the distribution's iscsid.conf, nor in a record of iscsiadm's" {
	run -0 "$tool" lint "$STOCK_ISCSID_CONF"
	[ -z "$output" ]
	"$ROOT/tests/initiator" "$PWD/etc" iscsiadm -m node -o new -T iqn.x:theirs -p 10.0.0.1:3260,1
	run -0 "$tool" lint "$(record_of iqn.x:theirs)"
	[ -z "$output" ]
}

@test "what we set in iscsiadm's record is all that changes for iscsiadm" {
	local record
	record=$(record_of iqn.x:theirs)
	"$ROOT/tests/initiator" "$PWD/etc" iscsiadm -m node -o new -T iqn.x:theirs -p 10.0.0.1:3260,1
	show iqn.x:theirs >before
	"$tool" set "$record" node.session.timeo.replacement_timeout 600 \
		node.session.auth.authmethod CHAP node.session.auth.username 'me and "you"' >changed
	cp changed "$record"
	show iqn.x:theirs >after
	run diff before after
	diff - <(grep '^[<>]' <<<"$output") <<-'END'
		< node.session.auth.authmethod = None
		< node.session.auth.username = <empty>
		> node.session.auth.authmethod = CHAP
		> node.session.auth.username = me and "you"
		< node.session.timeo.replacement_timeout = 120
		> node.session.timeo.replacement_timeout = 600
	END
	# And iscsiadm would have put the new line where we did.
	"$ROOT/tests/initiator" "$PWD/etc" iscsiadm -m node -T iqn.x:theirs -p 10.0.0.1:3260 \
		-o update -n node.session.timeo.replacement_timeout -v 600
	diff changed "$record"
}

@test "a record made by us is to iscsiadm what its own would be" {
	# What iscsiadm makes without iscsid, which alone tells it where iscsid.conf is.
	"$ROOT/tests/initiator" "$PWD/etc" iscsiadm -m node -o new -T iqn.x:theirs -p 10.0.0.1:3260,1
	mkdir -p "$(dirname "$(record_of iqn.x:ours)")"
	: >empty.conf
	"$records" new empty.conf iqn.x:ours 10.0.0.1 3260 1 >"$(record_of iqn.x:ours)"
	diff <(show iqn.x:theirs | sed s/iqn.x:theirs/iqn.x:ours/) <(show iqn.x:ours)
}

@test "a record made by us holds iscsid.conf, and what was set since" {
	mkdir -p "$(dirname "$(record_of iqn.x:ours)")"
	"$records" new "$STOCK_ISCSID_CONF" iqn.x:ours 10.0.0.1 3260 1 \
		node.session.timeo.replacement_timeout 600 node.session.auth.authmethod CHAP \
		node.session.auth.password 'a # "b" =c' >"$(record_of iqn.x:ours)"
	show iqn.x:ours >shown
	grep -x -F 'node.session.timeo.replacement_timeout = 600' shown
	grep -x -F 'node.session.auth.authmethod = CHAP' shown
	grep -x -F 'node.session.auth.password = a # "b" =c' shown
	grep -v -e replacement_timeout "$STOCK_ISCSID_CONF" | grep '^node\.' >conf
	grep -c . conf
	run ! grep -v -x -F -f shown conf
}

@test "a portal without a tag, and one of IPv6, are found by iscsiadm where we put them" {
	: >empty.conf
	mkdir -p etc/nodes/iqn.x:untagged etc/nodes/iqn.x:six/fe80::1,3260,1
	"$records" new empty.conf iqn.x:untagged 10.0.0.1 3260 -1 >etc/nodes/iqn.x:untagged/10.0.0.1,3260
	"$records" new empty.conf iqn.x:six '[FE80::0:1]' 3260 1 >etc/nodes/iqn.x:six/fe80::1,3260,1/default
	run -0 "$ROOT/tests/initiator" "$PWD/etc" iscsiadm -m node
	[[ $output == *'10.0.0.1:3260,'*' iqn.x:untagged'* ]]
	[[ $output == *'[fe80::1]:3260,1 iqn.x:six'* ]]
	run -0 "$ROOT/tests/initiator" "$PWD/etc" iscsiadm -m node -T iqn.x:six -p '[fe80::1]:3260' -o delete
	[ ! -e etc/nodes/iqn.x:six ]
}

@test "one key that open-iscsi does not know hides every record from iscsiadm -m node" {
	: >empty.conf
	mkdir -p "$(dirname "$(record_of iqn.x:ours)")"
	"$records" new empty.conf iqn.x:ours 10.0.0.1 3260 1 >"$(record_of iqn.x:ours)"
	run -0 "$ROOT/tests/initiator" "$PWD/etc" iscsiadm -m node
	"$records" new empty.conf iqn.x:ours 10.0.0.1 3260 1 node.no.such.key 1 >"$(record_of iqn.x:ours)"
	run "$ROOT/tests/initiator" "$PWD/etc" iscsiadm -m node
	[ "$status" -ne 0 ]
}
