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

# struck RULE: the transcript tells that it did
struck() {
	jq -es --arg rule "$1" 'any(.event == "fault" and .rule == $rule)' "$TRANSCRIPT" >/dev/null
}

# asked FILTER: what jq makes of the answer to "status"
asked() {
	control status | jq -r "$1"
}

# inquire [NAME]: log in to a volume and ask who it is
inquire() {
	timeout 60 iscsi-inq "iscsi://$PORTAL/$IQN:${1:-myvolume}/0"
}

# The processor time that the target took, in ticks.
ticks() {
	awk '{ print $14 + $15 }' "/proc/$TARGET_PID/stat"
}

# back: the target is not away
back() {
	[ "$(asked .away)" = false ]
}

# How many connections there were.
connections() {
	jq -s 'map(select(.event == "connect")) | length' "$TRANSCRIPT"
}

# connect N: open N connections to the control address; their descriptors are in FDS
connect() {
	local fd
	FDS=()
	while [ "${#FDS[@]}" -lt "$1" ]; do
		exec {fd}<>"/dev/tcp/${CONTROL%:*}/${CONTROL##*:}"
		FDS+=("$fd")
	done
}

# tell LINE: the same as control, over the first of them
tell() {
	local line

	echo "$1" >&"${FDS[0]}"
	read -r -t 60 line <&"${FDS[0]}"
	[ "$line" = ok ]
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
	wait_for back
	wait_for iscsi-ls "iscsi://$PORTAL" 2>/dev/null
}

@test "a gateway that is away keeps its port, and nobody else gets it" {
	start_controlled
	local round
	for round in without with; do
		echo "$round connections"
		run -0 control 'away 10m'
		run -1 timeout 60 sgw-target --portal "$PORTAL"
		[[ $output == *"cannot listen on $PORTAL: Address already in use" ]]
		run -1 socat -u /dev/null "TCP:$PORTAL"
		[[ $output == *"Connection refused"* ]]
		[ "$(asked '.lost | length')" -eq 0 ]
		run -0 control clear
		[ "$(asked .away)" = false ]
		exec 5<>"/dev/tcp/127.0.0.1/$PORT"
		run -0 inquire # who connected before is accepted, too
	done
	exec 5>&-
	run ! grep cannot "$TARGET_LOG"
}

@test "a port that could not be kept and that somebody else took is told, and taken again" {
	need prlimit
	start_target --control 127.0.0.1:0 --portal 127.0.0.1:0 --portal 127.0.0.1:0 \
		--transcript "$TRANSCRIPT"
	local first=$PORTAL second=$PORTAL2 away=$TARGET_LOG pid=$TARGET_PID transcript=$TRANSCRIPT
	find_control
	connect 1
	tell clear # it has the connection by now
	prlimit --pid "$pid" --nofile=3: # it closes a socket, and gets none
	tell 'away 10m'
	prlimit --pid "$pid" --nofile=64:
	[ "$(asked '.lost | to_entries[] | "\(.key) \(.value)"' | sort)" = "$(printf \
		'%s Too many open files\n' "$first" "$second" | sort)" ]
	start_target --portal "$second" # it takes the place
	run -0 control clear
	[ "$(asked .away)" = true ]
	[ "$(asked '.lost | to_entries[] | "\(.key) \(.value)"')" = "$second Address already in use" ]
	run -0 iscsi-ls "iscsi://$first"
	wait_for grep -q "cannot listen on $second: " "$away"
	end_target 0
	wait_for back
	[ "$(asked '.lost | length')" -eq 0 ]
	run -0 iscsi-ls "iscsi://$second"
	[ "$(grep -c 'cannot listen' "$away")" -eq 1 ]
	[ "$(jq -r --arg portal "$second" 'select(.event == "lost" and .portal == $portal) | .reason' \
		"$transcript")" = "cannot make a socket: Too many open files
cannot listen on $second: Address already in use" ]
}

@test "a gateway that goes away closes the connections that it has" {
	start_controlled
	run -0 control 'on scsi: away 10m'
	timeout 60 iscsi-inq "iscsi://$PORTAL/$IQN:myvolume/0" >"$BATS_TEST_TMPDIR/inq" 2>&1 3>&- &
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
	timeout 60 iscsi-inq "iscsi://$PORTAL/$IQN:myvolume/0" >"$BATS_TEST_TMPDIR/inq" 2>&1 3>&- &
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
	timeout 60 iscsi-ls "iscsi://$PORTAL" >"$BATS_TEST_TMPDIR/ls" 2>&1 3>&- &
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

@test "a gateway that comes back while it is frozen takes no connection yet" {
	start_controlled
	run -0 control 'freeze 10m' 'away 1ms'
	wait_for back
	timeout 60 iscsi-ls "iscsi://$PORTAL" >"$BATS_TEST_TMPDIR/ls" 2>&1 3>&- &
	local pid=$! port
	port=$(printf ':%04X' "$PORT")
	wait_for grep -q "$port 0100007F:.* 01 " /proc/net/tcp
	[ "$(asked .frozen)" = true ]
	[ "$(connections)" -eq 0 ]
	run -0 control clear
	wait "$pid"
}

@test "clear takes faults back whose time has not come" {
	start_controlled
	run -0 control 'at 200ms: away 10m' clear 'at 300ms: freeze 1ms'
	wait_for struck 'at 300ms: freeze 1ms'
	[ "$(asked .away)" = false ]
	run ! struck 'at 200ms: away 10m'
}

@test "faults that are given for a time come at that time" {
	printf '# a comment\n\nat 1ms: freeze 50ms\nat 2ms: away 100ms\n' >"$BATS_TEST_TMPDIR/rules"
	start_controlled --faults "$BATS_TEST_TMPDIR/rules" --expect faults=2
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

@test "SIGTERM ends it with the summary as soon as it says that it is ready" {
	mkfifo "$BATS_TEST_TMPDIR/out"
	exec 4<>"$BATS_TEST_TMPDIR/out"
	head -c 65536 /dev/zero >&4 # it cannot say so before this is read
	sgw-target >&4 3>&- &
	TARGET_PID=$! TARGET_LOG=/dev/null
	TARGET_PIDS+=("$TARGET_PID")
	wait_for grep -q '^SigBlk:.*[4-7]...$' "/proc/$TARGET_PID/status" # SIGTERM is 15
	kill -TERM "$TARGET_PID"
	timeout 60 grep -m 1 -a 'sgw-target: ended;' <&4
	exec 4>&-
	wait_target 0
}

@test "a script can ask what was negotiated" {
	start_controlled
	run -0 control 'on scsi.test-unit-ready: freeze 10m'
	inquire >/dev/null 3>&- &
	local pid=$!
	wait_for struck 'on scsi.test-unit-ready: freeze 10m'
	[ "$(asked '.sessions | length')" -eq 1 ]
	[ "$(asked '.sessions[0].target')" = "$IQN:myvolume" ]
	[ "$(asked '.sessions[0].chap')" = none ]
	[ "$(asked '.sessions[0].negotiated.ImmediateData')" = Yes ]
	[ "$(asked '.sessions[0].negotiated.MaxBurstLength')" -eq 262144 ] # libiscsi's
	[ "$(asked .frozen)" = true ]
	[ "$(asked .counters.logins)" -eq 1 ]
	[ "$(asked '.rules[0] | "\(.rule) \(.met) \(.struck)"')" = \
		'on scsi.test-unit-ready: freeze 10m 1 1' ]
	run -0 control clear
	wait "$pid"
	[ "$(asked '.rules | length')" -eq 0 ]
	[ "$(asked '.sessions | length')" -eq 0 ]
}

@test "probe tells in words why a login was refused" {
	start_controlled
	while IFS='|' read -r status words; do
		run -0 control clear "on login: refuse $status"
		run -1 sgw-init probe "$PORTAL"
		echo "$status: $output"
		[[ $output == *"$words"* ]]
	done <<-'END'
		0x0202|the target knows this host and does not admit it
		0x0201|the target refused this host (unknown name or wrong secret)
		0x0203|there is no target of that name for this host
		0x0101|the target has moved for now, but does not say where to
		0x0301|the target's service is unavailable (status 0x0301
		0x03ff|a target error that the standard does not know (status 0x03ff
	END
}

@test "initiators follow a redirection, of a login and of a discovery" {
	start_target --volume there:1M --expect logins=3
	local there=$PORTAL
	start_controlled --volume there:1M --expect logins=0 --expect refused=4
	run -0 control "on login: redirect $there"
	run -0 sgw-init probe "$PORTAL"
	[[ $output == *"redirected to $there"* ]]
	run -0 inquire there # libiscsi's
	[[ $output == *Vendor:Amazon* ]]
	run -0 control clear "on login: redirect $there permanently"
	run -0 sgw-init probe "$PORTAL"
	[[ $output == *"redirected to $there"* ]]
	run -0 control clear "on discovery: redirect $there permanently"
	run -0 --separate-stderr sgw-init discover "$PORTAL"
	[[ $output == *"$IQN:there "*" $there,1"* ]]
	[ "$(jq -r 'select(.event == "login" and .status != "0x0000") | .status' "$TRANSCRIPT")" = \
		$'0x0101\n0x0101\n0x0102\n0x0102' ]
	[ "$(jq -r --arg key "TargetAddress=$there" \
		'select(.event == "login-response" and .keys == [$key]) | .event' "$TRANSCRIPT" |
		wc -l)" -eq 4 ]
	end_target 0
	TARGET_PID=${TARGET_PIDS[-1]}
	end_target 0
}

@test "a redirection that leads back is followed no further" {
	start_controlled
	run -0 control "on login: redirect $PORTAL"
	run -1 timeout 60 sgw-init probe "$PORTAL"
	[[ $output == *"redirected more than 4 times"* ]]
	[ "$(asked .counters.refused)" -eq 5 ]
}

@test "a rule is about the target that it names, and the others are served" {
	start_controlled --volume one:1M --volume two:1M
	run -0 control 'on login target=two: refuse 0x0301'
	run ! inquire two
	inquire one
	run -0 control clear "on login target=$IQN:one: refuse 0x0301"
	run ! inquire one
	inquire two
	run -0 control clear 'on login target=three: refuse 0x0301'
	[[ $output == *"error: column 10: target=three: there is no such target here"* ]]
}

@test "nth and count say which of the things of all sessions are struck" {
	start_controlled --volume one:1M --volume two:1M
	run -0 control 'on login nth=2 count=2: refuse 0x0301'
	inquire one
	run ! inquire two
	run ! inquire one
	inquire two
	[ "$(asked '.rules[0] | "\(.met) \(.struck)"')" = '3 2' ] # who is done counts no more
	[ "$(asked .counters.refused)" -eq 2 ]
}

@test "a write that is stalled keeps its own answer back, and no other" {
	need qemu-io
	start_controlled
	run -0 control 'on scsi.write nth=2: stall 10m'
	timeout 60 stdbuf -oL qemu-io -f raw -c 'aio_write -P 1 0 4k' \
		-c 'aio_write -P 2 4k 4k' -c 'aio_write -P 3 8k 4k' \
		-c aio_flush "iscsi://$PORTAL/$IQN:myvolume/0" >"$BATS_TEST_TMPDIR/io" 2>&1 3>&- &
	local pid=$!
	wait_for struck 'on scsi.write nth=2: stall 10m'
	wait_for grep -q 'wrote 4096/4096 bytes at offset 8192' "$BATS_TEST_TMPDIR/io"
	run -1 grep 'at offset 4096' "$BATS_TEST_TMPDIR/io"
	run -0 control clear
	wait "$pid"
	grep 'wrote 4096/4096 bytes at offset 4096' "$BATS_TEST_TMPDIR/io"
	run -0 qemu-io -f raw -c 'read -P 2 4k 4k' "iscsi://$PORTAL/$IQN:myvolume/0"
	[[ $output != *failed* ]]
}

@test "a login and a logout that are stalled come late" {
	start_controlled
	for event in connect login-request login logout; do
		run -0 control clear "on $event nth=1: stall 10m" "on $event nth=1: stall 1ms"
		inquire >"$BATS_TEST_TMPDIR/inq" 2>&1 3>&- &
		local pid=$!
		wait_for struck "on $event nth=1: stall 1ms" # the longer one counts
		kill -0 "$pid"
		run -0 control clear
		wait "$pid"
		grep -q Vendor:Amazon "$BATS_TEST_TMPDIR/inq"
	done
}

@test "a command fails with the status or the sense data that was asked for" {
	start_controlled
	run -0 control 'on scsi.read-capacity: fail 3/11/00'
	run ! iscsi-readcapacity16 "iscsi://$PORTAL/$IQN:myvolume/0"
	run -0 control clear 'on scsi.inquiry: fail task-set-full'
	run ! inquire
	run -0 control clear
	inquire
}

@test "a connection is dropped, by FIN or by a reset" {
	start_controlled
	local action closed=0
	for action in drop reset; do
		run -0 control clear "on login: $action"
		run -1 sgw-init probe "$PORTAL"
		echo "$output"
		[[ $action == drop || $output == *reset* ]]
		run -0 control clear 'on scsi.inquiry: stall 10m'
		inquire >/dev/null 2>&1 3>&- &
		local pid=$!
		wait_for struck 'on scsi.inquiry: stall 10m'
		run -0 control clear "$action"
		[ "$(jq -s 'map(select(.reason == "a fault that was asked for")) | length' \
			"$TRANSCRIPT")" -eq "$((closed += 2))" ]
		wait "$pid" # libiscsi comes again
	done
}

@test "discover shows the portal that the gateway advertises" {
	start_controlled
	run -0 control 'advertise 192.0.2.1:3261'
	run -0 --separate-stderr sgw-init discover "$PORTAL"
	[[ $output == *" 192.0.2.1:3261,1"* ]]
	[[ $output != *"$PORTAL,1"* ]]
	run -0 control clear
	run -0 --separate-stderr sgw-init discover "$PORTAL"
	[[ $output == *" $PORTAL,1"* ]]
}

@test "discover leaves targets with hostile names out, shows them escaped, and keeps the others" {
	start_controlled
	run -0 control hostile-names 'name "iqn.1997-05.com.amazon:\x1b[31mred\n"'
	run --separate-stderr sgw-init discover "$PORTAL"
	[[ ${lines[1]} == *" $IQN:myvolume "* ]]
	[ "${#lines[@]}" -eq 2 ]
	[[ $stderr == *"'$IQN:../../../etc/passwd'"* ]]
	[[ $stderr == *"'$IQN:\x1b[31mred\x0a'"* ]]
	[[ $stderr == *"224 bytes is too long"* ]]
	[[ $output$stderr != *$'\e'* ]]
}

@test "what is wrong with a line of --faults is told with its place, before anything listens" {
	printf 'on login: drop\n\non nop-out: refuse 0x0202\n' >"$BATS_TEST_TMPDIR/rules"
	run -1 sgw-target --faults "$BATS_TEST_TMPDIR/rules" --ready-file "$BATS_TEST_TMPDIR/ready"
	[ "$output" = "sgw-target: $BATS_TEST_TMPDIR/rules:3: column 13: refuse cannot be had there:\
 on login-request, on login, on discovery" ]
	[ ! -e "$BATS_TEST_TMPDIR/ready" ]
	echo 'away 5s' >"$BATS_TEST_TMPDIR/rules"
	run -1 sgw-target --faults "$BATS_TEST_TMPDIR/rules"
	[[ $output == *"rules:1: a file says when: on EVENT: away 5s, or at TIME: away 5s" ]]
	run -1 sgw-target --faults "$BATS_TEST_TMPDIR/none"
}

@test "rules come from the standard input, too, and from one file alone" {
	run -1 sgw-target --faults - <<<'on login target=nope: drop'
	[ "$output" = "sgw-target: -:1: column 10: target=nope: there is no such target here" ]
	run -2 sgw-target --faults - --faults -
	[[ $output == *"faults"*"given twice"* ]]
	run -2 sgw-target --control 127.0.0.1:0 --control "$CONTROL"
	[[ $output == *"control"*"given twice"* ]]
	start_controlled
	run -0 control 'name "\q"'
	[[ $output == "error: column 7: behind a backslash stands another, "*", not 'q'" ]]
}

@test "the control socket takes the place of a dead one's, and of nothing else" {
	echo precious >"$CONTROL"
	run -1 sgw-target --control "$CONTROL"
	[[ $output == *"is there and is no socket"* ]]
	[ "$(<"$CONTROL")" = precious ]
	rm "$CONTROL"
	start_controlled
	[ "$(stat -c %a "$CONTROL")" = 600 ]
	run -1 sgw-target --control "$CONTROL"
	[[ $output == *"is in use by another process"* ]]
	kill -KILL "$TARGET_PID"
	wait_target 137
	[ -S "$CONTROL" ]
	start_controlled
	[ "$(asked .frozen)" = false ]
}

@test "the control socket is removed in the end, and nothing that took its place" {
	start_controlled
	rm "$CONTROL"
	echo precious >"$CONTROL"
	end_target 0
	[ "$(<"$CONTROL")" = precious ]
	rm "$CONTROL"
	start_controlled
	local first=$TARGET_PID
	rm "$CONTROL"
	start_target --control "$CONTROL"
	kill -TERM "$first"
	wait "$first"
	TARGET_PIDS=("$TARGET_PID")
	[ "$(asked .away)" = false ]
	end_target 0
	[ ! -e "$CONTROL" ]
}

@test "control works over a loopback address, and over no other" {
	run -1 sgw-target --control 0.0.0.0:0
	[[ $output == *"no loopback address"* ]]
	run -1 sgw-target --control 192.0.2.1:0
	[[ $output == *"no loopback address"* ]]
	start_target --control 127.0.0.1:0
	find_control
	run -0 control quit
	[ "$output" = ok ]
	wait_target 0
}

@test "the control socket answers line by line, whatever comes" {
	start_controlled
	run -0 socat -t 30 - "UNIX-CONNECT:$CONTROL" < <(printf ' status \r\n\n# x\nfoo\nclear')
	[ "${lines[0]:0:1}" = '{' ]
	[ "${lines[1]}" = ok ]
	[ "${lines[2]}" = ok ]
	[[ ${lines[3]} == "error: column 1: 'foo' is no action: "* ]]
	[ "${lines[4]}" = ok ]
	run -0 socat -t 30 - "UNIX-CONNECT:$CONTROL" < <(printf 'a\0b\n\e[31m\n')
	[ "${lines[0]}" = "error: there is a NUL byte in the line" ]
	[[ ${lines[1]} == "error: column 1: '\x1b[31m' is no action"* ]]
	run -0 socat -t 30 - "UNIX-CONNECT:$CONTROL" < <(head -c 100000 /dev/zero | tr '\0' x
		printf '\nclear\n')
	[ "$output" = $'error: a line of more than 16384 bytes\nok' ]
}

@test "who finds the control socket full is told so" {
	start_target --control 127.0.0.1:0
	find_control
	connect 65
	echo clear >&"${FDS[63]}"
	read -r -t 60 line <&"${FDS[63]}"
	[ "$line" = ok ]
	read -r -t 60 line <&"${FDS[64]}"
	[ "$line" = 'error: 64 clients are connected, which is the limit' ]
}

@test "who controls it waits while it has no file left, and it stays calm" {
	need prlimit
	start_target --control 127.0.0.1:0
	find_control
	prlimit --pid "$TARGET_PID" --nofile=24
	connect 32
	local before
	before=$(ticks)
	echo clear >&"${FDS[31]}"
	run ! read -r -t 0.5 line <&"${FDS[31]}"
	[ "$(($(ticks) - before))" -lt 10 ]
	for fd in "${FDS[@]:0:31}"; do
		exec {fd}>&-
	done
	read -r -t 60 line <&"${FDS[31]}"
	[ "$line" = ok ]
}

@test "the manual page has every event and every action" {
	local manual=$ROOT/tests/target/sgw-target.8 word
	start_controlled
	for word in $(control 'on login: x' 'on x: quit' | sed -n 's/.* is no [a-z]*: //p' | tr -d ,.); do
		echo "$word"
		[[ $word == scsi* ]] || grep -q "^\.It Cm $word\( \|$\)" "$manual"
	done
	[ "$word" = scsiwrite ] # the last of them
}

@test "who asks and never takes the answers holds nobody up" {
	start_controlled
	{ echo drop && yes status; } | socat -u - "UNIX-CONNECT:$CONTROL" 3>&- &
	local pid=$!
	wait_for struck drop
	[ "$(asked .frozen)" = false ]
	run -0 inquire
	kill "$pid"
	wait "$pid" || :
	run -0 control quit
	wait_target 0
}
