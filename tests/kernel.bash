# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# A host whose kernel, iscsid and iscsiadm are pretended: sessions and devices are files below
# $HOST/sys, which a stand-in for iscsiadm makes and removes. For what a real kernel cannot be
# brought to do at will, and for what is to run with sanitizers; the real one is tests/vm's.

# pretend_kernel: the stand-ins; $HOST is a stock_root. A login takes its values from the record. Of
# a target that stands in $HOST/refused it fails, and a logout of one in $HOST/stuck. Of one in $HOST/odd
# the session pings every 5 s whatever its record says, of one in $HOST/late its disk has the kernel's
# own timeout, and of one in $HOST/bare there is no device. At the logout of one in $HOST/killed
# iscsiadm is killed, and iscsid goes on with it. One in $HOST/taken iscsid is logging in for
# somebody else, and through with it when it is asked twice. Names tell drives and changers from volumes.
pretend_kernel() {
	local bin=$BATS_TEST_TMPDIR/bin
	mkdir -p "$bin" "$HOST"/sys/class/iscsi_{session,connection} "$HOST"/run/lock "$HOST"/var/lib
	touch "$HOST"/{refused,stuck,odd,late,bare,killed,taken}
	echo 0 >"$HOST/sessions"
	printf '#!/bin/sh\n' >"$bin/udevadm"
	cat >"$bin/iscsiadm" <<-'END'
		#!/bin/bash
		. "$ROOT/tests/kernel.bash"
		while [ $# -gt 0 ]; do
			case $1 in
			-T) target=$2 ;;
			-p) portal=${2%,*} record=/etc/iscsi/nodes/$target/${2//:/,} ;;
			-I) interface=$2 ;;
			--log*) action=$1 ;;
			esac
			shift
		done
		session=$(session_of "$target" "$portal" "$interface")
		case $action$session in
		--logout) exit 21 ;;
		--logout*)
			! grep -qx "$target" "$HOST/stuck" || exit 10
			remove_session "$session"
			! grep -qx "$target" "$HOST/killed" || kill -KILL $$ ;;
		--loginsession*) exit 15 ;;
		--login)
			! grep -qx "$target" "$HOST/refused" || exit 24
			if grep -qx "$target" "$HOST/taken"; then
				echo "asked for $target" >>"$HOST/taken"
				[ "$(grep -c " $target$" "$HOST/taken")" -eq 1 ] ||
					add_session "$target" "$portal" "$interface" "$record/$interface"
				exit 15
			fi
			add_session "$target" "$portal" "$interface" "$record/$interface" ;;
		esac
	END
	chmod +x "$bin"/*
}

value_of() { # RECORD KEY
	sed -n "s/^$2 = //p" "$1"
}

# add_session TARGET PORTAL INTERFACE RECORD [ATTRIBUTE=VALUE]...: as the kernel shows it.
add_session() {
	local n session connection lun node
	n=$(($(<"$HOST/sessions") + 1))
	echo "$n" >"$HOST/sessions"
	session=$HOST/sys/class/iscsi_session/session$n
	connection=$HOST/sys/class/iscsi_connection/connection$n:0
	lun=$session/device/target$n:0:0/$n:0:0:0
	mkdir -p "${lun%/*}" "$connection"
	put "$session" "targetname=$1" state=LOGGED_IN "ifacename=$3" first_burst_len=262144 \
		max_burst_len=16776192 \
		"recovery_tmo=$(value_of "$4" node.session.timeo.replacement_timeout)"
	put "$connection" "persistent_address=${2%:*}" "persistent_port=${2##*:}" \
		max_recv_dlength=262144 \
		"recv_tmo=$(value_of "$4" 'node.conn\[0\].timeo.noop_out_interval')" \
		"ping_tmo=$(value_of "$4" 'node.conn\[0\].timeo.noop_out_timeout')"
	! grep -qx "$1" "$HOST/odd" || put "$connection" recv_tmo=5
	put "$connection" "${@:5}"
	if grep -qx "$1" "$HOST/bare"; then
		return
	fi
	mkdir "$lun"
	put "$lun" type=0 state=running timeout=600
	! grep -qx "$1" "$HOST/late" || put "$lun" timeout=30
	case $1 in
	*-tapedrive-*)
		put "$lun" type=1
		for node in "st$n" "nst$n"; do
			mkdir -p "$lun/scsi_tape/$node"
			put "$lun/scsi_tape/$node" dev=5:2 # /dev/ptmx, which anybody may have open
		done ;;
	*-mediachanger)
		put "$lun" type=8
		mkdir -p "$lun/scsi_generic/sg9$n"
		put "$lun/scsi_generic/sg9$n" "dev=4000:$n" ;;
	*)
		mkdir -p "$lun/block/sdgw$n"
		put "$lun/block/sdgw$n" "dev=4000:$n" size=2048 ;;
	esac
}

put() { # DIRECTORY ATTRIBUTE=VALUE...
	local pair
	for pair in "${@:2}"; do
		echo "${pair#*=}" >"$1/${pair%%=*}"
	done
}

remove_session() { # SESSION
	rm -r "$HOST/sys/class/iscsi_session/$1" "$HOST/sys/class/iscsi_connection/connection${1#session}:0"
}

# The name of the target's session, of that portal and interface where they are given; empty: none.
session_of() { # TARGET [PORTAL [INTERFACE]]
	local session connection
	for session in "$HOST"/sys/class/iscsi_session/*; do
		[ -e "$session" ] || continue
		connection=$HOST/sys/class/iscsi_connection/connection${session##*/session}:0
		[ "$(<"$session/targetname")" = "$1" ] || continue
		[ -z "${2-}" ] ||
			[ "$(<"$connection/persistent_address"):$(<"$connection/persistent_port")" = "$2" ] ||
			continue
		[ -z "${3-}" ] || [ "$(<"$session/ifacename")" = "$3" ] || continue
		echo "${session##*/}"
		return
	done
}

# What listens as udevd does. An address is too short for a long path.
start_udevd() {
	mkdir -p "$HOST/run/udev"
	cd "$HOST/run/udev" || return
	socat UNIX-LISTEN:control,type=5,backlog=0,fork /dev/null 3>&- &
	UDEVD_PID=$!
	cd "$OLDPWD" || return
	wait_for test -S "$HOST/run/udev/control"
}

# Its socket stays. It is no failure where none was started.
kill_udevd() {
	[ -n "${UDEVD_PID:-}" ] || return 0
	kill -KILL "$UDEVD_PID"
	wait "$UDEVD_PID" || :
	UDEVD_PID=
	[ -S "$HOST/run/udev/control" ]
}

# on_kernel COMMAND...: there. Processes, mounts and network are its own; iscsid listens, and so do
# the portals of this host, $PORT at any of its addresses.
on_kernel() {
	export HOST
	# shellcheck disable=SC2016 # for the inner shell
	unshare -rmnpf --mount-proc bash -c '
		for dir in etc sys run var/lib; do
			mount --bind "$HOST/$dir" "/$dir" || exit 99
		done
		ip link set lo up || exit 99
		wait_for() { until grep -q "$1" "$2"; do kill -0 $! || exit 99; done; }
		socat ABSTRACT-LISTEN:ISCSIADM_ABSTRACT_NAMESPACE,fork /dev/null 3>&- &
		wait_for ISCSIADM_ABSTRACT_NAMESPACE /proc/net/unix
		socat "TCP-LISTEN:$PORT,fork" /dev/null 3>&- &
		wait_for "00000000:$(printf %04X "$PORT") 00000000:0000 0A" /proc/net/tcp
		PATH=$BATS_TEST_TMPDIR/bin:$PATH "$@"
		status=$?
		jobs -p | xargs -r kill
		exit $status' bash "$@"
}
