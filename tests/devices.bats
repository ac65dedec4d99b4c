# SPDX-License-Identifier: MIT
# devices: targets, sessions, devices and links as /sys, /dev and /proc show them, and who uses them.

load helpers

setup() {
	HOST=$BATS_TEST_TMPDIR/host
	SYS=$HOST/sys
	mkdir -p "$SYS/class/iscsi_session" "$HOST/proc/self" "$HOST/dev/disk/by-path" \
		"$HOST/dev/tape/by-path"
}

devices() {
	sgw-init devices --root "$HOST" "$@"
}

# session N TARGET ADDRESS PORT: one that is logged in
session() {
	local session=$SYS/class/iscsi_session/session$1
	local connection=$SYS/class/iscsi_connection/connection$1:0

	mkdir -p "$session/device" "$connection"
	echo "$2" >"$session/targetname"
	echo LOGGED_IN >"$session/state"
	echo "$3" >"$connection/persistent_address"
	echo "$4" >"$connection/persistent_port"
}

# device N TYPE NODE...: LUN 0 of session N, with these nodes as DRIVER/NAME:MAJOR:MINOR
device() {
	local lun=$SYS/class/iscsi_session/session$1/device/target$1:0:0/$1:0:0:0 type=$2 node name
	shift 2
	mkdir -p "$lun"
	echo "$type" >"$lun/type"
	echo running >"$lun/state"
	for node; do
		name=${node%%:*}
		mkdir -p "$lun/$name"
		echo "${node#*:}" >"$lun/$name/dev"
	done
}

volume() { # N NAME ADDRESS DISK:MAJOR:MINOR
	session "$1" "iqn.1997-05.com.amazon:$2" "$3" 3260
	device "$1" 0 "block/$4" "scsi_generic/sg$1:21:$1"
	DISK=$SYS/class/iscsi_session/session$1/device/target$1:0:0/$1:0:0:0/block/${4%%:*}
	ln -s "../../${4%%:*}" "$HOST/dev/disk/by-path/ip-$3:3260-iscsi-iqn.1997-05.com.amazon:$2-lun-0"
}

mountinfo() { # MAJOR:MINOR POINT SOURCE
	echo "36 35 $1 / $2 rw,relatime shared:1 - ext4 $3 rw" >>"$HOST/proc/self/mountinfo"
}

@test "devices on a host without a session says so, and that is no failure" {
	run -0 devices
	[ "$output" = "no session of a Storage Gateway" ]
	rm -r "$SYS"
	run -0 devices --output json
	[ "$(jq -c . <<<"$output")" = '{"schema":"sgw-init/devices/1","ok":true,"sessions":[]}' ]
}

@test "devices tells target, portal, session, disk, size and by-path link of a volume" {
	volume 3 myvolume 10.0.0.1 sdb:8:16
	echo 2097152 >"$DISK/size"
	run -0 devices
	[ "${lines[1]}" = "iqn.1997-05.com.amazon:myvolume  10.0.0.1:3260  session3  logged in  sdb sg3  1.0 GiB" ]
	[[ ${lines[2]} == *" /dev/disk/by-path/ip-10.0.0.1:3260-iscsi-iqn.1997-05.com.amazon:myvolume-lun-0" ]]
	run -0 devices --output json
	[ "$(jq -r '.sessions[].devices[] | .type, .size_bytes, .nodes[0].node' <<<"$output" | xargs)" = \
		"disk 1073741824 /dev/sdb" ]
	[ "$(jq -r '.sessions[].devices[].nodes[0].links[]' <<<"$output")" = \
		"/dev/disk/by-path/ip-10.0.0.1:3260-iscsi-iqn.1997-05.com.amazon:myvolume-lun-0" ]
}

@test "devices tells the nodes of drives and of the changer, and the links that last" {
	local iqn=iqn.1997-05.com.amazon:sgw-9999999c
	session 1 $iqn-tapedrive-01 10.0.0.1 3260
	device 1 1 scsi_tape/st0:9:0 scsi_tape/nst0:9:128 scsi_tape/st0a:9:96 scsi_generic/sg1:21:1
	session 2 $iqn-mediachanger 10.0.0.1 3260
	device 2 8 scsi_generic/sg2:21:2
	ln -s ../../nst0 "$HOST/dev/tape/by-path/drive-nst"
	ln -s ../../sg2 "$HOST/dev/tape/by-path/robot-changer"
	run -0 devices
	[[ $output == *"session1  logged in  nst0 st0 sg1"$'\n'*" /dev/tape/by-path/drive-nst"$'\n'* ]]
	[[ $output == *"session2  logged in  sg2"$'\n'*" /dev/tape/by-path/robot-changer" ]]
	[[ $output != *st0a* ]]
	run -0 devices --output json
	[ "$(jq -r '.sessions[].devices[].type' <<<"$output" | xargs)" = "tape changer" ]
}

@test "devices shows the gateways' alone, and of those the portal's or the target asked for" {
	volume 1 one 10.0.0.1 sdb:8:16
	volume 2 two fd00::2 sdc:8:32
	session 3 iqn.2001-04.com.example:array 10.0.0.1 3260
	device 3 0 block/sdd:8:48
	run -0 devices
	[[ $output == *:one*:two* ]]
	[[ $output != *:array* ]]
	run -0 devices '[fd00::2]'
	[[ $output == *:two* && $output != *:one* ]]
	run -0 devices 10.0.0.1:3260 --target iqn.1997-05.com.amazon:one
	[[ $output == *:one* && $output != *:two* ]]
	run -0 devices 10.0.0.1:3261
	[ "$output" = "no session of a Storage Gateway as asked for" ]
	run -2 devices 10.0.0.0/24
	run -2 devices --target iqn.2001-04.com.example:array
}

@test "devices tells who uses a disk" {
	volume 1 one 10.0.0.1 sdb:8:16
	volume 2 two 10.0.0.1 sdc:8:32
	mkdir "$DISK/sdc1"
	echo 8:33 >"$DISK/sdc1/dev"
	echo 1 >"$DISK/sdc1/partition"
	mountinfo 8:33 '/mnt/with\040blank' /dev/sdc1
	run -0 devices
	[[ ${lines[1]} == *:one*"sdb sg1" ]]
	[[ ${lines[3]} == *:two*"sdc sg2  mounted on /mnt/with blank (sdc1)" ]]
	run -0 devices --output json
	[ "$(jq -c '.sessions[1].devices[0].in_use[0]' <<<"$output")" = \
		'{"kind":"mount","by":"mounted on /mnt/with blank (sdc1)","process":null,"next":"umount '"'/mnt/with blank'"'"}' ]
}

@test "a session that lost its gateway, and a disk that the kernel gave up, are told" {
	volume 1 one 10.0.0.1 sdb:8:16
	echo FAILED >"$SYS/class/iscsi_session/session1/state"
	echo transport-offline >"${DISK%/block/*}/state"
	run -0 devices
	[[ $output == *"FAILED, transport-offline"* ]]
}

@test "a session without a connection, and one with an odd name, are told like any other" {
	volume 1 one 10.0.0.1 sdb:8:16
	rm -r "$SYS/class/iscsi_connection/connection1:0"
	mv "$SYS/class/iscsi_session/session1" "$SYS/class/iscsi_session/session1"$'\xff'
	run -0 devices
	[[ ${lines[1]} == *":one  -       session1\\xff  logged in  sdb sg1" ]]
	run -0 devices --output json
	[ "$(jq -r '.sessions[] | .session, .portal, .devices[].name' <<<"$output" | tr '\n' ' ')" = \
		'session1\xff null sdb ' ]
}
