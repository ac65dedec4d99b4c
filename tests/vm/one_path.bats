#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A volume has one path: what is made for two portals of one target, and what comes up at boot.

# shellcheck disable=SC2154 # guest.bash has the names of the volume, its gateway and its values
load guest

first=$portal
second=127.0.0.2:3260

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	start_iscsid
	start_gateway --volume myvolume:8M --portal "$second"
}

startup_of() { # PORTAL
	sed -n 's/^node.startup = //p' "/etc/iscsi/nodes/$iqn/${1/:/,},1/default"
}

# What the host's service does when it boots.
boot() {
	iscsiadm -m session -u || :
	iscsiadm -m node --loginall=automatic
}

sessions() {
	iscsiadm -m session | wc -l
}

@test "apply --connect for each of two portals of a volume leaves one session, at the next boot too" {
	sgw-init apply "$first" --connect
	run -0 sgw-init apply "$second" --connect
	[ "$(startup_of "$first") $(startup_of "$second")" = 'automatic manual' ]
	run -0 sgw-init check
	[[ $output != *twice* ]]
	boot
	[ "$(sessions)" -eq 1 ]
	[ "$(cat "$(session_of "$iqn")/device/connection"*/iscsi_connection/*/persistent_address)" = 127.0.0.1 ]
}

@test "apply PORTAL --connect moves a target that is not connected to that portal" {
	sgw-init apply "$first" --connect
	sgw-init disconnect --all
	run -0 sgw-init apply "$second" --connect
	[[ $output == *"$iqn  $second  connected"* && $output != *"$iqn  $first"* ]]
	[ "$(startup_of "$first") $(startup_of "$second")" = 'manual automatic' ]
	boot
	[ "$(sessions)" -eq 1 ]
}

@test "check tells of a volume that came up twice, and its commands leave one session and record" {
	local command
	sgw-init apply "$first" --connect
	sgw-init apply "$second"
	iscsiadm -m node -T "$iqn" -p "$second" --op update -n node.startup -v automatic
	run -0 sgw-init check
	[[ $output == *"$iqn at $second"*twice*"sgw-init apply --connect"* ]]

	boot
	[ "$(sessions)" -eq 2 ]
	wait_for test -e "/dev/disk/by-path/ip-$first-iscsi-$iqn-lun-0"
	wait_for test -e "/dev/disk/by-path/ip-$second-iscsi-$iqn-lun-0"
	settle
	run -0 sgw-init check
	[[ $output == *twice*"goes to this target as well: sd"*" and sd"*" are one device"* ]]
	command=$(sed -n 's/^still to do for session.*: \(sgw-init disconnect .*\)/\1/p' <<<"$output")
	eval "$command"
	run -0 sgw-init check
	[[ $output != *twice* ]]
	[ "$(sessions)" -eq 1 ]
	boot
	[ "$(sessions)" -eq 1 ]
}
