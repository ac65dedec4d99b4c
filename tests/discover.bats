# SPDX-License-Identifier: MIT
# discover: what portals offer, without root, kernel or trace.
# shellcheck disable=SC2153,SC2154 # PORTAL is set by start_target, stderr by run --separate-stderr

load helpers

@test "discover lists the ten drives and the changer of a Tape Gateway" {
	start_target --gateway tape
	run -0 --separate-stderr sgw-init discover "$PORTAL"
	[ "${#lines[@]}" -eq 12 ]
	[[ $output == *-mediachanger* ]]
	[[ $output == *-tapedrive-10* ]]
	[[ ${lines[1]} == *tape* ]]
}

@test "discover asks several portals at once, and one that is dead delays none" {
	start_target --volume one:1M
	first=$PORTAL
	start_target --volume two:1M
	run -1 --separate-stderr sgw-init discover "$first" 127.0.0.1:1 "$PORTAL"
	[[ $output == *"amazon:one"* ]]
	[[ $output == *"amazon:two"* ]]
	[[ $stderr == *"127.0.0.1:1"*"refused"* ]]
}

@test "discover takes host names and IPv6, and JSON says it all" {
	start_target --portal '[::1]:0' --volume six:1M
	run -0 --separate-stderr sgw-init discover "$PORTAL" --output json
	[ "$(jq -r '.schema' <<<"$output")" = sgw-init/discover/1 ]
	[ "$(jq -r '.portals[0].targets[0].name' <<<"$output")" = iqn.1997-05.com.amazon:six ]
	[ "$(jq -r '.portals[0].kind' <<<"$output")" = volume ]
	start_target --volume name:1M
	run -0 --separate-stderr sgw-init discover "localhost:$PORT"
	[[ $output == *"amazon:name"* ]]
}

@test "discover follows an answer of a thousand targets" {
	start_target --targets 1000
	run -0 --separate-stderr sgw-init discover "$PORTAL"
	[ "${#lines[@]}" -eq 1001 ]
}

@test "a portal that is none is told by its words" {
	local portal
	for portal in '' '127.0.0.1:0' '127.0.0.1:65536' '127.0.0.1:3260x' '[::1' 'no such host:1'; do
		echo "case: '$portal'"
		run -2 sgw-init discover "$portal"
		[[ $output == sgw-init:* ]]
	done
}

@test "discover reads tgtd's targets, and apply refuses a portal that is no Storage Gateway" {
	local host=$BATS_TEST_TMPDIR/host
	stock_root "$host"
	start_tgtd iqn.2003-01.org.example:one iqn.2003-01.org.example:two
	run -0 --separate-stderr sgw-init discover "$PORTAL" --root "$host" --output json
	[ "$(jq -r '.portals[0].targets[].name' <<<"$output" | sort | paste -sd' ')" = \
		"iqn.2003-01.org.example:one iqn.2003-01.org.example:two" ]
	[ "$(jq -r '.portals[0].kind' <<<"$output")" = other ]
	tree_state "$host" >"$BATS_TEST_TMPDIR/before"
	run -1 sgw-init apply --root "$host" "$PORTAL"
	[[ $output == *"$PORTAL: no Storage Gateway"* ]]
	tree_state "$host" | diff "$BATS_TEST_TMPDIR/before" -
}

@test "discover and apply reach a gateway's target behind tgtd just as well" {
	local host=$BATS_TEST_TMPDIR/host
	stock_root "$host"
	start_tgtd iqn.1997-05.com.amazon:myvolume iqn.2003-01.org.example:other
	run -0 sgw-init apply --root "$host" "$PORTAL"
	[[ $output == *"1 of its targets"* ]]
	[ "$(find "$host/etc/iscsi/nodes" -name default | wc -l)" -eq 1 ]
}

# start_peer COMMAND: something that listens, and runs COMMAND for each connection. Sets PEER.
start_peer() {
	local peer=$BATS_TEST_TMPDIR/peer-$((${#TARGET_PIDS[@]} + 1))
	local log=$peer.log

	echo "$1" >"$peer"
	socat -d -d TCP-LISTEN:0,bind=127.0.0.1,fork EXEC:"bash $peer" 2>"$log" 3>&- &
	TARGET_PIDS+=("$!")
	until grep -qs 'listening on' "$log"; do
		kill -0 "${TARGET_PIDS[-1]}"
		sleep 0.02
	done
	PEER=$(sed -n 's/.*listening on AF=2 //p' "$log" | head -n 1)
}

# Not sgw-target, which ends with 0.
teardown() {
	local pid
	stop_tgtd
	for pid in "${TARGET_PIDS[@]}"; do
		kill "$pid" 2>/dev/null || :
		wait "$pid" || :
	done
}

@test "a portal that refuses, drops, stays silent or sends garbage is told with its stage, and nothing hangs" {
	local what command words start
	while IFS='|' read -r what command words; do
		start_peer "$command"
		start=$SECONDS
		run -1 --separate-stderr sgw-init discover "$PEER" --timeout 2s
		echo "case: $what: $stderr"
		[[ $stderr == *"sgw-init: $PEER: "*"$words"* ]]
		[ $((SECONDS - start)) -le 10 ]
	done <<-'END'
		silent|exec cat >/dev/null|no Login Response within 2 s
		closes at once|true|closed the connection while the Login Response was awaited
		answers like a web server|printf 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'; exec cat >/dev/null|does not speak iSCSI
		sends noise|printf '\377%.0s' {1..4096}; exec cat >/dev/null|does not speak iSCSI
		stops inside a header|printf '\43\200'; exec cat >/dev/null|in the middle of a header
		announces more than it may|printf '\43\207\0\0\0\377\377\377'; printf '\0%.0s' {1..40}; exec cat >/dev/null|16777215
	END
	run -1 --separate-stderr sgw-init discover 127.0.0.1:1
	[[ $stderr == *"127.0.0.1:1: "*"refused"* ]]
}

@test "one silent portal among good ones delays none, and apply then writes nothing" {
	local host=$BATS_TEST_TMPDIR/host
	stock_root "$host"
	start_target --volume good:1M
	start_peer 'exec cat >/dev/null'
	tree_state "$host" >"$BATS_TEST_TMPDIR/before"
	run -1 --separate-stderr sgw-init discover "$PEER" "$PORTAL" --timeout 2s
	[[ $output == *"amazon:good"* ]]
	run -1 sgw-init apply --root "$host" "$PEER" "$PORTAL" --timeout 2s
	[[ $output == *"--skip-unreachable"* ]]
	tree_state "$host" | diff "$BATS_TEST_TMPDIR/before" -
}

# start_gateways ADDRESS...: one at each, all at one port; sets PORT.
start_gateways() {
	local tries address
	for ((tries = 0; tries < 20; tries++)); do
		start_target --portal "$1:0" --volume "at-${1//./-}:1M"
		for address in "${@:2}"; do
			# Somebody else may have that port at another address.
			start_target --portal "$address:$PORT" --volume "at-${address//./-}:1M" || continue 2
		done
		return 0
	done
	return 1
}

# costs_less_than_a_second COMMAND...: of a processor, whatever else runs here (sanitizers may take five),
# and twenty of the clock, for nobody is waited for.
costs_less_than_a_second() {
	local TIMEFORMAT='%U %S' user system most=1000
	! grep -q fsanitize "$BUILD/flags" || most=5000
	{ time timeout 20 "$@" 2>&4; } 4>&2 2>"$BATS_TEST_TMPDIR/times" || return
	read -r user system <"$BATS_TEST_TMPDIR/times"
	[ $((10#${user/./} + 10#${system/./})) -lt "$most" ] || { echo "it took $user and $system s"; return 1; }
}

@test "a sweep of a /24 finds its gateways and counts the others, in under a second of a processor" {
	start_gateways 127.0.0.2 127.0.0.77 127.0.0.200
	run -0 --separate-stderr costs_less_than_a_second sgw-init discover "127.0.0.0/24:$PORT"
	[ "${#lines[@]}" -eq 4 ]
	[[ ${lines[0]} == PORTAL*KIND*TARGET*ADDRESS ]]
	[[ $output == *"127.0.0.77:$PORT"*"iqn.1997-05.com.amazon:at-127-0-0-77"* ]]
	[[ $stderr == *"3 of 254 hosts answered (251 refused, 0 silent, 0 failed)"* ]]
	[[ $stderr != *" asked, "* ]] # progress is for a terminal
	run -0 --separate-stderr sgw-init discover "127.0.0.0/24:$PORT" --output json
	[ "$(jq -r '[.portals[].portal] | join(" ")' <<<"$output")" = \
		"127.0.0.2:$PORT 127.0.0.77:$PORT 127.0.0.200:$PORT" ]
	[ "$(jq -c .sweep <<<"$output")" = \
		'{"hosts":254,"answered":3,"refused":251,"silent":0,"failed":0}' ]
}

@test "a sweep keeps to the files a process may open" {
	start_gateways 127.0.0.2 127.0.0.200
	ulimit -n 48
	run -0 --separate-stderr sgw-init discover "127.0.0.0/24:$PORT"
	[ "${#lines[@]}" -eq 3 ]
	[[ $stderr == *"2 of 254 hosts answered"* ]]
}

@test "a sweep names the portal of a range that answers and is no target, and asks none twice" {
	start_peer "exec cat >/dev/null"
	start_target --portal "127.0.0.9:${PEER##*:}" --volume beside:1M
	run -0 --separate-stderr sgw-init discover "127.0.0.0/28:$PORT" "127.0.0.9:$PORT" \
		"127.0.0.8/30:$PORT" --timeout 2s
	[ "$(grep -c amazon:beside <<<"$output")" -eq 1 ]
	[[ $stderr == *"$PEER: no Login Response within 2 s"* ]]
	[[ $stderr == *"0 of 13 hosts answered (12 refused, 0 silent, 1 failed)"* ]]
}

@test "a range where nobody answers fails, and one that is too large or for apply is wrong usage" {
	local range words
	run -1 --separate-stderr sgw-init discover 127.0.9.0/29:1
	[ -z "$output" ]
	[[ $stderr == *"0 of 6 hosts answered"* ]]
	while IFS='|' read -r range words; do
		echo "case: $range"
		run -2 --separate-stderr sgw-init discover "$range"
		[[ $stderr == *"$words"* ]]
	done <<-'END'
		10.0.0.0/23|--max-hosts 510
		10.0.0.0/8|in smaller parts
		2001:db8::/64|in smaller parts
		10.0.0.0/33|33
		gw.example/24|made of an address
	END
	run -2 sgw-init discover 127.0.9.0/29:1 --max-hosts 0
	run -1 sgw-init discover 127.0.9.0/29:1 --max-hosts 6
	run -2 sgw-init discover 127.0.9.0/29:1 --max-hosts 5
	run -2 sgw-init apply 127.0.0.0/24 --dry-run
	[[ $output == *"for discover alone"* ]]
	run -2 sgw-init check 127.0.0.0/24
}

@test "discover follows an answer of ten thousand targets in under a second of a processor" {
	start_target --targets 10000
	costs_less_than_a_second sgw-init discover "$PORTAL" >"$BATS_TEST_TMPDIR/out"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/out")" -eq 10001 ]
}
