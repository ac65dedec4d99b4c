# SPDX-License-Identifier: MIT
# apply --chap: what goes into the records, what is refused, and that no secret is ever shown.

load helpers

setup() {
	stock_host
}

@test "apply tells of each new record whether it has CHAP, and of which kind" {
	local amazon=iqn.1997-05.com.amazon:volume
	start_target --targets 4
	install -m 0600 /dev/null "$BATS_TEST_TMPDIR/chap.json"
	jq -n --arg a "$amazon-01" --arg b "$amazon-02" --arg one "$INITIATOR_SECRET" --arg two "$TARGET_SECRET" '
		{ChapCredentials: [
			{TargetARN: $a, SecretToAuthenticateInitiator: $one, SecretToAuthenticateTarget: $two},
			{TargetARN: $b, SecretToAuthenticateInitiator: $one}]}' >"$BATS_TEST_TMPDIR/chap.json"
	run -3 apply "$PORTAL" --chap "$BATS_TEST_TMPDIR/chap.json" --dry-run
	[[ $output =~ $amazon-01\ at\ $PORTAL\ +-\ +"new record, mutual CHAP" ]]
	[[ $output =~ $amazon-02\ at\ $PORTAL\ +-\ +"new record, one-way CHAP" ]]
	[[ $output =~ "2 records"\ +-\ +"new record"$'\n' ]]
}

@test "apply --chap writes mutual CHAP into the record, and shows no secret anywhere" {
	start_target --volume myvolume:1M
	write_chap_file "$BATS_TEST_TMPDIR/chap.json" iqn.1997-05.com.amazon:myvolume
	{
		run -3 apply "$PORTAL" --chap "$BATS_TEST_TMPDIR/chap.json" --dry-run --output diff
		echo "$output"
		run -0 apply "$PORTAL" --chap "$BATS_TEST_TMPDIR/chap.json"
		echo "$output"
		run -0 sgw-init undo --list --root "$HOST"
		echo "$output"
		run -0 sgw-init check --root "$HOST" --output json
		echo "$output"
	} >"$BATS_TEST_TMPDIR/shown"
	run -1 grep -e "$INITIATOR_SECRET" -e "$TARGET_SECRET" "$BATS_TEST_TMPDIR/shown"
	record=$(record_of iqn.1997-05.com.amazon:myvolume)
	[ "$(value_of "$record" node.session.auth.authmethod)" = CHAP ]
	[ "$(value_of "$record" node.session.auth.username)" = "$INITIATOR" ]
	[ "$(value_of "$record" node.session.auth.password)" = "$INITIATOR_SECRET" ]
	[ "$(value_of "$record" node.session.auth.username_in)" = iqn.1997-05.com.amazon:myvolume ]
	[ "$(value_of "$record" node.session.auth.password_in)" = "$TARGET_SECRET" ]
	[ "$(stat -c %a "$record")" = 600 ]
	[ "$(grep -rl -e "$INITIATOR_SECRET" "$HOST" | xargs stat -c %a | sort -u)" = 600 ]
}

@test "apply --chap with one-way credentials takes the target's former proof out of the record" {
	start_target --volume myvolume:1M
	write_chap_file "$BATS_TEST_TMPDIR/chap.json" iqn.1997-05.com.amazon:myvolume
	apply "$PORTAL" --chap "$BATS_TEST_TMPDIR/chap.json"
	jq 'del(.ChapCredentials[0].SecretToAuthenticateTarget)' "$BATS_TEST_TMPDIR/chap.json" \
		>"$BATS_TEST_TMPDIR/one-way.json"
	chmod 0600 "$BATS_TEST_TMPDIR/one-way.json"
	run -0 apply --chap "$BATS_TEST_TMPDIR/one-way.json"
	[[ $output != *"$TARGET_SECRET"* ]]
	record=$(record_of iqn.1997-05.com.amazon:myvolume)
	[ "$(value_of "$record" node.session.auth.password)" = "$INITIATOR_SECRET" ]
	[ -z "$(value_of "$record" node.session.auth.username_in)" ]
	[ -z "$(value_of "$record" node.session.auth.password_in)" ]
	run -0 apply --chap "$BATS_TEST_TMPDIR/one-way.json"
	[ "$output" = "nothing to change" ]
}

@test "apply --chap refuses a file that others can read, and says how to mend it" {
	write_chap_file "$BATS_TEST_TMPDIR/chap.json" iqn.1997-05.com.amazon:myvolume
	chmod 0644 "$BATS_TEST_TMPDIR/chap.json"
	tree_state "$HOST" >"$BATS_TEST_TMPDIR/before"
	run -1 apply --chap "$BATS_TEST_TMPDIR/chap.json"
	[[ $output == *"chmod"* ]]
	tree_state "$HOST" | diff "$BATS_TEST_TMPDIR/before" -
}

@test "what mends a file's mode can be typed as it stands, whatever the file is called" {
	local name shell
	cd "$BATS_TEST_TMPDIR"
	for name in "it's.json" "x';touch ran;'.json" 'a\b.json' 'a\x20b.json' -R.json '&& touch ran'; do
		for shell in sh bash; do
			write_chap_file "./$name" iqn.1997-05.com.amazon:myvolume
			chmod 0644 "./$name"
			run -1 sgw-init apply --root "$HOST" --chap "$name"
			run -0 "$shell" -c "${output##*: run: }"
			[ "$(stat -c %a "./$name")" = 600 ]
			[ ! -e ran ]
		done
	done
}

@test "apply --chap refuses credentials that are another host's" {
	start_target --volume myvolume:1M
	INITIATOR=iqn.1993-08.org.debian:01:other write_chap_file "$BATS_TEST_TMPDIR/chap.json" \
		iqn.1997-05.com.amazon:myvolume
	run -1 apply "$PORTAL" --chap "$BATS_TEST_TMPDIR/chap.json"
	[[ $output == *"iqn.1993-08.org.debian:01:other"* ]]
	[ -z "$(find "$HOST/etc/iscsi/nodes" -type f)" ]
}

@test "apply --chap writes nothing where the file has no credentials, or none for a target here" {
	local file=$BATS_TEST_TMPDIR/chap.json target=iqn.1997-05.com.amazon:myvolume empty where
	start_target --volume myvolume:1M
	tree_state "$HOST" >"$BATS_TEST_TMPDIR/before"
	for empty in '{"ChapCredentials": []}' '[]'; do
		(umask 077 && echo "$empty" >"$file")
		for where in "" "$PORTAL" "$PORTAL --dry-run"; do
			# shellcheck disable=SC2086 # several words
			run -1 apply $where --chap "$file"
			[[ $output == *"$file: nothing was written: it holds no credentials" ]]
		done
	done
	write_chap_file "$file" "${target}e"
	run -1 apply "$PORTAL" --chap "$file"
	[[ $output == *"$file: nothing was written: none of its credentials is for a target here: ${target}e: the portal does not offer it; misspelled?" ]]
	run -1 apply --chap "$file"
	[[ $output == *"${target}e: it has no record here: discover its gateway with apply PORTAL" ]]
	tree_state "$HOST" | diff "$BATS_TEST_TMPDIR/before" -
}

@test "credentials for a target that the portal does not offer are named beside those that it takes" {
	local file=$BATS_TEST_TMPDIR/chap.json target=iqn.1997-05.com.amazon:myvolume
	start_target --volume myvolume:1M
	write_chap_file "$file" "$target" "${target}e"
	run -0 apply "$PORTAL" --chap "$file"
	[[ $output == *"warning: $file: ${target}e: the portal does not offer it; misspelled?"* ]]
	[ "$(value_of "$(record_of "$target")" node.session.auth.authmethod)" = CHAP ]
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
