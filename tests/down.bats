# SPDX-License-Identifier: MIT
# Sessions and devices that are there and cannot be used, where the kernel is pretended (kernel.bash):
# no command takes them for well. On a real one it is tests/vm/down.bats'.

load helpers
load kernel

iqn=iqn.1997-05.com.amazon:myvolume

setup() {
	need socat unshare jq ip
	HOST=$BATS_TEST_TMPDIR/host
	stock_root "$HOST"
	pretend_kernel
	start_target --volume myvolume:1M
	sgw-init apply --root "$HOST" "$PORTAL"
	record=$HOST/etc/iscsi/nodes/$iqn/127.0.0.1,$PORT,1/default
	add_session "$iqn" "$PORTAL" default "$record"
	session=$HOST/sys/class/iscsi_session/session1
	disk=$session/device/target1:0:0/1:0:0:0
	run -0 on_kernel sgw-init check
}

# lost STATE: as the kernel has it while the gateway is away
lost() {
	put "$session" "state=$1"
	put "$disk" state=blocked
}

@test "connect waits for a session that is down, and fails in words where it stays so" {
	local state
	for state in FAILED FREE; do
		lost "$state"
		run -1 on_kernel sgw-init connect --wait 300ms
		[[ $output == *"sgw-init: $iqn at $PORTAL: session1 is down ($state), and did not come up within 0.3 s: does the gateway run (sgw-init discover $PORTAL)?"* ]]
		[[ $output == *"$iqn  $PORTAL  session is down  session1"* ]]
	done
	run -1 --separate-stderr on_kernel sgw-init connect --wait 300ms --output json
	[ "$(jq -r '.ok, (.targets[] | .result, .session)' <<<"$output" | xargs)" = 'false down session1' ]
	[ "$(<"$HOST/sessions")" = 1 ]
}

@test "a session that comes up again while connect waits is well" {
	lost FAILED
	# shellcheck disable=SC2016 # for the inner shell
	run -0 on_kernel bash -c '
		sgw-init connect --wait 60 & pid=$!
		until [ -n "$(find /proc/$pid/fd -lname "*socket*" 2>/dev/null)" ]; do kill -0 $pid || exit; done
		echo running >"$1/state"
		echo LOGGED_IN >"$2/state"
		wait $pid' bash "${disk#"$HOST"}" "${session#"$HOST"}"
	[[ $output == *"$iqn  $PORTAL  already connected  session1"* ]]
}

@test "check finds a session that is down, exits 3, and says what to look at" {
	lost FAILED
	run -3 on_kernel sgw-init check
	[[ $output == *"error"*"session1 ($iqn)"*"down"*"it is FAILED: the gateway does not answer it"* ]]
	[[ $output == *"; other findings: 1"* && $output != *"mend it with"* ]]
	[[ $output == *"still to do for session1 ($iqn): see whether the gateway runs: sgw-init discover $PORTAL"* ]]
	[ "$(grep -c ' down$' <<<"$output")" -eq 1 ]
	run -3 --separate-stderr on_kernel sgw-init check --output json
	[ "$(jq -r '.findings[] | select(.verdict == "down") | .severity, .place' <<<"$output" | xargs)" = 'error session' ]
	run -3 on_kernel sgw-init check --output junit
	[[ $output == *'failures="1"'*'message="down: see whether the gateway runs'* ]]
}

@test "apply tells of a session that is down, and --connect waits for it and fails" {
	lost FAILED
	run -0 --separate-stderr on_kernel sgw-init apply
	# shellcheck disable=SC2154 # run sets it
	[[ $stderr == "sgw-init: warning: session1 ($iqn): it is FAILED: the gateway does not answer it"* ]]
	run -0 --separate-stderr on_kernel sgw-init apply --relogin
	[[ $stderr == *"session1 ($iqn): it is FAILED"* ]]
	on_kernel sgw-init apply --connect --wait 300ms >/dev/null 2>&1 || : # it sets node.startup
	run -3 --separate-stderr on_kernel sgw-init apply --connect --dry-run
	[[ $output == "would wait for the session of $iqn at $PORTAL" ]]
	run -1 on_kernel sgw-init apply --connect --wait 300ms
	[[ $output == *"sgw-init: $iqn at $PORTAL: session1 is down (FAILED), and did not come up within 0.3 s"* ]]
	run -1 --separate-stderr on_kernel sgw-init apply --connect --wait 300ms --output json
	[ "$(jq -r '(.actions[] | .action), (.connected[] | .result)' <<<"$output" | xargs)" = 'await down' ]
}

@test "a session that lost its device is told with the command that looks for it" {
	rm -r "$disk"
	run -3 on_kernel sgw-init check
	[[ $output == *"session1 ($iqn)"*"down"*"it is logged in, but has no device"* ]]
	[[ $output == *"have the kernel look for it: iscsiadm -m session -r 1 --rescan"* ]]
	run -1 on_kernel sgw-init connect --wait 300ms
	[[ $output == *"session1 is up, but it has no device, and none came within 0.3 s: have the kernel look for it: iscsiadm -m session -r 1 --rescan"* ]]
	run -0 on_kernel sgw-init apply
	[[ $output == *"warning: session1 ($iqn): it is logged in, but has no device"* ]]
}

@test "a disk that error handling took offline is told with what brings it back" {
	local state
	for state in offline blocked transport-offline; do
		put "$disk" "state=$state"
		run -3 on_kernel sgw-init check
		[[ $output == *"sdgw1 ($iqn)"*"down"*"it is $state, not running"* ]]
		[[ $output == *"echo running >/sys/bus/scsi/devices/1:0:0:0/state"* ]]
		run -1 on_kernel sgw-init connect --wait 300ms
		[[ $output == *"session1 is up, but sdgw1 is $state after 0.3 s, not running: "*"echo running >/sys/bus/scsi/devices/1:0:0:0/state"* ]]
	done
}

@test "a target that is connected elsewhere by a session that is down is not connected" {
	local other=127.0.0.2:$PORT
	mkdir -p "${record%/*}/../${other/:/,},1"
	sed 's/^node.conn\[0\].address = .*/node.conn[0].address = 127.0.0.2/' "$record" \
		>"${record%/*}/../${other/:/,},1/default"
	run -0 on_kernel sgw-init connect "$other" --target "$iqn"
	lost FAILED
	run -1 on_kernel sgw-init connect "$other" --target "$iqn" --wait 300ms
	[[ $output == *"$iqn at $other: session1, by which this target is connected elsewhere, is down (FAILED)"*"connect once more after: sgw-init disconnect --target $iqn"* ]]
}

@test "a device without a node is told with the module that makes it" {
	local type word module
	rm -r "$disk/block"
	while read -r type word module; do
		put "$disk" "type=$type"
		run -1 on_kernel sgw-init connect --wait 300ms
		[[ $output == *"session1 is up, but the $word 1:0:0:0 has no node after 0.3 s: look at dmesg; is the module $module loaded?"* ]]
	done <<-'END'
		0 disk sd_mod
		1 tape st
		8 changer sg
	END
}
