#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# sgw-init killed where it hurts, with a session up: in the midst of an apply under a disk that is
# written to, and between the logout and the login of --relogin. sgw-init-crash (tests/crash) ends
# itself by SIGKILL before the call that FAULT_PLACE names.

# shellcheck disable=SC2154 # guest.bash has the names of the volume, its gateway and its values
load guest

journal=/var/lib/sgw-init/journal

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	start_iscsid
	start_gateway --volume myvolume:8M
	iscsiadm -m discovery -t st -p "$portal"
	log_in "$iqn"
}

# What writes to the disk meanwhile; it ends at the file "enough", or at an error, which it tells.
write_on() { # DISK
	until [ -e enough ]; do
		dd if=/dev/zero of="$1" bs=64k count=8 oflag=direct 2>>dd.log || {
			touch io-error
			return 1
		}
		echo >>writes
		sleep 0.1 # the guest has one processor, and sgw-init is to come to its turn
	done
}

more_writes_than() { # COUNT
	[ "$(wc -l <writes)" -gt "$1" ]
}

# Where apply is killed, and what undo --list then says of it: before its intent, between renames,
# before its done mark, between live values.
places=(
	'mkdir */journal/.new-*:nothing was applied here'
	'rename */60-sgw-init.rules:half applied'
	'rename */default:half applied'
	'open */done:half applied'
	'write */timeout: applied'
)

@test "apply killed at any step under a disk that is written to costs no I/O, and the next makes good" {
	local disk writer place before
	disk=$(node_of "$iqn")
	write_on "$disk" &
	writer=$!
	wait_for test -s writes
	dmesg -c >old-messages
	for place in "${places[@]}"; do
		rm -rf "$journal"
		run -137 env FAULT_ROOT= FAULT_AT=1 FAULT_PLACE="${place%:*}" sgw-init-crash apply
		run -0 sgw-init undo --list
		[[ $output == *"${place##*:}"* ]]
		[[ $place == *half* || $output != *half* ]]
		before=$(wc -l <writes)

		sgw-init apply >after 2>&1 || { cat after; return 1; }
		[[ $place != *half* || $(<after) == *"which was interrupted, was rolled back"* ]]
		[ "$(cat "$(session_of "$iqn")/recovery_tmo")" = 600 ]
		[ "$(timeout_of "$iqn")" = 600 ]
		run -3 sgw-init check # the session still has its NOPs from the login
		[[ $output != *"half done"* ]]
		sgw-init undo
		# udevd may have set the disk's timeout by the rule before the next apply looked.
		[[ $place != write* ]] || sgw-init undo || :
		cmp /etc/iscsi/iscsid.conf "$STOCK_ISCSID_CONF"
		[ "$(cat "$(session_of "$iqn")/recovery_tmo")" = 120 ]
		wait_for more_writes_than "$before"
	done
	touch enough
	wait "$writer"
	[ ! -e io-error ]
	[[ $(dmesg) != *"I/O error"* ]]
}

# An iscsiadm that waits after a logout until it may go on.
stand_in() {
	mkdir bin
	cat >bin/iscsiadm <<-END
		#!/bin/bash
		/usr/bin/iscsiadm "\$@"
		status=\$?
		case \$* in
		*--logout*)
			touch $PWD/logged-out
			until [ -e $PWD/go-on ]; do sleep 0.05; done ;;
		esac
		exit \$status
	END
	chmod 755 bin/iscsiadm
}

# apply --relogin, stopped by a signal to it and all that it started, once the session is gone.
stopped=
stop_relogin() { # SIGNAL
	local pid
	sgw-init apply
	stand_in
	set -m # a process group of its own, which an interrupt reaches
	PATH=$PWD/bin:$PATH sgw-init apply --relogin >relogin.log 2>&1 &
	pid=$!
	set +m
	wait_for test -e logged-out
	run ! session_of "$iqn"
	kill "-$1" -- "-$pid"
	[ "$1" = KILL ] || touch go-on
	stopped=0
	wait "$pid" || stopped=$?
	touch go-on
}

owes() {
	compgen -G "$journal/login-*" >/dev/null
}

@test "apply --relogin killed between logout and login is told by check, and the next apply logs in" {
	stop_relogin KILL
	[ "$stopped" = 137 ]
	owes
	[ "$(stat -c %a "$journal"/login-*)" = 600 ]
	run -0 sgw-init undo --list
	[ "${#lines[@]}" = 2 ] # a heading and the apply before
	run -3 sgw-init check
	[[ $output == *"half done"*"apply --relogin logged out of $iqn at $portal and was cut off: log in with: sgw-init apply"* ]]
	run -3 sgw-init apply --dry-run
	[[ $output == *"$iqn at $portal: "*"it would be logged in again"* ]]
	run ! session_of "$iqn"

	run -0 --separate-stderr sgw-init apply --output json
	[[ $stderr == *"$iqn at $portal: apply --relogin logged out of it and was cut off: logged in again"* ]]
	[[ $output == *'"resumed"'*"\"target\": \"$iqn\""*'"result": "connected"'* ]]
	expect_session "$iqn" "${tuned[@]}"
	run ! owes
	sgw-init check
	run -0 sgw-init apply
	[ "${lines[0]}" = "nothing to change" ]
}

@test "an interrupt between the logout and the login of --relogin waits until it is logged in again" {
	stop_relogin INT
	[ "$stopped" = 130 ]
	expect_session "$iqn" "${tuned[@]}"
	run ! owes
	settle # the interrupt ended the wait for the device as well
	sgw-init check
}

@test "a login that is owed and fails is told each time, and does not keep apply from the rest" {
	stop_relogin KILL
	stop_gateway
	rm /etc/udev/rules.d/60-sgw-init.rules
	run -1 sgw-init apply
	[[ $output == *"it is still logged out"*"refuses connections"* ]]
	[ -e /etc/udev/rules.d/60-sgw-init.rules ]
	run -3 sgw-init check
	[[ $output == *"log in with: sgw-init apply"* ]]
	start_gateway --volume myvolume:8M
	run -0 sgw-init apply
	[[ $output == *"logged in again"* ]]
	sgw-init check
}

@test "what came back by itself, by connect, or shall not come back, is owed no longer" {
	stop_relogin KILL
	sed 's/"time":[0-9]*/"time":1/' "$journal"/login-* >owed
	basename "$journal"/login-* >owed-name
	log_in "$iqn"
	run -0 sgw-init check
	sgw-init apply
	owes # its logout might be under way
	owe
	run -0 sgw-init check
	run -0 sgw-init apply
	[ "${lines[0]}" = "nothing to change" ]
	run ! owes

	iscsiadm -m node -T "$iqn" -p "$portal" -u
	owe
	run -3 sgw-init check
	sgw-init connect
	run ! owes
	sgw-init check

	iscsiadm -m node -T "$iqn" -p "$portal" -u
	owe
	run -0 sgw-init disconnect --target "$iqn"
	[[ $output == *"it stays logged out"* ]]
	run ! owes
	sgw-init check

	owe
	iscsiadm -m node -T "$iqn" -p "$portal" -o delete
	run -0 sgw-init apply
	[[ $output == *"its record is gone, so it stays logged out"* ]]
	run ! owes
}

# Again what the killed run left behind, and long ago.
owe() {
	cp owed "$journal/$(cat owed-name)"
}

@test "undo after a --relogin that was killed takes the apply back, and logs in again" {
	stop_relogin KILL
	run -3 sgw-init undo --dry-run
	[[ $output == *"it would be logged in again"* ]]
	run ! session_of "$iqn"
	run -0 sgw-init undo
	[[ $output == *"logged in again"* ]]
	expect_session "$iqn" recovery_tmo=120 recv_tmo=5 ping_tmo=5
	grep -x 'node.session.timeo.replacement_timeout = 120' "$record"
	run ! owes
}
