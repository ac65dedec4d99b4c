#!/usr/bin/env bats
# SPDX-License-Identifier: MIT

load helpers

# make with the programs as they were built, whatever flags that took.
make_here() {
	make -C "$ROOT" O="$BUILD" -o "$BUILD/libsgw.a" -o "$BUILD/sgw-init" -o "$BUILD/sgw-target" \
		DESTDIR="$BATS_TEST_TMPDIR/d" "$@"
}

files_below() {
	(cd "$1" && find . ! -type d | sort)
}

@test "install puts programs and man pages where prefix, sbindir and mandir say" {
	run -0 make_here install prefix=/usr mandir=/usr/man
	run -0 files_below "$BATS_TEST_TMPDIR/d"
	expected=$({
		printf "./usr/%s\n" sbin/sgw-init bin/sgw-target
		shopt -s nullglob
		cd "$ROOT" && for page in cli/*.[58] tests/target/*.8; do
			echo "./usr/man/man${page##*.}/${page##*/}"
		done
	} | sort)
	[ "$output" = "$expected" ]
	[ "$(stat -c %a "$BATS_TEST_TMPDIR/d/usr/sbin/sgw-init")" = 755 ]
	[ "$(stat -c %a "$BATS_TEST_TMPDIR/d/usr/man/man8/sgw-init.8")" = 644 ]
}

@test "an installed sgw-init works alone, away from the source" {
	make_here install
	cd /
	run -0 env -i "$BATS_TEST_TMPDIR/d/usr/local/sbin/sgw-init" profile show volume
	[[ $output == *replacement_timeout* ]]
}

@test "uninstall takes back every file that install made, and nothing else" {
	make_here install
	touch "$BATS_TEST_TMPDIR/d/usr/local/sbin/other"
	make_here uninstall
	run -0 files_below "$BATS_TEST_TMPDIR/d"
	[ "$output" = ./usr/local/sbin/other ]
}
