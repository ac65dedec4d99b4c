# SPDX-License-Identifier: MIT
# Disks of sgw-target under clients that are not ours: QEMU, libiscsi's test suite; tshark looks on.
# shellcheck disable=SC2153 # PORTAL and PORT are set by start_target

load helpers

IQN=iqn.1997-05.com.amazon
HOST=iqn.2026-01.com.example:host

# disk [OPTION...]: a volume as QEMU names it, header digests and all, in $DISK.
disk() {
	local option

	DISK=driver=iscsi,transport=tcp,portal=$PORTAL,target=$IQN:myvolume,lun=0
	DISK+=,initiator-name=$HOST
	for option; do
		DISK+=,$option
	done
}

# random_file NAME SIZE
random_file() {
	head -c "$2" /dev/urandom >"$BATS_TEST_TMPDIR/$1"
}

# in_and_out FILE SIZE: copy it to the disk and back, and compare it with what the disk then holds.
in_and_out() {
	qemu-img convert "${CALM[@]}" "${SECRET[@]}" -n -f raw --target-image-opts "$1" "$DISK"
	qemu-img convert "${CALM[@]}" "${SECRET[@]}" --image-opts -O raw "$DISK" \
		"$BATS_TEST_TMPDIR/out"
	cmp -n "$2" "$1" "$BATS_TEST_TMPDIR/out"
}
SECRET=() # options by which QEMU knows the CHAP secret
CALM=() # and those that keep it from writing at full speed

chap_file() {
	(
		umask 077
		jq -n --arg target "$IQN:myvolume" --arg initiator "$HOST" '{ChapCredentials: [{
			TargetARN: $target, InitiatorName: $initiator,
			SecretToAuthenticateInitiator: "initiatorsec1"}]}' >"$1"
	)
}

# start_way DIGEST CHAP VOLUME: a target that holds the initiator to header digests (CRC32C, None) and
# to CHAP (one-way, none); $DISK and $SECRET are what QEMU needs for it.
start_way() {
	local options=(--volume "$3" --expect "HeaderDigest=$1" --expect "CHAP=$2")
	local words=("header-digest=${1,,}")

	SECRET=()
	if [ "$2" = one-way ]; then
		chap_file "$BATS_TEST_TMPDIR/chap.json"
		options+=(--chap "$BATS_TEST_TMPDIR/chap.json")
		words+=("user=$HOST" password-secret=secret)
		SECRET=(--object "secret,id=secret,data=initiatorsec1")
	fi
	start_target "${options[@]}"
	disk "${words[@]}"
}

# each_way VOLUME COMMAND...: with header digests and CHAP, and without.
each_way() {
	local volume=$1 digest chap
	shift
	for digest in None CRC32C; do
		for chap in none one-way; do
			echo "HeaderDigest=$digest CHAP=$chap"
			start_way "$digest" "$chap" "$volume"
			"$@"
			end_target 0
		done
	done
}

setup() {
	need qemu-img qemu-io jq
}

@test "a quarter of a gigabyte copied in comes out again, to the byte" {
	random_file in 256M
	each_way myvolume:256M in_and_out "$BATS_TEST_TMPDIR/in" 268435456
	[ "$(stat -c %s "$BATS_TEST_TMPDIR/out")" -eq 268435456 ]
}

patterns() {
	qemu-io "${SECRET[@]}" --image-opts "$DISK" -c 'write -P 0x5a 4097 12345' \
		-c 'write -P 0xa5 1048575 3' -c 'write -P 0x3c 16777215 1' -c 'write -P 0x11 511 1' \
		-c 'flush'
	run -0 qemu-io "${SECRET[@]}" --image-opts "$DISK" -c 'read -P 0x5a 4097 12345' \
		-c 'read -P 0 0 511' -c 'read -P 0x11 511 1' -c 'read -P 0 512 3585' \
		-c 'read -P 0xa5 1048575 3' -c 'read -P 0 16442 1032133' \
		-c 'read -P 0x3c 16777215 1' -c 'read -P 0 1048578 15728637'
	[[ $output != *"verification failed"* ]]
}

@test "patterns at odd offsets lie where they were written, and nowhere else" {
	each_way myvolume:16M patterns
}

@test "many writes at once end where they belong" {
	start_target --volume myvolume:64M
	disk
	run -0 qemu-io --image-opts "$DISK" \
		-c 'aio_write -P 1 0 8M' -c 'aio_write -P 2 8M 8M' -c 'aio_write -P 3 16M 8M' \
		-c 'aio_write -P 4 24M 65536' -c 'aio_write -P 5 24641536 512' -c 'aio_flush' \
		-c 'aio_read -P 1 0 8M' -c 'aio_read -P 2 8M 8M' -c 'aio_read -P 3 16M 8M' \
		-c 'aio_flush'
	[[ $output != *"verification failed"* ]]
}

file_system() {
	in_and_out "$BATS_TEST_TMPDIR/fs" 33554432
	e2fsck -fn "$BATS_TEST_TMPDIR/out"
	cmp "$BATS_TEST_TMPDIR/fs" "$BATS_TEST_TMPDIR/disk"
	dd if=/dev/zero of="$BATS_TEST_TMPDIR/disk" bs=1M count=32 conv=notrunc status=none
}

@test "a file system copied in and out is sound and the same" {
	need mke2fs e2fsck
	truncate -s 32M "$BATS_TEST_TMPDIR/fs"
	mke2fs -q -t ext4 -d "$ROOT/cli" "$BATS_TEST_TMPDIR/fs"
	each_way "myvolume:32M:$BATS_TEST_TMPDIR/disk" file_system
}

@test "a volume in a file is there again after a restart" {
	start_target --volume "myvolume:1M:$BATS_TEST_TMPDIR/disk"
	disk
	qemu-io --image-opts "$DISK" -c 'write -P 7 1000 1000' -c flush
	end_target 0
	start_target --volume "myvolume::$BATS_TEST_TMPDIR/disk"
	disk
	run -0 qemu-io --image-opts "$DISK" -c 'read -P 7 1000 1000' -c 'read -P 0 2000 1046576'
	[[ $output != *"verification failed"* ]]
	[ "$(stat -c %s "$BATS_TEST_TMPDIR/disk")" -eq 1048576 ]
}

@test "a file that two would write, or that is none, is refused" {
	start_target --volume "myvolume:1M:$BATS_TEST_TMPDIR/disk"
	run -1 sgw-target --volume "other::$BATS_TEST_TMPDIR/disk"
	[[ $output == *"$BATS_TEST_TMPDIR/disk: another process has it"* ]]
	run -1 sgw-target --volume "other::$BATS_TEST_TMPDIR/none"
	[[ $output == *"$BATS_TEST_TMPDIR/none: cannot be opened"* ]]
	run -1 sgw-target --volume "other:1M:$BATS_TEST_TMPDIR"
	printf odd >"$BATS_TEST_TMPDIR/odd"
	run -1 sgw-target --volume "other::$BATS_TEST_TMPDIR/odd"
	[[ $output == *"no whole number"* ]]
}

@test "a tera of zeroes costs no memory" {
	start_target --volume myvolume:1T
	disk
	qemu-io --image-opts "$DISK" -c 'write -P 9 1099511627264 512' -c 'read -P 0 512G 4M'
	# shellcheck disable=SC2016 # it is awk that expands it
	run -0 awk '/^VmRSS/ { print $2 }' "/proc/$TARGET_PID/status"
	[ "$output" -lt 100000 ]
}

@test "tshark sees every PDU of a quarter of a gigabyte whole, and every header digest good" {
	need tshark dumpcap
	[ "$(id -u)" -eq 0 ] || skip "only root can capture"
	random_file in 256M
	start_way CRC32C one-way myvolume:256M
	local capture=$BATS_TEST_TMPDIR/capture size=0 tries

	# Its buffer holds all that comes: a packet that is lost here looks like one lost on the wire.
	dumpcap -q -i lo -s 0 -B 640 -f "tcp port $PORT" -w "$capture" 2>"$capture.log" 3>&- &
	for ((tries = 0; tries < 250; tries++)); do
		[ -s "$capture" ] && break
		sleep 0.02
	done
	CALM=(-r 128M)
	in_and_out "$BATS_TEST_TMPDIR/in" 268435456
	# Until it has all of it: what comes is written in batches.
	for ((tries = 0; tries < 150; tries++)); do
		sleep 0.2
		[ "$(stat -c %s "$capture")" -eq "$size" ] && [ "$size" -gt 536870912 ] && break
		size=$(stat -c %s "$capture")
	done
	kill -INT %%
	wait %% || :
	cat "$capture.log"
	grep -q 'received/dropped on interface .*: [0-9]*/0 ' "$capture.log"
	# Two processors may give it segments in another order than they were sent in.
	tshark -r "$capture" -d "tcp.port==$PORT,iscsi" -O iscsi -o tcp.reassemble_out_of_order:TRUE \
		>"$capture.text" 2>/dev/null
	local pdus logins good
	pdus=$(grep -c ' = Opcode: ' "$capture.text")
	logins=$(grep -c ' = Opcode: Login ' "$capture.text")
	good=$(grep -c 'HeaderDigest: 0x.* (Good' "$capture.text")
	echo "$pdus PDUs, $logins of logins, $good digests good"
	[ "$logins" -ge 2 ]
	[ "$pdus" -gt 1000 ]
	[ "$good" -eq $((pdus - logins)) ]
	run ! grep -E 'Digest: .*Bad|Malformed Packet: iSCSI|Unknown opcode' "$capture.text"
	end_target 0
}

# suite FAMILY...: each test of these families of iscsi-test-cu in a process of its own, a fresh
# target a family. Tells each that failed; what was printed before "Test:" is no matter of the test's.
suite() {
	local family name out failed=0 ran status

	need iscsi-test-cu
	for family; do
		start_target --volume myvolume:100M
		ran=0
		for name in $(iscsi-test-cu --list 2>/dev/null |
			grep -oE "i?SCSI\.$family\.[A-Za-z0-9]+" | sort -u); do
			status=0
			out=$(timeout 30 iscsi-test-cu --dataloss -V --test="$name" \
				"iscsi://$PORTAL/$IQN:myvolume/0" 2>&1) || status=$?
			ran=$((ran + 1))
			out=${out#*Test:}
			[[ $status -eq 0 && $out =~ tests\ +1\ +1\ +1\ +0 &&
				$out =~ asserts\ +([0-9]+)\ +([0-9]+)\ +([0-9]+)\ +0 ]] && continue
			failed=$((failed + 1))
			echo "$name failed (status $status):"
			tail -n 30 <<<"$out"
		done
		[ "$ran" -gt 0 ] || { echo "$family has no test"; return 1; }
		end_target 0
	done
	[ "$failed" -eq 0 ]
}

@test "libiscsi's tests of reading pass" {
	suite Read6 Read10 Read12 Read16 ReadCapacity10 ReadCapacity16 ReadDefectData10 \
		ReadDefectData12 ReadOnly
}

@test "libiscsi's tests of writing and verifying pass" {
	suite Write10 Write12 Write16 WriteAtomic16 WriteSame10 WriteSame16 WriteVerify10 \
		WriteVerify12 WriteVerify16 Verify10 Verify12 Verify16
}

@test "libiscsi's tests of what a disk tells of itself pass" {
	suite Inquiry TestUnitReady ModeSense6 Mandatory ReportSupportedOpcodes StartStopUnit
}

@test "libiscsi's tests of residuals, CmdSN and DataSN pass" {
	suite iSCSIResiduals iSCSIcmdsn iSCSIdatasn
}
