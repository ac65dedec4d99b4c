# SPDX-License-Identifier: MIT
# When connect calls a device ready, where kernel and udevd are pretended (kernel.bash): udevd is
# brought to finish at the worst moment. On a real one it is tests/vm/connect.bats'.

load helpers
load kernel

setup() {
	need socat unshare jq ip
	HOST=$BATS_TEST_TMPDIR/host
	stock_root "$HOST"
	pretend_kernel
	udevd=()
	mkdir -p "$HOST/dev"/{disk,tape}/by-path "$HOST/run/udev/data"
	start_udevd
	# libudev asks whether /sys is the kernel's own.
	export SYSTEMD_DEVICE_VERIFY_SYSFS=0
}

teardown() {
	kill "${udevd[@]}" 2>/dev/null || : # whom nobody asked
	kill_udevd
	stop_targets
}

# with_dev COMMAND...: with $HOST/dev as /dev.
with_dev() {
	# shellcheck disable=SC2016 # for the inner shell
	on_kernel bash -c '
		for node in null ptmx random tty urandom zero; do
			: >"$HOST/dev/$node" && mount --bind "/dev/$node" "$HOST/dev/$node" || exit 99
		done
		mount --rbind "$HOST/dev" /dev || exit 99
		"$@"' bash "$@"
}

# Since when udevd knows a device, in microseconds since boot; what is to come counts as now.
now=9999999999999999

# udevd_is_asked DEVICE LINK NODE: be through with a device ("b4000:1") only while somebody asks for it,
# and make its link then.
udevd_is_asked() {
	local data=$HOST/run/udev/data/$1
	mkfifo "$data"
	: >"$HOST/dev/$3"
	(
		exec 9>"$data" # waits for whoever asks
		ln -s "../../$3" "$HOST/dev/$2"
		rm "$data"
		echo "I:$now" >"$data"
		echo "I:$now" >&9
	) 3>&- &
	udevd+=($!)
}

# node DIRECTORY SUBSYSTEM NUMBERS: what libudev looks at.
node() {
	mkdir -p "$1" "$HOST/sys/class/$2"
	ln -s "/sys/class/$2" "$1/subsystem"
	printf 'MAJOR=%d\nMINOR=%d\nDEVNAME=%s\n' "${3%:*}" "${3#*:}" "${1##*/}" >"$1/uevent"
	put "$1" "dev=$3"
}

@test "connect tells the link of a disk that udevd made at the last moment" {
	local iqn=iqn.1997-05.com.amazon:myvolume link
	start_target --volume myvolume:1M
	sgw-init apply --root "$HOST" "$PORTAL"
	link=disk/by-path/ip-$PORTAL-iscsi-$iqn-lun-0
	node "$HOST/sys/class/iscsi_session/session1/device/target1:0:0/1:0:0:0/block/sdgw1" block 4000:1
	udevd_is_asked b4000:1 "$link" sdgw1
	run -0 with_dev sgw-init connect
	[[ $output == *"$iqn  $PORTAL  connected  session1  sdgw1   /dev/$link" ]]
}

@test "connect waits until udevd has made the links of a disk's partitions" {
	local iqn=iqn.1997-05.com.amazon:myvolume disk link
	start_target --volume myvolume:1M
	sgw-init apply --root "$HOST" "$PORTAL"
	link=disk/by-path/ip-$PORTAL-iscsi-$iqn-lun-0
	disk=$HOST/sys/class/iscsi_session/session1/device/target1:0:0/1:0:0:0/block/sdgw1
	node "$disk" block 4000:1
	node "$disk/sdgw1p1" block 4000:2
	put "$disk/sdgw1p1" partition=1
	mkdir "$disk/queue"
	udevd_is_asked b4000:1 "$link" sdgw1
	udevd_is_asked b4000:2 "$link-part1" sdgw1p1
	run -0 with_dev sgw-init connect
	[ -L "$HOST/dev/$link-part1" ]
}

@test "connect waits until udevd has made the links of a drive that does not rewind, too" {
	local iqn=iqn.1997-05.com.amazon:sgw-9999999c-tapedrive-01 link tapes
	start_target --gateway tape
	sgw-init apply --root "$HOST" "$PORTAL"
	link=tape/by-path/ip-$PORTAL-iscsi-$iqn-lun-0
	tapes=$HOST/sys/class/iscsi_session/session1/device/target1:0:0/1:0:0:0/scsi_tape
	node "$tapes/st1" scsi_tape 9:1
	node "$tapes/nst1" scsi_tape 9:129
	udevd_is_asked c9:1 "$link" st1
	udevd_is_asked c9:129 "$link-nst" nst1
	run -0 --separate-stderr with_dev sgw-init connect --target "$iqn" --output json
	[ "$(jq -r ".targets[].devices[].nodes[].links[]" <<<"$output" | xargs)" = "/dev/$link-nst /dev/$link" ]
}

@test "connect does not take what udevd knows of the former disk of that number for the new one" {
	local iqn=iqn.1997-05.com.amazon:myvolume
	start_target --volume myvolume:1M
	sgw-init apply --root "$HOST" "$PORTAL"
	node "$HOST/sys/class/iscsi_session/session1/device/target1:0:0/1:0:0:0/block/sdgw1" block 4000:1
	echo I:1 >"$HOST/run/udev/data/b4000:1"
	run -1 with_dev sgw-init connect --wait 300ms
	[[ $output == *"udev was not through with sdgw1 within 0.3 s"* ]]
	run -0 with_dev sgw-init connect # by now it was there before
}
