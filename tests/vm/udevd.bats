#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A live host whose udevd was killed: apply, connect and undo do without it, and say so.

# shellcheck disable=SC2154 # guest.bash has the names of the volume, its gateway and its values
load guest

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	start_iscsid
}

# Its socket stays. That the first disk has the module loaded is udevd's, too.
kill_udevd() {
	modprobe sd_mod
	settle
	kill -KILL "$(cat /run/udevd.pid)"
	wait_for udevd_is_gone
	[ -S /run/udev/control ]
}

udevd_is_gone() {
	[[ $(udevadm control --ping 2>&1) == *'Connection refused'* ]]
}

# As init does.
start_udevd() {
	setsid udevd >>/var/log/udevd.log 2>&1 </dev/null &
	echo $! >/run/udevd.pid
	wait_for udevadm control --ping
}

teardown() {
	! udevd_is_gone || start_udevd
	fresh_host
}

@test "where udevd was killed apply --connect does all but the links, sets the disk itself, and says what is missing" {
	start_gateway --volume myvolume:1M
	kill_udevd
	run -0 --separate-stderr sgw-init apply "$portal" --connect # a wait for links would fail
	[[ $output == *"$iqn  $portal  connected  session"* ]]
	[ "$(grep -c 'warning: udevd does not run: the rules as they are now take effect' <<<"$stderr")" -eq 1 ]
	[ "$(grep -c 'warning: udevd does not run, so nobody makes links' <<<"$stderr")" -eq 1 ]
	[[ $stderr != *'udevadm control'* ]]
	expect_session "$iqn" "${tuned[@]}"
	[ "$(timeout_of "$iqn")" = 600 ]
	[ ! -e "$link" ]

	# Started anew it makes the links, and follows the rule.
	start_udevd
	echo 30 >"$(disk_of "$iqn")/timeout"
	udevadm trigger --action=add
	settle
	[ "$(timeout_of "$iqn")" = 600 ]
	[ -b "$link" ]
}

@test "where udevd was killed connect waits for no links, and apply then sets what its rule would have" {
	start_gateway --volume myvolume:1M
	sgw-init apply "$portal"
	kill_udevd
	run -0 --separate-stderr sgw-init connect
	[[ $output == *"$iqn  $portal  connected  session"* ]]
	[ "$(grep -c 'warning: udevd does not run, so nobody makes links' <<<"$stderr")" -eq 1 ]
	[[ $stderr == *'1 value of these sessions and devices is not as wanted'* ]]
	[ "$(timeout_of "$iqn")" = 30 ]
	run -0 --separate-stderr sgw-init apply
	[ "$(timeout_of "$iqn")" = 600 ]
	sgw-init check

	run -0 --separate-stderr sgw-init undo
	[ "$(timeout_of "$iqn")" = 30 ]
}

@test "a udevd that runs is not disturbed by being looked for" {
	start_gateway --volume myvolume:1M
	sgw-init apply "$portal"
	cp /var/log/udevd.log said
	for _ in 1 2 3; do
		run -0 --separate-stderr sgw-init connect
		[ -z "$stderr" ]
		[ -b "$link" ]
		iscsiadm -m node -T "$iqn" -p "$portal" --logout
	done
	cmp said /var/log/udevd.log # udevadm itself may leave a line there
	wait_for udevadm control --ping
}
