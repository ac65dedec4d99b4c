#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The programs for Windows, under wine, and sgw-target for a big-endian machine, under qemu-user, each
# against native clients and targets: that they are built for another system must not show.
# shellcheck disable=SC2153,SC2154 # PORTAL is set by start_target, stderr by run --separate-stderr

load ../helpers
load ../wine/wine
load systems

IQN=iqn.1997-05.com.amazon
HOST=iqn.2026-01.com.example:host

setup_file() {
	if command -v wine >/dev/null; then
		wine_start "$BATS_FILE_TMPDIR"
	fi
}

teardown_file() {
	if [ -n "${WINEPREFIX:-}" ]; then
		wine_stop
	fi
}

init_windows() {
	timeout --foreground 60 wine "$BUILD/windows/sgw-init.exe" "$@"
}

# The secrets of mutual CHAP for myvolume, for sgw-target and for libiscsi's tools.
mutual_chap() {
	CHAP=$BATS_TEST_TMPDIR/chap.json
	(
		umask 077
		jq -n --arg target "$IQN:myvolume" --arg initiator "$HOST" \
			'{ChapCredentials: [{TargetARN: $target, InitiatorName: $initiator,
			SecretToAuthenticateInitiator: "initiatorsec1",
			SecretToAuthenticateTarget: "targetsecret1"}]}' >"$CHAP"
	)
	export LIBISCSI_CHAP_TARGET_USERNAME=$IQN:myvolume LIBISCSI_CHAP_TARGET_PASSWORD=targetsecret1
	URL="iscsi://$HOST%initiatorsec1"
}

check_discovery() { # SYSTEM
	need_system "$1"
	run_target_on "$1"
	start_target --targets 300 --volume other:5M
	run -0 --separate-stderr sgw-init discover "$PORTAL"
	[ "${#lines[@]}" -eq 302 ]
	[[ $output == *"$IQN:volume-300"* ]]
	run -0 --separate-stderr iscsi-ls "iscsi://$PORTAL"
	[ "${#lines[@]}" -eq 301 ]
	run -0 iscsi-readcapacity16 -s "iscsi://$PORTAL/$IQN:other/0"
	[ "$output" -eq $((5 << 20)) ]
}

check_chap() { # SYSTEM
	need_system "$1"
	run_target_on "$1"
	mutual_chap
	start_target --chap "$CHAP" --expect CHAP=mutual --transcript "$BATS_TEST_TMPDIR/transcript"
	run -0 --separate-stderr iscsi-inq -i "$HOST" "$URL@$PORTAL/$IQN:myvolume/0"
	[[ $output == *"Vendor:Amazon  "*"Product:Storage Gateway "* ]]
	run -10 iscsi-inq -i "$HOST" "iscsi://$HOST%wrongsecret12@$PORTAL/$IQN:myvolume/0"
	[[ $output == *"Authentication failure"* ]]
	LIBISCSI_CHAP_TARGET_PASSWORD=wrongsecret12 run -10 iscsi-inq -i "$HOST" \
		"$URL@$PORTAL/$IQN:myvolume/0"
	[[ $output == *"Invalid CHAP_R"* ]]
	stop_targets # which fails where it did not end well
	grep -q -F 'ended; logins: 1,' "$TARGET_LOG"
	jq -e -s 'any(.event == "login")' "$BATS_TEST_TMPDIR/transcript"
	run ! grep -E 'initiatorsec1|targetsecret1' "$BATS_TEST_TMPDIR/transcript" "$TARGET_LOG"
}

# disk VOLUME: that volume as QEMU names it, in $DISK.
disk() {
	DISK=driver=iscsi,transport=tcp,portal=$PORTAL,target=$IQN:$1,lun=0
	DISK+=,initiator-name=$HOST,header-digest=crc32c
}

check_disk() { # SYSTEM
	local secret=(--object 'secret,id=secret,data=initiatorsec1')

	need_system "$1"
	need qemu-img qemu-io
	run_target_on "$1"
	mutual_chap
	head -c $((1 << 20)) /dev/urandom >"$BATS_TEST_TMPDIR/in"
	start_target --chap "$CHAP" --volume "myvolume:1M:$BATS_TEST_TMPDIR/disk" \
		--expect CHAP=one-way --expect HeaderDigest=CRC32C
	disk myvolume
	DISK+=,user=$HOST,password-secret=secret
	timeout 60 qemu-img convert -n -f raw "${secret[@]}" --target-image-opts \
		"$BATS_TEST_TMPDIR/in" "$DISK"
	timeout 60 qemu-img convert "${secret[@]}" --image-opts -O raw "$DISK" "$BATS_TEST_TMPDIR/out"
	cmp "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/out"
	stop_targets
	cmp "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/disk"
}

# Beyond what 32 bits can tell. Wine maps no volume of 64 GiB.
check_large() { # SYSTEM
	need_system "$1"
	need qemu-io
	run_target_on "$1"
	start_target --volume large:6G
	disk large
	run -0 timeout 60 qemu-io --image-opts -c 'write -P 0xa5 5G 257k' -c 'flush' \
		-c 'read -P 0xa5 5G 257k' -c 'read -P 0 1G 257k' "$DISK"
	[[ $output != *failed* ]]
}

check_faults() { # SYSTEM
	need_system "$1"
	need socat
	run_target_on "$1"
	start_target --control 127.0.0.1:0 --transcript "$BATS_TEST_TMPDIR/transcript"
	find_control
	run -0 control 'on login nth=1: refuse 0x0301' 'on scsi.inquiry nth=1: stall 10m'
	[ "$output" = $'ok\nok' ]
	run -10 iscsi-inq "iscsi://$PORTAL/$IQN:myvolume/0"
	timeout 60 iscsi-inq "iscsi://$PORTAL/$IQN:myvolume/0" >"$BATS_TEST_TMPDIR/inq" 2>&1 3>&- &
	local pid=$!
	wait_for grep -q stall "$BATS_TEST_TMPDIR/transcript"
	[ "$(control status | jq -r '.sessions[0].negotiated.InitialR2T')" = No ]
	run -0 control 'freeze 10m' clear 'freeze 1ms'
	wait "$pid"
	grep -q 'Vendor:Amazon' "$BATS_TEST_TMPDIR/inq"
	run -0 control 'away 200ms'
	run ! iscsi-ls "iscsi://$PORTAL"
	wait_for iscsi-ls "iscsi://$PORTAL" 2>/dev/null # on the very same port
	run -0 control quit
	wait_target 0
}

@test "a sgw-target on Windows misbehaves on demand" {
	check_faults windows
	run -1 sgw-target --control /control
	[[ $output == *"a socket has no path on Windows; use 127.0.0.1:PORT instead"* ]]
}

@test "a sgw-target on a big-endian machine misbehaves on demand" {
	check_faults s390x
}

@test "discovery finds the targets of a sgw-target on Windows" {
	check_discovery windows
}

@test "discovery finds the targets of a sgw-target on a big-endian machine" {
	check_discovery s390x
}

@test "mutual CHAP logs in to a sgw-target on Windows, and wrong secrets do not" {
	check_chap windows
}

@test "mutual CHAP logs in to a sgw-target on a big-endian machine, and wrong secrets do not" {
	check_chap s390x
}

@test "a sgw-target on Windows gives back the megabyte that was written to it" {
	check_disk windows
}

@test "a sgw-target on a big-endian machine gives back the megabyte that was written to it" {
	check_disk s390x
}

@test "a volume of a sgw-target on Windows may be larger than 4 GiB" {
	check_large windows
}

@test "a volume of a sgw-target on a big-endian machine may be larger than 4 GiB" {
	check_large s390x
}

@test "a sgw-target on Windows that is away keeps its port, with a connection and without" {
	need wine socat jq
	run_target_on windows
	start_target --control 127.0.0.1:0
	find_control
	local round
	for round in without with; do
		echo "$round connections"
		run -0 control 'away 10m'
		[ "$(control status | jq -c '[.away, .lost]')" = '[true,{}]' ]
		run -1 socat -u /dev/null "TCP:$PORTAL"
		[[ $output == *"Connection refused"* ]]
		run -1 timeout 60 sgw-target --portal "$PORTAL"
		[[ $output == *"cannot listen on $PORTAL: "* ]]
		run -0 control clear
		[ "$(control status | jq .away)" = false ]
		exec 5<>"/dev/tcp/127.0.0.1/$PORT"
		run -0 iscsi-inq "iscsi://$PORTAL/$IQN:myvolume/0" # who connected before is accepted, too
	done
	exec 5>&-
}

@test "sgw-init on Windows proves mutual CHAP, with credentials that nobody else can read" {
	need wine
	mutual_chap
	start_target --chap "$CHAP"
	chmod 644 "$CHAP"
	run -1 init_windows probe "$PORTAL" --chap "$CHAP"
	[[ $output == *"$CHAP: holds secrets, but other users may get at them: run: icacls "* ]]
	chmod 600 "$CHAP"
	run -0 --separate-stderr init_windows probe "$PORTAL" --chap "$CHAP" --output json
	jq -e '.targets[0].chap | .host == "accepted" and .target == "accepted"' <<<"$output"
	[[ $stderr == *"Windows does not tell here which sessions are live"* ]]
}

@test "sgw-init on Windows discovers what it discovers here" {
	need wine
	start_target --gateway tape
	run -0 --separate-stderr sgw-init discover "$PORTAL"
	native=$output
	run -0 --separate-stderr init_windows discover "$PORTAL" "localhost:$PORT"
	[[ ${output//$'\r'/} == "$native"* ]]
	[ "${#lines[@]}" -eq 23 ]
	[[ $stderr == *"asking as iqn.2000-01.com.example:sgw-init-discover"* ]]
}

@test "sgw-init on Windows tells a portal that refuses from a name that is none" {
	need wine
	start_target
	stop_targets # its port is free now
	run -1 init_windows discover "$PORTAL" nowhere.invalid
	[[ $output == *"sgw-init: $PORTAL: cannot connect: connection refused"* ]]
	[[ $output == *"sgw-init: nowhere.invalid:3260: cannot look up host 'nowhere.invalid': "* ]]
}

@test "sgw-init on Windows shows and checks the profiles that it shows and checks here" {
	need wine
	for command in 'list' 'show tape' 'show volume --output json'; do
		read -r -a words <<<"$command"
		run -0 sgw-init profile "${words[@]}"
		native=$output
		run -0 --separate-stderr init_windows profile "${words[@]}"
		[ "${output//$'\r'/}" = "$native" ]
	done
	run -0 init_windows profile validate "$ROOT/tests/data/profiles/backup.xml"
	run -1 init_windows profile validate "$ROOT/README.md"
}

@test "sgw-init on Windows has no command that tunes open-iscsi" {
	need wine
	run -2 init_windows apply
	[[ $output == *"there is no command 'apply'"* ]]
	run -2 init_windows profile list --root /tmp
	[[ $output == *"--root is for the tree of a Linux host"* ]]
}
