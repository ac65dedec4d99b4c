#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The guest's own disk: what a test leaves there, the next boot finds.

setup() { :; }
teardown() { :; }

@test "the root is a disk with a journal" {
	grep -q '^/dev/vda / ext4 ' /proc/mounts
	[ -d /sys/fs/jbd2/vda-8 ] || ls /proc/fs/jbd2/vda-8
	cat /proc/sys/kernel/random/boot_id >/var/lib/left-behind
}

# bats test_tags=boot:2
@test "a second boot is another one, with the same disk" {
	[ -s /var/lib/left-behind ]
	run ! cmp -s /proc/sys/kernel/random/boot_id /var/lib/left-behind
}
