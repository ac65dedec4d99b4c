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
	mkdir "$HOST/run/udev"
}

teardown() {
	[ -z "${UDEVD_PID:-}" ] || kill -KILL "$UDEVD_PID" || :
	stop_targets
}

# What listens as udevd does. An address is too short for a long path.
start_udevd() {
	cd "$HOST/run/udev" || return
	socat UNIX-LISTEN:control,type=5,backlog=0,fork /dev/null 3>&- &
	UDEVD_PID=$!
	cd "$OLDPWD" || return
	wait_for test -S "$HOST/run/udev/control"
}

# Its socket stays.
kill_udevd() {
	kill -KILL "$UDEVD_PID"
	wait "$UDEVD_PID" || :
	UDEVD_PID=
	[ -S "$HOST/run/udev/control" ]
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
