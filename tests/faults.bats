# SPDX-License-Identifier: MIT
# sgw-target misbehaves on demand: --faults and --control, and what initiators see of it.
# shellcheck disable=SC2153,SC2154 # PORTAL is set by start_target, stderr by run --separate-stderr

load helpers

IQN=iqn.1997-05.com.amazon

setup() {
	need socat jq iscsi-ls iscsi-inq
	CONTROL=$BATS_TEST_TMPDIR/control
	TRANSCRIPT=$BATS_TEST_TMPDIR/transcript
}

# A target that can be told things; its transcript is in $TRANSCRIPT.
start_controlled() {
	start_target --control "$CONTROL" --transcript "$TRANSCRIPT" "$@"
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

# struck RULE: the transcript tells that it did
struck() {
	jq -es --arg rule "$1" 'any(.event == "fault" and .rule == $rule)' "$TRANSCRIPT" >/dev/null
}

# How many connections there were.
connections() {
	jq -s 'map(select(.event == "connect")) | length' "$TRANSCRIPT"
}

@test "a gateway that is away refuses connections, and comes back on the same port" {
	start_controlled
	run -0 iscsi-ls "iscsi://$PORTAL"
	run -0 control 'away 10m'
	[ "$output" = ok ]
	run ! iscsi-ls "iscsi://$PORTAL"
	[[ $output == *"Connection refused"* ]]
	run -0 control clear
	run -0 iscsi-ls "iscsi://$PORTAL"

	run -0 control 'away 100ms'
	run ! iscsi-ls "iscsi://$PORTAL"
	wait_for iscsi-ls "iscsi://$PORTAL" 2>/dev/null
}

@test "a gateway that goes away closes the connections that it has" {
	start_controlled
	run -0 control 'on scsi: away 10m'
	iscsi-inq "iscsi://$PORTAL/$IQN:myvolume/0" >"$BATS_TEST_TMPDIR/inq" 2>&1 3>&- &
	local pid=$!
	wait_for struck 'on scsi: away 10m'
	[ "$(jq -r 'select(.event == "close") | .reason' "$TRANSCRIPT")" = "the target is away" ]
	kill "$pid" 2>/dev/null || : # libiscsi tries again for ever
	wait "$pid" || :
	end_target 0 # by SIGTERM, while it is away
}

@test "a frozen gateway answers on the same connection when it is over" {
	start_controlled
	run -0 control 'on scsi.inquiry: freeze 10m'
	iscsi-inq "iscsi://$PORTAL/$IQN:myvolume/0" >"$BATS_TEST_TMPDIR/inq" 2>&1 3>&- &
	local pid=$!
	wait_for struck 'on scsi.inquiry: freeze 10m'
	run -0 control '# is anybody there?'
	[ "$output" = ok ]
	kill -0 "$pid"
	[ ! -s "$BATS_TEST_TMPDIR/inq" ]
	run -0 control clear
	wait "$pid"
	grep -q 'Vendor:Amazon' "$BATS_TEST_TMPDIR/inq"
	[ "$(connections)" -eq 1 ]
	run -0 iscsi-inq "iscsi://$PORTAL/$IQN:myvolume/0"
}

@test "a frozen gateway takes no connection, and ends by SIGTERM all the same" {
	start_controlled
	run -0 control 'freeze 10m'
	iscsi-ls "iscsi://$PORTAL" >"$BATS_TEST_TMPDIR/ls" 2>&1 3>&- &
	local pid=$!
	local port
	port=$(printf ':%04X' "$PORT")
	wait_for grep -q "$port 0100007F:.* 01 " /proc/net/tcp # established, as far as the system goes
	[ "$(connections)" -eq 0 ]
	run -0 control 'freeze 1ms' # the last one counts
	wait "$pid"
	[ "$(connections)" -eq 1 ]
	run -0 control 'freeze 10m' 'away 10m'
	[ "$output" = $'ok\nok' ]
	end_target 0
}

@test "faults that are given for a time come at that time" {
	printf '# a comment\n\nat 1ms: freeze 50ms\nat 2ms: away 100ms\n' >"$BATS_TEST_TMPDIR/rules"
	start_controlled --faults "$BATS_TEST_TMPDIR/rules"
	wait_for struck 'at 2ms: away 100ms'
	struck 'at 1ms: freeze 50ms'
	wait_for iscsi-ls "iscsi://$PORTAL" 2>/dev/null
	end_target 0
	[[ $(<"$TARGET_LOG") == *" faults: 2, "* ]]
}

@test "quit ends it cleanly, with the summary" {
	start_controlled
	run -0 control quit
	[ "$output" = ok ]
	wait_target 0
	[[ $(<"$TARGET_LOG") == *"sgw-target: ended; "* ]]
	[ ! -e "$CONTROL" ]
}
