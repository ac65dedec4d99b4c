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
	udevadm settle
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
		udevadm settle
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

@test "a rule reaches an attached disk by a trigger, not by a reload" {
	local device
	device=$(add_device 0 Amazon 'Storage Gateway')
	udevadm settle
	rules | tail -n 1 >/etc/udev/rules.d/60-sgw-init.rules
	reload_rules
	udevadm settle
	[ "$(cat "$device/timeout")" = 30 ]
	udevadm trigger --subsystem-match=scsi --property-match=DEVTYPE=scsi_device
	udevadm settle
	[ "$(cat "$device/timeout")" = 600 ]
}
