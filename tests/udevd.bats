# SPDX-License-Identifier: MIT
# Where no udevd runs: in a container, where it was stopped, and where it crashed and left its socket
# behind. The kernel is pretended (kernel.bash); a udevd that was killed is tests/vm/udevd.bats'.
# shellcheck disable=SC2154 # run sets stderr

load helpers
load kernel

iqn=iqn.1997-05.com.amazon:myvolume
not_through='udev was not through with sdgw1 within 0.3 s'

setup() {
	need socat unshare ip
	stock_host
	pretend_kernel
}

teardown() {
	kill_udevd
	stop_targets
}

# udevadm_does LINE: a stand-in for it, which counts how often it was asked
udevadm_does() {
	printf '#!/bin/sh\necho "$@" >>%s/asked\n%s\n' "$BATS_TEST_TMPDIR" "$1" \
		>"$BATS_TEST_TMPDIR/bin/udevadm"
}

# A host that lacks the rule, and whose disk the rule has missed.
attached() {
	start_target --volume myvolume:1M
	sgw-init apply --root "$HOST" "$PORTAL"
	rm "$RULE"
	add_session "$iqn" "$PORTAL" default "$HOST/etc/iscsi/nodes/$iqn/127.0.0.1,$PORT,1/default"
	DISK=$HOST/sys/class/iscsi_session/session1/device/target1:0:0/1:0:0:0
	put "$DISK" timeout=30 uevent=
}

@test "connect waits for no links where udevd has left its socket behind, and says once what starts it" {
	start_target --targets 2
	sgw-init apply --root "$HOST" "$PORTAL"
	start_udevd
	kill_udevd
	run -0 --separate-stderr on_kernel sgw-init connect --wait 300ms
	[ "$(grep -c '  connected  session' <<<"$output")" -eq 2 ]
	[ "$stderr" = 'sgw-init: warning: udevd does not run, so nobody makes links to the devices or loads their modules (of a disk sd_mod); start it with: systemctl start systemd-udevd (or as this host starts it)' ]
	rm "$HOST/run/udev/control"
	remove_session session1
	run -0 --separate-stderr on_kernel sgw-init apply --connect --wait 300ms
	[ "$(grep -c 'warning: udevd does not run' <<<"$stderr")" -eq 1 ]
}

@test "a login that apply --relogin owed is made good without udevd, and that is said once" {
	start_target --volume myvolume:1M
	sgw-init apply --root "$HOST" "$PORTAL"
	(umask 077 && cat >"$HOST/var/lib/sgw-init/journal/login-0123456789abcdef") <<-END
		{"target": "$iqn", "address": "127.0.0.1", "port": $PORT,
		 "interface": "default", "others": false, "time": 1, "owner": "sgw-init 1 1 boot pid:[1]"}
	END
	run -0 --separate-stderr on_kernel sgw-init apply --wait 300ms --connect
	[[ $stderr == *"$iqn at $PORTAL: apply --relogin logged out of it and was cut off: logged in again"* ]]
	[ "$(grep -c 'warning: udevd does not run' <<<"$stderr")" -eq 1 ]
}

@test "connect waits for a udevd that listens, also where it is stopped and takes nobody any more" {
	start_target --volume myvolume:1M
	sgw-init apply --root "$HOST" "$PORTAL"
	start_udevd
	run -1 on_kernel sgw-init connect --wait 300ms
	[[ $output == *"session1 is up, but $not_through"* ]]
	kill -STOP "$UDEVD_PID"
	for _ in 1 2 3; do
		run -1 on_kernel timeout 20 sgw-init connect --wait 300ms
		[[ $output == *"session1 is up, but $not_through"* ]]
		[[ $output != *"does not run"* ]]
	done
}

@test "a socket of udevd's that may not be connected to counts as one of a udevd that runs" {
	need setpriv
	start_target --volume myvolume:1M
	sgw-init apply --root "$HOST" "$PORTAL"
	start_udevd
	kill_udevd
	chmod 0 "$HOST/run/udev/control"
	run -1 on_kernel setpriv --inh-caps=-dac_override --bounding-set=-dac_override \
		sgw-init connect --wait 300ms
	[[ $output == *"session1 is up, but $not_through"* ]]
	[[ $output != *"does not run"* ]]
}

@test "apply where udevd does not run sets the disks, and says what starts it instead of what fails" {
	local way
	attached
	start_udevd
	kill_udevd
	udevadm_does 'echo "Failed to send reload request: Connection refused" >&2; exit 1'
	for way in /run/systemd/system /etc/init.d/udev; do
		mkdir -p "$HOST$way"
		run -0 on_kernel sgw-init apply
		[ "$(<"$DISK/timeout")" = 600 ]
		[[ $output == *'warning: udevd does not run: the rules as they are now take effect for the devices that come once it does; start it with: '* ]]
		[[ $output != *'udevadm control'* ]]
		case $way in
		/run*) [[ $output == *'start it with: systemctl start systemd-udevd'$'\n'* ]] ;;
		/etc*) [[ $output == *'start it with: /etc/init.d/udev start'$'\n'* ]] ;;
		esac
		run -0 on_kernel sgw-init undo
		[ "$(<"$DISK/timeout")" = 30 ]
		[[ $output == *'warning: udevd does not run: '* ]]
		[[ $output != *'udevadm control'* ]]
		rm -r "${HOST:?}$way"
	done
}

@test "udevadm that fails although udevd listens is told in its words, with the command to type" {
	attached
	start_udevd
	udevadm_does 'echo "no such luck" >&2; exit 1'
	run -0 on_kernel sgw-init apply
	[[ $output == *'warning: udevd: udevadm control --reload: no such luck; '*'or after: udevadm control --reload'* ]]
	[ "$(<"$DISK/timeout")" = 600 ]
}

@test "a udevd that does not run is not asked again, also where udevadm finds nothing wrong" {
	attached
	udevadm_does 'exit 0' # as in a chroot
	run -0 on_kernel sgw-init apply
	[ "$(<"$BATS_TEST_TMPDIR/asked")" = 'control --reload' ]
	[[ $output == *'warning: udevd does not run: '* ]]
	[ "$(<"$DISK/timeout")" = 600 ]
}
