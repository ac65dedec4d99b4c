#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# apply on sessions that are up: what takes effect at once, and what a login is for.

# shellcheck disable=SC2154 # guest.bash has the names of the volume, its gateway and its values
load guest


setup() {
	cd "$BATS_TEST_TMPDIR" || return
	start_iscsid
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

@test "apply sets the live values of an attached volume at once, and no other device's" {
	local session
	attach_stock
	session=$(session_of "$iqn")
	run -3 sgw-init apply --dry-run
	[[ $output == *recovery_tmo*120*600*timeout*30*600*"would have udevd read its rules anew"* ]]
	expect_session "$iqn" "${stock[@]}"

	run -0 --separate-stderr sgw-init apply
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
	settle
	[ "$(timeout_of "$iqn")" = 600 ]
	[ "$(timeout_of "$other")" = 30 ]
	sgw-init undo
	wait_for event_spares 30
}

# With that timeout it comes out of an event.
event_spares() { # SECONDS
	echo "$1" >"$(disk_of "$iqn")/timeout"
	echo change >"$(disk_of "$iqn")/uevent"
	settle
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

@test "apply --root leaves the running host's sessions alone, also where its /sys is mounted in the tree" {
	attach_stock
	mkdir -p tree/sys tree/etc tree/run/lock tree/var/lib
	cp -r /etc/iscsi tree/etc/
	mount --bind /sys tree/sys
	run sgw-init apply --root "$PWD/tree"
	umount tree/sys
	[ "$status" = 0 ]
	grep -qx 'node.session.timeo.replacement_timeout = 600' tree/etc/iscsi/iscsid.conf
	expect_session "$iqn" "${stock[@]}"
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
	chap_file twelve-bytes the-target-knows chap.json
	start_gateway --volume myvolume:8M --chap chap.json
	run -3 sgw-init apply "$portal" --chap chap.json --connect --dry-run
	[[ $output == *"would log in to $iqn at $portal"* ]]
	[ ! -e "$record" ]

	run -0 sgw-init apply "$portal" --chap chap.json --connect
	[[ $output == *"$iqn"*connected*/dev/disk/by-path/ip-"$portal"-iscsi-"$iqn"-lun-0* ]]
	grep -x 'node.startup = automatic' "$record"
	expect_session "$iqn" "${tuned[@]}" username="$host" username_in="$iqn"
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
	chap_file twelve-bytes the-target-knows gateway.json
	chap_file other--bytes the-target-knows ours.json
	start_gateway --volume myvolume:1M --chap gateway.json
	run -1 sgw-init apply "$portal" --chap ours.json --connect
	[[ $output == *"$iqn at $portal: the target refused this host"*SecretToAuthenticateInitiator* ]]
	[[ $output == *"[iscsiadm: 24 ISCSI_ERR_LOGIN_AUTH_FAILED]"* ]]
	[[ $output != *other--bytes* ]]
	run ! session_of "$iqn"
	run -0 sgw-init apply --chap gateway.json --connect
	expect_session "$iqn" "${tuned[@]}" username="$host"
}

@test "apply --connect fails where the portal refuses connections, and says so" {
	start_gateway --volume myvolume:1M
	sgw-init apply "$portal"
	stop_daemons
	start_iscsid
	run -1 sgw-init apply --connect
	[[ $output == *"$iqn at $portal: "*"refuses connections"* ]]
	grep -x 'node.startup = automatic' "$record"
}

# A gateway whose volume is attached with stock settings.
attach_volume() {
	start_gateway --volume myvolume:8M
	iscsiadm -m discovery -t st -p "$portal"
	log_in "$iqn"
	expect_session "$iqn" "${stock[@]}"
}

@test "what needs a new login is listed, and --relogin does it, but not under a mounted disk" {
	local disk session
	attach_volume
	disk=$(node_of "$iqn")
	run -0 sgw-init apply
	[[ $output == *"still to do for session"*"log in again"*"sgw-init apply --relogin"* ]]
	expect_session "$iqn" recovery_tmo=600 recv_tmo=5 ping_tmo=5

	mke2fs -q -F "$disk"
	mount -t ext2 "$disk" /mnt
	session=$(session_of "$iqn")
	run -3 sgw-init apply --relogin --dry-run
	[[ $output == *"would log out of $iqn at $portal and in again, for recv_tmo, ping_tmo"* ]]
	[[ $output == *"it would be left as it is: in use: "*/mnt* ]]
	run -3 --separate-stderr sgw-init apply --relogin --dry-run --output diff
	[ "$output" = "# would log out of $iqn at $portal and in again, for recv_tmo, ping_tmo" ]
	run -1 sgw-init apply --relogin
	[[ $output == *"$iqn at $portal: in use: "*/mnt*"umount /mnt"* ]]
	[[ $output == *"in use: left as it is"* ]]
	[ "$(session_of "$iqn")" = "$session" ]
	umount /mnt

	run -0 sgw-init apply --relogin
	[[ $output == *"$iqn"*"logged in again"*recv_tmo* ]]
	expect_session "$iqn" "${tuned[@]}"
	[ "$(timeout_of "$iqn")" = 600 ]
	sgw-init check
	session=$(session_of "$iqn")
	run -0 sgw-init apply --relogin
	[ "${lines[0]}" = "nothing to change" ]
	[ "$(session_of "$iqn")" = "$session" ]
}

@test "--relogin --force takes a disk from under its mount, and says so before and while" {
	local disk
	attach_volume
	disk=$(node_of "$iqn")
	mke2fs -q -F "$disk"
	mount -t ext2 "$disk" /mnt
	run -2 sgw-init apply --force
	run -3 sgw-init apply --relogin --force --dry-run
	[[ $output == *"$iqn: it would be taken from under its users, who lose it: mounted on /mnt"* ]]
	[[ $output != *"left as it is"* ]]
	echo precious >/mnt/file
	run -0 sgw-init apply --relogin --force
	[[ $output == *"$iqn: taken from under its users: mounted on /mnt"* ]]
	umount -l /mnt
	disk=$(node_of "$iqn") # the former name may be held still
	mount -t ext2 -o ro "$disk" /mnt
	[ "$(cat /mnt/file)" = precious ]
	umount /mnt
	expect_session "$iqn" "${tuned[@]}"
}

@test "--relogin --force leaves swap, and a disk that the kernel alone holds" {
	local disk session pid
	attach_volume
	session=$(session_of "$iqn")
	disk=$(node_of "$iqn")
	mkswap "$disk"
	swapon "$disk"
	run -3 sgw-init apply --relogin --force --dry-run
	[[ $output == *"left as it is: in use: swap"* ]]
	run -1 sgw-init apply --relogin --force
	[[ $output == *"in use: swap"* ]]
	[ "$(session_of "$iqn")" = "$session" ]
	swapoff "$disk"

	mke2fs -q -F "$disk"
	mount -t ext2 "$disk" /mnt
	mkfifo hold
	bash -c 'cd /mnt && echo there >"$1"/ready-to-go && read -r _ <"$1"/hold' bash "$PWD" &
	pid=$!
	wait_for test -e ready-to-go
	umount -l /mnt
	run -1 sgw-init apply --relogin --force
	[[ $output == *"the kernel holds"* ]]
	[ "$(session_of "$iqn")" = "$session" ]
	echo go >hold
	wait "$pid"
}

@test "--relogin leaves a tape drive that somebody has open, forced or not" {
	local drive session device
	start_gateway --gateway tape
	iscsiadm -m discovery -t st -p "$portal" >/dev/null
	drive=$(iscsiadm -m node | sed -n 's/.* \(.*-tapedrive-01\)$/\1/p')
	iscsiadm -m node -T "$drive" -p "$portal" --login
	settle
	sgw-init apply
	session=$(session_of "$drive")
	device=/dev/$(ls "$session"/device/target*/*/scsi_generic)
	exec 9<>"$device"
	run -1 sgw-init apply --relogin 9>&-
	[[ $output == *"$drive at $portal: in use: open by suite, process "*" (sg"* ]]
	run -1 sgw-init apply --relogin --force 9>&-
	[[ $output == *"$drive at $portal: in use: open by suite, process "*"in use: left as it is"* ]]
	run -3 sgw-init apply --relogin --force --dry-run 9>&-
	[[ $output == *"$drive: it would be left as it is: in use: "* ]]
	exec 9>&-
	[ "$(session_of "$drive")" = "$session" ]
	expect_session "$drive" recv_tmo=5
	run -0 sgw-init apply --relogin
	[[ $output == *"logged in again"* ]]
	expect_session "$drive" recovery_tmo=600 recv_tmo=60
}

@test "--relogin leaves the disk that /boot is on, forced or not" {
	local disk session
	attach_volume
	session=$(session_of "$iqn")
	disk=$(node_of "$iqn")
	mke2fs -q -F "$disk"
	mkdir -p /boot
	mount -t ext2 "$disk" /boot
	run -3 sgw-init apply --relogin --force --dry-run
	[[ $output == *"left as it is: in use: this host's /boot"* ]]
	run -1 sgw-init apply --relogin
	[[ $output == *"in use: this host's /boot"* ]]
	run -1 sgw-init apply --relogin --force
	[[ $output == *"in use: this host's /boot"* ]]
	[ "$(session_of "$iqn")" = "$session" ]
	umount /boot
	sgw-init apply --relogin
}

@test "of a target with two interfaces --relogin logs in each session again, and connect uses one" {
	start_gateway --volume myvolume:1M
	iscsiadm -m iface -I second -o new
	iscsiadm -m iface -I second -o update -n iface.transport_name -v tcp
	iscsiadm -m discovery -t st -p "$portal" -I default -I second
	iscsiadm -m node -T "$iqn" -p "$portal" --login
	settle
	[ "$(iscsiadm -m session | wc -l)" -eq 2 ]
	sgw-init apply
	run -0 sgw-init apply --relogin
	[ "$(grep -c "logged in again" <<<"$output")" -eq 2 ]
	[ "$(cat /sys/class/iscsi_session/*/ifacename | sort | xargs)" = 'default second' ]
	[ "$(cat /sys/class/iscsi_connection/*/recv_tmo | xargs)" = '60 60' ]
	sgw-init disconnect --all
	run -0 sgw-init connect
	[ "$(grep -c "  connected  *session" <<<"$output")" -eq 1 ]
	[ "$(grep -c "  connected elsewhere  session" <<<"$output")" -eq 1 ]
	[ "$(iscsiadm -m session | wc -l)" -eq 1 ]
}

@test "--relogin logs out of nothing while the portal takes no connections" {
	local session
	attach_volume
	sgw-init apply
	session=$(session_of "$iqn")
	stop_gateway
	run -1 sgw-init apply --relogin
	[[ $output == *"$iqn at $portal: it refuses connections"* ]]
	[[ $output == *"$iqn"*"not tried"* ]]
	[ "$(session_of "$iqn")" = "$session" ]
}

@test "a --relogin that cannot log in ends there, and tells which sessions stand" {
	local name=iqn.1997-05.com.amazon:volume n
	echo 'on login target=volume-02 nth=2: refuse 0x0201' >faults
	start_gateway --targets 3 --faults faults
	iscsiadm -m discovery -t st -p "$portal"
	for n in 01 02 03; do
		log_in "$name-$n"
	done
	sgw-init apply
	run -1 sgw-init apply --relogin
	[[ $output == *"$name-02 at $portal: the target refused"*"it is logged out: once that is mended: sgw-init connect $portal --target $name-02"* ]]
	[[ $output == *"$name-01"*"logged in again"*"$name-02"*"logged out, not in again"*"$name-03"*"not tried"* ]]
	expect_session "$name-01" "${tuned[@]}"
	run ! session_of "$name-02"
	expect_session "$name-03" recv_tmo=5
	run -0 sgw-init apply --relogin
	[[ $output == *"$name-02 at $portal: apply --relogin logged out of it and was cut off: logged in again"* ]]
	[[ $output == *"$name-03 "*"logged in again"* ]]
	sgw-init check
}

@test "CHAP that was changed needs a login, which --relogin does" {
	start_gateway --volume myvolume:1M
	sgw-init apply "$portal" --connect
	chap_file twelve-bytes the-target-knows chap.json
	run -0 sgw-init apply --chap chap.json
	[[ $output == *"still to do for session"*"sgw-init apply --relogin"* ]]
	run -3 sgw-init check
	[[ $output == *stale*"CHAP settings"* ]]

	# To set CHAP at a gateway ends its connections.
	stop_gateway
	start_gateway --volume myvolume:1M --chap chap.json
	sed -i 's/twelve-bytes/twelve-Bytes/' "$record"
	run -1 sgw-init apply --relogin
	[[ $output == *"a new login would fail: the target refused this host"*"would be refused: left as it is"* ]]
	session_of "$iqn"
	sed -i 's/twelve-Bytes/twelve-bytes/' "$record"
	run -0 sgw-init apply --relogin
	[[ $output == *"logged in again"*CHAP* ]]
	expect_session "$iqn" username="$host" username_in="$iqn"
	sgw-init check

	# Without the secret, which plain discovery took, a logout would be for good.
	session_of "$iqn" >session
	iscsiadm -m discovery -t st -p "$portal"
	run -0 sgw-init apply --relogin --set noop-out-interval=61
	[[ $output == *"still to do for session"*"--chap"* ]]
	session_of "$iqn" | cmp - session
	run -0 sgw-init apply --relogin --chap chap.json
	expect_session "$iqn" recv_tmo=60
	sgw-init check
}

@test "undo refuses to remove the record of a session, and --disconnect logs out first" {
	local name=iqn.1997-05.com.amazon:volume disk option
	start_gateway --targets 2
	sgw-init apply "$portal" --connect
	run -1 sgw-init undo
	[[ $output == *"logged in through this record"*--disconnect* ]]
	run -3 sgw-init undo --disconnect --dry-run
	[[ $output == *"$name-01 at $portal "*"logged out"*"$name-02 at $portal "*"logged out"* ]]
	# One that is in use keeps them all.
	disk=$(node_of "$name-02")
	mke2fs -q -F "$disk"
	mount -t ext2 "$disk" /mnt
	for option in '' --dry-run; do
		# shellcheck disable=SC2086 # none, or one
		run -1 sgw-init undo --disconnect $option
		[[ $output == *"$name-02 at $portal: in use"*/mnt* ]]
	done
	session_of "$name-01"
	session_of "$name-02"
	grep -qx 'node.session.timeo.replacement_timeout = 600' /etc/iscsi/iscsid.conf
	umount /mnt
	run -0 sgw-init undo --disconnect
	[[ $output == *"$name-01 at $portal "*"logged out"*"$name-02 at $portal "*"logged out"* ]]
	run ! session_of "$name-01"
	run ! session_of "$name-02"
	[ ! -e "/etc/iscsi/nodes/$name-01" ]
	[ ! -e "/etc/iscsi/nodes/$name-02" ]
	cmp /etc/iscsi/iscsid.conf "$STOCK_ISCSID_CONF"
}
