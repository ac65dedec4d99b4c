# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# The real iscsiadm says whether our reader reads, and our writer writes, as open-iscsi does.

load helpers

setup() {
	tool=$BUILD/unit/test_open_iscsi
	# shellcheck source=/dev/null
	. "$ROOT/build/deps/env" 2>/dev/null || skip "iscsiadm is missing: run: make deps"
	"$ROOT/tests/initiator" --possible || skip "a private mount namespace takes root"
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
	:
}

record_of() { # TARGET: its record at 10.0.0.1:3260, below ./etc
	echo "etc/nodes/$1/10.0.0.1,3260,1/default"
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
