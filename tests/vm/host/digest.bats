#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The kernel's initiator against sgw-target, as tshark sees it: no PDU malformed, each digest good.

load ../../helpers

# count FILE: of a capture with one session in it, NAME=NUMBER by the line.
#
# A page of INQUIRY of which the initiator asked for the header alone is malformed to tshark.
count() {
	tshark -r "$1" -d tcp.port==3260,iscsi -O iscsi 2>/dev/null | awk '
		function end_pdu() {
			if (opcode == "")
				return
			login = opcode ~ /^Login/
			n["logins"] += login
			n["pdus"] += !login
			n["filled"] += !login && length_of_data > 0
			n["data-in"] += opcode ~ /^SCSI Data In/
			n["data-out"] += opcode ~ /^SCSI Data Out/
			n["r2t"] += opcode ~ /^Ready To Transfer/
			n["immediate"] += opcode ~ /^SCSI Command/ && length_of_data > 0
			n["unasked"] += opcode ~ /^SCSI Data Out/ && tag == "0xffffffff"
			opcode = ""
		}
		/ = Opcode: / {
			end_pdu()
			opcode = $0
			sub(/.* = Opcode: /, "", opcode)
			length_of_data = 0
			tag = ""
		}
		/^ +DataSegmentLength: / { length_of_data = $2 }
		/^ +TargetTransferTag: / { tag = $2 }
		/^ +HeaderDigest: 0x/ { n["header-good"] += /\(Good/; n["bad"] += !/\(Good/ }
		/^ +DataDigest: 0x/ { n["data-good"] += /\(Good/; n["bad"] += !/\(Good/ }
		/Unknown opcode/ { n["bad"]++ }
		/^\[Malformed Packet/ { n["bad"] += !/: SCSI\]/ || length_of_data > 4 }
		END {
			end_pdu()
			split("logins pdus filled data-in data-out r2t immediate unasked bad " \
				"header-good data-good", names)
			for (i = 1; i in names; i++)
				print names[i] "=" n[names[i]] + 0
		}'
}

# Whether there were any, as the case has it.
any() { # NAME Yes|No
	if [ "$2" = Yes ]; then
		[ "${n[$1]}" -gt 0 ] || { echo "no $1"; return 1; }
	else
		[ "${n[$1]}" -eq 0 ] || { echo "${n[$1]} $1"; return 1; }
	fi
}

judge() { # FILE HEADER DATA IMMEDIATE R2T
	local -A n=()
	local name value unasked=Yes
	while IFS='=' read -r name value; do
		n[$name]=$value
	done < <(count "$1")
	for name in "${!n[@]}"; do
		printf '%s=%s ' "$name" "${n[$name]}"
	done
	echo
	[ "$5" = No ] || unasked=No
	[ "${n[logins]}" -ge 2 ] && [ "${n[bad]}" -eq 0 ] && [ "${n[filled]}" -gt 300 ] &&
		any data-in Yes && any data-out Yes && any r2t Yes &&
		any immediate "$4" && any unasked "$unasked" || return
	[ "${n[header-good]}" -eq "$([ "$2" = None ] && echo 0 || echo "${n[pdus]}")" ] || return
	[ "${n[data-good]}" -eq "$([ "$3" = None ] && echo 0 || echo "${n[filled]}")" ]
}

@test "tshark finds every digest of the kernel's initiator and of sgw-target good" {
	local file name header data immediate r2t cases=0 verified=0 middle byte
	need tshark dumpcap
	cd "$BATS_TEST_TMPDIR"
	mkdir -p o/vm
	ln -s "$BUILD/sgw-init" "$BUILD/sgw-target" o
	O=$PWD/o VM_PROGRAMS=dumpcap "$ROOT/tests/vm/run" "$ROOT/tests/vm/digest/kernel.bats"
	for file in o/vm/log/wire/*.pcap; do
		name=$(basename "$file" .pcap)
		IFS=- read -r header data immediate r2t <<<"$name"
		echo "case: $name"
		judge "$file" "$header" "$data" "$immediate" "$r2t"
		cases=$((cases + 1))
		[ "$data" = None ] || verified=$((verified + 1))
	done
	[ "$cases" -eq 7 ]
	[ "$verified" -eq 5 ]
	# One bit of the data turned over: tshark is no good judge unless it sees it.
	file=o/vm/log/wire/CRC32C-CRC32C-Yes-No.pcap
	middle=$(($(stat -c %s "$file") / 2))
	byte=$(od -An -tu1 -j "$middle" -N 1 "$file")
	# shellcheck disable=SC2059 # an octal escape
	printf "\\$(printf %o $((byte ^ 1)))" | dd of="$file" bs=1 seek="$middle" conv=notrunc status=none
	run ! judge "$file" CRC32C CRC32C Yes No
	[[ $output == *" bad=1 "* ]]
}
