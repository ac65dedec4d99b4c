#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# apply and undo on a host that crashes, fills up, or fails at any system call. tests/crash/crash.c
# says how. In memory where there is room: what a disk would hold back matters to fsync alone.

load helpers

setup() {
	local base=$BATS_TEST_TMPDIR

	[ ! -w /dev/shm ] || base=/dev/shm
	SCRATCH=$(mktemp -d "$base/sgw-crash.XXXXXX")
	# Sanitizers take their time: there some of the calls are enough.
	STRIDE=1
	! grep -q fsanitize "$BUILD/flags" || STRIDE=20
}

teardown() {
	rm -rf "$SCRATCH"
}

crash() { # kill|error|race apply|undo
	"$BUILD/crash/crash" "$BUILD/crash/sgw-init" "$@" "$SCRATCH" "$STRIDE"
}

@test "apply killed at any moment leaves every file whole, and the next run makes good" {
	crash kill apply
}

@test "undo killed at any moment leaves every file whole, and the next run finishes it" {
	crash kill undo
}

@test "apply on a disk that fails at any call exits 1, names the place, and nothing is half done" {
	crash error apply
}

@test "undo on a disk that fails at any call exits 1, names the place, and nothing is half done" {
	crash error undo
}

@test "apply that begins anew leaves one journal entry, also where it is killed at any moment" {
	crash race apply
}
