#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What udev does with the rules that AWS prints, and with ours.

load guest

# What it is, the timeouts it gives (a gateway's disk, another, a changer, a tape), and the rule.
rules() {
	cat <<'END'
no rule
30 30 30 900

the page's rule as it is printed, on two lines: the second runs for every device
600 600 600 600
ACTION=="add", SUBSYSTEMS=="scsi" , ATTRS{model}=="Storage Gateway",
RUN+="/bin/sh -c 'echo 600 > /sys$$DEVPATH/timeout'"

the page's rule with [timeout] left as it is
0 0 0 0
ACTION=="add", SUBSYSTEMS=="scsi" , ATTRS{model}=="Storage Gateway",
RUN+="/bin/sh -c 'echo [timeout] > /sys$$DEVPATH/timeout'"

the page's rule on one line
600 30 30 900
ACTION=="add", SUBSYSTEMS=="scsi" , ATTRS{model}=="Storage Gateway", RUN+="/bin/sh -c 'echo 600 > /sys$$DEVPATH/timeout'"

the page's rule for RHEL 5
30 30 30 900
ACTION=="add", SUBSYSTEM=="scsi" , SYSFS{type}=="0|7|14", RUN+="/bin/sh -c 'echo 600 > /sys$$DEVPATH/timeout'"

DEVTYPE as a key of its own
30 30 30 900
ACTION=="add", SUBSYSTEM=="scsi", DEVTYPE=="scsi_device", ATTR{model}=="Storage Gateway", ATTR{timeout}="600"

an attribute of the scsi_device, without a shell
600 30 30 900
ACTION=="add|change", SUBSYSTEM=="scsi", ENV{DEVTYPE}=="scsi_device", ATTR{type}=="0", ATTR{model}=="Storage Gateway", ATTR{timeout}="600"
END
}

@test "each form of the timeout rule reaches the devices that it is known to reach" {
	local title expected line got devices n=0 i status=0 own=(30 30 30 900)
	devices=(
		"$(add_device 0 Amazon 'Storage Gateway')"
		"$(add_device 0 Linux 'Another disk')"
		"$(add_device 8 STK L700)"
		"$(add_device 1 IBM ULT3580-TD5)"
	)
	settle
	[ "$(cat "${devices[@]/%//timeout}" | xargs)" = "${own[*]}" ]
	while read -r title && read -r expected; do
		while read -r line && [ -n "$line" ]; do
			echo "$line"
		done >/etc/udev/rules.d/50-udev.rules
		for i in "${!devices[@]}"; do
			echo "${own[i]}" >"${devices[i]}/timeout"
		done
		reload_rules
		udevadm trigger --action=add --subsystem-match=scsi
		settle
		got=$(cat "${devices[@]/%//timeout}" | xargs)
		if [ "$got" != "$expected" ]; then
			echo "$title: $expected expected, it is $got"
			status=1
		fi
		n=$((n + 1))
	done < <(rules)
	[ "$n" -eq 7 ]
	return "$status"
}

# Events as when the devices appear: what the rules then give each.
appear() { # DEVICE...
	reload_rules
	udevadm trigger --action=add --subsystem-match=scsi
	settle
	cat "${@/%//timeout}" | xargs
}

@test "check finds AWS's rule installed by hand, apply comments it out, and other devices keep theirs" {
	local title expected line file=/etc/udev/rules.d/50-udev.rules i n=0 devices own=(30 30 30 900)
	devices=(
		"$(add_device 0 Amazon 'Storage Gateway')"
		"$(add_device 0 Linux 'Another disk')"
		"$(add_device 8 STK L700)"
		"$(add_device 1 IBM ULT3580-TD5)"
	)
	cd "$BATS_TEST_TMPDIR"
	sgw-init apply
	# Of the distribution's own rules none is complained of.
	sgw-init check --output json >found
	run -1 grep -e '"lint"' -e '"harmful"' found
	[ "$(appear "${devices[@]}")" = '600 30 30 900' ]
	while read -r title && read -r expected; do
		{
			echo "# $title"
			while read -r line && [ -n "$line" ]; do
				echo "$line"
			done
		} >"$file"
		case $title in
		*'on two lines'* | *'[timeout]'*) ;;
		*) continue ;;
		esac
		echo "case: $title"
		cp "$file" before
		for i in "${!devices[@]}"; do
			echo "${own[i]}" >"${devices[i]}/timeout"
		done
		# Programs run after all rules: it wins over ours, and hits what ours leaves alone.
		[ "$(appear "${devices[@]}")" = "$expected" ]
		run -3 sgw-init check
		[[ $output == *critical*"$file:3 "*harmful*'every device'*'apply comments it out'* ]]

		for i in "${!devices[@]}"; do
			echo "${own[i]}" >"${devices[i]}/timeout"
		done
		sgw-init apply
		[ "$(appear "${devices[@]}")" = '600 30 30 900' ]
		sgw-init check
		run -0 sgw-init apply
		[[ $output == *'nothing to change'* ]]
		sgw-init undo
		cmp before "$file"
		n=$((n + 1))
	done < <(rules)
	[ "$n" -eq 2 ]
}

@test "a rule reaches an attached disk by a trigger, not by a reload" {
	local device
	device=$(add_device 0 Amazon 'Storage Gateway')
	settle
	rules | tail -n 1 >/etc/udev/rules.d/60-sgw-init.rules
	reload_rules
	settle
	[ "$(cat "$device/timeout")" = 30 ]
	udevadm trigger --subsystem-match=scsi --property-match=DEVTYPE=scsi_device
	settle
	[ "$(cat "$device/timeout")" = 600 ]
}
