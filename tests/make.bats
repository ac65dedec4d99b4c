#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The Makefile itself, on objects of its own.

load helpers

setup() {
	O=$BATS_TEST_TMPDIR/o
	object=$O/obj/cli/number.o
}

make_object() {
	make -C "$ROOT" --no-print-directory O="$O" "$object" "$@"
}

@test "make without a library names it and the command that installs it, and compiles nothing" {
	PKG_CONFIG_LIBDIR=/nowhere run -2 make_object
	[[ $output == *'libxml-2.0 is missing: run: make deps'* ]]
	[[ $output != *CC* ]]
	[ ! -e "$object" ]
}

@test "make without a compiler says so" {
	run -2 make_object CC=no-such-cc
	[[ $output == *"no-such-cc is missing: run: make deps"* ]]
}

@test "make builds again what a changed flag or header touches, and nothing else" {
	run -0 make_object
	[[ $output == *CC*number.o* ]]
	run -0 make_object
	[[ $output != *CC* ]]
	run -0 make_object -W cli/number.h
	[[ $output == *CC*number.o* ]]
	run -0 make_object -W cli/buf.h
	[[ $output != *CC* ]]
	run -0 make_object CFLAGS=-O1
	[[ $output == *CC*number.o* ]]
}

@test "a file that is compiled in comes out byte for byte" {
	cd "$BATS_TEST_TMPDIR"
	mkdir -p templates/profiles udev
	for ((i = 0; i < 256; i++)); do
		printf '%b' "\\x$(printf %02x "$i")"
	done >templates/profiles/bytes.xml
	: >udev/empty.rules.in
	sh "$ROOT/cli/templates.sh" templates/profiles/bytes.xml udev/empty.rules.in >table.c
	cat >show.c <<-'END'
		#include <stdio.h>
		#include "templates.h"
		int main(int argc, char **argv)
		{
			const struct template *t = argc == 2 ? template_find(argv[1]) : NULL;
			return !t || fwrite(t->data, 1, t->len, stdout) != t->len || t->data[t->len] != 0;
		}
	END
	cc -I"$ROOT/cli" -o show show.c table.c "$ROOT/cli/templates.c"
	./show profiles/bytes.xml | cmp - templates/profiles/bytes.xml
	run -0 ./show empty.rules
	[ -z "$output" ]
	run -1 ./show bytes.xml
}
