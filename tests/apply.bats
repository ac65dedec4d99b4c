# SPDX-License-Identifier: MIT
# apply: exact, idempotent, and nothing written before everything is checked.

load helpers

setup() {
	stock_host
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
