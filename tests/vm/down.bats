#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Sessions and disks that are there and cannot be used: no command takes them for well.

# shellcheck disable=SC2154 # guest.bash has the names of the volume, its gateway and its values
load guest

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	start_iscsid
	start_gateway --volume myvolume:8M
	sgw-init apply "$portal" --connect
	sgw-init check
}

state_is() { # STATE
	[ "$(cat "$(session_of "$iqn")/state")" = "$1" ]
}

@test "with the gateway gone no command says that its session is well; when it is back, all do" {
	local session
	stop_gateway
	wait_for state_is FAILED
	session=$(basename "$(session_of "$iqn")")
	run -1 sgw-init connect --wait 1
	[[ $output == *"$iqn at $portal: $session is down (FAILED), and did not come up within 1 s"*"sgw-init discover $portal"* ]]
	run -1 sgw-init apply --connect --wait 1
	[[ $output == *"$session is down (FAILED)"* ]]
	run -0 sgw-init apply --relogin
	[[ $output == *"warning: $session ($iqn): it is FAILED"* ]]
	run -3 sgw-init check
	[[ $output == *"$session ($iqn)"*down*"it is FAILED"* ]]
	[[ $output == *"still to do for $session ($iqn): "*"sgw-init discover $portal"* ]]

	start_gateway --volume myvolume:8M
	run -0 sgw-init connect --wait 120
	[[ $output == *"$iqn  $portal  already connected  $session"* ]]
	state_is LOGGED_IN
	sgw-init check
}

@test "a disk that was deleted by hand comes back by the command that connect and check name" {
	local session command
	session=$(basename "$(session_of "$iqn")")
	command="iscsiadm -m session -r ${session#session} --rescan"
	echo 1 >"$(disk_of "$iqn")/delete"
	run -3 sgw-init check
	[[ $output == *"$session ($iqn)"*down*"it is logged in, but has no device"*"$command"* ]]
	run -1 sgw-init connect --wait 1
	[[ $output == *"$session is up, but it has no device, and none came within 1 s"*"$command"* ]]
	eval "$command"
	run -0 sgw-init connect
	[[ $output == *"already connected"*/dev/disk/by-path/ip-"$portal"-iscsi-"$iqn"-lun-0* ]]
	sgw-init check
}

@test "a disk that is offline runs again by the command that connect and check name" {
	local command
	echo offline >"$(disk_of "$iqn")/state"
	run -3 sgw-init check
	[[ $output == *"($iqn)"*down*"it is offline, not running"* ]]
	command=$(sed -n 's/^still to do for sd.*: \(echo running .*\)/\1/p' <<<"$output")
	run -1 sgw-init connect --wait 1
	[[ $output == *"$command"* ]]
	eval "$command"
	sgw-init connect
	sgw-init check
}
