# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What the guest's tests share: a host as the distribution leaves it, iscsid, tgtd, sgw-target,
# scsi_debug.
# shellcheck disable=SC2034 # for the tests

# The volume that most tests have, where its gateway listens, its record here and its link; a disk that
# is none of a gateway's; and this host.
iqn=iqn.1997-05.com.amazon:myvolume
portal=127.0.0.1:3260
record=/etc/iscsi/nodes/$iqn/127.0.0.1,3260,1/default
link=/dev/disk/by-path/ip-$portal-iscsi-$iqn-lun-0
other=iqn.2001-04.com.example:array
host=iqn.1993-08.org.debian:01:guest

# What a session shows by the distribution's settings, and by what AWS asks for: recv_tmo is the NOPs'
# interval, ping_tmo their timeout. MaxBurstLength stays at what the distribution has, which is more
# than asked for, and less than sgw-target agrees to.
stock=(recovery_tmo=120 recv_tmo=5 ping_tmo=5)
tuned=(
	recovery_tmo=600 recv_tmo=60 ping_tmo=600
	first_burst_len=262144 max_burst_len=16776192 max_recv_dlength=262144
)

# Wait until the command succeeds; thirty seconds, or WAIT, are for ever. It returns then by itself, since
# in $(...) and in a condition no set -e would end it.
wait_for() { # COMMAND...
	local deadline=$((SECONDS + ${WAIT:-30}))
	until "$@"; do
		[ "$SECONDS" -lt "$deadline" ] || { fail "not within ${WAIT:-30} s: $*"; return; }
		sleep 0.05
	done
}

# Daemons of a test, by process id; what they say goes to NAME.log. suite ends those that are left over
# by a test that it had to stop.
daemons=() log_dir=/var/log
start_daemon() { # COMMAND...
	setsid "$@" >>"$log_dir/$1.log" 2>&1 </dev/null &
	daemons+=($!)
	echo $! >>"$SUITE_DAEMONS"
}

# sgw-target ends by itself, where a sanitizer looks for what it leaked; tgtd would not listen.
stop_daemons() {
	local pid targets=() status=0
	[ "${#daemons[@]}" -gt 0 ] || return 0
	for pid in "${daemons[@]}"; do
		! grep -q -s -x sgw-target "/proc/$pid/comm" || targets+=("$pid")
	done
	[ "${#targets[@]}" -eq 0 ] || kill -TERM "${targets[@]}"
	wait_for all_ended "${targets[@]}" || status=1
	kill -KILL "${daemons[@]}" 2>/dev/null || :
	wait "${daemons[@]}" 2>/dev/null || :
	daemons=()
	return "$status"
}

all_ended() { # PROCESS...
	local pid
	for pid; do
		! kill -0 "$pid" 2>/dev/null || return 1
	done
}

iscsid_answers() {
	grep -q ISCSIADM_ABSTRACT_NAMESPACE /proc/net/unix
}

start_iscsid() {
	start_daemon iscsid -f
	wait_for iscsid_answers
}

tgt() {
	tgtadm --lld iscsi "$@"
}

# A target with one disk of 8 MiB, which says that it is MODEL of VENDOR.
tgtd_volume() { # ID IQN VENDOR MODEL
	truncate -s 8M "$BATS_TEST_TMPDIR/disk-$1"
	tgt -o new -m target -t "$1" -T "$2"
	tgt -o new -m logicalunit -t "$1" -l 1 -b "$BATS_TEST_TMPDIR/disk-$1"
	tgt -o update -m logicalunit -t "$1" -l 1 -P "vendor_id=$3,product_id=$4"
	tgt -o bind -m target -t "$1" -I ALL
}

tgtd_answers() {
	tgt -o show -m sys >/dev/null 2>&1
}

start_tgtd() {
	start_daemon tgtd -f --iscsi portal="$portal"
	wait_for tgtd_answers
}

# A gateway of our own, with one volume unless told otherwise; its process goes to gateway.
start_gateway() { # [sgw-target's options]
	rm -f ready
	start_daemon sgw-target --portal "$portal" --ready-file ready "$@"
	gateway=${daemons[-1]}
	wait_for test -e ready
}

stop_gateway() {
	kill "$gateway"
	wait "$gateway" || :
}

# A file of AWS's for the volume.
chap_file() { # INITIATOR'S-SECRET TARGET'S-SECRET FILE
	install -m 600 /dev/null "$3"
	cat >"$3" <<-END
		{ "ChapCredentials": [ {
			"TargetARN": "arn:aws:storagegateway:eu-west-1:111122223333:gateway/sgw-12A3456B/target/$iqn",
			"InitiatorName": "$host",
			"SecretToAuthenticateInitiator": "$1",
			"SecretToAuthenticateTarget": "$2" } ] }
	END
}

# A value of the volume's record.
recorded() { # KEY
	sed -n "s/^$1 = //p" "$record"
}

# The session of a target, /sys/class/iscsi_session/sessionN.
session_of() { # IQN
	local session
	for session in /sys/class/iscsi_session/session*; do
		[ "$(cat "$session/targetname" 2>/dev/null)" = "$1" ] || continue
		echo "$session"
		return 0
	done
	return 1
}

# expect_session IQN ATTRIBUTE=VALUE...: that its session or connection shows these.
expect_session() {
	local session wanted file status=0
	session=$(session_of "$1")
	shift
	for wanted; do
		for file in "$session"{,/device/connection*/iscsi_connection/*}/"${wanted%%=*}"; do
			[ -e "$file" ] || continue
			[ "$(cat "$file")" = "${wanted#*=}" ] ||
				{ echo "$wanted expected, it is $(cat "$file")"; status=1; }
			continue 2
		done
		echo "the session has no ${wanted%%=*}"
		status=1
	done
	return "$status"
}

# The disk of a target in sysfs; tgtd has something of its own at LUN 0. sd takes its time.
disk_of() { # IQN
	wait_for disk_now "$1"
}

disk_now() { # IQN
	local session device
	session=$(session_of "$1") || return
	for device in "$session"/device/target*/*:*:*:*; do
		[ -d "$device/block" ] || continue
		echo "$device"
		return 0
	done
	return 1
}

timeout_of() { # IQN
	cat "$(disk_of "$1")/timeout"
}

# The node of a target's disk, /dev/sdX.
node_of() { # IQN
	local disk
	disk=$(disk_of "$1") || return
	disk=$(echo "$disk"/block/*)
	echo "/dev/${disk##*/}"
}

# Log in to a target, and wait until udev is through with its disk: its event comes some time after it is
# in sysfs, and its link behind that.
log_in() { # IQN
	iscsiadm -m node -T "$1" -p "$portal" --login
	settle_disk "$1"
}

# SCSI devices of the kernel's own making, of a type (0 disk, 1 tape, 8 changer); prints the
# directory of the new one in sysfs.
debug_driver=/sys/bus/pseudo/drivers/scsi_debug
add_device() { # TYPE VENDOR MODEL
	local known
	[ -e "$debug_driver" ] || modprobe scsi_debug add_host=0
	printf %s "$1" >"$debug_driver/ptype"
	printf %s "$2" >/sys/module/scsi_debug/parameters/inq_vendor
	printf %s "$3" >/sys/module/scsi_debug/parameters/inq_product
	known=$(device_list)
	echo 1 >"$debug_driver/add_host"
	wait_for device_beside "$known"
}

# The device that is not among the known; the kernel looks for new ones in its own time.
device_beside() { # KNOWN
	local new
	for new in $(device_list); do
		[[ $1 == *"$new"* ]] || { echo "$new"; return 0; }
	done
	return 1
}

device_list() {
	ls -d /sys/bus/pseudo/devices/adapter*/host*/target*/*:0:0:0 2>/dev/null || :
}

remove_devices() {
	if [ -e "$debug_driver" ]; then
		echo "-$(cat "$debug_driver/add_host")" >"$debug_driver/add_host"
	fi
}

# Until udev is through with all events. Where udevd is slow to take a connection, it may ignore what is
# asked there ("Invalid sender uid"): udevadm fails then, and asks anew.
settle() {
	wait_for udevadm settle
}

settle_disk() { # IQN
	local disk
	disk=$(disk_of "$1") || return
	wait_for test -b "/dev/disk/by-path/ip-$portal-iscsi-$1-lun-${disk##*:}"
	settle
}

# Not by udevadm control --reload, whose status is 0 where udevd ignored it.
reload_rules() {
	kill -HUP "$(cat /run/udevd.pid)"
	wait_for udevadm control --ping
}

# How a host is found: no record, stock configuration, no rule, no session, no device.
fresh_host() {
	local status=0
	iscsiadm -m session -u >/dev/null 2>&1 || :
	stop_daemons || status=1
	remove_devices
	rm -rf /etc/iscsi/{nodes,send_targets,static,isns,slp,ifaces} /var/lib/sgw-init \
		/run/lock/iscsi /run/lock/sgw-init.lock
	rm -f /etc/udev/rules.d/*
	cp "$STOCK_ISCSID_CONF" /etc/iscsi/iscsid.conf
	reload_rules
	return "$status"
}

# Leave what a host keeps over a reboot to the next boot, whatever tests come between.
keep_host() { # FILE...: these too
	mkdir -p /var/lib/next-boot
	tar -c -f - -C / etc/iscsi etc/udev/rules.d var/lib/sgw-init "${@#/}" |
		tar -x -f - -C /var/lib/next-boot
}

teardown() {
	fresh_host
}
