#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# AWS's procedure as sgw-init does it, from the distribution's own configuration to a file system on
# a volume, through a reboot, and back.

# shellcheck disable=SC2154 # guest.bash has the names of the volume, its gateway and its values
load guest

volume=/var/lib/myvolume

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	chap_file the-host-knows gateway-knows chap.json
}

teardown() {
	umount /mnt 2>/dev/null || :
	fresh_host
	rm -f "$volume"
}

start_both() {
	start_gateway --volume "myvolume:64M:$volume" --chap chap.json --expect CHAP=mutual
	start_iscsid
}

expect_tuned() {
	expect_session "$iqn" "${tuned[@]}" username="$host" username_in="$iqn"
	[ "$(timeout_of "$iqn")" = 600 ]
	[ -b "$link" ]
}

# What Debian's open-iscsi.service starts at boot.
boot_service() {
	iscsiadm -m node --loginall=automatic
	settle_disk "$iqn"
}

some_data() {
	local n
	for ((n = 0; n < 20000; n++)); do
		printf 'line %d\n' "$n"
	done
}

@test "apply --connect takes a stock host to a tuned session with mutual CHAP and a file system" {
	start_both
	run -3 sgw-init check "$portal"
	sgw-init apply "$portal" --chap chap.json --connect
	expect_tuned
	[ "$(stat -c %a "$record")" = 600 ]
	[ "$(sed -n 's/^node.startup = //p' "$record")" = automatic ]

	mkfs.ext4 -q "$link"
	mount "$link" /mnt
	some_data >/mnt/data
	umount /mnt
	mount "$link" /mnt
	some_data | cmp - /mnt/data
	run -0 sgw-init check
	[[ $output == *"costs an I/O error after 1200 to 1260 s"* ]]
	sgw-init check "$portal"
	umount /mnt
	iscsiadm -m node -T "$iqn" -p "$portal" --logout
	keep_host "$volume"
}

# bats test_tags=boot:2
@test "after a reboot the session comes back by itself, and all still stands" {
	start_both
	boot_service
	expect_tuned
	sgw-init check
	mount "$link" /mnt
	some_data | cmp - /mnt/data
	run -0 sgw-init apply "$portal" --chap chap.json --connect
	[[ $output == *"nothing to change"* ]]
}

@test "what plain rediscovery undid is named by check and mended by apply" {
	start_both
	sgw-init apply "$portal" --chap chap.json --connect --scope targets
	sgw-init check --scope targets
	iscsiadm -m discovery -t st -p "$portal"
	run -3 sgw-init check --scope targets
	[[ $output == *"$iqn at $portal"*replacement_timeout*120*600* ]]
	[[ $output == *"$iqn at $portal"*noop_out_interval*5*60* ]]
	[[ $output == *"$iqn at $portal"*noop_out_timeout*5*600* ]]
	[[ $output == *"its record has lost the CHAP settings"*"sgw-init apply $portal --scope targets --chap FILE"* ]]
	[[ $output == *"not at boot"*"sgw-init apply --scope targets --connect"* ]]
	sgw-init apply "$portal" --scope targets --chap chap.json
	sgw-init apply --scope targets --connect
	run -0 sgw-init check --scope targets
	[[ $output != *"not at boot"* ]]
	iscsiadm -m node -T "$iqn" -p "$portal" --logout
	boot_service
	expect_tuned
}

@test "undo brings stock values back: what discovery by hand finds next is stock" {
	start_both
	sgw-init apply "$portal" --chap chap.json --connect
	iscsiadm -m node -T "$iqn" -p "$portal" --logout
	sgw-init undo
	cmp /etc/iscsi/iscsid.conf "$STOCK_ISCSID_CONF"
	[ ! -e /etc/iscsi/nodes ]
	[ -z "$(ls /etc/udev/rules.d)" ]
	reload_rules

	iscsiadm -m discovery -t st -p "$portal"
	iscsiadm -m node -T "$iqn" -p "$portal" -o update -n node.session.auth.authmethod -v CHAP \
		-n node.session.auth.username -v "$host" \
		-n node.session.auth.password -v the-host-knows \
		-n node.session.auth.username_in -v "$iqn" \
		-n node.session.auth.password_in -v gateway-knows
	log_in "$iqn"
	expect_session "$iqn" "${stock[@]}"
	[ "$(timeout_of "$iqn")" = 30 ]
}
