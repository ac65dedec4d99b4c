#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# apply, check and undo on a live host, where iscsid, udev and the kernel have the last word.

# shellcheck disable=SC2154 # guest.bash has the names of the volume, its gateway and its values
load guest

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	start_iscsid
}

@test "apply makes records that iscsiadm reads, logs in by, and that tune the session" {
	start_gateway
	sgw-init apply "$portal"
	run -0 iscsiadm -m node
	[ "$output" = "$portal,1 $iqn" ]
	iscsiadm -m node -T "$iqn" -p "$portal" -o show >shown
	grep -x 'node.session.timeo.replacement_timeout = 600' shown
	grep -x 'node.conn\[0\].timeo.noop_out_interval = 60' shown
	grep -x 'node.conn\[0\].timeo.noop_out_timeout = 600' shown

	reload_rules # which udevd does by itself, but only every three seconds
	log_in "$iqn"
	expect_session "$iqn" "${tuned[@]}"
	[ "$(timeout_of "$iqn")" = 600 ]
	sgw-init check
}

@test "apply without a portal tunes what plain discovery then finds, and its disk alone" {
	start_tgtd
	tgtd_volume 1 "$iqn" Amazon 'Storage Gateway'
	tgtd_volume 2 "$other" Example Array
	sgw-init apply
	reload_rules
	iscsiadm -m discovery -t st -p "$portal"
	log_in "$iqn"
	log_in "$other"
	# tgtd agrees to bursts of 256 KiB at most, and to 64 KiB unasked.
	expect_session "$iqn" recovery_tmo=600 recv_tmo=60 ping_tmo=600 \
		first_burst_len=65536 max_burst_len=262144 max_recv_dlength=262144
	[ "$(timeout_of "$iqn")" = 600 ]
	[ "$(timeout_of "$other")" = 30 ]
}

@test "a second apply writes nothing" {
	start_gateway
	sgw-init apply "$portal"
	stat -c '%n %i %Y' /etc/iscsi/iscsid.conf "$record" /etc/udev/rules.d/* >before
	run -0 sgw-init apply "$portal"
	stat -c '%n %i %Y' /etc/iscsi/iscsid.conf "$record" /etc/udev/rules.d/* | cmp - before
}

@test "with CHAP from AWS's file the kernel's initiator logs in, and with another secret it does not" {
	chap_file twelve-bytes the-target-knows gateway.json
	chap_file other--bytes the-target-knows other.json
	start_gateway --chap gateway.json
	sgw-init apply "$portal" --chap gateway.json
	[ "$(stat -c %a "$record")" = 600 ]
	log_in "$iqn"
	expect_session "$iqn" "${tuned[@]}" username="$host" username_in="$iqn"
	iscsiadm -m node -T "$iqn" -p "$portal" --logout

	sgw-init apply "$portal" --chap other.json
	run -24 iscsiadm -m node -T "$iqn" -p "$portal" --login
}

@test "check names the one layer that lost its value" {
	start_gateway
	sgw-init apply "$portal"
	reload_rules
	log_in "$iqn"
	sgw-init check

	spoiled 120 recovery_tmo "$(session_of "$iqn")/recovery_tmo"
	spoiled 30 timeout "$(disk_of "$iqn")/timeout"

	iscsiadm -m node -T "$iqn" -p "$portal" -o update -n node.conn[0].timeo.noop_out_timeout -v 5
	run -3 sgw-init check
	[[ $output == *"$iqn at $portal"*noop_out_timeout*5*600* ]]
	sgw-init apply
	sgw-init check

	iscsiadm -m discovery -t st -p "$portal"
	sgw-init check
}

# spoiled VALUE KEY FILE: with the value in that file of sysfs check tells of it, until it is back.
spoiled() {
	local before
	before=$(cat "$3")
	echo "$1" >"$3"
	run -3 sgw-init check
	[ "$(grep -c '^error' <<<"$output")" -eq 1 ]
	[[ $output == *error*"$2"*"$1"*"$before"* ]]
	echo "$before" >"$3"
	sgw-init check
}

@test "undo takes an apply back to the byte, and what discovery finds next is stock" {
	start_gateway
	sgw-init apply "$portal"
	sgw-init undo
	cmp /etc/iscsi/iscsid.conf "$STOCK_ISCSID_CONF"
	[ ! -e /etc/iscsi/nodes ]
	[ -z "$(ls /etc/udev/rules.d)" ]
	reload_rules
	iscsiadm -m discovery -t st -p "$portal"
	log_in "$iqn"
	expect_session "$iqn" "${stock[@]}"
	[ "$(timeout_of "$iqn")" = 30 ]
}
