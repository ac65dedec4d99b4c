# SPDX-License-Identifier: MIT
# undo: exact to the byte, and never what others did.

load helpers

setup() {
	stock_host
}

@test "undo brings every byte, mode and absence back" {
	start_target --targets 3
	tree_state "$HOST" >"$BATS_TEST_TMPDIR/before"
	sgw-init apply --root "$HOST" "$PORTAL"
	[ -e "$RULE" ]
	run -0 undo
	tree_state "$HOST" | diff "$BATS_TEST_TMPDIR/before" -
}

@test "after somebody else's edit undo takes back only what is ours, and tells the rest" {
	sgw-init apply --root "$HOST"
	sed -i -e 's/^node.session.queue_depth = .*/node.session.queue_depth = 99/' \
		-e 's/^node.conn\[0\].timeo.noop_out_timeout = .*/node.conn[0].timeo.noop_out_timeout = 77/' "$CONF"
	run -0 undo
	[[ $output == *"noop_out_timeout"*"left"* ]]
	grep -qx 'node.session.queue_depth = 99' "$CONF"
	grep -qx 'node.conn\[0\].timeo.noop_out_timeout = 77' "$CONF"
	grep -qx 'node.session.timeo.replacement_timeout = 120' "$CONF"
	grep -qx 'node.conn\[0\].timeo.noop_out_interval = 5' "$CONF"
	[ ! -e "$RULE" ]
}

@test "undo goes back step by step, newest first" {
	tree_state "$HOST" >"$BATS_TEST_TMPDIR/0"
	sgw-init apply --root "$HOST"
	tree_state "$HOST" >"$BATS_TEST_TMPDIR/1"
	sgw-init apply --root "$HOST" --set replacement-timeout=900
	run -0 undo --list --output json
	first=$(jq -r '.entries[0].id' <<<"$output")
	run -1 undo "$first"
	[[ $output == *"undo"* ]]
	run -0 undo
	tree_state "$HOST" | diff "$BATS_TEST_TMPDIR/1" -
	run -0 undo
	tree_state "$HOST" | diff "$BATS_TEST_TMPDIR/0" -
	run -1 undo
	[[ $output == *"nothing"* ]]
	run -1 undo "$first"
	[[ $output == *"undone"* ]]
}

@test "undo of an entry that is not there says so" {
	run -1 undo 20200101T000000Z
	[[ $output == *"20200101T000000Z"* ]]
	run -1 undo ../../etc
}

@test "undo knows the session of a record by whatever spelling of an IPv6 address" {
	local session=$HOST/sys/class/iscsi_session/session4 \
		connection=$HOST/sys/class/iscsi_connection/connection4:0
	start_target --portal '[::1]:0' --volume myvolume:1M
	sgw-init apply --root "$HOST" "$PORTAL"
	mkdir -p "$session" "$connection"
	echo iqn.1997-05.com.amazon:myvolume >"$session/targetname"
	echo 0000:0000:0000:0000:0000:0000:0000:0001 >"$connection/persistent_address"
	echo "${PORTAL##*:}" >"$connection/persistent_port"
	run -1 undo
	[[ $output == *"session4 is logged in"* ]]
	rm "$connection/persistent_address"
	run -1 undo
	[[ $output == *"session4 is logged in"* ]]
	rm -r "$HOST/sys"
	run -0 undo
}

@test "undo does not remove a record through which a session is logged in" {
	start_target --volume myvolume:1M
	sgw-init apply --root "$HOST" "$PORTAL"
	session=$HOST/sys/class/iscsi_session/session4
	connection=$HOST/sys/class/iscsi_connection/connection4:0
	mkdir -p "$session" "$connection"
	echo iqn.1997-05.com.amazon:myvolume >"$session/targetname"
	echo 127.0.0.1 >"$connection/persistent_address"
	echo "$PORT" >"$connection/persistent_port"
	run -1 undo
	[[ $output == *"logged in"*"--disconnect"* ]]
	# One that is coming up has no name yet.
	echo '(null)' >"$session/targetname"
	run -1 undo
	[[ $output == *"session4 is there, but its target cannot be read"*"try again in a moment"* ]]
	run -2 undo --disconnect
	grep -qx 'node.session.timeo.replacement_timeout = 600' "$CONF"
	rm -r "$HOST/sys"
	run -0 undo
}

@test "undo does not remove a record through which a session came up while it waited for its lock" {
	local id holder undo status=0
	local locks=$HOST/run/lock log=$BATS_TEST_TMPDIR/undo.log
	local connection=$HOST/sys/class/iscsi_connection/connection1:0
	start_target --volume myvolume:1M
	apply "$PORTAL"
	id=$(undo --list --output json | jq -r '.entries[0].id')
	# An apply that waits for the lock of open-iscsi's database holds sgw-init's own.
	touch "$locks/iscsi/lock"
	ln "$locks/iscsi/lock" "$locks/iscsi/lock.write"
	sgw-init apply --root "$HOST" --set noop-out-interval=30 >"$BATS_TEST_TMPDIR/apply.log" 2>&1 3>&- &
	holder=$!
	wait_for test -e "$locks/iscsi/sgw-init.$holder"
	sgw-init undo --root "$HOST" "$id" >"$log" 2>&1 3>&- &
	undo=$!
	wait_for has_open "$undo" "$locks/sgw-init.lock"
	live_session 600 600
	echo 127.0.0.1 >"$connection/persistent_address"
	echo "$PORT" >"$connection/persistent_port"
	kill "$holder"
	wait "$holder" || :
	rm "$locks/iscsi/lock.write"
	wait "$undo" || status=$?
	cat "$log"
	[ "$status" -eq 1 ]
	grep -q 'session1 is logged in through this record' "$log"
	[ -e "$(record_of iqn.1997-05.com.amazon:myvolume)" ]
}

has_open() { # PROCESS FILE
	find "/proc/$1/fd" -lname "$2" 2>/dev/null | grep -q .
}

@test "undo says of each file whether it was restored or removed, and which entry it was" {
	sgw-init apply --root "$HOST"
	run -0 sgw-init undo --list --root "$HOST" --output json
	id=$(jq -r '.entries[0].id' <<<"$output")
	run -0 undo
	[[ $output =~ iscsid.conf\ +restored ]]
	[[ $output =~ 60-sgw-init.rules\ +removed ]]
	[[ $output == *"$id is undone" ]]
	sgw-init apply --root "$HOST"
	run -0 undo --output json
	[ "$(jq -r '[.steps[].result] | join(" ")' <<<"$output")" = "restored removed" ]
	[ "$(jq -r .entry <<<"$output")" != null ]
}

@test "undo --dry-run tells what undo would do and writes nothing, not even a recovery" {
	sgw-init apply --root "$HOST"
	find "$HOST" -printf '%P %i %T@ %C@\n' | sort >"$BATS_TEST_TMPDIR/before"
	run -3 undo --dry-run
	[[ $output =~ 60-sgw-init.rules\ +removed ]]
	[[ $output == *"nothing was written"* ]]
	find "$HOST" -printf '%P %i %T@ %C@\n' | sort | diff "$BATS_TEST_TMPDIR/before" -
	rm "$HOST"/var/lib/sgw-init/journal/*/done
	find "$HOST" -printf '%P %i %T@ %C@\n' | sort >"$BATS_TEST_TMPDIR/before"
	run -3 undo --dry-run
	[[ $output =~ 60-sgw-init.rules\ +removed ]]
	find "$HOST" -printf '%P %i %T@ %C@\n' | sort | diff "$BATS_TEST_TMPDIR/before" -
	run -2 undo --list --dry-run
}

@test "undo after an apply that was cut off takes back that one and no other" {
	sgw-init apply --root "$HOST"
	tree_state "$HOST" >"$BATS_TEST_TMPDIR/first"
	sgw-init apply --root "$HOST" --set replacement-timeout=900
	run -0 sgw-init undo --list --root "$HOST" --output json
	rm "$HOST/var/lib/sgw-init/journal/$(jq -r '.entries[-1].id' <<<"$output")/done"
	run -0 undo
	[[ $output == *"rolled back"* ]]
	tree_state "$HOST" | diff "$BATS_TEST_TMPDIR/first" -
	run -0 undo
	[ ! -e "$RULE" ]
}

@test "undo of what is no entry says how to list them" {
	local id
	sgw-init apply --root "$HOST"
	for id in foo 20200101T000000Z ..; do
		run -1 undo "$id"
		[ "$output" = "sgw-init: $id: there is no such entry in the journal; see: sgw-init undo --list --root $HOST" ]
	done
}

@test "undo tells that a session keeps what it logged in with" {
	local record
	start_target --volume myvolume:1M
	sgw-init apply --root "$HOST" "$PORTAL"
	record=$(find "$HOST/etc/iscsi/nodes" -name default)
	sgw-init apply --root "$HOST" --set noop-out-interval=30
	run -0 undo
	[[ $output != *"until their next login"* ]]
	sgw-init apply --root "$HOST" --set noop-out-interval=30
	live_session 600 600
	echo 127.0.0.1 >"$HOST/sys/class/iscsi_connection/connection1:0/persistent_address"
	echo "$PORT" >"$HOST/sys/class/iscsi_connection/connection1:0/persistent_port"
	run -0 undo
	[[ $output == *"sessions by these records keep what they logged in with until their next login" ]]
	grep -qx 'node.conn\[0\].timeo.noop_out_interval = 60' "$record"
}

@test "undo that waited for an apply takes that one back" {
	local apply undo log=$BATS_TEST_TMPDIR/undo.log
	tree_state "$HOST" >"$BATS_TEST_TMPDIR/before"
	FAULT_ROOT=$HOST FAULT_PLACE='rename *iscsid.conf' FAULT_AT=1 FAULT_ERROR=-1 \
		"$BUILD/crash/sgw-init" apply --root "$HOST" >"$BATS_TEST_TMPDIR/apply.log" 2>&1 3>&- &
	apply=$!
	wait_for grep -q '^State:.T' "/proc/$apply/status"
	sgw-init undo --root "$HOST" >"$log" 2>&1 3>&- &
	undo=$!
	wait_for has_open "$undo" "$HOST/run/lock/sgw-init.lock"
	kill -CONT "$apply"
	wait "$apply"
	wait "$undo" || { cat "$log"; false; }
	grep -q 'is undone$' "$log"
	tree_state "$HOST" | diff "$BATS_TEST_TMPDIR/before" -
}
