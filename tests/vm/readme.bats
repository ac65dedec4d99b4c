#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What README.md claims of a host and no other file here has a test of; tests/readme.bats has the list.

# shellcheck disable=SC2154 # guest.bash has the names of the volume, its gateway and its values
load guest

timeout=node.session.timeo.replacement_timeout

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	start_iscsid
}

@test "a line without the blanks that open-iscsi insists on is ignored, and check names it" {
	start_gateway
	sed -i "s/^$timeout = .*/$timeout=600/" /etc/iscsi/iscsid.conf
	iscsiadm -m discovery -t st -p "$portal"
	[ "$(recorded "$timeout")" = 120 ]
	run -3 sgw-init check
	[[ $output == *iscsid.conf:*"$timeout"*"(120)"*600*"not set"*"a blank is missing before '='"* ]]
}

@test "to want another value, say --set" {
	start_gateway
	sgw-init apply "$portal" --set replacement-timeout=900 --connect
	expect_session "$iqn" recovery_tmo=900 recv_tmo=60 ping_tmo=600
	sgw-init check --set replacement-timeout=900
	run -3 sgw-init check
}

@test "undo logs no session out, and does not remove a record with a live session" {
	start_gateway
	sgw-init apply "$portal" --connect
	session_of "$iqn" >session
	run -1 sgw-init undo
	[[ $output == *"is logged in through this record"* ]]
	session_of "$iqn" | cmp - session
	[ "$(recorded "$timeout")" = 600 ]
}

@test "where somebody edited a file meanwhile, only our values that still stand go back" {
	start_gateway
	iscsiadm -m discovery -t st -p "$portal"
	sgw-init apply
	iscsiadm -m node -T "$iqn" -p "$portal" -o update -n node.conn[0].timeo.noop_out_timeout -v 77
	iscsiadm -m node -T "$iqn" -p "$portal" -o update -n node.session.queue_depth -v 64
	run -0 sgw-init undo
	[[ $output == *"$record"* ]]
	[ "$(recorded "$timeout")" = 120 ]
	[ "$(recorded 'node.conn\[0\].timeo.noop_out_timeout')" = 77 ]
	[ "$(recorded node.session.queue_depth)" = 64 ]
	iscsiadm -m node -T "$iqn" -p "$portal"
}

@test "records of other arrays are never touched" {
	start_tgtd
	tgtd_volume 1 "$iqn" Amazon 'Storage Gateway'
	tgtd_volume 2 "$other" Example Array
	iscsiadm -m discovery -t st -p "$portal"
	cp -a "/etc/iscsi/nodes/$other" before
	sgw-init apply "$portal" --connect
	sgw-init apply --connect
	diff -r before "/etc/iscsi/nodes/$other"
	session_of "$iqn"
	run ! session_of "$other"
}

@test "records are edited under open-iscsi's own lock" {
	local waiting
	start_gateway
	iscsiadm -m discovery -t st -p "$portal"
	cp "$record" before
	: >/run/lock/iscsi/lock
	ln /run/lock/iscsi/lock /run/lock/iscsi/lock.write # as another iscsiadm at work has it
	sgw-init apply &
	waiting=$!
	sleep 3
	cmp before "$record"
	kill -0 "$waiting"
	rm /run/lock/iscsi/lock.write
	wait "$waiting"
	[ "$(recorded "$timeout")" = 600 ]
	[ ! -e /run/lock/iscsi/lock.write ]
}

@test "secrets are in no argument, no output, no log and no file that others can read" {
	chap_file the-host-knows gateway-knows chap.json
	start_gateway --chap chap.json
	mkdir bin # every program that sgw-init runs tells its arguments
	for program in iscsiadm udevadm; do
		cat >"bin/$program" <<-END
			#!/bin/bash
			echo $program "\$*" >>$PWD/arguments
			exec /usr/bin/$program "\$@"
		END
		chmod +x "bin/$program"
	done
	PATH=$PWD/bin:$PATH sgw-init apply "$portal" --chap chap.json --connect >said 2>&1
	for output in table json; do
		sgw-init check "$portal" --output "$output"
		sgw-init apply --dry-run --output "$output" --chap chap.json
	done >>said 2>&1
	session_of "$iqn"
	grep -q 'iscsiadm .*--login' arguments
	run ! grep -r -l -E 'the-host-knows|gateway-knows' said arguments /var/log
	find /etc /var /run "$PWD" -xdev -type f -perm /077 -exec grep -l -E 'the-host-knows|gateway-knows' {} + >found || :
	cmp found /dev/null
	grep -q the-host-knows "$record"
}

@test "discover and probe disturb no session of iscsid, and probe refuses a target that has one" {
	local attached
	start_gateway --targets 2
	sgw-init apply "$portal"
	attached=${iqn%:*}:volume-01
	iscsiadm -m node -T "$attached" -p "$portal" --login
	session_of "$attached" >session
	find /etc/iscsi /var/lib/sgw-init -type f -exec stat -c '%n %i %Y' {} + >before
	sgw-init discover "$portal"
	sgw-init probe "$portal" --target "${iqn%:*}:volume-02"
	run ! sgw-init probe "$portal" --target "$attached"
	[[ $output == *"it has a live session on this host"* ]]
	session_of "$attached" | cmp - session
	expect_session "$attached" state=LOGGED_IN
	find /etc/iscsi /var/lib/sgw-init -type f -exec stat -c '%n %i %Y' {} + | cmp - before
	run -0 iscsiadm -m session
	[ "${#lines[@]}" -eq 1 ]
}
