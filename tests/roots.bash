# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Scratch system trees for --root, made from the distribution's own files.

# stock_root DIR: a Debian 12 host with open-iscsi just installed. What its packages would generate
# is written here; iscsid.conf is the package's own, unpacked by make deps.
stock_root() {
	local dir=$1 conf=$ROOT/build/deps/root/etc/iscsi/iscsid.conf

	if [ ! -r "$conf" ]; then
		echo "the distribution's iscsid.conf is missing: run: make deps" >&2
		return 1
	fi
	mkdir -p "$dir"/etc/iscsi/{nodes,send_targets} "$dir"/etc/udev/rules.d \
		"$dir"/run/lock/iscsi "$dir"/var/lib
	chmod 0700 "$dir"/etc/iscsi/{nodes,send_targets}
	cp "$conf" "$dir/etc/iscsi/iscsid.conf"
	chmod 0644 "$dir/etc/iscsi/iscsid.conf"
	echo "InitiatorName=${INITIATOR:=iqn.1993-08.org.debian:01:5a3e8f1c2b4d}" \
		>"$dir/etc/iscsi/initiatorname.iscsi"
	chmod 0600 "$dir/etc/iscsi/initiatorname.iscsi"
	printf 'ID=debian\nVERSION_ID="12"\n' >"$dir/etc/os-release"
}

# stock_host: one of them as $HOST, with its $CONF and our $RULE
# shellcheck disable=SC2034 # for the tests
stock_host() {
	HOST=$BATS_TEST_TMPDIR/host
	CONF=$HOST/etc/iscsi/iscsid.conf
	RULE=$HOST/etc/udev/rules.d/60-sgw-init.rules
	stock_root "$HOST"
}

# value_of FILE KEY: as open-iscsi has it there; dots and brackets of the key are a pattern's
value_of() {
	sed -n "s/^$2 = //p" "$1"
}

# What most tests do to $HOST.
apply() {
	sgw-init apply --root "$HOST" "$@"
}

undo() {
	sgw-init undo --root "$HOST" "$@"
}

# inodes: what a write would change of every file
inodes() {
	find "$HOST" -type f -printf '%P %i %T@ %C@\n' | sort
}

# record_of TARGET: its one record
record_of() {
	find "$HOST/etc/iscsi/nodes/$1" -name default
}

# live_session TIMEOUT RECOVERY: a session and its disk in $HOST, as the kernel shows them. Sets
# SESSION, CONNECTION and DISK, their directories.
live_session() {
	SESSION=$HOST/sys/class/iscsi_session/session1
	CONNECTION=$HOST/sys/class/iscsi_connection/connection1:0
	DISK=$SESSION/device/target2:0:0/2:0:0:0
	mkdir -p "$CONNECTION" "$DISK/block/sdb"
	echo iqn.1997-05.com.amazon:myvolume >"$SESSION/targetname"
	echo "$2" >"$SESSION/recovery_tmo"
	echo 65536 >"$SESSION/first_burst_len"
	echo 262144 >"$SESSION/max_burst_len"
	echo 10.0.0.1 >"$CONNECTION/persistent_address"
	echo 3260 >"$CONNECTION/persistent_port"
	echo 60 >"$CONNECTION/recv_tmo"
	echo 600 >"$CONNECTION/ping_tmo"
	echo 262144 >"$CONNECTION/max_recv_dlength"
	echo 0 >"$DISK/type"
	echo "$1" >"$DISK/timeout"
}

# tree_state DIR: every path below it with mode, owner and content, but for what sgw-init is to
# leave: its journal and the lock's places.
tree_state() {
	(cd "$1" && find . -path ./var/lib/sgw-init -prune -o -path ./run/lock -prune -o \
		-printf '%p %y %m %U:%G %l\n' -a -type f -exec sha256sum {} + | LC_ALL=C sort)
}

# aws_rule FORM: the udev rule of AWS's page as somebody installed it by hand. The page prints it on
# two lines without a backslash, the one for RHEL 5 with a blank behind its backslash.
aws_rule() { # two-lines|unfilled|rhel5|rhel5-joined|joined
	# shellcheck disable=SC2016 # udev's own dollars
	local condition='ACTION=="add", SUBSYSTEMS=="scsi" , ATTRS{model}=="Storage Gateway", ' \
		old='ACTION=="add", SUBSYSTEM=="scsi" , SYSFS{type}=="0|7|14", ' seconds=600 \
		program='RUN+="/bin/sh -c '"'echo SECONDS > /sys\$\$DEVPATH/timeout'"'"'
	case $1 in
	unfilled | rhel5*) seconds='[timeout]' ;;
	esac
	program=${program/SECONDS/"$seconds"}
	case $1 in
	two-lines | unfilled) printf '%s\n%s\n' "$condition" "$program" ;;
	rhel5) printf '%s\\ \n%s\n' "$old" "$program" ;;
	rhel5-joined) printf '%s\\\n%s\n' "$old" "$program" ;;
	joined) printf '%s\\\n%s\n' "$condition" "$program" ;;
	esac
}

# write_chap_file FILE TARGET...: mutual CHAP of this host for each target, readable by its owner.
write_chap_file() {
	local file=$1 separator='' target
	shift
	(
		umask 077
		{
			printf '{"ChapCredentials": ['
			for target; do
				printf '%s{"TargetARN": "%s", "InitiatorName": "%s",\n' \
					"$separator" "$target" "$INITIATOR"
				printf ' "SecretToAuthenticateInitiator": "%s",\n' "$INITIATOR_SECRET"
				printf ' "SecretToAuthenticateTarget": "%s"}' "$TARGET_SECRET"
				separator=,
			done
			printf ']}\n'
		} >"$file"
	)
}
INITIATOR_SECRET=host-secret-01
TARGET_SECRET=gate-secret-02
