#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The benches still run and tell: no test fails on what they measure.

load helpers

@test "the bench of sgw-target measures all three servers, and says where its yardstick is none" {
	need tgtd jq taskset column
	export RESULTS=$BATS_TEST_TMPDIR TMPDIR=$BATS_TEST_TMPDIR
	run --separate-stderr "$ROOT/tests/bench/target" --brief
	[ "$status" -eq 0 ] || [ "$status" -eq 3 ] # 3: void, which the machine may well be
	[[ ${lines[0]} == WORKLOAD*SERVER*PER-SECOND*OF-RESPONDER*BY-CPU*OF-TGTD* ]]
	grep -q -E '^read-4k-depth-128 +sgw-target ' <<<"$output"

	jq -e '[.rows[] | .workload + " " + .server] | length == 30 and length == (unique | length)' \
		"$RESULTS/target.json"
	jq -e 'all(.rows[]; .rate > 0 and .server_cpu_us > 0 and .of_tgtd_null > 0 and
		.of_responder_by_cpu > 0)' \
		"$RESULTS/target.json"
	jq -e '.void == ([.yardstick[] | .found < .least] | any) and (.machine.cpu | length > 0)' \
		"$RESULTS/target.json"
	[ "$(jq .void "$RESULTS/target.json")" = "$([ "$status" -eq 3 ] && echo true || echo false)" ]
	[ "$(compgen -G "$TMPDIR/sgw-bench.*")" = '' ]
}

@test "the loads end with a message where the server refuses or is not there" {
	start_target --targets 1
	run -1 "$BUILD/bench/load" read 4096 1 0.1 1M "iscsi://$PORTAL/iqn.2026-11.com.example:none/0" \
		"$TARGET_PID"
	[[ $output == *'status 0203'* ]]
	run -1 "$BUILD/bench/load" read 4096 1 0.1 1T \
		"iscsi://$PORTAL/iqn.1997-05.com.amazon:volume-01/0" "$TARGET_PID"
	[[ $output == *'status 2'* ]]
	run -1 "$BUILD/bench/load" read 4096 129 0.1 1M "iscsi://$PORTAL/x/0" "$TARGET_PID"
	run -1 "$BUILD/bench/logins" rate 1 0.1 "iscsi://$PORTAL/iqn.2026-11.com.example:none/0" \
		"$TARGET_PID"
}
