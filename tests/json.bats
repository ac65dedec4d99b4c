# SPDX-License-Identifier: MIT
# What programs read: every document tells its shape and whether all is well, and its items have the
# same keys whatever there is to say of them.
# shellcheck disable=SC2154 # output and status are set by run

load helpers

setup() {
	need jq
	HOST=$BATS_TEST_TMPDIR/host
	stock_root "$HOST"
}

# document STATUS SCHEMA KEYS COMMAND...: what it prints is of that schema and has those keys
document() {
	local status=$1 schema=$2 keys=$3

	echo "case: ${*:4}"
	run "-$status" --separate-stderr sgw-init "${@:4}" --output json
	[ "$(jq -r .schema <<<"$output")" = "sgw-init/$schema/1" ]
	[ "$(jq .ok <<<"$output")" = "$([ "$status" -eq 0 ] && echo true || echo false)" ]
	[ "$(jq -r 'keys_unsorted | join(" ")' <<<"$output")" = "schema ok $keys" ]
	jq -e '[.. | arrays | select(all(.[]; type == "object")) | map(keys) | unique | length <= 1] | all' \
		<<<"$output" >/dev/null
	jq -e '[.. | objects | select(has("error")).error | . == null or (.text | type) == "string"] |
		all' <<<"$output" >/dev/null
	jq -e '[.. | strings | select(. == "")] | length == 0' <<<"$output" >/dev/null
}

@test "every JSON document has its command's schema, says ok where the command exits 0, and never lacks a key" {
	local apply='dry_run changed entry changes live actions needs_login resumed relogin connected' id
	local undo='dry_run entry steps resumed' check='findings needs_login budgets'
	start_target --targets 2
	live_session 30 120
	echo '60-sgw-init.rules is not ours' >"$HOST/etc/udev/rules.d/70-odd.rules"
	document 3 check "$check" check "$PORTAL" --root "$HOST"
	document 3 apply "$apply" apply "$PORTAL" --dry-run --root "$HOST"
	document 0 apply "$apply" apply "$PORTAL" --root "$HOST"
	document 0 apply "$apply" apply "$PORTAL" --root "$HOST"
	document 0 undo entries undo --list --root "$HOST"
	id=$(jq -r '.entries[0].id' <<<"$output")
	document 3 undo "$undo" undo --dry-run --root "$HOST"
	document 0 undo "$undo" undo --root "$HOST"
	: >"$HOST/var/lib/sgw-init/journal/$id/intent.json"
	document 0 apply "$apply" apply --root "$HOST"
	document 0 undo entries undo --list --root "$HOST"
	[ "$(jq -r '.entries[0] | .state, .time, .command, .file_count, (.error.text | type)' <<<"$output" | xargs)" = \
		'unreadable null null null string' ]
	document 0 discover 'portals sweep' discover "$PORTAL" --root "$HOST"
	document 1 discover 'portals sweep' discover "$PORTAL" 127.0.0.1:1 --root "$HOST"
	document 0 discover 'portals sweep' discover "127.0.0.1/32:$PORT" --root "$HOST"
	document 0 probe 'portal initiator targets' probe "$PORTAL" --root "$HOST"
	document 0 devices sessions devices --root "$HOST"
	document 0 profile profiles profile list
	document 0 profile profile profile show volume
	echo '<profile' >"$BATS_TEST_TMPDIR/broken.xml"
	document 1 profile files profile validate "$BATS_TEST_TMPDIR/broken.xml" \
		"$ROOT/templates/profiles/tape.xml"
}

@test "a command that fails before there is anything to tell prints why, for programs too" {
	local command
	for command in "apply 127.0.0.1:1" "check 127.0.0.1:1" "undo foo" "probe 127.0.0.1:1" "check --profile nosuch"; do
		# shellcheck disable=SC2086 # several words
		document 1 "${command%% *}" error $command --root "$HOST"
		[ "$(jq '.error | has("place")' <<<"$output")" = true ]
		[[ $stderr == *"$(jq -r .error.text <<<"$output")"* ]]
	done
	document 2 apply error apply --root "$HOST" --set nosuch=1
	document 1 disconnect error disconnect 10.9.9.9
	document 1 connect error connect 127.0.0.1:1
	rm "$HOST/etc/iscsi/iscsid.conf"
	document 1 apply error apply --root "$HOST"
	[[ $(jq -r .error.place <<<"$output") == *iscsid.conf ]]
	run -1 --separate-stderr sgw-init apply --root "$HOST"
	[ -z "$output" ]
}

@test "a check that fails is a JUnit suite of one failed test" {
	need xmllint
	run -1 --separate-stderr sgw-init check --root "$HOST" --profile '/no&<such>"file' --output junit
	xmllint --noout - <<<"$output"
	[ "$(xmllint --xpath 'string(/testsuite/@failures)' - <<<"$output")" = 1 ]
	[ "$(xmllint --xpath 'string(//testcase/@name)' - <<<"$output")" = '/no&<such>"file' ]
	[[ $(xmllint --xpath 'string(//failure/@message)' - <<<"$output") == *"No such file"* ]]
}
