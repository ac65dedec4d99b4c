#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The distribution's initiator, on its own: what a host has before sgw-init came.

# shellcheck disable=SC2154 # guest.bash has the names of the volume, its gateway and its values
load guest

setup() {
	start_tgtd
	tgtd_volume 1 "$iqn" Amazon 'Storage Gateway'
	start_iscsid
}

@test "a stock host finds a volume, logs in, and has the stock values" {
	local disk
	run -0 iscsiadm -m discovery -t st -p "$portal"
	[ "$output" = "$portal,1 $iqn" ]
	log_in "$iqn"
	# recv_tmo is the NOPs' interval, ping_tmo their timeout; the lengths are what both agreed on.
	expect_session "$iqn" recovery_tmo=120 recv_tmo=5 ping_tmo=5 abort_tmo=15 \
		first_burst_len=65536 max_burst_len=262144 max_recv_dlength=262144
	disk=$(disk_of "$iqn")
	[ "$(xargs <"$disk/model")" = 'Storage Gateway' ]
	[ "$(cat "$disk/timeout")" = 30 ]
	[ -b "/dev/disk/by-path/ip-$portal-iscsi-$iqn-lun-1" ]
}

@test "the page's logout command logs out of every session, exact ones of theirs alone" {
	local other=iqn.1997-05.com.amazon:another
	tgtd_volume 2 "$other" Amazon 'Storage Gateway'
	iscsiadm -m discovery -t st -p "$portal"
	iscsiadm -m node --login
	iscsiadm -m node -T "$other" -p "$portal" --logout
	session_of "$iqn"
	run ! session_of "$other"
	iscsiadm -m node -T "$other" -p "$portal" --login
	iscsiadm --mode node --logout "$portal,1" "$other"
	run ! session_of "$other"
	run ! session_of "$iqn"
}
