# SPDX-License-Identifier: MIT
# undo: exact to the byte, and never what others did.

load helpers

setup() {
	stock_host
}

undo() {
	sgw-init undo --root "$HOST" "$@"
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
	run -2 undo --disconnect
	grep -qx 'node.session.timeo.replacement_timeout = 600' "$CONF"
	rm -r "$HOST/sys"
	run -0 undo
}

@test "undo of CHAP warns that the former secret may be the gateway's no longer" {
	start_target --volume myvolume:1M
	write_chap_file "$BATS_TEST_TMPDIR/chap.json" iqn.1997-05.com.amazon:myvolume
	sgw-init apply --root "$HOST" "$PORTAL" --chap "$BATS_TEST_TMPDIR/chap.json"
	run -0 undo
	[[ $output != *CHAP* ]]
	sgw-init apply --root "$HOST" "$PORTAL"
	sgw-init apply --root "$HOST" --chap "$BATS_TEST_TMPDIR/chap.json"
	run -0 undo
	[[ $output == *"former CHAP settings are back in 1 record;"* ]]
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

@test "undo puts live values back, of the session that serves the target by then" {
	live_session 30 120
	sgw-init apply --root "$HOST"
	mv "$HOST/sys/class/iscsi_session/session1" "$HOST/sys/class/iscsi_session/session9"
	mv "$HOST/sys/class/iscsi_connection/connection1:0" \
		"$HOST/sys/class/iscsi_connection/connection9:0"
	SESSION=${SESSION/session1/session9} DISK=${DISK/session1/session9}
	run -3 undo --dry-run
	[[ $output == */session9*recovery_tmo*"taken back"*timeout*"taken back"* ]]
	[ "$(cat "$SESSION/recovery_tmo" "$DISK/timeout" | xargs)" = "600 600" ]
	run -0 undo
	[[ $output == */session9*recovery_tmo*"taken back"*timeout*"taken back"* ]]
	[ "$(cat "$SESSION/recovery_tmo" "$DISK/timeout" | xargs)" = "120 30" ]
}

@test "undo tells which live values it did not put back, and lists how many an entry has" {
	sgw-init apply --root "$HOST"
	live_session 30 120
	sgw-init apply --root "$HOST"
	run -0 undo --list
	[[ ${lines[0]} =~ FILES\ +LIVE ]]
	[[ ${lines[2]} =~ applied\ +0\ +2\ +apply ]]
	run -0 undo --list --output json
	[ "$(jq -c '[.entries[].live_count]' <<<"$output")" = '[0,2]' ]
	echo 77 >"$SESSION/recovery_tmo"
	rm -r "$DISK"
	run -0 undo
	[[ $output =~ recovery_tmo\ +left\ +others\ changed\ it ]]
	[[ $output =~ timeout\ +gone\ +its\ session\ has\ no\ such\ device ]]
	[ "$(cat "$SESSION/recovery_tmo")" = 77 ]
}

@test "a live value that was empty keeps no file from being undone, and stays as it is" {
	live_session 30 600
	echo >"$DISK/timeout"
	cp "$CONF" "$BATS_TEST_TMPDIR/stock"
	run -0 sgw-init apply --root "$HOST"
	[[ $output == *"take it back with: "* ]]
	[ "$(cat "$DISK/timeout")" = 600 ]
	run -0 undo
	[[ $output =~ timeout\ +left\ +"'' is no value for timeout" ]]
	cmp "$CONF" "$BATS_TEST_TMPDIR/stock"
	[ ! -e "$RULE" ]
	[ "$(cat "$DISK/timeout")" = 600 ]
}

@test "undo takes every one of equal rules back out of a file others edited since, or says which not" {
	local file=$HOST/etc/udev/rules.d/50-b.rules unfilled
	unfilled='SUBSYSTEM=="scsi", ATTR{timeout}="[timeout]"'
	printf '%s\n' "$unfilled" '# middle' "$unfilled" '# middle' "$unfilled" '# end' >"$file"
	sgw-init apply --root "$HOST"
	[ "$(grep -cxF "# $unfilled" "$file")" -eq 3 ]
	cp "$file" "$BATS_TEST_TMPDIR/after"
	sed -i 's/^# end/# the end/' "$file"
	run -0 undo
	[ "$(grep -cxF "$unfilled" "$file")" -eq 3 ]
	[ "$(grep -c 'timeout.*taken back' <<<"$output")" -eq 3 ]
	run -1 grep '# sgw-init' "$file"
	# Of one of them the comment is gone by then.
	rm "$file"
	printf '%s\n' "$unfilled" '# middle' "$unfilled" >"$file"
	sgw-init apply --root "$HOST"
	sed -i '1d' "$file"
	run -0 undo
	[ "$(grep -cxF "$unfilled" "$file")" -eq 1 ]
	[[ $output == *"taken back"*"others changed it since"* ]]
}
