# SPDX-License-Identifier: MIT
# check: is it right, and if not, what to type.
# shellcheck disable=SC2154 # stderr is set by run --separate-stderr

load helpers

setup() {
	stock_host
}

check() {
	sgw-init check --root "$HOST" "$@"
}

@test "check exits 3 on a stock host, names each timeout, and tells the command that mends it" {
	run -3 check
	[[ $output == *"node.session.timeo.replacement_timeout"*"120"*"600"* ]]
	[[ $output == *"sgw-init apply --root $HOST"* ]]
}

@test "check exits 0 after apply, and 3 after any one value is spoiled by hand, naming it" {
	start_target --volume myvolume:1M
	sgw-init apply --root "$HOST" "$PORTAL"
	run -0 check
	run -0 check "$PORTAL"
	record=$(find "$HOST/etc/iscsi/nodes" -name default)
	spoiled=0
	for file in "$CONF" "$record"; do
		while read -r key; do
			cp -p "$file" "$BATS_TEST_TMPDIR/kept"
			awk -v key="$key" '$1 == key { print key " = 7"; next } { print }' \
				"$BATS_TEST_TMPDIR/kept" >"$file"
			echo "case: $file: $key"
			run -3 check
			[[ $output == *"$key"* ]]
			cp -p "$BATS_TEST_TMPDIR/kept" "$file"
			spoiled=$((spoiled + 1))
		done < <(sgw-init profile show volume --output json |
			jq -r '.profile.settings[].places[] | select(.place == "record") | .key')
	done
	[ "$spoiled" -eq 12 ]
	sed -i 's/="600"/="30"/' "$RULE"
	run -3 check
	[[ $output == *"60-sgw-init.rules"*"timeout"* ]]
}

@test "a line that iscsid ignores is named with its line and its cure" {
	sgw-init apply --root "$HOST"
	sed -i 's/^node.session.timeo.replacement_timeout = 600/node.session.timeo.replacement_timeout=600/' "$CONF"
	line=$(grep -n '^node.session.timeo.replacement_timeout=600' "$CONF" | cut -d: -f1)
	run -3 check
	[[ $output == *"iscsid.conf:$line"*"blank"* ]]
	run -0 sgw-init apply --root "$HOST"
	run -0 check
}

@test "check PORTAL finds a target that has no record here" {
	start_target --targets 2
	sgw-init apply --root "$HOST"
	run -0 check
	run -3 check "$PORTAL"
	[[ $output == *"iqn.1997-05.com.amazon:volume-01"* ]]
	[[ $output == *"iqn.1997-05.com.amazon:volume-02"* ]]
	[[ $output == *"mend it with: sgw-init apply $PORTAL --root $HOST"* ]]
}

@test "check PORTAL judges what is there, not the records that are yet to be made" {
	start_target --volume myvolume:1M
	run -3 check "$PORTAL"
	[[ $output == *"myvolume at $PORTAL"*"no record"* ]]
	[[ $output == *"3 values hold, 4 do not; other findings: 1"* ]]
	[[ $output == *"costs an I/O error after 125 to 130 s, one that goes away after 120 s"* ]]
}

@test "the command that mends repeats what was asked, quoted for a shell" {
	run -3 check --set replacement-timeout=900 --scope targets
	[[ $output == *"sgw-init apply --root $HOST --set replacement-timeout=900 --scope targets"* ]]
	mv "$HOST" "$HOST's"
	run -3 sgw-init check --root "$HOST's"
	command=$(sed -n 's/^mend it with: //p' <<<"$output")
	run -0 bash -c "$command"
	run -0 sgw-init check --root "$HOST's"
}

@test "check --scope targets leaves iscsid.conf out of it, as apply does" {
	start_target --volume myvolume:1M
	sgw-init apply --root "$HOST" "$PORTAL" --scope targets
	run -3 check
	run -0 check --scope targets
	[[ $output != *"iscsid.conf"* ]]
}

@test "kept values hold, and --strict, under which they weigh, does not ask for another apply" {
	sgw-init apply --root "$HOST"
	run -0 check
	[[ $output == *"ok: 7 values hold"* ]]
	run -3 check --strict
	[[ $output == *"6 values hold, 1 do not"* ]]
	[[ $output != *"sgw-init apply"* ]]
}

@test "no line of a table ends in blanks, and a column without a word is not there" {
	run -3 check
	[[ $output != *" "$'\n'* ]]
	[[ ${lines[0]} == *STATE ]]
	run -0 sgw-init apply --root "$HOST"
	run -0 sgw-init undo --root "$HOST"
	[[ ${lines[0]} != *KEY* ]]
	[[ $output != *" "$'\n'* ]]
}

@test "volumes and tapes on one host have a budget each" {
	start_target --volume myvolume:1M
	sgw-init apply --root "$HOST" "$PORTAL"
	start_target --gateway tape
	sgw-init apply --root "$HOST" "$PORTAL"
	run -0 check
	[[ $output == *"a silent volume gateway costs an I/O error after 1200 to 1260 s"* ]]
	[ "${lines[-1]}" = "a silent tape gateway costs an I/O error after 600 to 660 s" ]
}

@test "without NOPs nothing but a tape's own driver notices a silent gateway, and no disk is spoken of" {
	start_target --gateway tape
	sgw-init apply --root "$HOST" "$PORTAL" --set noop-out-interval=0 --set noop-out-timeout=0
	run check
	[ "${lines[-1]}" = "a silent tape gateway: NOPs are off, nothing notices before the tape driver's own timeout" ]
	run check --output json
	[ "$(jq -c '.budgets[0] | [.least_seconds, .most_seconds, .away_seconds, .may_offline]' <<<"$output")" = \
		"[null,null,0,false]" ]
}

@test "a session whose connection is gone does not count as one without NOPs" {
	sgw-init apply --root "$HOST"
	live_session 600 600
	rm -r "$HOST/sys/class/iscsi_connection"
	run -3 check
	[[ $output != *"NOPs are off"* ]]
	[[ $output != *" -p "* ]]
}

@test "check --output junit is one testcase a finding, and what weighs has failed" {
	need xmllint
	run -3 check --output junit
	xmllint --noout - <<<"$output"
	[ "$(xmllint --xpath 'count(//testcase)' - <<<"$output")" -eq 7 ]
	[ "$(xmllint --xpath 'string(/testsuite/@failures)' - <<<"$output")" -eq 4 ]
	[[ $(xmllint --xpath 'string(//testcase[contains(@name,"noop_out_timeout")]/failure/@message)' - \
		<<<"$output") == *"found 5, wanted 600"* ]]
	sgw-init apply --root "$HOST"
	run -0 check --output junit
	[ "$(xmllint --xpath 'count(//failure)' - <<<"$output")" -eq 0 ]
	printf 'node.session.timeo.replacement_timeout=1 \x01<\xff&\n' >>"$CONF"
	run -0 check --output junit
	xmllint --noout - <<<"$output"
}

@test "check knows what a silent gateway costs, before and after" {
	run -3 check --output json
	[ "$(jq '.budgets[0] | .least_seconds, .most_seconds, .away_seconds' <<<"$output" | paste -sd' ')" = "125 130 120" ]
	sgw-init apply --root "$HOST"
	run -0 check --output json
	[ "$(jq '.budgets[0] | .least_seconds, .most_seconds' <<<"$output" | paste -sd' ')" = "1200 1260" ]
}

@test "what silence costs is reckoned by the rule that stands in the end, and by the abort timeout" {
	local name key value least ours
	sgw-init apply --root "$HOST"
	ours=$(grep -v "^#" "$RULE")
	while read -r name key value least; do
		echo "case: $name"
		[ "$name" = - ] || echo "${ours/600/20}" >"$HOST/etc/udev/rules.d/$name"
		[ "$key" = - ] || echo "$key = $value" >>"$CONF"
		run check --output json
		[ "$(jq '.budgets[0].least_seconds' <<<"$output")" -eq "$least" ]
	done <<-END
		50-site.rules - - 1200
		99-site.rules - - 655
		- node.session.err_timeo.abort_timeout 40 680
	END
	live_session 20 600
	echo 5 >"$SESSION/abort_tmo"
	run check --output json
	[ "$(jq '.budgets[0].least_seconds' <<<"$output")" -eq 645 ]
}

@test "live values that are stale are named with the command that mends them" {
	sgw-init apply --root "$HOST"
	live_session 600 600
	run -0 check
	live_session 30 120
	run -3 check
	[[ $output == *"sdb"*"timeout"*"30"*"600"* ]]
	[[ $output == *"session1"*"recovery_tmo"*"120"*"600"* ]]
	[[ $output == *"mend it with: sgw-init apply --root $HOST"* ]]
	[[ $output != *"still to do"* ]]
	echo 5 >"$CONNECTION/recv_tmo"
	echo 5 >"$CONNECTION/ping_tmo"
	run -3 check
	[ "$(grep -c 'still to do for session1 .*: it has no record .*iscsiadm -m session -r 1 --logout' \
		<<<"$output")" -eq 1 ]
}

@test "lengths that the gateway negotiated lower are told, and weigh only with --strict" {
	sgw-init apply --root "$HOST"
	live_session 600 600
	run -0 check
	[[ $output == *"max_burst_len"*"negotiated"* ]]
	run -3 check --strict
}

@test "a record that lets others read its CHAP secret is found, mended, and given back by undo" {
	start_target --volume myvolume:1M
	write_chap_file "$BATS_TEST_TMPDIR/chap.json" iqn.1997-05.com.amazon:myvolume
	sgw-init apply --root "$HOST" "$PORTAL" --chap "$BATS_TEST_TMPDIR/chap.json"
	record=$(find "$HOST/etc/iscsi/nodes" -name default)
	chmod 0644 "$record"
	run -3 check
	[[ $output == *"myvolume at $PORTAL"*exposed* ]]
	[[ $output == *"mode 0644"* ]]
	run -0 sgw-init apply --root "$HOST"
	[[ $output == *mode*0644*0600* ]]
	[ "$(stat -c %a "$record")" = 600 ]
	run -0 check
	run -0 sgw-init undo --root "$HOST"
	[ "$(stat -c %a "$record")" = 644 ]
}

@test "check writes nothing, not even a journal" {
	find "$HOST" -printf '%P %i %T@\n' | sort >"$BATS_TEST_TMPDIR/before"
	run -3 check
	find "$HOST" -printf '%P %i %T@\n' | sort | diff "$BATS_TEST_TMPDIR/before" -
}

@test "check --output diff shows what apply would write" {
	run -3 --separate-stderr check --output diff
	diff=$output
	run -3 --separate-stderr sgw-init apply --root "$HOST" --dry-run --output diff
	[ "$output" = "$diff" ]
	[[ $diff == *"+node.session.timeo.replacement_timeout = 600"* ]]
}

@test "an apply that was cut off is found, even where its journal is damaged" {
	local entry

	sgw-init apply --root "$HOST"
	entry=$(ls "$HOST/var/lib/sgw-init/journal")
	rm "$HOST/var/lib/sgw-init/journal/$entry/done"
	run -3 sgw-init check --root "$HOST"
	[[ $output == *"apply $entry was cut off; the next apply or undo takes it back"* ]]
	sed -i 's,60-sgw-init,61-sgw-init,' "$HOST/var/lib/sgw-init/journal/$entry/intent.json"
	run -3 sgw-init check --root "$HOST"
	[[ $output == *"apply $entry was cut off, and nothing can mend it"*"checksum"* ]]
	mv "$HOST/var/lib/sgw-init/journal/$entry" "$BATS_TEST_TMPDIR"
	run -0 sgw-init check --root "$HOST"
}

@test "check tells of a login that apply --relogin owes, until there is a session again" {
	local journal=$HOST/var/lib/sgw-init/journal owed
	sgw-init apply --root "$HOST"
	owed=$journal/login-0123456789abcdef
	(umask 077 && cat >"$owed") <<-END
		{"target": "iqn.1997-05.com.amazon:myvolume", "address": "10.0.0.1", "port": 3260,
		 "interface": "default", "others": false, "time": 1, "owner": "sgw-init 1 1 boot pid:[1]"}
	END
	tree_state "$HOST" >"$BATS_TEST_TMPDIR/before"
	run -3 sgw-init check --root "$HOST"
	[[ $output == *critical*"half done"*"apply --relogin logged out of iqn.1997-05.com.amazon:myvolume at 10.0.0.1:3260 and was cut off: log in with: sgw-init apply"* ]]
	run -3 sgw-init check --root "$HOST" --output json
	jq -e '.findings[] | select(.verdict == "half done") | .note | contains("10.0.0.1:3260")' <<<"$output"
	tree_state "$HOST" | diff "$BATS_TEST_TMPDIR/before" -
	[ "$(sgw-init undo --root "$HOST" --list | wc -l)" = 2 ]
	run -0 sgw-init apply --root "$HOST"
	[ -e "$owed" ] # that is for the running host

	live_session 600 600
	run -0 sgw-init check --root "$HOST"
	# With others beside it, one through another portal is not the one that was ended.
	echo 10.0.0.2 >"$CONNECTION/persistent_address"
	run -0 sgw-init check --root "$HOST"
	sed -i 's/false/true/' "$owed"
	run -3 sgw-init check --root "$HOST"
	[[ $output == *"was cut off"* ]]

	# A run that is at work is none that was cut off.
	sed -i "s/sgw-init 1 1 boot pid:.1./sgw-init $$ $(cut -d ' ' -f 22 /proc/$$/stat) $(cat /proc/sys/kernel/random/boot_id) $(readlink /proc/self/ns/pid)/" "$owed"
	run -0 sgw-init check --root "$HOST"
	echo broken >"$owed"
	run -3 sgw-init check --root "$HOST"
	[[ $output == *"apply --relogin was cut off, and nobody can tell where"*"${owed#"$HOST"}"* ]]
	chmod 0777 "$journal"
	run -1 sgw-init check --root "$HOST"
	[[ $output == *"$journal: others can write to the journal"* ]]
}

@test "check names a session that runs with CHAP settings its record no longer has" {
	local secret
	start_target --volume myvolume:1M
	write_chap_file "$BATS_TEST_TMPDIR/chap.json" iqn.1997-05.com.amazon:myvolume
	sgw-init apply --root "$HOST" "$PORTAL" --chap "$BATS_TEST_TMPDIR/chap.json"
	live_session 600 600
	echo 127.0.0.1 >"$CONNECTION/persistent_address"
	echo "$PORT" >"$CONNECTION/persistent_port"
	run -0 check # a kernel that does not tell
	echo "$INITIATOR" >"$SESSION/username"
	echo iqn.1997-05.com.amazon:myvolume >"$SESSION/username_in"
	echo "$INITIATOR_SECRET" >"$SESSION/password"
	echo "$TARGET_SECRET" >"$SESSION/password_in"
	run -0 check
	for secret in other--secret '(null)'; do
		echo "$secret" >"$SESSION/password"
		run -3 check
		[[ $output == *"session1 "*stale*"CHAP settings"*"still to do for session1 "*": log in again"*"sgw-init apply --relogin"* ]]
		[[ $output != *"$INITIATOR_SECRET"* ]]
		[[ $output != *other--secret* ]]
	done
	sed -i '/^node.session.auth/d' "$HOST"/etc/iscsi/nodes/*/*/default
	run -3 check
	[[ $output == *"still to do for session1 "*"put them back: sgw-init apply $PORTAL --root $HOST --chap FILE"* ]]
	[[ $output != *"log in again"* ]]
	echo "$((PORT - 1))" >"$CONNECTION/persistent_port" # another session than the record's
	run -0 check
}

@test "check and apply warn where multipathd will take recovery_tmo away" {
	sgw-init apply --root "$HOST"
	live_session 600 600
	mkdir -p "$DISK/block/sdb/holders/dm-3" "$HOST/sys/block/dm-3/dm"
	echo LVM-0123456789 >"$HOST/sys/block/dm-3/dm/uuid"
	run -0 check
	[[ $output != *multipath* ]]
	echo mpath-36001405 >"$HOST/sys/block/dm-3/dm/uuid"
	echo mpatha >"$HOST/sys/block/dm-3/dm/name"
	run -0 check
	[[ $output == *"warning"*"sdb"*overruled*mpatha*fast_io_fail_tmo*600* ]]
	run -3 check --strict
	run -0 sgw-init apply --root "$HOST"
	[[ $output == *"warning: sdb"*mpatha* ]]
}

# What AWS's page has people type, with the line that check names and what it says of it.
harmful_rules() {
	cat <<'END'
two-lines 3 critical every device
unfilled 3 critical [timeout], which the kernel takes for 0
rhel5 3 critical every device
rhel5-joined 2 error never filled in
END
}

@test "check finds AWS's two-line rule and an unfilled [timeout] in any rules file, by file and line" {
	local file=$HOST/etc/udev/rules.d/50-udev.rules form line severity words n=0
	sgw-init apply --root "$HOST"
	while read -r form line severity words; do
		{ echo '# by hand'; aws_rule "$form"; } >"$file"
		echo "case: $form"
		run -3 check
		[[ $output == *"$severity"*"50-udev.rules:$line "*"harmful"*"$words"*"apply comments it out"* ]]
		[[ $output == *" with: sgw-init apply --root"* ]]
		run -3 check --output json
		[ "$(jq -c '.findings[] | select(.verdict == "harmful") | [.path, .line, .severity]' \
			<<<"$output")" = "[\"/etc/udev/rules.d/50-udev.rules\",$line,\"$severity\"]" ]
		n=$((n + 1))
	done < <(harmful_rules)
	[ "$n" -eq 4 ]
}

@test "check looks where udev looks: files of one name hide each other, a link to /dev/null hides all" {
	local dir other
	sgw-init apply --root "$HOST"
	ln -s usr/lib "$HOST/lib"
	for dir in run/udev usr/local/lib/udev usr/lib/udev; do
		mkdir -p "$HOST/$dir/rules.d"
		aws_rule two-lines >"$HOST/$dir/rules.d/70-aws.rules"
		run -3 check --output json
		[ "$(jq -c '.findings[] | select(.severity == "critical") | [.verdict, .path]' \
			<<<"$output")" = "[\"lint\",\"/$dir/rules.d/70-aws.rules\"]" ]
		[[ $output == *"apply changes no file outside of /etc/udev/rules.d"* ]]
		for other in "$HOST"/{etc,run,usr/local/lib}/udev/rules.d; do
			[ "$other" != "$HOST/$dir/rules.d" ] || break
			[ -d "$other" ] || continue
			ln -s /dev/null "$other/70-aws.rules"
			run -0 check
			rm "$other/70-aws.rules"
		done
		: >"$HOST/etc/udev/rules.d/70-aws.rules"
		run -0 check
		rm "$HOST/etc/udev/rules.d/70-aws.rules" "$HOST/$dir/rules.d/70-aws.rules"
	done
	aws_rule two-lines >"$HOST/etc/udev/rules.d/70-aws.rules.bak"
	run -0 check
}

@test "check leaves rules of others for their own disks alone, those behind a GOTO too" {
	sgw-init apply --root "$HOST"
	cat >"$HOST/etc/udev/rules.d/99-others.rules" <<'END'
ATTRS{vendor}=="VMware*", ATTRS{model}=="Virtual disk*", RUN+="/bin/sh -c 'echo 180 >/sys$DEVPATH/device/timeout'"
SUBSYSTEM!="scsi", GOTO="end"
ATTR{vendor}!="NETAPP*", GOTO="end"
RUN+="/bin/sh -c 'echo 60 > /sys$$DEVPATH/timeout'"
LABEL="end"
END
	run -0 check --output json
	[[ $output != *99-others.rules* ]]
}

@test "check tells of a rule for a gateway's disks with another value, and which of the two wins" {
	local name status severity words text
	sgw-init apply --root "$HOST"
	text=$(grep -v '^#' "$RULE")
	while read -r name status severity words; do
		echo "case: $name"
		echo "${text/600/300}" >"$HOST/etc/udev/rules.d/$name"
		run "-$status" check
		[[ $output == *"$severity"*"$name:1 "*"gives a gateway's disks 300 s"*"$words"* ]]
		run -0 sgw-init apply --root "$HOST"
		[[ $output == *"nothing to change"* ]]
		rm "$HOST/etc/udev/rules.d/$name"
	done <<-'END'
		50-site.rules 0 warning comes after it and makes that 600
		99-site.rules 3 error its file is read later; remove it, or ask for its value with --set disk-timeout=300
	END
	aws_rule joined | sed 's/600/300/' >"$HOST/etc/udev/rules.d/50-site.rules"
	run -3 check
	[[ $output == *"error"*"50-site.rules:1 "*"it takes effect after all rules like that one"* ]]
	run -0 sgw-init apply --root "$HOST" --set disk-timeout=300
	run -0 check --set disk-timeout=300
}

@test "a rules file that cannot be judged is told, and stops nothing" {
	sgw-init apply --root "$HOST"
	printf 'a\0b\n' >"$HOST/etc/udev/rules.d/10-binary.rules"
	mkdir "$HOST/etc/udev/rules.d/20-directory.rules"
	run -0 check
	[[ $output == *"warning"*"10-binary.rules"*"a NUL byte"* ]]
	[[ $output != *20-directory* ]]
}

@test "a record whose target the portal offers no more is named, with what removes it" {
	local name=iqn.1997-05.com.amazon:volume command
	start_target --volume volume-01:1M
	sgw-init apply --root "$HOST" "$PORTAL"
	cp -a "$HOST/etc/iscsi/nodes/$name-01" "$HOST/etc/iscsi/nodes/$name-02"
	sed -i "s/$name-01/$name-02/" "$HOST/etc/iscsi/nodes/$name-02/"*/*
	# Of another portal nobody knows what it offers.
	cp -a "$HOST/etc/iscsi/nodes/$name-02" "$HOST/etc/iscsi/nodes/$name-03"
	mv "$HOST/etc/iscsi/nodes/$name-03/"* "$HOST/etc/iscsi/nodes/$name-03/10.0.0.3,$PORT,1"
	sed -i "s/$name-02/$name-03/; s/127.0.0.1/10.0.0.3/" "$HOST/etc/iscsi/nodes/$name-03/"*/*
	run -0 sgw-init check --root "$HOST"
	command="sgw-init disconnect $PORTAL --target $name-02 --forget"
	run -0 check "$PORTAL"
	[[ $output == *"warning "*" gone"*"$name-02 has a record, but $PORTAL does not offer it any more"* ]]
	[[ $output == *"still to do for this host: remove the record: $command"* ]]
	[[ $output != *"$name-03 has"* ]]
	run -0 sgw-init apply --root "$HOST" "$PORTAL"
	[[ $output == *"warning: $name-02 has a record, but $PORTAL does not offer it any more"*": $command"* ]]
	run -0 --separate-stderr sgw-init apply --root "$HOST" "$PORTAL" --output json
	[[ $stderr == *"$command"* ]]
	rm -r "$HOST/etc/iscsi/nodes/$name-02"
	run -0 check "$PORTAL"
	[[ $output != *"does not offer it"* ]]
}

@test "what check cannot look at it does not call unchanged" {
	run -1 sgw-init check --root "$HOST" 127.0.0.1:1
	[[ $output == *"1 of 1 portals gave no answer, so nothing is done; --skip-unreachable"* ]]
}
