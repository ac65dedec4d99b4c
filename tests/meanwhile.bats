# SPDX-License-Identifier: MIT
# apply while somebody else writes the same files, between what it writes and its look at that.
# shellcheck disable=SC2154 # stderr is set by run --separate-stderr

load helpers

setup() {
	HOST=$BATS_TEST_TMPDIR/host
	CONF=$HOST/etc/iscsi/iscsid.conf
	stock_root "$HOST"
	RECORD=$HOST/etc/iscsi/nodes/iqn.1997-05.com.amazon:myvolume/10.0.0.1,3260,1/default
	mkdir -p "${RECORD%/*}"
	printf '%s\n' '# BEGIN RECORD 2.1.8' 'node.name = iqn.1997-05.com.amazon:myvolume' \
		'node.tpgt = 1' 'node.conn[0].address = 10.0.0.1' 'node.conn[0].port = 3260' \
		'node.session.timeo.replacement_timeout = 120' '# END RECORD' >"$RECORD"
	cp "$CONF" "$BATS_TEST_TMPDIR/conf"
	cp "$RECORD" "$BATS_TEST_TMPDIR/record"
}

# apply_while FILE COPY [ARGUMENT...]: apply, and behind its last write COPY is written to FILE
apply_while() {
	local log=$BATS_TEST_TMPDIR/calls at

	cp -a "$HOST" "$BATS_TEST_TMPDIR/rehearsal"
	FAULT_ROOT=$BATS_TEST_TMPDIR/rehearsal FAULT_LOG=$log "$BUILD/crash/sgw-init" apply \
		--root "$BATS_TEST_TMPDIR/rehearsal" >/dev/null
	at=$(grep -n '^c ' "$log" | tail -n 1)
	FAULT_ROOT=$HOST FAULT_COPY_AT=$((${at%%:*} + 1)) FAULT_COPY_FROM=$2 FAULT_COPY_TO=$1 \
		"$BUILD/crash/sgw-init" apply --root "$HOST" "${@:3}"
}

@test "apply writes a record once more that others wrote over, and one undo takes all of it back" {
	tree_state "$HOST" >"$BATS_TEST_TMPDIR/before"
	run -0 --separate-stderr apply_while "$RECORD" "$BATS_TEST_TMPDIR/record"
	[[ $stderr == *"warning: $RECORD: node.session.timeo.replacement_timeout is not in effect after it was written: others write it, too; once more" ]]
	[[ $output == *"1 file written once more; take all back with: "* ]]
	[ "$(grep -c 'take .* back' <<<"$output")" -eq 1 ]
	grep -qx 'node.session.timeo.replacement_timeout = 600' "$RECORD"
	${output##*take all back with: }
	tree_state "$HOST" | diff "$BATS_TEST_TMPDIR/before" -
	run -1 sgw-init undo --root "$HOST"
	[[ $output == *"nothing to undo"* ]]
}

@test "the JSON of an apply that others wrote over tells all that it wrote" {
	run -0 --separate-stderr apply_while "$RECORD" "$BATS_TEST_TMPDIR/record" --output json
	[ "$(jq '[.changes[] | select(.place == "iscsid.conf")] | length' <<<"$output")" -eq 3 ]
	[ "$(jq '[.changes[] | select(.place == "record" and (.key | endswith("replacement_timeout")))] | length' <<<"$output")" -eq 2 ]
	run -0 sgw-init undo --root "$HOST" "$(jq -r .entry <<<"$output")"
}

@test "apply names what does not hold after it was written, and how to take the rest back" {
	run -1 apply_while "$CONF" "$BATS_TEST_TMPDIR/conf"
	[[ ${lines[-1]} == "sgw-init: $CONF: node.session.timeo.replacement_timeout is not in effect after it was written; what it wrote stands; take it back with: sgw-init undo --root $HOST "* ]]
	[[ $output != *" written; take it back with"* ]]
	[ "$(sgw-init undo --list --root "$HOST" --output json | jq '.entries | length')" -eq 1 ]
}

@test "a record that iscsiadm removes while check looks is no link that leads nowhere" {
	local gone
	for gone in "${RECORD%/*/*}" "${RECORD%/*}" "$RECORD"; do
		FAULT_ROOT=$HOST FAULT_PLACE="*${gone#"$HOST"}" FAULT_COPY_AT=1 FAULT_COPY_TO=$gone \
			FAULT_MOVE_TO=$BATS_TEST_TMPDIR/gone run -3 "$BUILD/crash/sgw-init" check --root "$HOST"
		[[ $output != *"leads nowhere"* ]]
		mv "$BATS_TEST_TMPDIR/gone" "$gone"
	done
	run -3 sgw-init check --root "$HOST"
	[[ $output == *"iqn.1997-05.com.amazon:myvolume"* ]]
}

@test "a link of the database that leads nowhere is told" {
	local link
	for link in "${RECORD%/*/*}2" "${RECORD%/*}2" "${RECORD}2"; do
		ln -s /nowhere "$link"
		run -1 sgw-init check --root "$HOST"
		[[ $output == *"sgw-init: $link: "* ]]
		rm "$link"
	done
}

@test "check waits a moment for the other half of a record that iscsiadm writes" {
	local half=$BATS_TEST_TMPDIR/half log=$BATS_TEST_TMPDIR/calls
	head -n 4 "$RECORD" >"$half"
	cat "$half" >"$RECORD"
	FAULT_ROOT=$HOST FAULT_LOG=$log run -1 "$BUILD/crash/sgw-init" check --root "$HOST"
	[[ $output == *"$RECORD: "* ]]
	[ "$(grep -c "^- open .*${RECORD#"$HOST"}$" "$log")" -gt 1 ]
	FAULT_ROOT=$HOST FAULT_PLACE="open *${RECORD#"$HOST"}" FAULT_COPY_AT=2 FAULT_COPY_TO=$RECORD \
		FAULT_COPY_FROM=$BATS_TEST_TMPDIR/record run -3 "$BUILD/crash/sgw-init" check --root "$HOST"
	[[ $output == *"replacement_timeout"*" 120 "*" 600 "* ]]
}
