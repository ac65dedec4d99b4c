#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# disconnect on a live host: exactly what is named goes, and nothing that is in use.

# shellcheck disable=SC2154 # guest.bash has the names of the volume, its gateway and its values
load guest

two=iqn.1997-05.com.amazon:another

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	start_iscsid
}

teardown() {
	umount /tmp/mounted 2>/dev/null || :
	swapoff -a 2>/dev/null || :
	dmsetup remove_all 2>/dev/null || :
	losetup -d /dev/loop0 2>/dev/null || :
	take_array 2>/dev/null || :
	fresh_host
}

connect_gateway() { # [sgw-target's options]
	start_gateway "$@"
	sgw-init apply "$portal" >/dev/null
	sgw-init connect
}

still_refused() { # WORDS
	run -1 sgw-init disconnect --target "$iqn"
	echo "$output"
	[[ $output == *"$1"* ]]
	[[ $output == *"$iqn at $portal: in use: "* ]]
	session_of "$iqn"
}

@test "disconnect logs out, twice is harmless, and the record stays" {
	connect_gateway --volume myvolume:1M
	run -0 sgw-init disconnect "$portal"
	[[ $output == *"$iqn  $portal  session"*"  disconnected"* ]]
	run ! session_of "$iqn"
	[ ! -e "$link" ]
	run -0 sgw-init disconnect --target "$iqn"
	[[ $output == *"nothing to log out of"* ]]
	run -0 iscsiadm -m node
	[ "$output" = "$portal,1 $iqn" ]
	sgw-init connect
	[ -b "$link" ]
}

@test "disconnect by itself logs out of nothing, of one target of that one alone, of all with --all" {
	connect_gateway --volume myvolume:1M --volume another:1M
	run -2 sgw-init disconnect
	session_of "$iqn"
	session_of "$two"
	sgw-init disconnect --target "$two"
	session_of "$iqn"
	run ! session_of "$two"
	sgw-init connect
	sgw-init disconnect --all
	run ! session_of "$iqn"
	run ! session_of "$two"
}

@test "sessions of other arrays stay, and are never disconnect's to end" {
	start_tgtd
	tgtd_volume 1 "$iqn" Amazon 'Storage Gateway'
	tgtd_volume 2 "$other" Example Array
	iscsiadm -m discovery -t st -p "$portal"
	log_in "$other"
	run -0 sgw-init connect
	[[ $output != *"$other"* ]]
	session_of "$other" >before
	sgw-init disconnect --all --forget
	sgw-init connect "$portal" || :
	sgw-init disconnect "$portal"
	session_of "$other" | cmp - before
	run -2 sgw-init disconnect --target "$other"
	run -0 iscsiadm -m node
	[ "$output" = "$portal,1 $other" ]
}

@test "a mounted disk is refused, the mount named, and let go once it is unmounted" {
	connect_gateway --volume myvolume:8M
	mke2fs -q "$link"
	mkdir -p /tmp/mounted
	mount "$link" /tmp/mounted
	echo kept >/tmp/mounted/file
	still_refused "mounted on /tmp/mounted"
	[[ $output == *"end that with: umount /tmp/mounted; "*"fuser -vm /tmp/mounted"* ]]
	run -0 sgw-init devices
	[[ $output == *"mounted on /tmp/mounted"* ]]
	umount /tmp/mounted
	sgw-init disconnect --target "$iqn"
	sgw-init connect
	mount "$link" /tmp/mounted
	[ "$(cat /tmp/mounted/file)" = kept ]
	umount /tmp/mounted
}

@test "a session is left alone where another, which its logout would end, is in use" {
	local first second disk
	connect_gateway --volume myvolume:8M
	first=$(basename "$(session_of "$iqn")")
	iscsiadm -m session -r "${first#session}" --op new
	second=$(all_sessions | grep -vx "$first")
	WAIT=10 wait_for disk_of_session "$second"
	disk=/dev/$(disk_of_session "$second")
	settle
	mke2fs -q -F "$disk"
	mkdir -p /tmp/mounted
	mount -t ext2 "$disk" /tmp/mounted
	still_refused "mounted on /tmp/mounted"
	[[ $output == *"($second of the same target and portal, which ends with it)"* ]]
	run -1 sgw-init disconnect --all
	run -1 sgw-init undo --disconnect
	[ "$(all_sessions | wc -l)" = 2 ]
	echo usable >/tmp/mounted/file
	sync /tmp/mounted/file
	umount /tmp/mounted
	run -0 sgw-init disconnect --all
	[[ $output == *"$first  disconnected"*"$second  disconnected"* ]]
	[ -z "$(all_sessions)" ]
}

all_sessions() {
	ls /sys/class/iscsi_session
}

disk_of_session() { # SESSION
	ls "/sys/class/iscsi_session/$1"/device/target*/*:*:*:*/block 2>/dev/null
}

@test "a disk that was unmounted lazily is refused until its last user has gone" {
	local pid
	connect_gateway --volume myvolume:8M
	mke2fs -q "$link"
	mkdir -p /tmp/mounted
	mount "$link" /tmp/mounted
	mkfifo hold
	bash -c 'cd /tmp/mounted && echo there >"$1"/ready-to-go && read -r _ <"$1"/hold' bash "$PWD" &
	pid=$!
	wait_for test -e ready-to-go
	umount -l /tmp/mounted
	run ! grep /tmp/mounted /proc/self/mountinfo
	still_refused "the kernel holds sd"
	echo go >hold
	wait "$pid"
	sgw-init disconnect --target "$iqn"
}

@test "from the last look to the logout nobody can mount the disk" {
	connect_gateway --volume myvolume:8M
	mke2fs -q "$link"
	mkdir -p /tmp/mounted bin
	cat >bin/iscsiadm <<-END
		#!/bin/bash
		mount -t ext2 $link /tmp/mounted && touch $PWD/was-mounted
		exec $(command -v iscsiadm) "\$@"
	END
	chmod +x bin/iscsiadm
	PATH=$PWD/bin:$PATH sgw-init disconnect --target "$iqn"
	[ ! -e was-mounted ]
	run ! session_of "$iqn"
}

@test "a disk that serves as swap is refused" {
	connect_gateway --volume myvolume:8M
	mkswap "$link"
	swapon "$link"
	still_refused "swap ("
	swapoff "$link"
	sgw-init disconnect --target "$iqn"
}

@test "a disk that a process has open is refused, and the process named" {
	local pid node
	connect_gateway --volume myvolume:8M
	mkfifo hold
	# Its node in /dev, and one that somebody made elsewhere.
	mknod elsewhere b "$((16#$(stat -Lc %t "$link")))" "$((16#$(stat -Lc %T "$link")))"
	for node in "$link" elsewhere; do
		bash -c 'exec 9<"$1" && echo open >ready-to-go && read -r _ <hold' bash "$node" &
		pid=$!
		wait_for test -e ready-to-go
		still_refused "open by bash, process $pid ("
		echo go >hold
		wait "$pid"
		rm ready-to-go
	done
	sgw-init disconnect --target "$iqn"
}

@test "a disk under a device-mapper device is refused, and the device named" {
	connect_gateway --volume myvolume:8M
	dmsetup create on-top --table "0 2048 linear $link 0"
	still_refused "the device-mapper device on-top (dm-0 on "
	[[ $output == *"end that with: dmsetup remove on-top"* ]]
	dmsetup remove on-top
	sgw-init disconnect --target "$iqn"
}

@test "a disk that this host runs from is refused, and so is one that another mount namespace has" {
	local pid
	connect_gateway --volume myvolume:8M
	mke2fs -q "$link"
	# Each in a namespace of its own, which ends with its process.
	run -1 unshare -m bash -c "mount -t ext2 '$link' / && exec sgw-init disconnect --all"
	[[ $output == *"$iqn at $portal: in use: this host's / (sd"* ]]
	[[ $output != *"end that with"* ]]
	session_of "$iqn"

	mkfifo hold
	mkdir -p /tmp/mounted
	unshare -m bash -c "mount -t ext2 '$link' /tmp/mounted && echo >mounted && read -r _ <hold" &
	pid=$!
	wait_for test -e mounted
	run ! grep /tmp/mounted /proc/self/mountinfo
	still_refused "mounted on /tmp/mounted in the namespace of process $pid (sd"
	[[ $output == *"end that with: nsenter -m -t $pid umount /tmp/mounted"* ]]
	nsenter -m -t "$pid" umount /tmp/mounted
	sgw-init disconnect --target "$iqn"
	echo go >hold
	wait "$pid"
}

# An array of that disk alone, which need not run to hold it: what mdadm does, by hand.
make_array() { # DISK
	modprobe md_mod
	echo md7 >/sys/module/md_mod/parameters/new_array
	echo none >/sys/block/md7/md/metadata_version
	echo raid1 >/sys/block/md7/md/level
	cat "/sys/class/block/${1##*/}/dev" >/sys/block/md7/md/new_dev
}

take_array() {
	echo clear >/sys/block/md7/md/array_state
}

@test "a disk is refused for its partition, a loop device, an LVM volume and an array on it" {
	local disk name
	connect_gateway --volume myvolume:8M
	disk=$(node_of "$iqn")
	name=${disk##*/}

	modprobe loop max_loop=1
	losetup /dev/loop0 "$link"
	still_refused "loop0 ($name)"
	[[ $output == *"end that with: losetup -d /dev/loop0"* ]]
	losetup -d /dev/loop0
	# As who pins a disk does it, by a node of his own.
	mknod pinned b "$(($(stat -Lc 0x%t "$link")))" "$(($(stat -Lc 0x%T "$link")))"
	losetup /dev/loop0 pinned
	still_refused "loop0 ($name)"
	losetup -d /dev/loop0

	dmsetup create vg-data --uuid LVM-0123456789 --table "0 2048 linear $link 0"
	still_refused "the LVM volume vg-data (dm-0 on $name)"
	[[ $output == *"end that with: lvchange -an /dev/mapper/vg-data"* ]]
	dmsetup remove vg-data

	make_array "$disk"
	still_refused "the raid1 array md7 (on $name)"
	[[ $output == *"end that with: mdadm --stop /dev/md7"* ]]
	take_array

	printf '%s\n' o n p 1 '' '' w | fdisk "$disk"
	settle # it is read once more when fdisk closes the disk
	wait_for test -b "$link-part1"
	mke2fs -q "$link-part1"
	mkdir -p /tmp/mounted
	mount -t ext2 "$link-part1" /tmp/mounted
	still_refused "mounted on /tmp/mounted (${name}1)"
	umount /tmp/mounted
	sgw-init disconnect --target "$iqn"
}

@test "disconnect --forget removes the record, and undo brings it back to the byte" {
	connect_gateway --volume myvolume:1M
	cp "$record" before
	run -0 sgw-init disconnect --target "$iqn" --forget
	[[ $output == *"1 record removed; take it back with: sgw-init undo"* ]]
	[ ! -e "$record" ]
	run -21 iscsiadm -m node
	run -1 sgw-init connect
	run -0 sgw-init disconnect --target "$iqn" --forget
	[[ $output == "nothing to do: $iqn at $portal was forgotten by "* ]]
	run -1 sgw-init disconnect --target "${iqn}e" --forget
	[[ $output == *"${iqn}e: there is neither a session nor a record of it"* ]]
	sgw-init undo
	cmp before "$record"
	[ "$(stat -c %a "$record")" = 600 ]
	sgw-init connect
	session_of "$iqn"
}

# What iscsiadm keeps below its database: names, modes, where links lead.
database() {
	find /etc/iscsi/nodes /etc/iscsi/send_targets -exec stat -c '%A %N' {} + | sort
}

@test "a forgotten record leaves what iscsiadm leaves, and what was discovered can be deleted" {
	connect_gateway --volume myvolume:1M --volume another:1M
	sgw-init disconnect --all
	rm -r /etc/iscsi/nodes
	iscsiadm -m discovery -t st -p "$portal"
	database >discovered
	iscsiadm -m node -T "$iqn" -p "$portal" -o delete
	database >deleted
	iscsiadm -m discovery -t st -p "$portal"
	run -0 sgw-init disconnect --target "$iqn" --forget
	database | diff deleted -
	sgw-init undo
	database | diff discovered -
	sgw-init disconnect --target "$iqn" --forget
	run -0 iscsiadm -m discoverydb -t st -p "$portal" -o delete
	[ -z "$output" ]
	[ -z "$(find /etc/iscsi/nodes /etc/iscsi/send_targets -mindepth 1)" ]
}

@test "a disk that takes no flush in time is not logged out of" {
	local disk
	connect_gateway --volume myvolume:8M
	disk=$(disk_of "$iqn")
	echo 'temporary write back' >"$(echo "$disk"/scsi_disk/*)/cache_type"
	kill -STOP "$gateway"
	SECONDS=0
	run -1 sgw-init disconnect --target "$iqn"
	kill -CONT "$gateway"
	[ "$SECONDS" -lt 100 ]
	[[ $output == *"$iqn at $portal: sd"*" does not take a flush of its cache within 20 s: is the gateway away?"* ]]
	[[ $output == *"$iqn  $portal  session"*"  failed"* ]]
	session_of "$iqn"
	run -0 sgw-init disconnect --target "$iqn"
	run ! session_of "$iqn"
}

@test "a record is not forgotten while its session is in use" {
	connect_gateway --volume myvolume:8M
	mkswap "$link"
	swapon "$link"
	run -1 sgw-init disconnect "$portal" --forget
	[[ $output == *"no record to remove"* ]]
	[ -e "$record" ]
}

@test "a session stays where its record could not be forgotten" {
	connect_gateway --volume myvolume:8M
	mount --bind "$record" "$record"
	run -1 sgw-init disconnect "$portal" --forget
	umount "$record"
	[[ $output == "sgw-init: $record: it is a bind mount, "* ]]
	session_of "$iqn"
	[ -b "$link" ]
	ln /run/lock/iscsi/lock /run/lock/iscsi/lock.write # as another iscsiadm at work has it
	run -1 sgw-init disconnect "$portal" --forget
	rm /run/lock/iscsi/lock.write
	[[ $output == *"another program has locked open-iscsi's database"* ]]
	session_of "$iqn"
	run -0 sgw-init disconnect "$portal" --forget
	[[ $output == *"1 record removed"* ]]
	run ! session_of "$iqn"
}

@test "a session without a record is logged out of all the same" {
	connect_gateway --volume myvolume:1M
	rm -r "/etc/iscsi/nodes/$iqn"
	run -0 sgw-init disconnect --target "$iqn"
	run ! session_of "$iqn"
}

@test "a session whose gateway is gone is logged out of in good time" {
	connect_gateway --volume myvolume:8M
	local session pid
	mke2fs -q -F "$link"
	mount -t ext2 -o ro "$link" /mnt
	mkfifo hold
	bash -c 'cd /mnt && echo there >"$1"/ready-to-go && read -r _ <"$1"/hold' bash "$PWD" &
	pid=$!
	wait_for test -e ready-to-go
	umount -l /mnt
	stop_gateway
	session=$(session_of "$iqn")
	wait_for grep -q FAILED "$session/state"
	still_refused "in use: the kernel holds"
	echo go >hold
	wait "$pid"
	SECONDS=0
	run -0 sgw-init disconnect --target "$iqn"
	[ "$SECONDS" -lt 60 ]
	run ! session_of "$iqn"
}
