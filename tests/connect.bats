# SPDX-License-Identifier: MIT
# connect and disconnect without a kernel's initiator: what is refused, and iscsiadm's part played by
# a stand-in. What they do on a live host is tests/vm/connect.bats' and disconnect.bats'.

load helpers

iqn=iqn.1997-05.com.amazon:myvolume

setup() {
	need socat unshare
	stock_host
}

# records: those of a gateway with one volume, tuned, with CHAP
records() {
	start_target --volume myvolume:1M
	write_chap_file "$BATS_TEST_TMPDIR/chap.json" "$iqn"
	sgw-init apply --root "$HOST" "$PORTAL" --chap "$BATS_TEST_TMPDIR/chap.json"
}

# iscsiadm_exits CODE [WORDS]: a stand-in for it, which notes its arguments
iscsiadm_exits() {
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	cat >"$BATS_TEST_TMPDIR/bin/iscsiadm" <<-END
		#!/bin/sh
		echo "\$@" >>'$BATS_TEST_TMPDIR/arguments'
		echo "iscsiadm: ${2-}" >&2
		exit $1
	END
	chmod +x "$BATS_TEST_TMPDIR/bin/iscsiadm"
	: >"$BATS_TEST_TMPDIR/arguments"
}

# on_host [iscsid] [portal] COMMAND...: with $HOST/etc as /etc and a network of its own, in which
# something listens in iscsid's or the portal's place
on_host() {
	# shellcheck disable=SC2016 # for the inner shell
	unshare -rmn bash -c '
		mount --bind "$0/etc" /etc && ip link set lo up || exit 99
		wait_for() { until grep -q "$1" "$2"; do kill -0 $! || exit 99; done; }
		if [ "$2" = iscsid ]; then
			socat ABSTRACT-LISTEN:ISCSIADM_ABSTRACT_NAMESPACE,fork /dev/null 3>&- &
			wait_for ISCSIADM_ABSTRACT_NAMESPACE /proc/net/unix
			set -- "$1" "${@:3}"
		fi
		if [ "$2" = portal ]; then
			socat "TCP-LISTEN:$1,bind=127.0.0.1,fork" /dev/null 3>&- &
			wait_for "0100007F:$(printf %04X "$1") 00000000:0000 0A" /proc/net/tcp
			set -- "$1" "${@:3}"
		fi
		PATH=$BATS_TEST_TMPDIR/bin:$PATH "${@:2}"
		status=$?
		jobs -p | xargs -r kill
		exit $status' "$HOST" "${PORT-}" "$@"
}

@test "connect and disconnect are for the live host alone, and tell what they take" {
	run -2 sgw-init connect --root "$HOST"
	run -2 sgw-init disconnect --root "$HOST" --all
	run -2 sgw-init connect 10.0.0.0/24
	[[ $output == *"a range is for discover alone"* ]]
	run -2 sgw-init connect --target iqn.2001-04.com.example:array
	[[ $output == *"none of a Storage Gateway"* ]]
	run -2 sgw-init disconnect
	[[ $output == *"takes PORTAL, --target IQN, or --all"* ]]
	run -2 sgw-init disconnect --all 10.0.0.1
	run -2 sgw-init disconnect 10.0.0.0/24
	run -2 sgw-init disconnect --target iqn.2001-04.com.example:array
}

@test "without a record connect says how to make one" {
	iscsiadm_exits 0
	run -1 on_host iscsid sgw-init connect
	[[ $output == *"there is no record of a Storage Gateway: make them with sgw-init apply PORTAL"* ]]
	run -1 on_host iscsid sgw-init connect --target "$iqn"
	[[ $output == *"$iqn has no record here: make it with sgw-init apply PORTAL"* ]]
	[ ! -s "$BATS_TEST_TMPDIR/arguments" ]
}

@test "where iscsid does not run connect says what starts it, and does not ask iscsiadm" {
	records
	iscsiadm_exits 0
	run -1 on_host portal sgw-init connect
	[[ $output == *"iscsid does not run"*"start it with: "* ]]
	[ ! -s "$BATS_TEST_TMPDIR/arguments" ]
}

@test "a portal that refuses connections is told in words and at once, without iscsid" {
	records
	iscsiadm_exits 0
	run -1 on_host iscsid sgw-init connect
	[[ $output == *"$iqn at $PORTAL: it refuses connections: is the gateway running"* ]]
	[ ! -s "$BATS_TEST_TMPDIR/arguments" ]
}

@test "connect names target and portal exactly, and no secret" {
	records
	iscsiadm_exits 0
	run -1 on_host iscsid portal sgw-init connect
	[[ $output == *"iscsiadm says it is logged in, but there is no session"* ]]
	[ "$(cat "$BATS_TEST_TMPDIR/arguments")" = "-m node -T $iqn -p $PORTAL,1 --login -I default" ]
	[[ $output != *"$INITIATOR_SECRET"* && $output != *"$TARGET_SECRET"* ]]
}

@test "iscsiadm's exit codes come with their cause and what to type" {
	local row
	records
	for row in "24|the target refused this host|sgw-init probe $PORTAL --target $iqn" \
		'19|the login failed for good|sgw-init apply --chap FILE' \
		'8|the portal did not answer in time|sgw-init discover' \
		'12|the kernel has no iSCSI over TCP|modprobe iscsi_tcp' \
		'21|there is nothing of that name|sgw-init apply' \
		'1|it failed and does not say why (it says "iscsiadm: in its own words")|journalctl'; do
		IFS='|' read -r code words next <<<"$row"
		iscsiadm_exits "$code" 'in its own words'
		run -1 on_host iscsid portal sgw-init connect
		echo "$code: $output"
		[[ $output == *"$iqn at $PORTAL: $words"*"$next"*"[iscsiadm: $code ISCSI_ERR"* ]]
		run -1 --separate-stderr on_host iscsid portal sgw-init connect --output json
		[ "$(jq -r '.targets[].result' <<<"$output")" = failed ]
		[[ $(jq -r '.targets[].error.text' <<<"$output") == "$words"* ]]
	done
}

@test "a parent that ignores the end of its children is no reason to hang" {
	records
	iscsiadm_exits 24
	run -1 on_host iscsid portal timeout 60 env --ignore-signal=CHLD sgw-init connect
	[[ $output == *"[iscsiadm: 24 "* ]]
}

@test "disconnect without a session has nothing to do, and that is no failure" {
	records
	iscsiadm_exits 0
	run -0 on_host sgw-init disconnect --all
	[[ $output == *"nothing to log out of"* ]]
	[ ! -s "$BATS_TEST_TMPDIR/arguments" ]
}

@test "no record is forgotten while a session is there whose target cannot be read" {
	local attribute=$HOST/sys/class/iscsi_session/session1/targetname step
	records
	iscsiadm_exits 0
	mkdir -p "${attribute%/*}" "$HOST/var/lib" "$HOST/run/lock"
	for step in missing unset; do
		[ "$step" = missing ] || echo '(null)' >"$attribute"
		# shellcheck disable=SC2016 # for the inner shell
		run -1 on_host bash -c 'mount --bind "$0/sys" /sys && mount --bind "$0/var/lib" /var/lib &&
			mount --bind "$0/run/lock" /run/lock && sgw-init disconnect --all --forget' "$HOST"
		[[ $output == *"no record is removed: session1 is there, but its target cannot be read"* ]]
		[ -n "$(find "$HOST/etc/iscsi/nodes" -type f)" ]
		[ ! -s "$BATS_TEST_TMPDIR/arguments" ]
	done
}
