#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# sgw-init killed in the midst of an apply under a disk that is written to. sgw-init-crash
# (tests/crash) ends itself by SIGKILL before the call that FAULT_PLACE names.

# shellcheck disable=SC2154 # guest.bash has the names of the volume, its gateway and its values
load guest

journal=/var/lib/sgw-init/journal

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	start_iscsid
	start_gateway --volume myvolume:8M
	iscsiadm -m discovery -t st -p "$portal"
	log_in "$iqn"
}

# What writes to the disk meanwhile; it ends at the file "enough", or at an error, which it tells.
write_on() { # DISK
	until [ -e enough ]; do
		dd if=/dev/zero of="$1" bs=64k count=8 oflag=direct 2>>dd.log || {
			touch io-error
			return 1
		}
		echo >>writes
		sleep 0.1 # the guest has one processor, and sgw-init is to come to its turn
	done
}

more_writes_than() { # COUNT
	[ "$(wc -l <writes)" -gt "$1" ]
}

# Where apply is killed, and what undo --list then says of it: before its intent, between renames,
# before its done mark, between live values.
places=(
	'mkdir */journal/.new-*:nothing was applied here'
	'rename */60-sgw-init.rules:half applied'
	'rename */default:half applied'
	'open */done:half applied'
	'write */timeout: applied'
)

@test "apply killed at any step under a disk that is written to costs no I/O, and the next makes good" {
	local disk writer place before
	disk=$(node_of "$iqn")
	write_on "$disk" &
	writer=$!
	wait_for test -s writes
	dmesg -c >old-messages
	for place in "${places[@]}"; do
		rm -rf "$journal"
		run -137 env FAULT_ROOT= FAULT_AT=1 FAULT_PLACE="${place%:*}" sgw-init-crash apply
		run -0 sgw-init undo --list
		[[ $output == *"${place##*:}"* ]]
		[[ $place == *half* || $output != *half* ]]
		before=$(wc -l <writes)

		sgw-init apply >after 2>&1 || { cat after; return 1; }
		[[ $place != *half* || $(<after) == *"which was interrupted, was rolled back"* ]]
		[ "$(cat "$(session_of "$iqn")/recovery_tmo")" = 600 ]
		[ "$(timeout_of "$iqn")" = 600 ]
		run -3 sgw-init check # the session still has its NOPs from the login
		[[ $output != *"half done"* ]]
		sgw-init undo
		# udevd may have set the disk's timeout by the rule before the next apply looked.
		[[ $place != write* ]] || sgw-init undo || :
		cmp /etc/iscsi/iscsid.conf "$STOCK_ISCSID_CONF"
		[ "$(cat "$(session_of "$iqn")/recovery_tmo")" = 120 ]
		wait_for more_writes_than "$before"
	done
	touch enough
	wait "$writer"
	[ ! -e io-error ]
	[[ $(dmesg) != *"I/O error"* ]]
}
