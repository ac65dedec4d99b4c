#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# apply on sessions that are up: what takes effect at once, and what a login is for.

load guest

iqn=iqn.1997-05.com.amazon:myvolume
other=iqn.2001-04.com.example:array
portal=127.0.0.1:3260
record=/etc/iscsi/nodes/$iqn/127.0.0.1,3260,1/default
stock=(recovery_tmo=120 recv_tmo=5 ping_tmo=5)
tuned=(
	recovery_tmo=600 recv_tmo=60 ping_tmo=600
	first_burst_len=262144 max_burst_len=16776192 max_recv_dlength=262144
)

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	start_iscsid
}

start_gateway() { # [sgw-target's options]
	start_daemon sgw-target --portal "$portal" --ready-file ready "$@"
	wait_for test -e ready
}

# A gateway's volume and another array's, both attached with stock settings.
attach_stock() {
	start_tgtd
	tgtd_volume 1 "$iqn" Amazon 'Storage Gateway'
	tgtd_volume 2 "$other" Example Array
	iscsiadm -m discovery -t st -p "$portal"
	log_in "$iqn"
	log_in "$other"
	expect_session "$iqn" "${stock[@]}"
}

timeout_of() { # IQN
	cat "$(disk_of "$1")/timeout"
}

@test "apply sets the live values of an attached volume at once, and no other device's" {
	local session
	attach_stock
	session=$(session_of "$iqn")
	run -3 sgw-init apply --dry-run
	[[ $output == *recovery_tmo*120*600*timeout*30*600*"would have udevd read its rules anew"* ]]
	expect_session "$iqn" "${stock[@]}"

	run -0 --separate-stderr sgw-init apply
	# shellcheck disable=SC2154 # run sets it
	[[ $stderr != *udevd* ]]
	[[ $output == *" and 2 live values written"* ]]
	[ "$(session_of "$iqn")" = "$session" ]
	expect_session "$iqn" recovery_tmo=600 recv_tmo=5 ping_tmo=5
	[ "$(timeout_of "$iqn")" = 600 ]
	expect_session "$other" "${stock[@]}"
	[ "$(timeout_of "$other")" = 30 ]

	run -0 sgw-init apply
	[[ $output == *"nothing to change"* ]]
}

@test "after apply udevd follows the new rule at once, which an event proves" {
	attach_stock
	sgw-init apply
	echo 30 >"$(disk_of "$iqn")/timeout"
	echo change >"$(disk_of "$iqn")/uevent"
	udevadm settle
	[ "$(timeout_of "$iqn")" = 600 ]
	[ "$(timeout_of "$other")" = 30 ]
	sgw-init undo
	wait_for event_spares 30
}

# With that timeout it comes out of an event.
event_spares() { # SECONDS
	echo "$1" >"$(disk_of "$iqn")/timeout"
	echo change >"$(disk_of "$iqn")/uevent"
	udevadm settle
	[ "$(timeout_of "$iqn")" = "$1" ]
}

@test "undo brings the stock values back on the session that is up" {
	attach_stock
	sgw-init apply
	run -0 sgw-init undo
	[[ $output == *recovery_tmo*"taken back"*timeout*"taken back"* ]]
	expect_session "$iqn" "${stock[@]}"
	[ "$(timeout_of "$iqn")" = 30 ]

	# After a login the session has another number, and its disk another address.
	sgw-init apply
	iscsiadm -m node -T "$iqn" -p "$portal" --logout
	log_in "$iqn"
	expect_session "$iqn" recovery_tmo=600
	run -0 sgw-init undo
	expect_session "$iqn" recovery_tmo=120 recv_tmo=60
	[ "$(timeout_of "$iqn")" = 30 ]
}

@test "undo tells of a session that is gone" {
	attach_stock
	sgw-init apply
	iscsiadm -m node -T "$iqn" -p "$portal" --logout
	run -0 sgw-init undo
	[[ $output == *"$iqn at $portal"*recovery_tmo*gone* ]]
}

@test "a value that the kernel refuses to set is named, and all the others are set" {
	attach_stock
	# shellcheck disable=SC2154 # guest.bash has them: iscsid, tgtd
	kill -STOP "${daemons[1]}"
	wait_for session_is_lost
	run -1 sgw-init apply
	kill -CONT "${daemons[1]}"
	[[ $output == *"/recovery_tmo: 600 cannot be set while the session is not logged in"* ]]
	[ "$(timeout_of "$iqn")" = 600 ]
}

session_is_lost() {
	[ "$(cat "$(session_of "$iqn")/state")" != LOGGED_IN ]
}

@test "apply --connect does all of AWS's procedure: CHAP, tuning, login, device, proof" {
	install -m 600 /dev/null chap.json
	cat >chap.json <<-END
		{ "ChapCredentials": [ {
			"TargetARN": "arn:aws:storagegateway:eu-west-1:111122223333:gateway/sgw-12A3456B/target/$iqn",
			"InitiatorName": "iqn.1993-08.org.debian:01:guest",
			"SecretToAuthenticateInitiator": "twelve-bytes",
			"SecretToAuthenticateTarget": "the-target-knows" } ] }
	END
	start_gateway --volume myvolume:8M --chap chap.json
	run -3 sgw-init apply "$portal" --chap chap.json --connect --dry-run
	[[ $output == *"would log in to $iqn at $portal"* ]]
	[ ! -e "$record" ]

	run -0 sgw-init apply "$portal" --chap chap.json --connect
	[[ $output == *"$iqn"*connected*/dev/disk/by-path/ip-"$portal"-iscsi-"$iqn"-lun-0* ]]
	grep -x 'node.startup = automatic' "$record"
	expect_session "$iqn" "${tuned[@]}" username=iqn.1993-08.org.debian:01:guest username_in="$iqn"
	[ "$(timeout_of "$iqn")" = 600 ]
	sgw-init check

	session_of "$iqn" >session
	stat -c '%n %i %Y' /etc/iscsi/iscsid.conf "$record" /etc/udev/rules.d/* >before
	run -0 sgw-init apply "$portal" --chap chap.json --connect
	[[ $output == *"nothing to change"* ]]
	stat -c '%n %i %Y' /etc/iscsi/iscsid.conf "$record" /etc/udev/rules.d/* | cmp - before
	session_of "$iqn" | cmp - session
}

@test "apply --connect fails where a target refuses the login, and says why" {
	start_gateway --volume myvolume:1M
	sgw-init apply "$portal"
	stop_daemons
	start_iscsid
	run -1 sgw-init apply --connect
	[[ $output == *"$iqn at $portal: "*"refuses connections"* ]]
	grep -x 'node.startup = automatic' "$record"
}
