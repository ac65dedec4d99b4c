#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# connect on a live host: the session, its device, and what stands in the way, in words.

load guest

iqn=iqn.1997-05.com.amazon:myvolume
portal=127.0.0.1:3260
record=/etc/iscsi/nodes/$iqn/127.0.0.1,3260,1/default
link=/dev/disk/by-path/ip-$portal-iscsi-$iqn-lun-0

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	start_iscsid
}

start_gateway() { # [sgw-target's options]
	start_daemon sgw-target --portal "$portal" --ready-file ready "$@"
	wait_for test -e ready
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
