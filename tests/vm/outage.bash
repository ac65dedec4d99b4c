# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# An outage under I/O, and what it costs by the settings. Every case has a gateway, a session, a disk
# and a writer of its own, so that all of them go through the same outage at the same time.

# A line of each case that was tried: the outage's seconds and kind, the case's name, its settings,
# what check said beforehand that it costs at the least and at the most, and, in seconds from the
# outage's beginning or - for never, when the session was found broken and when I/O failed.
OUTAGES=/var/log/outages

# The cases, an entry each.
kinds=() names=() replacements=() intervals=() timeouts=() disk_timeouts=() aborts=()
expected=() states=() devices=() sessions=() least=() most=() began=() broken=()
lateness=0 # of this machine, in milliseconds

# Lines of KIND NAME REPLACEMENT NOOP_INTERVAL NOOP_TIMEOUT DISK_TIMEOUT ABORT_TIMEOUT EXPECTED STATE;
# all timeouts are seconds. KIND: freeze, where connections stay open and nothing is answered, or away,
# where they are closed and none is accepted. EXPECTED of the I/O: error, or goes-on. STATE of a frozen
# session when the outage ends, if not before: broken, or unbroken; one that was closed is broken.
read_cases() {
	local row
	while read -r -a row; do
		kinds+=("${row[0]}") names+=("${row[1]}") replacements+=("${row[2]}")
		intervals+=("${row[3]}") timeouts+=("${row[4]}") disk_timeouts+=("${row[5]}")
		aborts+=("${row[6]}") expected+=("${row[7]}")
		[ "${row[0]}" = freeze ] || row[8]=broken
		states+=("${row[8]}")
	done
}

now() { # in milliseconds
	echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

seconds() { # MILLISECONDS, to the tenth
	printf '%d.%d' $(($1 / 1000)) $(($1 / 100 % 10))
}

# Let that time pass; a sleep would be another process.
pause() { # SECONDS
	read -r -t "$1" <>never || :
}

portal_of() { # CASE
	echo "127.0.0.1:$((3260 + $1))"
}

iqn_of() { # CASE
	echo "iqn.1997-05.com.amazon:${kinds[$1]}-${names[$1]}"
}

start_case() { # CASE
	start_daemon sgw-target --gateway volume --volume "${kinds[$1]}-${names[$1]}:16M" \
		--portal "$(portal_of "$1")" --ready-file "ready-$1" \
		--control "127.0.0.1:$((4260 + $1))"
}

log_in_case() { # CASE
	local iqn portal
	iqn=$(iqn_of "$1")
	portal=$(portal_of "$1")
	wait_for test -e "ready-$1"
	iscsiadm -m node -o new -T "$iqn" -p "$portal"
	iscsiadm -m node -o update -T "$iqn" -p "$portal" \
		-n node.session.timeo.replacement_timeout -v "${replacements[$1]}" \
		-n 'node.conn[0].timeo.noop_out_interval' -v "${intervals[$1]}" \
		-n 'node.conn[0].timeo.noop_out_timeout' -v "${timeouts[$1]}" \
		-n node.session.err_timeo.abort_timeout -v "${aborts[$1]}"
	iscsiadm -m node -T "$iqn" -p "$portal" --login
	devices[$1]=$(node_of "$iqn")
	echo "${disk_timeouts[$1]}" >"$(disk_of "$iqn")/timeout"
	sessions[$1]=$(session_of "$iqn")
}

# What check says that an outage of the case's kind will cost.
ask_budget() { # CASE
	local said key values=()
	said=$(sgw-init check "$(portal_of "$1")" --output json) || [ $? -eq 3 ]
	for key in least most away; do
		[[ $said =~ \"${key}_seconds\":\ ([0-9]+) ]] || fail "check tells no budget: $said"
		values+=("${BASH_REMATCH[1]}")
	done
	[ "${kinds[$1]}" = freeze ] || values=("${values[2]}" "${values[2]}")
	least[$1]=${values[0]} most[$1]=${values[1]}
}

# The N first blocks that are written to a disk, no two alike.
blocks() { # N
	local n
	for ((n = 0; n < $1; n++)); do
		printf '%04095d\n' "$n"
	done
}

# The same, two a second, until the file enough is there or nobody takes them.
blocks_in_time() {
	local n
	for ((n = 0; ; n++)); do
		[ ! -e enough ] || break
		printf '%04095d\n' "$n"
		pause 0.5
	done
}

# Write past the page cache until that fails or was enough.
write_disk() { # CASE
	local status=0
	blocks_in_time 2>/dev/null | dd of="${devices[$1]}" bs=4096 iflag=fullblock oflag=direct \
		conv=notrunc 2>"dd-$1" || status=$?
	echo "$(now) $status" >"ended-$1.new"
	mv "ended-$1.new" "ended-$1"
}

# The gateway's own fault, which begins when it answers.
begin_outage() { # CASE SECONDS
	local answer
	exec {control}<>"/dev/tcp/127.0.0.1/$((4260 + $1))"
	echo "${kinds[$1]} $2s" >&"$control"
	read -r answer <&"$control"
	began[$1]=$(now)
	exec {control}>&-
	[ "$answer" = ok ]
}

# Note when a session is found broken, for as long as the outage lasts, and how late this machine is in
# what it does all along.
watch_sessions() { # SECONDS
	local case state start turn late
	start=$(now)
	while [ $(($(now) - start)) -lt $(($1 * 1000)) ]; do
		turn=$(now)
		for case in "${!kinds[@]}"; do
			[ -z "${broken[case]-}" ] || continue
			read -r state <"${sessions[case]}/state"
			[ "$state" = LOGGED_IN ] || broken[case]=$(($(now) - began[case]))
		done
		pause 0.2
		late=$(($(now) - turn - 200))
		[ "$late" -le "$lateness" ] || lateness=$late
	done
}

all_go_on() {
	local case state
	for case in "${!kinds[@]}"; do
		read -r state <"${sessions[case]}/state"
		[ "$state" = LOGGED_IN ] || return 1
	done
}

writers_ended() {
	local case
	for case in "${!kinds[@]}"; do
		[ -e "ended-$case" ] || return 1
	done
}

# Whether the disk holds all that was written, before, during and after the outage.
holds_all() { # CASE
	local written
	written=$(sed -n 's/+0 records out$//p' "dd-$1")
	[ "$written" -gt 0 ] || return 1
	dd if="${devices[$1]}" bs=4096 count="$written" iflag=direct 2>/dev/null >found
	blocks "$written" | cmp - found
}

# How late a timer of the kernel's may be, in seconds: its wheel turns in the coarser steps the further
# off a timer is. At the guest's 250 Hz a step is 16.4 s from 129 s on, and 2 s from 16 s on.
timer_step() { # SECONDS
	if [ "$1" -ge 129 ]; then
		echo 17
	elif [ "$1" -ge 16 ]; then
		echo 3
	else
		echo 0
	fi
}

# An I/O error has to fall into the outage and into the budget, give or take two seconds, a late
# timer, and how late all was here; an outage that is shorter than the budget costs none.
judge_case() { # CASE SECONDS
	local at status late end=goes-on state=unbroken failed=- found=- why=''
	read -r at status <"ended-$1"
	at=$((at - began[$1]))
	late=$(((2 + $(timer_step "${replacements[$1]}")) * 1000 + lateness))
	if [ "$status" -ne 0 ]; then
		end=error failed=$(seconds "$at")
		[ "$at" -le $(($2 * 1000 + lateness)) ] || why+=' after the outage;'
		[ "$at" -ge $(((${least[$1]} - 2) * 1000)) ] || why+=' sooner than check said;'
		[ "$at" -le $((${most[$1]} * 1000 + late)) ] || why+=' later than check said;'
	else
		[ $((${most[$1]} * 1000 + late)) -gt $(($2 * 1000)) ] || why+=' check said that it would fail;'
		holds_all "$1" || why+=' the disk does not hold what was written;'
	fi
	[ "$end" = "${expected[$1]}" ] || why+=" ${expected[$1]} expected;"
	[ -z "${broken[$1]-}" ] || state=broken found=$(seconds "${broken[$1]}")
	[ "$state" = "${states[$1]}" ] || why+=" a session that is ${states[$1]} expected;"
	[ "$lateness" -le 5000 ] || why+=' all was too late here to tell;'
	set -- "$2" "${kinds[$1]}" "${names[$1]}" "${replacements[$1]}" "${intervals[$1]}" \
		"${timeouts[$1]}" "${disk_timeouts[$1]}" "${least[$1]}" "${most[$1]}" "$found" "$failed"
	echo "$*" >>"$OUTAGES"
	echo "$*: $end;$why all was up to $lateness ms late"
	[ -z "$why" ]
}

# Try the cases that were read, all at the same time.
outage() { # SECONDS
	local case status=0
	mkfifo never
	start_iscsid
	for case in "${!kinds[@]}"; do
		start_case "$case"
	done
	for case in "${!kinds[@]}"; do
		log_in_case "$case" >>log_in 2>&1
		ask_budget "$case"
	done
	for case in "${!kinds[@]}"; do
		write_disk "$case" &
	done
	for case in "${!kinds[@]}"; do
		begin_outage "$case" "$1"
	done
	watch_sessions "$1"
	WAIT=90 wait_for all_go_on # iscsid tries again in its own time
	touch enough
	WAIT=90 wait_for writers_ended
	for case in "${!kinds[@]}"; do
		judge_case "$case" "$1" || status=1
	done
	return "$status"
}
