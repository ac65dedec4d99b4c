#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# apply while others write the same records.

# shellcheck disable=SC2154 # guest.bash has the names of the volume, its gateway and its values
load guest

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	start_iscsid
	start_gateway --volume myvolume:8M
	iscsiadm -m discovery -t st -p "$portal"
	log_in "$iqn"
}

# all_end_well: what runs in the background, as first, other and second in this order, exits 0
all_end_well() {
	local pid status=''
	for pid in "${pids[@]}"; do
		wait "$pid" && status+=' 0' || status+=" $?"
	done
	if [ "$status" != ' 0 0 0' ]; then
		tail first other second
		fail "ended with$status"
	fi
}

@test "two applies and an iscsiadm at once all end well, and no key is lost" {
	local turn pids
	for turn in 1 2 3; do
		pids=()
		sgw-init apply >first 2>&1 &
		pids+=($!)
		iscsiadm -m node -T "$iqn" -p "$portal" -o update -n node.session.queue_depth \
			-v "7$turn" >other 2>&1 &
		pids+=($!)
		sgw-init apply "$portal" >second 2>&1 &
		pids+=($!)
		all_end_well
		grep -x "node.session.queue_depth = 7$turn" "$record"
		grep -x 'node.session.timeo.replacement_timeout = 600' "$record"
		grep -x 'node.conn\[0\].timeo.noop_out_timeout = 600' "$record"
		[ "$(cat "$(session_of "$iqn")/recovery_tmo")" = 600 ]
		sgw-init undo
		run ! sgw-init undo
	done
}

@test "two apply --connect and a connect at once all end well, with one session" {
	local turn pids
	sgw-init apply
	for turn in 1 2; do
		iscsiadm -m node -T "$iqn" -p "$portal" --logout
		pids=()
		sgw-init apply --connect >first 2>&1 &
		pids+=($!)
		sgw-init connect >other 2>&1 &
		pids+=($!)
		sgw-init apply "$portal" --connect >second 2>&1 &
		pids+=($!)
		all_end_well
		[ "$(iscsiadm -m session | wc -l)" -eq 1 ]
		[ -b "$link" ]
		sgw-init check
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
