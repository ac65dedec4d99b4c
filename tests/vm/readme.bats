#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What README.md claims of a host and no other file here has a test of; tests/data/readme-claims has all.

# shellcheck disable=SC2154 # guest.bash has the names of the volume, its gateway and its values
load guest

timeout=node.session.timeo.replacement_timeout

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	start_iscsid
}

teardown() {
	umount /mnt 2>/dev/null || :
	fresh_host
}

# Every program that sgw-init runs from now on adds its arguments to a file of that name.
log_programs() {
	local program
	mkdir bin
	for program in iscsiadm udevadm; do
		cat >"bin/$program" <<-END
			#!/bin/bash
			echo $program "\$*" >>$PWD/arguments
			exec /usr/bin/$program "\$@"
		END
		chmod +x "bin/$program"
	done
	PATH=$PWD/bin:$PATH
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
	log_programs
	sgw-init apply "$portal" --chap chap.json --connect >said 2>&1
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

@test "devices shows which device belongs to which target, by which links, used by whom" {
	local name disk pid session
	start_gateway --volume one:8M --volume two:1M --volume three:1M
	sgw-init apply "$portal" --connect
	mke2fs -q "$(node_of "${iqn%:*}:one")"
	mount -t ext2 "$(node_of "${iqn%:*}:one")" /mnt
	mkfifo hold
	bash -c 'exec 9<"$1" && echo >open && read -r _ <hold' bash "$(node_of "${iqn%:*}:two")" &
	pid=$!
	wait_for test -e open
	sgw-init devices >said
	cat said
	[ "$(grep -c "${iqn%:*}" said)" -eq 6 ]
	for name in one two three; do
		disk=$(node_of "${iqn%:*}:$name")
		link=/dev/disk/by-path/ip-$portal-iscsi-${iqn%:*}:$name-lun-0
		[ "$(readlink -f "$link")" = "$disk" ]
		session=$(session_of "${iqn%:*}:$name")
		grep -E -A 1 "^${iqn%:*}:$name +$portal +${session##*/} +logged in +${disk##*/} " said >lines
		grep -q -F " $link" lines
		case $name in
		one) grep -q -F "mounted on /mnt (${disk##*/})" lines ;;
		two) grep -q -F "open by bash, process $pid (${disk##*/})" lines ;;
		three) run -1 grep -E 'mounted|open by' lines ;;
		esac
	done
	echo go >hold
	wait "$pid"
	umount /mnt
}

@test "--relogin takes one target at a time, and none whose disk is in use" {
	local name=${iqn%:*}:volume n
	start_gateway --targets 3
	iscsiadm -m discovery -t st -p "$portal"
	for n in 01 02 03; do
		log_in "$name-$n"
	done
	mke2fs -q -F "$(node_of "$name-02")" 8m
	mount -t ext2 "$(node_of "$name-02")" /mnt
	session_of "$name-02" >session
	log_programs
	run -1 sgw-init apply --relogin
	[[ $output == *"$name-02"*"in use: left as it is"* ]]
	session_of "$name-02" | cmp - session
	expect_session "$name-01" "${tuned[@]}"
	expect_session "$name-03" "${tuned[@]}"
	umount /mnt
	sgw-init apply --relogin
	expect_session "$name-02" "${tuned[@]}"
	# No target is logged out of before the last one is in again.
	sed -n 's/^iscsiadm .* \(-T\|--targetname\) \([^ ]*\).* --\(log[a-z]*\).*/\3 \2/p' arguments >order
	cat arguments
	printf '%s\n' {logout,login}" $name-01" {logout,login}" $name-03" {logout,login}" $name-02" |
		diff - order
}

@test "live values are read back: one that does not come out as it was written fails apply, and is named" {
	local timeout_file
	start_gateway
	iscsiadm -m discovery -t st -p "$portal"
	log_in "$iqn"
	timeout_file=$(disk_of "$iqn")/timeout
	mount --bind /sys/block/vda/queue/add_random "$timeout_file" # it takes any number, and is 0 or 1
	run -1 sgw-init apply
	settle # an event that came later than apply waited for it writes there, too
	umount "$timeout_file"
	[[ $output == *"$timeout_file: 600 was written, and it is 1"* ]]
	expect_session "$iqn" recovery_tmo=600
	[ "$(timeout_of "$iqn")" = 30 ]
	sgw-init apply
	[ "$(timeout_of "$iqn")" = 600 ]
}
