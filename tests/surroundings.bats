# SPDX-License-Identifier: MIT
# What a shell, a service manager or a cron job may hand to the program: it holds in all of them.
# shellcheck disable=SC2016 # the inner shell expands its own arguments

load helpers

setup() {
	stock_host
}

# sgw FLAGS...: all streams of bats stay open, but for those that the test closes
sgw() {
	sgw-init "$@" --root "$HOST"
}

@test "a closed standard stream costs no file its content" {
	local record=$HOST/etc/iscsi/nodes/iqn.2001-04.com.example:array/10.0.0.9,3260,1/default

	mkdir -p "${record%/*}"
	echo 'node.name = iqn.2001-04.com.example:array' >"$record" # it brings a warning
	sgw apply >/dev/null
	tree_state "$HOST" >"$BATS_TEST_TMPDIR/applied"
	sgw undo >/dev/null

	run -0 bash -c 'exec sgw-init apply --root "$1" <&- 2>&-' - "$HOST"
	tree_state "$HOST" | diff "$BATS_TEST_TMPDIR/applied" -
	[ ! -s "$HOST/run/lock/sgw-init.lock" ]
	run -1 bash -c 'exec sgw-init check --root "$1" >&-' - "$HOST"
	[[ $output == *"standard output: Bad file descriptor"* ]]
}

@test "a standard input that is closed is no file of credentials" {
	run -1 bash -c 'exec sgw-init apply --root "$1" --chap - <&-' - "$HOST"
	[[ $output == *"standard input: cannot be read"* ]]
}

@test "modes do not depend on the umask" {
	local mask
	start_target --targets 2
	sgw apply "$PORTAL" >/dev/null
	(cd "$HOST" && find . -printf '%p %m\n' | sed 's,Z[^/ ]*,,; s,journal/[0-9T]*,journal/ID,' | sort) \
		>"$BATS_TEST_TMPDIR/modes"
	for mask in 0 027 077 0777; do
		rm -rf "$HOST"
		stock_root "$HOST"
		(umask "$mask" && sgw apply "$PORTAL" >/dev/null)
		(cd "$HOST" && find . -printf '%p %m\n' | sed 's,Z[^/ ]*,,; s,journal/[0-9T]*,journal/ID,' |
			sort) | diff "$BATS_TEST_TMPDIR/modes" -
	done
}

@test "a limit of the file size is an error like any other, and nothing is half done" {
	tree_state "$HOST" >"$BATS_TEST_TMPDIR/before"
	run -1 bash -c 'ulimit -f 8; exec sgw-init apply --root "$1"' - "$HOST"
	[[ $output == *"File too large"* ]]
	tree_state "$HOST" | diff "$BATS_TEST_TMPDIR/before" -
	run -0 sgw undo --list
	[ "$output" = 'nothing was applied here' ]
}

@test "few open files are enough for many records" {
	start_target --targets 60
	run -0 bash -c 'ulimit -n 24; exec sgw-init apply --root "$1" "$2"' - "$HOST" "$PORTAL"
	run -0 bash -c 'ulimit -n 24; exec sgw-init undo --root "$1"' - "$HOST"
}

@test "a reader that went is no end in the midst of an apply, and check has no words for it" {
	run -0 bash -c 'sgw-init apply --root "$1" 2>"$2" | true; echo "${PIPESTATUS[0]}"' - "$HOST" \
		"$BATS_TEST_TMPDIR/errors"
	[[ $output == [01] ]]
	run -0 bash -c 'sgw-init check --root "$1" 2>"$2" | true; echo "${PIPESTATUS[0]}"' - "$HOST" \
		"$BATS_TEST_TMPDIR/errors"
	[[ $output == [01] ]]
	[ ! -s "$BATS_TEST_TMPDIR/errors" ]
	run -0 sgw check
}

@test "a full disk on standard output fails the command, and memory is not to blame" {
	local format
	for format in table json; do
		run -1 bash -c 'sgw-init profile show volume --output "$1" >/dev/full' - "$format"
		[ "$output" = 'sgw-init: standard output: No space left on device' ]
	done
}

@test "an option that is none is named, wherever it stands" {
	local words name
	while IFS='|' read -r words name; do
		# shellcheck disable=SC2086 # several words
		run -2 sgw-init apply $words
		[ "$output" = "sgw-init: $name is not an option of this command; see --help" ]
	done <<-END
		--dry-run -xy|-x
		-x|-x
		--foo|--foo
		--dry-run --help=3|--help=3
	END
}
