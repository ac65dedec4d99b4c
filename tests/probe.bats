# SPDX-License-Identifier: MIT
# probe: what is true of a target, told from user space; which side refuses, and why.
# shellcheck disable=SC2153,SC2154 # PORTAL is set by start_target, stderr by run --separate-stderr

load helpers

US=iqn.1994-05.com.example:host
SECRET=host-secret-01
PROOF=gate-secret-02

setup() {
	stock_host
	echo "InitiatorName=$US" >"$HOST/etc/iscsi/initiatorname.iscsi"
}

# credentials TARGET SECRET [PROOF [INITIATOR]]: a CHAP file; sets CHAP.
credentials() {
	CHAP=$BATS_TEST_TMPDIR/chap.json
	rm -f "$CHAP"
	(
		umask 077
		jq -n --arg target "$1" --arg secret "$2" --arg proof "${3:-}" --arg us "${4:-}" \
			'{ChapCredentials: [{TargetARN: $target, SecretToAuthenticateInitiator: $secret}
			+ if $proof != "" then {SecretToAuthenticateTarget: $proof} else {} end
			+ if $us != "" then {InitiatorName: $us} else {} end]}' >"$CHAP"
	)
}

probe() {
	sgw-init probe "$PORTAL" --root "$HOST" "$@"
}

# tell_causes: rows of standard input, each a case: what, target, secret, proof, who we are, and then
# the cause and the verdicts on both proofs that probe has to give.
tell_causes() {
	local what target secret proof us cause ours theirs said status
	while IFS='|' read -r what target secret proof us cause ours theirs; do
		echo "InitiatorName=${us:-$US}" >"$HOST/etc/iscsi/initiatorname.iscsi"
		status=0
		if [ -n "$secret" ]; then
			credentials "$target" "$secret" "$proof"
			probe --target "$target" --chap "$CHAP" --output json \
				>"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" || status=$?
		else
			probe --target "$target" --output json \
				>"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" || status=$?
		fi
		said=$(jq -r '.targets[0] | [.error.cause // "none", .chap.host, .chap.target] | join("|")' \
			"$BATS_TEST_TMPDIR/out")
		echo "case: $what: $status $said"
		cat "$BATS_TEST_TMPDIR/err"
		[ "$said" = "$cause|$ours|$theirs" ]
		[ "$status" -eq "$([ "$cause" = none ] && echo 0 || echo 1)" ]
		# A secret is shown nowhere.
		if grep -e "${secret:-$SECRET}" -e "${proof:-$PROOF}" "$BATS_TEST_TMPDIR"/{out,err}; then
			return 1
		fi
	done
}

@test "probe tells which side refused and why, of right and wrong secrets and names at sgw-target" {
	local target=iqn.1997-05.com.amazon:both
	credentials "$target" "$SECRET" "$PROOF" "$US"
	start_target --volume both:1M --chap "$CHAP"
	tell_causes <<-END
		all is right|$target|$SECRET|$PROOF||none|accepted|accepted
		one way|$target|$SECRET|||none|accepted|not asked for
		our secret is wrong|$target|another-one-1|$PROOF||target-refused-us|wrong secret or name|not reached
		our secret is wrong, one way|$target|another-one-1|||target-refused-us|wrong secret or name|not reached
		nobody knows us|$target|$SECRET|$PROOF|iqn.1994-05.com.example:stranger|target-refused-us|wrong secret or name|not reached
		its secret is wrong|$target|$SECRET|another-one-1||we-refused-proof|accepted|wrong secret or name
		the secrets are swapped|$target|$PROOF|$SECRET||target-refused-us|wrong secret or name|not reached
		we have no credentials|$target||||chap-demanded|no common method|not reached
		there is no such target|iqn.1997-05.com.amazon:none|$SECRET|||no-such-target|not reached|not reached
	END
	credentials "$target" "$SECRET" '' "$US"
	start_target --volume both:1M --chap "$CHAP"
	tell_causes <<-END
		it has no secret of its own|$target|$SECRET|$PROOF||target-refused-us|wrong secret or name|not reached
		and nobody asks for it|$target|$SECRET|||none|accepted|not asked for
	END
	start_target --volume both:1M
	tell_causes <<-END
		it does no CHAP|$target|$SECRET|$PROOF||chap-not-done|no common method|not reached
		and nobody asks for it|$target||||none|not asked for|not asked for
	END
	stop_targets # all have logged out
	run grep -h 'sessions still open: [1-9]' "$BATS_TEST_TMPDIR"/target-*.log
	[ -z "$output" ]
}

@test "probe tells which side refused and why, of right and wrong secrets and names at tgtd" {
	local t=iqn.2003-01.org.example user
	start_tgtd "$t:both" "$t:open" "$t:oneway" "$t:named" "$t:hidden"
	for user in "$US" "$t:both" somebody; do
		tgtadm --lld iscsi --op new --mode account --user "$user" \
			--password "$([ "$user" = "$US" ] && echo "$SECRET" || echo "$PROOF")"
	done
	for user in 1 3 4; do
		tgtadm --lld iscsi --op bind --mode account --tid "$user" --user "$US"
	done
	tgtadm --lld iscsi --op bind --mode account --tid 1 --user "$t:both" --outgoing
	tgtadm --lld iscsi --op bind --mode account --tid 4 --user somebody --outgoing
	tgtadm --lld iscsi --op unbind --mode target --tid 5 -I ALL
	tgtadm --lld iscsi --op bind --mode target --tid 5 -I 192.0.2.1
	tell_causes <<-END
		all is right|$t:both|$SECRET|$PROOF||none|accepted|accepted
		one way|$t:both|$SECRET|||none|accepted|not asked for
		our secret is wrong|$t:both|another-one-1|$PROOF||target-refused-us|wrong secret or name|not reached
		nobody knows us|$t:both|$SECRET|$PROOF|iqn.1994-05.com.example:stranger|target-refused-us|wrong secret or name|not reached
		its secret is wrong|$t:both|$SECRET|another-one-1||we-refused-proof|accepted|wrong secret or name
		it calls itself another name|$t:named|$SECRET|$PROOF||we-refused-name|accepted|wrong name
		it has no secret of its own|$t:oneway|$SECRET|$PROOF||target-refused-us|wrong secret or name|not reached
		we have no credentials|$t:both||||chap-demanded|no common method|not reached
		it does no CHAP|$t:open|$SECRET|$PROOF||chap-not-done|no common method|not reached
		neither side wants CHAP|$t:open||||none|not asked for|not asked for
		it hides from us|$t:hidden|$SECRET|||no-such-target|not reached|not reached
		there is no such target|$t:none|$SECRET|||no-such-target|not reached|not reached
	END
	[ "$(tgtadm --lld iscsi --op show --mode conn --tid 1 | wc -l)" -eq 0 ]
}

@test "probe shows device, capacity, round trip, and what was negotiated less than wanted" {
	start_target --volume mine:5G --volume large:3T
	run -0 --separate-stderr probe
	[[ ${lines[0]} == TARGET*"HOST'S PROOF"*DEVICE*CAPACITY*"ROUND TRIP" ]]
	[[ ${lines[1]} == *amazon:mine*"disk Amazon Storage Gateway"*"5.0 GiB"*ms ]]
	[[ ${lines[2]} == *amazon:large*"3.0 TiB"*ms ]]
	[[ $output == *"negotiated with iqn.1997-05.com.amazon:mine and 1 more:"* ]]
	[[ $output != *"less than wanted"* ]]
	run -0 --separate-stderr probe --output json
	[ "$(jq -r .schema <<<"$output")" = sgw-init/probe/1 ]
	[ "$(jq '.targets[1].units[0].size_bytes' <<<"$output")" -eq $((3 << 40)) ]
	[ "$(jq -c '.targets[0].keys[] | select(.key == "MaxBurstLength")' <<<"$output")" = \
		'{"key":"MaxBurstLength","declared_by":null,"offered":16776192,"negotiated":16776192,"wanted":1048576,"below":false}' ]
	start_tgtd iqn.1997-05.com.amazon:small
	run -0 --separate-stderr probe
	[[ $output == *"FirstBurstLength "*262144*65536*262144*"less than wanted"* ]]
	[[ $output == *"disk IET VIRTUAL-DISK"*"16 MiB"* ]]
	run -0 --separate-stderr probe --set first-burst-length=65536
	[[ $output == *"FirstBurstLength "*262144*65536*65536$'\n'* ]]
}

@test "probe knows a Tape Gateway's eleven devices" {
	start_target --gateway tape
	run -0 --separate-stderr probe --output json
	[ "$(jq '[.targets[] | select(.units[0].type_name == "tape")] | length' <<<"$output")" -eq 10 ]
	[ "$(jq -r '.targets[] | select(.units[0].type_name == "changer") | .target' <<<"$output")" = \
		iqn.1997-05.com.amazon:sgw-9999999c-mediachanger ]
	[ "$(jq '[.targets[] | select(.ok)] | length' <<<"$output")" -eq 11 ]
}

@test "probe takes the credentials of this host's node record, and says so" {
	local target=iqn.1997-05.com.amazon:mine record
	credentials "$target" "$SECRET-a" "$PROOF" "$US"
	start_target --volume mine:1M --chap "$CHAP"
	sed -i "s/$SECRET-a/$SECRET-b/" "$CHAP"
	run -0 sgw-init apply "$PORTAL" --root "$HOST" --chap "$CHAP"
	record=$(find "$HOST/etc/iscsi/nodes" -name default)
	run -1 --separate-stderr probe --output json
	[ "$(jq -r '.targets[0].error.cause' <<<"$output")" = target-refused-us ]
	sed -i "s/$SECRET-b/$SECRET-a/" "$record"
	run -0 --separate-stderr probe
	[[ ${lines[1]} == *mine*record*accepted*accepted* ]]
	run -0 --separate-stderr probe --output json
	[ "$(jq -r '.targets[0].credentials.path' <<<"$output")" = "${record#"$HOST"}" ]
	sed -i 's/\(username_in = \).*/\1iqn.1997-05.com.amazon:other/' "$record"
	run -1 --separate-stderr probe --output json
	[ "$(jq -r '.targets[0].error.cause' <<<"$output")" = we-refused-name ]
}

@test "probe leaves a target alone that has a live session here, unless it is forced" {
	local session=$HOST/sys/class/iscsi_session/session3
	start_target --volume used:1M --volume free:1M
	mkdir -p "$session"
	echo iqn.1997-05.com.amazon:used >"$session/targetname"
	run -1 --separate-stderr probe
	[[ $output == *amazon:used*"not probed"* ]]
	[[ $output == *amazon:free*"Storage Gateway"* ]]
	[[ $stderr == *"amazon:used: it has a live session on this host (session3): --force"* ]]
	run -1 --separate-stderr probe --target iqn.1997-05.com.amazon:used --output json
	[ "$(jq -r '.targets[0].error.cause' <<<"$output")" = live-session ]
	[[ $(<"$TARGET_LOG") != *"logins: "[1-9]* ]]
	run -0 --separate-stderr probe --force
	[[ $output == *amazon:used*"Storage Gateway"* ]]
}

@test "probe --audit tries what a target should refuse, and without it tries nothing of the kind" {
	local target=iqn.1997-05.com.amazon:both
	credentials "$target" "$SECRET" "$PROOF" "$US"
	start_target --volume both:1M --chap "$CHAP"
	run -0 --separate-stderr probe --chap "$CHAP" --audit
	[[ $output == *"amazon:both  refuses a login without CHAP"* ]]
	[[ $output == *"amazon:both  refuses a login with a wrong secret"* ]]
	[[ $output == *"amazon:both  refuses its own challenge sent back to it"* ]]
	[[ $output == *"amazon:both  accepts a discovery without CHAP"* ]]
	[[ $output != *"wrongly"* ]]
	run -0 --separate-stderr probe --chap "$CHAP" --output json
	[ "$(jq -c '.targets[0].audit' <<<"$output")" = '[]' ]
	end_target 0
	run cat "$TARGET_LOG"
	[[ $output == *"refused: 3,"* ]] # by the audit alone
}

@test "probe --audit tells a target without a secret of its own from a wrong secret" {
	local target=iqn.1997-05.com.amazon:both
	credentials "$target" "$SECRET" '' "$US"
	start_target --volume both:1M --chap "$CHAP"
	credentials "$target" "$SECRET" "$PROOF"
	run -1 --separate-stderr probe --chap "$CHAP" --audit --output json
	[ "$(jq -r '.targets[0].error.cause' <<<"$output")" = target-proves-nothing ]
	credentials "$target" another-one-1 "$PROOF"
	run -1 --separate-stderr probe --chap "$CHAP" --audit --output json
	[ "$(jq -r '.targets[0].error.cause' <<<"$output")" = target-refused-us ]
}

@test "a portal that is dead or silent is told, within the time given" {
	local start=$SECONDS
	run -1 --separate-stderr sgw-init probe 127.0.0.1:1 --root "$HOST"
	[[ $stderr == *"127.0.0.1:1: cannot connect"*refused* ]]
	start_target --volume one:1M
	kill -STOP "$TARGET_PID"
	run -1 --separate-stderr probe --target iqn.1997-05.com.amazon:one --timeout 300ms --output json
	kill -CONT "$TARGET_PID"
	[ "$(jq -r '.targets[0].error.cause' <<<"$output")" = silent ]
	[ $((SECONDS - start)) -le 20 ]
}

@test "probe refuses what it cannot mean" {
	local args
	while IFS= read -r args; do
		echo "case: $args"
		# shellcheck disable=SC2086 # words
		run -2 sgw-init probe --root "$HOST" $args
	done <<-'END'

		127.0.0.1 127.0.0.2
		127.0.0.0/24
		127.0.0.1:0
		127.0.0.1 --target nonsense
		127.0.0.1 --dry-run
		127.0.0.1 --output diff
	END
	credentials iqn.1997-05.com.amazon:one "$SECRET" "$PROOF" iqn.1994-05.com.example:other
	run -1 sgw-init probe 127.0.0.1:1 --target iqn.1997-05.com.amazon:one --root "$HOST" --chap "$CHAP"
	[[ $output == *"are for the initiator iqn.1994-05.com.example:other, but this host is $US"* ]]
	chmod 0644 "$CHAP"
	run -1 sgw-init probe 127.0.0.1:1 --root "$HOST" --chap "$CHAP"
	[[ $output == *"$CHAP"*chmod* ]]
}
