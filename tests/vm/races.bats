#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# apply while others write the same records, and while it is killed under a disk that is written to.

# shellcheck disable=SC2154 # guest.bash has the names of the volume, its gateway and its values
load guest

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	start_iscsid
	start_gateway --volume myvolume:8M
	iscsiadm -m discovery -t st -p "$portal"
	log_in "$iqn"
}

@test "two applies and an iscsiadm at once all end well, and no key is lost" {
	local turn pids pid status=''
	for turn in 1 2 3; do
		pids=() status=''
		sgw-init apply >first 2>&1 &
		pids+=($!)
		iscsiadm -m node -T "$iqn" -p "$portal" -o update -n node.session.queue_depth \
			-v "7$turn" >other 2>&1 &
		pids+=($!)
		sgw-init apply "$portal" >second 2>&1 &
		pids+=($!)
		for pid in "${pids[@]}"; do
			wait "$pid" && status+=' 0' || status+=" $?"
		done
		if [ "$status" != ' 0 0 0' ]; then
			tail first other second
			fail "ended with$status"
		fi
		grep -x "node.session.queue_depth = 7$turn" "$record"
		grep -x 'node.session.timeo.replacement_timeout = 600' "$record"
		grep -x 'node.conn\[0\].timeo.noop_out_timeout = 600' "$record"
		[ "$(cat "$(session_of "$iqn")/recovery_tmo")" = 600 ]
		sgw-init undo
		run ! sgw-init undo
	done
}

@test "two applies come through while iscsiadm writes the same record over and over" {
	local round n writers pid
	cut -d = -f 1 "$record" >keys
	for round in 1 2 3; do
		writers=()
		sgw-init apply --set replacement-timeout=900 &
		writers+=($!)
		sgw-init apply &
		writers+=($!)
		for n in 1 2 3 4 5; do
			iscsiadm -m node -T "$iqn" -p "$portal" -o update \
				-n node.session.queue_depth -v "$n$round"
		done &
		writers+=($!)
		for pid in "${writers[@]}"; do
			wait "$pid"
		done
		cut -d = -f 1 "$record" | cmp - keys
		[ "$(recorded node.session.queue_depth)" = "5$round" ]
		[[ $(recorded node.session.timeo.replacement_timeout) == [69]00 ]]
		[ "$(recorded 'node.conn\[0\].timeo.noop_out_interval')" = 60 ]
		[ "$(recorded 'node.conn\[0\].timeo.noop_out_timeout')" = 600 ]
	done
}

# What writes to the disk meanwhile; it ends at the file "enough", or at an error, which it tells.
write_on() { # DISK
	until [ -e enough ]; do
		dd if=/dev/zero of="$1" bs=64k count=8 oflag=direct 2>>dd.log || {
			touch io-error
			return 1
		}
		echo >>writes
	done
}

@test "apply killed at any moment under a disk that is written to costs no I/O, and the next makes good" {
	local disk writer pid delay killed=0 before
	disk=$(node_of "$iqn")
	write_on "$disk" &
	writer=$!
	wait_for test -s writes
	dmesg -c >old-messages
	for delay in 0.05 0.15 0.25 0.4 0.6; do
		sgw-init apply >/dev/null 2>&1 &
		pid=$!
		sleep "$delay"
		if kill -KILL "$pid" 2>/dev/null; then
			killed=$((killed + 1))
		fi
		wait "$pid" || :
		before=$(wc -l <writes)
		sgw-init apply >after 2>&1 || { cat after; return 1; }
		[ "$(cat "$(session_of "$iqn")/recovery_tmo")" = 600 ]
		[ "$(timeout_of "$iqn")" = 600 ]
		run -3 sgw-init check # the session still has its NOPs from the login
		[[ $output != *"half done"* ]]
		while sgw-init undo >undone 2>&1; do :; done
		grep "nothing to undo" undone
		cmp /etc/iscsi/iscsid.conf "$STOCK_ISCSID_CONF"
		wait_for more_writes_than "$before"
	done
	touch enough
	wait "$writer"
	echo "killed $killed times, $(wc -l <writes) writes"
	[ "$killed" -ge 3 ]
	[ ! -e io-error ]
	[[ $(dmesg) != *"I/O error"* ]]
}

more_writes_than() { # COUNT
	[ "$(wc -l <writes)" -gt "$1" ]
}
