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

@test "output that finds no room fails the command" {
	run -1 bash -c "sgw-init --help >/dev/full"
	[[ $output == *"No space left"* ]]
}

to_full_disk() {
	{ "$@" >/dev/full; } 2>&1
}

all_closed() {
	"$@" <&- >&- 2>&-
}

@test "a full disk on standard output fails apply and undo, and they say what is done all the same" {
	run -1 to_full_disk sgw apply
	[[ $output =~ "standard output: cannot be written (No space left on device), but the files are; what it wrote stands; take it back with: sgw-init undo --root $HOST "[0-9TZ]+$ ]]
	grep -qx 'node.session.timeo.replacement_timeout = 600' "$CONF"
	run -1 to_full_disk sgw undo
	[[ $output =~ "but "[0-9TZ]+" is undone"$ ]]
	grep -qx 'node.session.timeo.replacement_timeout = 120' "$CONF"
	run -1 to_full_disk sgw apply --dry-run
	[ "$output" = "sgw-init: standard output: No space left on device" ]
}

@test "with its standard files closed apply writes no message into any other" {
	run -1 all_closed sgw apply 127.0.0.1:1
	run -1 grep -r 'sgw-init:' "$HOST"
	[ ! -e "$RULE" ]
}

@test "without root apply and check say to be run as root, and change nothing" {
	[ "$(id -u)" -eq 0 ] || skip "only root can become somebody else"
	cp "$BUILD/sgw-init" "$BATS_TEST_TMPDIR/"
	chmod 0755 "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test"
	tree_state "$HOST" >"$BATS_TEST_TMPDIR/before"
	for command in apply check 'apply --dry-run' undo; do
		# shellcheck disable=SC2086 # a command and its option
		run -1 setpriv --reuid 65534 --clear-groups "$BATS_TEST_TMPDIR/sgw-init" $command \
			--root "$HOST"
		[[ $output == *"Permission denied"*$'\n'"sgw-init: run it as root" ]]
	done
	tree_state "$HOST" | diff "$BATS_TEST_TMPDIR/before" -
}
