#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# connect on a live host: the session, its device, and what stands in the way, in words.

# shellcheck disable=SC2154 # guest.bash has the names of the volume, its gateway and its values
load guest

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	start_iscsid
}

@test "connect brings up the session and the by-path link of a volume, and leaves its record alone" {
	start_gateway --volume myvolume:1M
	sgw-init apply "$portal"
	reload_rules
	cp "$record" before
	stat -c '%i %y' "$record" >written
	run -0 --separate-stderr sgw-init connect
	[ -b "$link" ]
	session_of "$iqn"
	[[ $output == *"$iqn  $portal  connected "*session*"$link"* ]]
	[ -z "$stderr" ]
	cmp before "$record"
	stat -c '%i %y' "$record" | cmp - written
}

@test "a second connect is harmless" {
	start_gateway --volume myvolume:1M
	sgw-init apply "$portal"
	sgw-init connect
	session_of "$iqn" >first
	run -0 sgw-init connect "$portal"
	[[ $output == *"already connected"*"$link"* ]]
	session_of "$iqn" | cmp - first
	run -0 --separate-stderr sgw-init connect --target "$iqn" --output json
	[[ $output == *'"schema": "sgw-init/connect/1"'*'"result": "already"'* ]]
}

@test "connect tells whose CHAP secret is wrong, and what writes the right one" {
	chap_file twelve-bytes the-target-knows gateway.json
	chap_file other--bytes the-target-knows ours.json
	chap_file twelve-bytes the-other-target theirs.json
	start_gateway --volume myvolume:1M --chap gateway.json

	sgw-init apply "$portal" --chap ours.json >/dev/null
	run -1 sgw-init connect
	[[ $output == *"$iqn at $portal: the target refused this host"*SecretToAuthenticateInitiator* ]]
	[[ $output == *"sgw-init apply --chap FILE"*"[iscsiadm: 24 ISCSI_ERR_LOGIN_AUTH_FAILED]"* ]]
	[[ $output != *other--bytes* ]]

	sgw-init apply "$portal" --chap theirs.json >/dev/null
	run -1 sgw-init connect
	[[ $output == *"the login failed for good"*SecretToAuthenticateTarget* ]]
	[[ $output == *"[iscsiadm: 19 ISCSI_ERR_FATAL_LOGIN]"* ]]

	sgw-init apply "$portal" --chap gateway.json >/dev/null
	sgw-init connect
	[ -b "$link" ]
	expect_session "$iqn" username="$host" username_in="$iqn"
}

@test "where iscsid is dead connect says so and what starts it, instead of using its defaults" {
	stop_daemons
	start_gateway --volume myvolume:1M
	sgw-init apply "$portal" >/dev/null
	run -1 sgw-init connect
	[[ $output == *"iscsid does not run"*"start it with: "* ]]
	start_iscsid
	sgw-init connect
	[ -b "$link" ]
}

@test "a gateway that is down is told in words, and not after minutes" {
	start_gateway --volume myvolume:1M
	sgw-init apply "$portal" >/dev/null
	stop_gateway
	SECONDS=0
	run -1 sgw-init connect
	[ "$SECONDS" -lt 60 ]
	[[ $output == *"$iqn at $portal: it refuses connections: is the gateway running"* ]]
	run -1 sgw-init connect "$portal"
	[[ $output == *"$portal"* ]]
}

@test "one target that is gone does not stop the others" {
	local two=iqn.1997-05.com.amazon:another
	start_gateway --volume another:1M --volume myvolume:1M
	sgw-init apply "$portal" >/dev/null
	stop_gateway
	start_gateway --volume myvolume:1M
	run -1 sgw-init connect
	[[ $output == *"$two at $portal: "*"no such target any more"* ]]
	[[ $output == *"$two  "*"  failed"* ]]
	[[ $output == *"$iqn  "*"  connected"* ]]
	[ -b "$link" ]
}

@test "connect PORTAL makes no record, and names the command that makes one" {
	start_gateway --volume another:1M --volume myvolume:1M
	sgw-init apply "$portal" >/dev/null
	rm -r /etc/iscsi/nodes/iqn.1997-05.com.amazon:another
	run -1 sgw-init connect "$portal"
	[[ $output == *"iqn.1997-05.com.amazon:another has no record here: make it with: sgw-init apply $portal --connect"* ]]
	session_of "$iqn"
	run -0 iscsiadm -m node
	[ "$output" = "$portal,1 $iqn" ]
}

@test "a second portal of a target is not logged in to: its disk would be there twice" {
	start_gateway --volume myvolume:1M --portal 127.0.0.2:3260
	sgw-init apply "$portal" >/dev/null
	sgw-init apply 127.0.0.2 >/dev/null
	run -0 iscsiadm -m node
	[ "${#lines[@]}" -eq 2 ]
	run -0 sgw-init connect
	[ "$(grep -c "  connected  *session" <<<"$output")" -eq 1 ]
	[[ $output == *"a second one would show its device twice"* ]]
	run -0 sgw-init connect 127.0.0.2
	run -0 sgw-init connect --target "$iqn" 127.0.0.2
	[[ $output == *"127.0.0.2:3260  connected elsewhere"* ]]
	[[ $output != *"$portal  "* ]]
	[ "$(iscsiadm -m session | wc -l)" -eq 1 ]
}

@test "connect waits for the drives and the changer of a Tape Gateway" {
	local links
	start_gateway --gateway tape
	sgw-init apply "$portal" >/dev/null
	run -0 sgw-init connect
	[ "$(grep -c "  connected  session" <<<"$output")" -eq 11 ]
	run -0 sgw-init devices
	[[ $output == *"-tapedrive-01  $portal  "*" nst"* ]]
	[[ $output == *"-mediachanger  $portal  "* ]]
	links=(/dev/tape/by-path/*-nst)
	[ "${#links[@]}" -eq 10 ]
}

@test "where udevd hangs connect gives up, and says that the session is up" {
	start_gateway --volume myvolume:1M
	sgw-init apply "$portal" >/dev/null
	kill -STOP "$(cat /run/udevd.pid)"
	run sgw-init connect
	kill -CONT "$(cat /run/udevd.pid)"
	[ "$status" -eq 1 ]
	[[ $output == *"session"*" is up, but udev was not through with sd"*" within 30 s"* ]]
	session_of "$iqn"
	run -0 sgw-init connect
	[[ $output == *"already connected"*"$link"* ]]
}
