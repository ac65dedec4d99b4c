#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The kernel's initiator stores a file system on sgw-target, with digests of both kinds and in all
# four ways in which the first bytes of a write may come; what went by is captured for the host.

# shellcheck disable=SC2154 # guest.bash has the names of the volume, its gateway and its values
load guest

wire=/var/log/wire

# HeaderDigest DataDigest ImmediateData InitialR2T
cases() {
	cat <<'END'
CRC32C CRC32C Yes No
CRC32C CRC32C Yes Yes
CRC32C CRC32C No No
CRC32C CRC32C No Yes
None CRC32C Yes No
CRC32C None No Yes
None None Yes Yes
END
}

on() { # WORD: as sysfs has it
	[[ $1 != @(Yes|CRC32C) ]] || { echo 1; return; }
	echo 0
}

set_record() { # KEY=VALUE...
	local pair
	for pair; do
		iscsiadm -m node -T "$iqn" -p "$portal" -o update -n "node.${pair%%=*}" -v "${pair#*=}"
	done
}

capture_runs() { # FILE
	[ -s "$1" ]
}

# What comes by is written in batches: until nothing more is.
capture_rests() { # FILE
	local size
	size=$(stat -c %s "$1")
	sleep 0.3
	[ "$(stat -c %s "$1")" -eq "$size" ]
}

# A file system with files of all sizes and a large one; unmounted, checked, and read back from the
# disk, not from memory.
use_disk() { # DISK
	local size
	dd if=/dev/urandom of=whole bs=131584 count=4 2>/dev/null
	dd if=whole of="$1" bs=131584 oflag=direct 2>/dev/null
	dd if="$1" of=back bs=131584 count=4 iflag=direct 2>/dev/null
	cmp whole back
	mke2fs -q -F -t ext4 "$1"
	mount -t ext4 "$1" /mnt
	for size in 1 511 512 513 4095 4097 65535 65537 262143 262145 1048577; do
		head -c "$size" /dev/urandom >"/mnt/$size"
	done
	(cd /mnt && sha256sum [0-9]*) >sums
	umount /mnt
	echo 3 >/proc/sys/vm/drop_caches
	e2fsck -fn "$1"
	mount -t ext4 -o ro "$1" /mnt
	(cd /mnt && sha256sum -c) <sums
	umount /mnt
}

run_case() { # HEADER DATA IMMEDIATE R2T
	local file=$wire/$1-$2-$3-$4.pcap capture before
	before=$(dmesg | grep -c 'detected conn error' || :)
	start_gateway --volume myvolume:24M --expect "HeaderDigest=$1" --expect "DataDigest=$2" \
		--expect "ImmediateData=$3" --expect "InitialR2T=$4" --expect logins=1
	iscsiadm -m discovery -t st -p "$portal"
	# Short bursts, so that a write needs several, and PDUs that are shorter still.
	set_record "conn[0].iscsi.HeaderDigest=$1" "conn[0].iscsi.DataDigest=$2" \
		"session.iscsi.ImmediateData=$3" "session.iscsi.InitialR2T=$4" \
		session.iscsi.FirstBurstLength=16384 session.iscsi.MaxBurstLength=65536 \
		"conn[0].iscsi.MaxRecvDataSegmentLength=8192" \
		"conn[0].iscsi.MaxXmitDataSegmentLength=8192"
	start_daemon dumpcap -q -i lo -s 0 -B 24 -f 'tcp port 3260' -w "$file"
	capture=${daemons[-1]}
	wait_for capture_runs "$file"
	log_in "$iqn"
	expect_session "$iqn" "header_digest=$(on "$1")" "data_digest=$(on "$2")" \
		"immediate_data=$(on "$3")" "initial_r2t=$(on "$4")"
	use_disk "$(node_of "$iqn")"
	iscsiadm -m node -T "$iqn" -p "$portal" --logout
	kill -TERM "$gateway"
	wait "$gateway" # what was expected of the login
	wait_for capture_rests "$file"
	kill -INT "$capture"
	wait "$capture"
	[ "$(dmesg | grep -c 'detected conn error' || :)" = "$before" ]
	daemons=("${daemons[0]}")
}

@test "a file system lies on a disk as it was written, with and without digests, asked for or not" {
	local header data immediate r2t n=0
	cd "$BATS_TEST_TMPDIR"
	mkdir -p "$wire"
	start_iscsid
	while read -r header data immediate r2t <&9; do
		echo "case: HeaderDigest=$header DataDigest=$data ImmediateData=$immediate InitialR2T=$r2t"
		run_case "$header" "$data" "$immediate" "$r2t"
		n=$((n + 1))
	done 9< <(cases)
	[ "$n" -eq 7 ]
	# Whatever was not seen would be judged as good.
	run -0 grep -c 'received/dropped on interface .*: [1-9][0-9]*/0 ' /var/log/dumpcap.log
	[ "$output" -eq 7 ]
}
