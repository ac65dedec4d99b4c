# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What every bats file loads: the programs under test, and targets that start and stop with a test.

bats_require_minimum_version 1.5.0

ROOT=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
BUILD=${BUILD:-$ROOT/build}
# iscsiadm and tgtd, which make deps unpacks, and STOCK_ISCSID_CONF.
# shellcheck disable=SC1091 # it is made by make deps
if [ -e "$ROOT/build/deps/env" ]; then
	. "$ROOT/build/deps/env"
fi
PATH=$BUILD:$PATH
export ROOT BUILD PATH
# shellcheck source=tests/roots.bash
. "$ROOT/tests/roots.bash"

# need PROGRAM...: skip the test where one is not here; `make deps` brings all that tests may need.
need() {
	local program

	for program; do
		command -v "$program" >/dev/null || skip "$program is missing: run: make deps"
	done
}

# start_target [sgw-target's options]: start it on a free port of 127.0.0.1, unless --portal says
# otherwise, and wait until it listens. Sets PORTAL, PORTAL2, … (HOST:PORT), PORT and TARGET_PID;
# its messages go to $TARGET_LOG.
start_target() {
	local n=$((${#TARGET_PIDS[@]} + 1)) tries i
	local ready=$BATS_TEST_TMPDIR/target-$n.ready
	local portals=(--portal 127.0.0.1:0)

	[[ " $* " == *" --portal"[\ =]* ]] && portals=()
	TARGET_LOG=$BATS_TEST_TMPDIR/target-$n.log
	rm -f "$ready" # of one that has ended
	# 3 is bats' own: a child that holds it open would keep bats waiting.
	sgw-target "${portals[@]}" --ready-file "$ready" "$@" >"$TARGET_LOG" 2>&1 3>&- &
	TARGET_PID=$!
	TARGET_PIDS+=("$TARGET_PID")
	for ((tries = 0; tries < 500; tries++)); do
		[ -e "$ready" ] && break
		kill -0 "$TARGET_PID" 2>/dev/null || break
		sleep 0.02
	done
	if [ ! -e "$ready" ]; then
		echo "sgw-target did not get ready:" >&2
		cat "$TARGET_LOG" >&2
		return 1
	fi
	mapfile -t PORTALS <"$ready"
	PORTAL=${PORTALS[0]}
	PORT=${PORTAL##*:}
	for ((i = 1; i < ${#PORTALS[@]}; i++)); do
		declare -g "PORTAL$((i + 1))=${PORTALS[i]}"
	done
	export PORTAL PORT
}

# start_tgtd TARGET...: tgtd, the outsider, on a free port of 127.0.0.1, with these targets open to
# all; each has a small disk as LUN 1. Sets PORTAL and PORT; tgtadm then speaks to this one.
start_tgtd() {
	local tries tid=0 target

	# shellcheck source=/dev/null
	. "$ROOT/build/deps/env"
	export TGT_IPC_SOCKET=$BATS_TEST_TMPDIR/tgtd.ipc
	truncate -s 16M "$BATS_TEST_TMPDIR/tgtd.disk"
	for ((tries = 0; tries < 20; tries++)); do # it cannot take port 0
		PORT=$((20000 + RANDOM % 12000))
		tgtd -f -C 0 --iscsi "portal=127.0.0.1:$PORT" >"$BATS_TEST_TMPDIR/tgtd.log" 2>&1 3>&- &
		TGTD_PID=$!
		until tgtadm --op show --mode sys >/dev/null 2>&1; do
			kill -0 "$TGTD_PID" 2>/dev/null || continue 2
			sleep 0.02
		done
		break
	done
	PORTAL=127.0.0.1:$PORT
	for target; do
		tid=$((tid + 1))
		tgtadm --lld iscsi --op new --mode target --tid "$tid" -T "$target"
		tgtadm --lld iscsi --op new --mode logicalunit --tid "$tid" --lun 1 \
			-b "$BATS_TEST_TMPDIR/tgtd.disk"
		tgtadm --lld iscsi --op bind --mode target --tid "$tid" -I ALL
	done
}

# tgtd ignores SIGTERM.
stop_tgtd() {
	[ -n "${TGTD_PID:-}" ] || return 0
	kill -KILL "$TGTD_PID" 2>/dev/null || :
	wait "$TGTD_PID" 2>/dev/null || :
	TGTD_PID=
}

# control LINE...: say these to the target that was started with --control "$CONTROL", a path, or that
# is controlled at HOST:PORT, and print its answers, a line each.
control() {
	local at=UNIX-CONNECT:$CONTROL

	[[ $CONTROL == */* ]] || at=TCP-CONNECT:$CONTROL
	printf '%s\n' "$@" | socat -t 30 - "$at"
}

# find_control: set CONTROL to where the target is controlled that was started with --control and port 0.
find_control() {
	CONTROL=$(sed -n 's/.*: control at //p' "$TARGET_LOG" | tr -d '\r')
	[ -n "$CONTROL" ]
}

# wait_for COMMAND...: until it succeeds, for ten seconds.
wait_for() {
	local tries

	for ((tries = 0; tries < 500; tries++)); do
		"$@" && return
		sleep 0.02
	done
	echo "in vain: $*" >&2
	return 1
}

# end_target STATUS: end the last one by SIGTERM; fails where its exit status is another.
end_target() {
	kill -TERM "$TARGET_PID"
	wait_target "$1"
}

# wait_target STATUS: the same of one that ends by itself.
wait_target() {
	local status=0

	wait "$TARGET_PID" || status=$?
	unset "TARGET_PIDS[-1]"
	[ "$status" -eq "$1" ] && return
	echo "sgw-target ended with $status:" >&2
	cat "$TARGET_LOG" >&2
	return 1
}

# stop_targets: end all of them by SIGTERM; fails where one did not end well, or had to be killed.
stop_targets() {
	local pid status=0 tries

	for pid in "${TARGET_PIDS[@]}"; do
		kill -TERM "$pid" 2>/dev/null || :
		for ((tries = 0; tries < 500; tries++)); do
			kill -0 "$pid" 2>/dev/null || break
			sleep 0.02
		done
		kill -KILL "$pid" 2>/dev/null && echo "sgw-target ignored SIGTERM" >&2
		wait "$pid" || { status=$?; echo "sgw-target ended with $status" >&2; }
	done
	[ "$status" -eq 0 ] || cat "$BATS_TEST_TMPDIR"/target-*.log >&2
	TARGET_PIDS=()
	return "$status"
}

# A file with a teardown of its own calls stop_targets there.
teardown() {
	stop_tgtd
	stop_targets
}
