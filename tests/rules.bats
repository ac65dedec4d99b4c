# SPDX-License-Identifier: MIT
# udev rules of others: harmful ones become comments, and undo makes them rules again.
# shellcheck disable=SC2119,SC2120 # apply gets its arguments through run

load helpers

setup() {
	stock_host
}

@test "apply warns of a rule for every device that it leaves where it is" {
	printf 'ACTION=="add", SUBSYSTEM=="scsi", ATTR{timeout}="30"\n' >"$RULE"
	run -0 apply
	[[ $output == *"warning: /etc/udev/rules.d/60-sgw-init.rules:1: "*"every SCSI device"* ]]
	run -0 apply
	[[ $output == *"every SCSI device"*"nothing to change" ]]
}

@test "apply comments out AWS's two-line rule and an unfilled [timeout], and undo brings them back" {
	local file=$HOST/etc/udev/rules.d/50-udev.rules form
	for form in two-lines unfilled rhel5 rhel5-joined; do
		echo "case: $form"
		rm -rf "$HOST"
		stock_root "$HOST"
		{ echo '# by hand'; aws_rule "$form"; echo '# the end'; } >"$file"
		chmod 0640 "$file"
		tree_state "$HOST" >"$BATS_TEST_TMPDIR/before"
		run -3 apply --dry-run --output diff
		[[ $output == *'+# sgw-init: commented out: '* ]]
		tree_state "$HOST" | diff "$BATS_TEST_TMPDIR/before" -
		run -0 apply
		[[ $output == *"50-udev.rules "*"line "[23]" "*"commented out"* ]]
		[ "$(sed 1d "$file" | grep -cv '^#')" -eq 0 ]
		[ "$(grep -c '^# sgw-init: commented out: ' "$file")" -eq 1 ]
		[ "$(stat -c %a "$file")" = 640 ]
		run -0 sgw-init check --root "$HOST"
		run -0 apply
		[[ $output == *"nothing to change"* ]]
		run -0 sgw-init undo --root "$HOST"
		tree_state "$HOST" | diff "$BATS_TEST_TMPDIR/before" -
	done
}

@test "on a host with tapes alone AWS's rule is commented out, too: it lowers their 900 seconds" {
	local file=$HOST/etc/udev/rules.d/50-udev.rules
	start_target --gateway tape
	aws_rule two-lines >"$file"
	run -3 sgw-init check --root "$HOST" "$PORTAL"
	[[ $output == *critical*"50-udev.rules:2 "*"a tape drive loses the 900 s of its own driver"* ]]
	run -0 apply "$PORTAL"
	[ ! -e "$RULE" ]
	[ "$(grep -cv '^#' "$file")" -eq 0 ]
	run -0 sgw-init check --root "$HOST" "$PORTAL"
}

@test "apply mends AWS's rule in its own file, and puts its own in its place" {
	aws_rule two-lines >"$RULE"
	run -0 apply
	run -0 grep -v '^#' "$RULE"
	[[ $output == 'ACTION=="add|change", SUBSYSTEM=="scsi", '*'ATTR{timeout}="600"' ]]
	run -0 sgw-init check --root "$HOST"
	run -0 sgw-init undo --root "$HOST"
	aws_rule two-lines | cmp - "$RULE"
}

@test "apply edits no rules file outside of /etc/udev/rules.d, through a link neither" {
	mkdir -p "$HOST/usr/lib/udev/rules.d" "$HOST/opt"
	aws_rule two-lines >"$HOST/usr/lib/udev/rules.d/70-package.rules"
	aws_rule two-lines >"$HOST/opt/80-linked.rules"
	ln -s /opt/80-linked.rules "$HOST/etc/udev/rules.d/"
	run -0 apply
	[[ $output == *"warning: /usr/lib/udev/rules.d/70-package.rules:2: "*"hides this one"* ]]
	[[ $output == *"warning: /etc/udev/rules.d/80-linked.rules:2: "*"a link to a file elsewhere"* ]]
	aws_rule two-lines | cmp - "$HOST/usr/lib/udev/rules.d/70-package.rules"
	aws_rule two-lines | cmp - "$HOST/opt/80-linked.rules"
}

@test "a rules file that a link beside it leads to is one file, by whatever name" {
	local rules=$HOST/etc/udev/rules.d link
	for link in '50-b.rules 40-a.rules' '50-b.rules 70-c.rules' '60-sgw-init.rules 70-c.rules' \
		'50-b.rules 60-sgw-init.rules'; do
		echo "case: $link"
		rm -rf "$HOST"
		stock_root "$HOST"
		aws_rule two-lines >"$rules/${link% *}"
		ln -s "${link% *}" "$rules/${link#* }"
		tree_state "$HOST" >"$BATS_TEST_TMPDIR/before"
		run -0 apply
		[ "$(grep -c '^# sgw-init: commented out: ' "$rules/${link% *}")" -eq 1 ]
		[ -L "$rules/${link#* }" ]
		run -0 sgw-init check --root "$HOST"
		run -0 sgw-init undo --root "$HOST"
		tree_state "$HOST" | diff "$BATS_TEST_TMPDIR/before" -
	done
}

@test "undo takes a commented-out rule back out of a rules file that others edited since" {
	local file=$HOST/etc/udev/rules.d/50-udev.rules
	{ aws_rule two-lines; echo '# the end'; aws_rule rhel5-joined; } >"$file"
	cp "$file" "$BATS_TEST_TMPDIR/before"
	apply
	sed -i '/^# the end/s/end/middle/' "$file"
	sed -i 's/the end/the middle/' "$BATS_TEST_TMPDIR/before"
	sed -i '/never filled in/d' "$file"
	run -0 sgw-init undo --root "$HOST"
	[[ $output == *"50-udev.rules"*"Storage Gateway"*"taken back"* ]]
	[[ $output == *"50-udev.rules"*"SYSFS"*"others changed it since"* ]]
	head -n 3 "$file" | diff <(head -n 3 "$BATS_TEST_TMPDIR/before") -
	tail -n 2 "$file" | sed 's/^# //' | diff <(tail -n 2 "$BATS_TEST_TMPDIR/before") -
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
