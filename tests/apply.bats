# SPDX-License-Identifier: MIT
# apply: exact, idempotent, and nothing written before everything is checked.

load helpers

setup() {
	stock_host
}

# apply [ARGUMENT...]: on the scratch host
apply() {
	sgw-init apply --root "$HOST" "$@"
}

# inodes: what a write would change of every file
inodes() {
	find "$HOST" -type f -printf '%P %i %T@ %C@\n' | sort
}

record_of() { # TARGET
	find "$HOST/etc/iscsi/nodes/$1" -name default
}

value_of() { # FILE KEY
	sed -n "s/^$2 = //p" "$1"
}

@test "apply without a portal changes the three timeouts of a stock iscsid.conf, and nothing else" {
	cp "$CONF" "$BATS_TEST_TMPDIR/stock"
	run -0 apply
	run -1 diff "$BATS_TEST_TMPDIR/stock" "$CONF"
	[ "$(grep -c '^<' <<<"$output")" -eq 3 ]
	[ "$(grep -c '^>' <<<"$output")" -eq 3 ]
	[[ $output == *"> node.session.timeo.replacement_timeout = 600"* ]]
	[[ $output == *"> node.conn[0].timeo.noop_out_interval = 60"* ]]
	[[ $output == *"> node.conn[0].timeo.noop_out_timeout = 600"* ]]
}

@test "apply installs the one-line udev rule, readable by all" {
	run -0 apply
	run -0 grep -v -e '^#' -e '^$' "$RULE"
	[ "$output" = 'ACTION=="add|change", SUBSYSTEM=="scsi", ENV{DEVTYPE}=="scsi_device", ATTR{type}=="0", ATTR{model}=="Storage Gateway", ATTR{timeout}="600"' ]
	[ "$(stat -c %a "$RULE")" = 644 ]
}

@test "apply never lowers MaxBurstLength, and check says that it is kept" {
	run -0 apply
	[ "$(value_of "$CONF" node.session.iscsi.MaxBurstLength)" = 16776192 ]
	run -0 sgw-init check --root "$HOST" --output json
	[ "$(jq -r '.findings[] | select(.setting == "max-burst-length" and .place == "iscsid.conf") | .verdict' <<<"$output")" = kept ]
}

@test "a second apply changes nothing and writes nothing" {
	start_target --targets 3
	run -0 apply "$PORTAL"
	inodes >"$BATS_TEST_TMPDIR/before"
	run -0 apply "$PORTAL"
	[ "$output" = "nothing to change" ]
	inodes | diff "$BATS_TEST_TMPDIR/before" -
}

@test "apply with a portal makes tuned records of its targets, for root's eyes only" {
	start_target --targets 2
	run -0 apply "$PORTAL"
	for name in volume-01 volume-02; do
		record=$(record_of "iqn.1997-05.com.amazon:$name")
		[ "$record" = "$HOST/etc/iscsi/nodes/iqn.1997-05.com.amazon:$name/127.0.0.1,$PORT,1/default" ]
		[ "$(stat -c %a "$record")" = 600 ]
		[ "$(value_of "$record" node.session.timeo.replacement_timeout)" = 600 ]
		[ "$(value_of "$record" 'node\.conn\[0\].timeo.noop_out_timeout')" = 600 ]
		[ "$(value_of "$record" 'node\.conn\[0\].address')" = 127.0.0.1 ]
	done
	[ "$(stat -c %a "$HOST/etc/iscsi/nodes/iqn.1997-05.com.amazon:volume-01")" = 700 ]
}

@test "a new record takes over what iscsid.conf says beside the profile" {
	start_target --volume myvolume:1M
	sed -i 's/^node.session.queue_depth = .*/node.session.queue_depth = 64/' "$CONF"
	run -0 apply "$PORTAL"
	[ "$(value_of "$(record_of iqn.1997-05.com.amazon:myvolume)" node.session.queue_depth)" = 64 ]
}

@test "a Tape Gateway gets its timeouts but no udev rule" {
	start_target --gateway tape
	run -0 apply "$PORTAL"
	[ ! -e "$RULE" ]
	[ "$(find "$HOST/etc/iscsi/nodes" -name default | wc -l)" -eq 11 ]
	[ "$(value_of "$CONF" node.session.timeo.replacement_timeout)" = 600 ]
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

@test "records of other arrays are never touched, and a warning says what iscsid.conf will do" {
	local other="$HOST/etc/iscsi/nodes/iqn.2003-01.org.example:array/10.0.0.9,3260,1"
	mkdir -p "$other"
	printf '%s\n' '# BEGIN RECORD 2.1.8' 'node.name = iqn.2003-01.org.example:array' \
		'node.tpgt = 1' 'node.conn[0].address = 10.0.0.9' 'node.conn[0].port = 3260' \
		'node.session.timeo.replacement_timeout = 5' '# END RECORD' >"$other/default"
	cp "$other/default" "$BATS_TEST_TMPDIR/before"
	run -0 apply
	[[ $output == *"other arrays"* ]]
	cmp "$other/default" "$BATS_TEST_TMPDIR/before"
}

@test "apply --scope targets leaves iscsid.conf alone" {
	start_target --volume myvolume:1M
	cp "$CONF" "$BATS_TEST_TMPDIR/stock"
	run -0 apply "$PORTAL" --scope targets
	cmp "$CONF" "$BATS_TEST_TMPDIR/stock"
	[ "$(value_of "$(record_of iqn.1997-05.com.amazon:myvolume)" node.session.timeo.replacement_timeout)" = 600 ]
}

@test "apply --dry-run exits 3, shows a diff that patch takes, and writes nothing" {
	tree_state "$HOST" >"$BATS_TEST_TMPDIR/before"
	run -3 --separate-stderr apply --dry-run --output diff
	tree_state "$HOST" | diff "$BATS_TEST_TMPDIR/before" -
	[ ! -e "$HOST/var/lib/sgw-init" ]
	cp -a "$HOST" "$BATS_TEST_TMPDIR/patched"
	patch -s -d "$BATS_TEST_TMPDIR/patched" -p1 <<<"$output"
	run -0 apply
	cmp "$CONF" "$BATS_TEST_TMPDIR/patched/etc/iscsi/iscsid.conf"
	cmp "$RULE" "$BATS_TEST_TMPDIR/patched/etc/udev/rules.d/60-sgw-init.rules"
}

@test "one portal that does not answer: nothing is written, unless it may be skipped" {
	start_target --volume myvolume:1M
	tree_state "$HOST" >"$BATS_TEST_TMPDIR/before"
	run -1 apply "$PORTAL" 127.0.0.1:1
	[[ $output == *"127.0.0.1:1"* ]]
	tree_state "$HOST" | diff "$BATS_TEST_TMPDIR/before" -
	run -0 apply "$PORTAL" 127.0.0.1:1 --skip-unreachable
	[ -n "$(record_of iqn.1997-05.com.amazon:myvolume)" ]
}

@test "two names of one portal make one record of each target" {
	start_target --volume myvolume:1M
	run -0 apply "localhost:$PORT" "$PORTAL"
	[ "$(find "$HOST/etc/iscsi/nodes" -name default | wc -l)" -eq 1 ]
}

@test "an IPv6 portal is written in brackets, but for the record's path" {
	start_target --portal '[::1]:0' --volume myvolume:1M
	run -0 apply "$PORTAL"
	[[ $output == *"iqn.1997-05.com.amazon:myvolume at [::1]:$PORT "* ]]
	[ "$(value_of "$(record_of iqn.1997-05.com.amazon:myvolume)" 'node\.conn\[0\].address')" = ::1 ]
	[ -e "$HOST/etc/iscsi/nodes/iqn.1997-05.com.amazon:myvolume/::1,$PORT,1/default" ]
}

@test "a missing iscsid.conf is refused, and the package is named" {
	rm "$CONF"
	run -1 apply
	[[ $output == *"open-iscsi"* ]]
	[ ! -e "$RULE" ]
}

@test "links in a --root tree resolve inside it" {
	mkdir "$HOST/data"
	mv "$CONF" "$HOST/data/iscsid.conf"
	ln -s /data/iscsid.conf "$CONF"
	run -0 apply
	[ -L "$CONF" ]
	[ "$(value_of "$HOST/data/iscsid.conf" node.session.timeo.replacement_timeout)" = 600 ]
}

@test "what cannot be edited safely is refused with its place, and nothing changes" {
	local file record="$HOST/etc/iscsi/nodes/iqn.1997-05.com.amazon:v/10.0.0.1,3260,1/default"

	long=$(printf '%2100s' '' | tr ' ' x)
	# What is put where, and a word of the message.
	while IFS='|' read -r file make word; do
		rm -rf "$HOST"
		stock_root "$HOST"
		mkdir -p "${record%/*}"
		cp "$CONF" "$record"
		rm "$record"
		eval "$make" >"$HOST/$file"
		tree_state "$HOST" >"$BATS_TEST_TMPDIR/before"
		echo "case: $file: $make"
		run -1 apply
		echo "$output"
		[[ $output == *"$HOST/$file"*"$word"* ]]
		tree_state "$HOST" | diff "$BATS_TEST_TMPDIR/before" -
	done <<-END
		etc/iscsi/iscsid.conf|head -c 3000 /bin/true|NUL
		etc/iscsi/iscsid.conf|echo "# $long"|line 1
		etc/iscsi/nodes/iqn.1997-05.com.amazon:v/10.0.0.1,3260,1/default|echo "node.startup = manual"|node.name
		etc/iscsi/nodes/iqn.1997-05.com.amazon:v/10.0.0.1,3260,1/default|head -c 300 /bin/true|NUL
	END
}

@test "wrong usage exits 2 and says what is wrong" {
	local words
	while IFS='|' read -r words message; do
		echo "case: $words"
		# shellcheck disable=SC2086
		run -2 sgw-init $words
		[[ $output == *"$message"* ]]
	done <<-END
		|usage:
		conquer|no command 'conquer'
		apply --nonsense|--nonsense
		apply --root|needs a value
		apply --output xml|xml
		apply --output diff|--dry-run
		check --set|needs a value
		undo one two|one ID
		discover|PORTAL
	END
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
	run -1 to_full_disk apply
	[[ $output =~ "standard output: cannot be written (No space left on device), but the files are; what it wrote stands; take it back with: sgw-init undo --root $HOST "[0-9TZ]+$ ]]
	grep -qx 'node.session.timeo.replacement_timeout = 600' "$CONF"
	run -1 to_full_disk sgw-init undo --root "$HOST"
	[[ $output =~ "but "[0-9TZ]+" is undone"$ ]]
	grep -qx 'node.session.timeo.replacement_timeout = 120' "$CONF"
	run -1 to_full_disk apply --dry-run
	[ "$output" = "sgw-init: standard output: No space left on device" ]
}

@test "with its standard files closed apply writes no message into any other" {
	run -1 all_closed apply 127.0.0.1:1
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

@test "what is wrong on the command line is wrong usage, in words" {
	local arguments words
	while IFS='|' read -r arguments words; do
		echo "case: $arguments"
		# shellcheck disable=SC2086 # several arguments
		run -2 apply $arguments
		[[ $output == *"$words"* ]]
	done <<-'END'
		--output xml|--output takes table, json or diff, not 'xml'
		--output diff|--output diff goes with --dry-run
		--scope some|--scope takes all or targets, not 'some'
		--timeout 0|--timeout takes 1ms to 600s, such as 3 or 500ms, not '0'
		--timeout soon|--timeout takes 1ms to 600s
		--set nosuch=1|--set nosuch:
		--set disk-timeout=0|from 1 to 86400
		--strict|is not an option of this command
		--chap|needs a value
		10.0.0.1:0|10.0.0.1:0:
		10.0.0.0/24|a range is for discover alone
	END
}

@test "the journal tells which values were asked for" {
	run -0 apply --set replacement-timeout=900 --scope targets
	run -0 sgw-init undo --list --root "$HOST"
	[[ $output == *"apply --scope targets --set replacement-timeout=900"* ]]
}

@test "a gateway behind address translation gets one record a target, and a warning" {
	start_target --volume myvolume:1M --advertise 10.9.9.9:3261
	run -0 apply "$PORTAL"
	[[ $output == *"address translation"*"10.9.9.9:3261"* ]]
	[ "$(find "$HOST/etc/iscsi/nodes" -name default)" = \
		"$HOST/etc/iscsi/nodes/iqn.1997-05.com.amazon:myvolume/10.9.9.9,3261,1/default" ]
}

@test "apply sets stale live values at once, and a second apply writes nothing" {
	apply
	live_session 30 120
	run -0 apply
	[[ $output == *"session1 (iqn.1997-05.com.amazon:myvolume)"*recovery_tmo*120*600* ]]
	[[ $output == *"sdb (iqn.1997-05.com.amazon:myvolume)"*timeout*30*600* ]]
	[[ $output == *"2 live values written; take it back with: "* ]]
	[ "$(cat "$SESSION/recovery_tmo" "$DISK/timeout" | xargs)" = "600 600" ]
	inodes >"$BATS_TEST_TMPDIR/before"
	run -0 apply
	[[ $output == *"nothing to change"* ]]
	inodes | diff "$BATS_TEST_TMPDIR/before" -
	run -0 sgw-init check --root "$HOST"
}

@test "a dry run lists live values beside the files, and leaves them out of the patch" {
	live_session 30 120
	run -3 apply --dry-run
	[[ $output == *recovery_tmo*120*600*timeout*30*600*"2 files and 2 live values would change"* ]]
	run -3 apply --dry-run --output json
	[ "$(jq -r '.live[] | "\(.place) \(.key) \(.before) \(.after)"' <<<"$output")" = \
		$'session recovery_tmo 120 600\ndevice timeout 30 600' ]
	[ "$(jq '[.changes[].path | select(startswith("/sys"))] | length' <<<"$output")" -eq 0 ]
	run -3 apply --dry-run --output diff
	[[ $output != */sys/* ]]
	[ "$(cat "$SESSION/recovery_tmo" "$DISK/timeout" | xargs)" = "120 30" ]
}

@test "apply --dry-run --output diff tells live values in lines that patch passes over" {
	live_session 30 120
	run -3 --separate-stderr apply --dry-run --output diff
	[[ $output == *$'\n# would set recovery_tmo of session1 (iqn.1997-05.com.amazon:myvolume) to 600, which is 120\n# would set timeout of sdb (iqn.1997-05.com.amazon:myvolume) to 600, which is 30' ]]
	cp -a "$HOST" "$BATS_TEST_TMPDIR/patched"
	patch -s -d "$BATS_TEST_TMPDIR/patched" -p1 <<<"$output"
	run -0 apply
	cmp "$CONF" "$BATS_TEST_TMPDIR/patched/etc/iscsi/iscsid.conf"
	printf '30\033\n' >"$DISK/timeout"
	run -3 --separate-stderr apply --dry-run --output diff
	[ "$output" = '# would set timeout of sdb (iqn.1997-05.com.amazon:myvolume) to 600, which is 30\x1b' ]
	run -3 --separate-stderr sgw-init check --root "$HOST" --output diff
	[[ $output == *'# would set timeout of sdb '* ]]
}

@test "a live value that cannot be read is told and left, and all else is applied" {
	local make
	for make in "printf '\\377\\n'" 'head -c 5000 /dev/zero'; do
		rm -rf "$HOST"
		stock_root "$HOST"
		live_session 30 120
		eval "$make" >"$DISK/timeout"
		cp "$DISK/timeout" "$BATS_TEST_TMPDIR/timeout"
		run -0 apply
		[[ $output == *"warning: sdb (iqn.1997-05.com.amazon:myvolume): timeout: it cannot be read, so nothing is known of it: "* ]]
		[[ $output != *relogin* ]]
		cmp "$DISK/timeout" "$BATS_TEST_TMPDIR/timeout"
		[ "$(cat "$SESSION/recovery_tmo")" = 600 ]
		run -3 sgw-init check --root "$HOST"
		[[ $output == *sdb*timeout*"not set"*"it cannot be read"* ]]
	done
}

@test "a live value is written to an attribute alone, never through a link out of /sys" {
	live_session 30 600
	echo 30 >"$HOST/etc/victim"
	ln -sf /etc/victim "$DISK/timeout"
	run -1 apply
	[[ $output == *"$DISK/timeout: it leads to /etc/victim, which is no attribute of the kernel's"* ]]
	[ "$(cat "$HOST/etc/victim")" = 30 ]
}

@test "a live value that no number fits is never written, and what is not live needs a login" {
	live_session 30 120
	echo 5 >"$CONNECTION/recv_tmo"
	run -0 apply --set disk-timeout=86400
	[ "$(cat "$DISK/timeout")" = 86400 ]
	[ "$(cat "$CONNECTION/recv_tmo")" = 5 ]
	[[ $output == *"still to do for session1 "*"it has no record"* ]]
}

@test "tapes, changers and what a target has beside its disk keep their own timeouts" {
	local name=iqn.1997-05.com.amazon:sgw-9999999c type
	live_session 30 600
	for type in 1 8; do
		echo "$type" >"$DISK/type"
		echo "$name-tapedrive-01" >"$SESSION/targetname"
		run -0 apply
		[ "$(cat "$DISK/timeout")" = 30 ]
	done
	echo 12 >"$DISK/type"
	echo iqn.1997-05.com.amazon:myvolume >"$SESSION/targetname"
	run -0 apply
	[ "$(cat "$DISK/timeout")" = 30 ]
	run -0 sgw-init check --root "$HOST"
	[[ $output != *sdb* ]]
}
