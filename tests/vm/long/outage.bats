#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What the tuning buys, in real size: `make check-vm-long`, which takes a quarter of an hour.

load guest
load outage

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

# kind, name, replacement, NOP interval, NOP timeout, disk timeout, abort timeout, and what is expected
cases() {
	local kind
	for kind in freeze away; do
		cat <<-END
			$kind stock       120  5   5  30 15 error   broken
			$kind udev-rule   120  5   5 600 15 error   broken
			$kind iscsid-conf 600 60 600  30 15 goes-on broken
			$kind tuned       600 60 600 600 15 goes-on unbroken
		END
	done
}

@test "a host with stock settings loses its disk after some 130 s of silence, a tuned one does not" {
	read_cases < <(cases)
	outage 150
}

@test "tuned right it survives ten minutes, and silence even longer" {
	read_cases <<-'END'
		freeze tuned 600 60 600 600 15 goes-on unbroken
		away   tuned 600 60 600 600 15 error   broken
	END
	outage 620
}
