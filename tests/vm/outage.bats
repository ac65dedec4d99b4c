#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What the tuning buys, scaled down to an outage of 20 s. tests/vm/long has it in real size.

load guest
load outage

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

# kind, name, replacement, NOP interval, NOP timeout, disk timeout, abort timeout, and what is expected.
# iscsid-conf is short enough an outage for its disk timeout of 30 s; error-handling is the same with one
# that runs out in it. That, and nothing else, is what the udev rule is for.
cases() {
	local kind
	for kind in freeze away; do
		cat <<-END
			$kind stock         5  2   2  30 15 error   broken
			$kind udev-rule     5  2   2 600 15 error   broken
			$kind iscsid-conf 600 60 600  30 15 goes-on unbroken
			$kind tuned       600 60 600 600  3 goes-on unbroken
			$kind replacement 600  2   2  30 15 goes-on broken
			$kind no-nops       5  0   0   4  3 error   broken
			$kind hundredth     6  1   6   6 15 error   broken
		END
	done
	echo freeze error-handling 600 60 600 4 3 goes-on broken
}

@test "the udev rule alone buys nothing, iscsid.conf alone a session that breaks, and check said what each outage costs" {
	read_cases < <(cases)
	outage 20
}
