# SPDX-License-Identifier: MIT
# What a gateway sends, or somebody left in a tree: it reaches neither a path nor the terminal.
# shellcheck disable=SC2153,SC2154 # PORTAL is set by start_target, stderr by run --separate-stderr

load helpers

setup() {
	stock_host
	CONTROL=$BATS_TEST_TMPDIR/control
}

# offer TEXT: have the target that is there answer SendTargets with this, escapes and all
offer() {
	[ "$(control clear "answer \"$1\"")" = $'ok\nok' ]
}

# is_plain TEXT: nothing in it drives a terminal
is_plain() {
	! LC_ALL=C grep -q '[[:cntrl:]]' <<<"$1"
}

@test "apply writes nothing where a gateway offers what no host can use, and says what" {
	local amazon=iqn.1997-05.com.amazon what name address words
	local long
	long=$(printf 'x%.0s' {1..224})
	need socat
	start_target --control "$CONTROL"

	while IFS='|' read -r what name address words; do
		offer "TargetName=$name\0TargetAddress=$address\0"
		tree_state "$HOST" >"$BATS_TEST_TMPDIR/before"
		run -1 sgw-init apply --root "$HOST" "$PORTAL"
		echo "case: $what: $output"
		tree_state "$HOST" | diff "$BATS_TEST_TMPDIR/before" -
		[ ! -e "$HOST/var/lib/sgw-init/journal" ]
		[[ $output == *"$words"* ]]
		[[ ${lines[-1]} == "sgw-init: $PORTAL: "* ]]
		is_plain "$output"
	done <<-END
		a way out|$amazon:../../etc|10.0.0.1:3260,1|'$amazon:../../etc' has a character
		a newline|$amazon:a\nb = c|10.0.0.1:3260,1|a\x0ab = c
		an escape|$amazon:\x1b[31m|10.0.0.1:3260,1|\x1b[31m
		another direction|$amazon:\xe2\x80\xae|10.0.0.1:3260,1|\xe2\x80\xae
		letters beyond ASCII|$amazon:\xc3\xa4|10.0.0.1:3260,1|no iSCSI name that could name
		a name of 247 bytes|$amazon:$long|10.0.0.1:3260,1|247 bytes is too long
		no address at all|$amazon:a|0.0.0.0:3260,1|no address that a host can reach
		no IPv6 address|$amazon:a|[::]:3260,1|no address that a host can reach
		a multicast address|$amazon:a|239.0.0.1:3260,1|no address that a host can reach
		an address with a path|$amazon:a|../../x:3260,1|neither a host name nor an address
		a host of 240 bytes|$amazon:a|${long:0:60}.${long:0:60}.${long:0:60}.${long:0:57}:3260,1|neither an IP address
		another array|iqn.2001-04.com.example:a|10.0.0.1:3260,1|no Storage Gateway
	END
}

@test "discover warns of a public address that a gateway tells, of a range as well" {
	local range
	need socat
	start_target --control "$CONTROL"
	offer 'TargetName=iqn.1997-05.com.amazon:a\0TargetAddress=8.8.8.8:3260,1\0TargetAddress=10.0.0.1:3260,1\0'
	for range in "$PORTAL" "127.0.0.1/32:$PORT"; do
		run -0 --separate-stderr sgw-init discover "$range"
		[ "$(grep -c 'tells 8.8.8.8 for iqn.1997-05.com.amazon:a, a public address' <<<"$stderr")" -eq 1 ]
		[[ $stderr != *10.0.0.1* ]]
	done
}

@test "apply warns where a record would lead to a public address" {
	need socat
	start_target --control "$CONTROL"
	offer 'TargetName=iqn.1997-05.com.amazon:a\0TargetAddress=8.8.8.8:3260,1\0'
	run -0 --separate-stderr sgw-init apply --root "$HOST" "$PORTAL"
	[[ $stderr == *"its record leads to 8.8.8.8, a public address"* ]]
}

@test "names that somebody left in the database or in sysfs do not drive the terminal" {
	local amazon=iqn.1997-05.com.amazon esc=$'\033[31m' command
	local nodes=$HOST/etc/iscsi/nodes session=$HOST/sys/class/iscsi_session/session1

	mkdir -p "$nodes/$amazon:$esc/10.0.0.1,3260,1" "$session"
	printf 'node.name = %s\nnode.tpgt = 1\nnode.conn[0].address = 10.0.0.1\nnode.conn[0].port = 3260\n' \
		"$amazon:$esc" >"$nodes/$amazon:$esc/10.0.0.1,3260,1/default"
	run -1 sgw-init apply --root "$HOST"
	[[ $output == *"not a record; move it away"* ]]
	is_plain "$output"

	rm -r "${nodes:?}/$amazon:$esc"
	echo "$amazon:$esc" >"$session/targetname"
	echo 120 >"$session/recv_tmo"
	for command in check 'check --output json' 'check --output diff' apply; do
		# shellcheck disable=SC2086 # the words of the command
		run sgw-init $command --root "$HOST"
		is_plain "$output"
	done
	[[ $output == *"still to do for session1"*'\x1b[31m'* ]]
}

# afar COMMAND...: in a network of its own, where sgw-target plays a gateway at another address than
# the loopback's
afar() {
	# shellcheck disable=SC2016 # for the inner shell
	unshare -rn bash -c "$(declare -f start_target)"'
		ip link set lo up && ip address add 10.0.0.9/32 dev lo || exit 99
		start_target --portal 10.0.0.9:3260 --faults "$BATS_TEST_TMPDIR/faults" || exit 99
		"$@"
		status=$?
		kill "$TARGET_PID"
		exit $status' bash "$@"
}

@test "a gateway elsewhere sends no login to this host's own addresses" {
	local command event where
	need unshare ip
	while read -r command event where; do
		echo "case: $command $where"
		echo "on $event: redirect $where" >"$BATS_TEST_TMPDIR/faults"
		run -1 afar sgw-init "$command" 10.0.0.9
		[[ $output == *"redirected to $where"*" is this host's own address"* ]]
	done <<-'END'
		discover discovery 127.0.0.1:3260
		discover discovery [::1]:3260
		probe login 127.0.0.1:3260
		probe login localhost:3260
	END
}
