#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The kernel's initiator against sgw-target, as tshark sees it: no PDU malformed, each digest good.

load ../../helpers

# count FILE: of a capture with one session in it, NAME=NUMBER by the line; fails where tshark does.
#
# A page of INQUIRY of which the initiator asked for the header alone is malformed to tshark.
count() {
	set -o pipefail
	tshark -r "$1" -d tcp.port==3260,iscsi -O iscsi 2>messages | awk '
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

# What is expected of the counts n, of the others and of what the case says. All are tried.
expectations() { # HEADER DATA IMMEDIATE R2T
	local any='-gt 0' none='-eq 0'
	cat <<-END
		logins -ge 2
		bad $none
		filled -gt 300
		data-in $any
		data-out $any
		r2t $any
		immediate $([ "$3" = Yes ] && echo "$any" || echo "$none")
		unasked $([ "$4" = No ] && echo "$any" || echo "$none")
		header-good -eq $([ "$1" = None ] && echo 0 || echo "${n[pdus]}")
		data-good -eq $([ "$2" = None ] && echo 0 || echo "${n[filled]}")
	END
}

# Judge a capture by its name; where it is not as expected, say of what is too much or too little, and
# what else tshark has to say of it.
judge() { # FILE HEADER-DATA-IMMEDIATE-R2T
	local -A n=()
	local case name comparison expected value failures=''
	IFS=- read -r -a case <<<"$2"
	count "$1" >counts || failures+='tshark failed; '
	while IFS='=' read -r name value; do
		n[$name]=$value
	done <counts
	while read -r name comparison expected; do
		test "${n[$name]:--1}" "$comparison" "${expected:--1}" ||
			failures+="$name ${n[$name]-unknown}, not $comparison $expected; "
	done < <(expectations "${case[@]}")
	echo "$2: $(xargs <counts)"
	[ -n "$failures" ] || return 0
	echo "$2: $failures"
	cat messages
	tshark -r "$1" -d tcp.port==3260,iscsi -q -z expert,note 2>&1
	return 1
}

@test "tshark finds every digest of the kernel's initiator and of sgw-target good" {
	local file name cases=0 status=0 verified=0 middle byte
	need tshark dumpcap
	cd "$BATS_TEST_TMPDIR"
	mkdir -p o/vm
	ln -s "$BUILD/sgw-init" "$BUILD/sgw-target" o
	O=$PWD/o VM_PROGRAMS=dumpcap "$ROOT/tests/vm/run" "$ROOT/tests/vm/digest/kernel.bats"
	for file in o/vm/log/wire/*.pcap; do
		name=$(basename "$file" .pcap)
		judge "$file" "$name" || status=1
		cases=$((cases + 1))
		[[ $name == *-None-* ]] || verified=$((verified + 1))
	done
	[ "$status" -eq 0 ]
	[ "$cases" -eq 7 ]
	[ "$verified" -eq 5 ]
	# One bit of the data turned over: tshark is no good judge unless it sees it.
	file=o/vm/log/wire/CRC32C-CRC32C-Yes-No.pcap
	middle=$(($(stat -c %s "$file") / 2))
	byte=$(od -An -tu1 -j "$middle" -N 1 "$file")
	# shellcheck disable=SC2059 # an octal escape
	printf "\\$(printf %o $((byte ^ 1)))" | dd of="$file" bs=1 seek="$middle" conv=notrunc status=none
	run judge "$file" CRC32C-CRC32C-Yes-No
	echo "one bit turned over: $output"
	[ "$status" -eq 1 ]
	[[ $output == *" bad=1 "*"bad 1, not -eq 0; data-good "* ]]
}
