#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What the tuning buys, scaled down to an outage of 20 s. tests/vm/long has it in real size.

load guest
load outage

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

# kind, name, replacement, NOP interval, NOP timeout, disk timeout, abort timeout
cases() {
	local kind
	for kind in freeze away; do
		cat <<-END
			$kind stock         5  2   2  30 15 error
			$kind udev-rule     5  2   2 600 15 error
			$kind iscsid-conf 600 60 600  30 15 goes-on
			$kind tuned       600 60 600 600 15 goes-on
			$kind replacement 600  2   2  30 15 goes-on
			$kind no-nops       5  0   0   4  3 error
			$kind hundredth     6  1   6   6 15 error
		END
	done
}

@test "an outage costs what check said that it would, by every setting alone and by all together" {
	read_cases < <(cases)
	outage 20
}
