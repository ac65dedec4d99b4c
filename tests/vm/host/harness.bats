#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The guest's harness, from outside: what it builds, and that no result gets lost.

load ../../helpers

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	O=$PWD/o
	mkdir -p o/vm
	for program in sgw-init sgw-target; do
		[ ! -e "$BUILD/$program" ] || ln -s "$BUILD/$program" o
	done
	export O
}

# These lines as a bats file; %test, since bats would take an @test for one of this file's own.
test_file() {
	sed -E 's/^(\s*)%/\1@/' >a.bats
}

run_suite() { # BOOT
	test_file
	run "$ROOT/tests/vm/suite" "$1" a.bats
}

run_guest() {
	test_file
	run "$ROOT/tests/vm/run" "$PWD/a.bats"
	echo "$output"
}

qemu_runs() { # under its own name: what starts it has the same arguments
	grep -q -s -a "^qemu-system.*[f]ile=$O/vm/disk" /proc/[0-9]*/cmdline
}

no_qemu_is_left() {
	for _ in {1..500}; do
		qemu_runs || return 0
		sleep 0.02
	done
	return 1
}

@test "built twice, the guest's first file system is the same to the bit" {
	"$ROOT/tests/vm/image" "$PWD/one"
	(umask 077 && TZ=Asia/Tokyo LC_ALL=C.UTF-8 "$ROOT/tests/vm/image" "$PWD/two")
	cmp one/root.cpio two/root.cpio
}

@test "a failed test names its line and shows what it said" {
	run_suite 1 <<-'END'
		%test "one" { :; }
		%test "two" {
			echo why it broke
			in_function
		}
		in_function() {
			[ a = b ]
		}
		%test "three" { run -3 true; }
	END
	[ "$status" -eq 1 ]
	[ "${lines[0]}" = 1..3 ]
	[ "${lines[1]}" = 'ok 1 a: one' ]
	[ "${lines[2]}" = 'not ok 2 a: two' ]
	[ "${lines[3]}" = '# why it broke' ]
	[ "${lines[4]}" = '# line 7 of a.bats: [ a = b ]: 1' ]
	[ "${lines[5]}" = 'not ok 3 a: three' ]
	[ "${lines[6]}" = "# 'true' ended with 0:" ]
	[[ $output == *'# line 9 of a.bats: '* ]]
}

@test "a test may skip, and its teardown runs and may fail it" {
	run_suite 1 <<-'END'
		setup() { touch "$BATS_TEST_TMPDIR/made"; }
		teardown() { rm "$BATS_TEST_TMPDIR/made"; }
		%test "one" { skip "no such thing here"; }
		%test "two" { rm "$BATS_TEST_TMPDIR/made"; }
	END
	[ "${lines[1]}" = 'ok 1 a: one # skip no such thing here' ]
	[ "${lines[2]}" = 'not ok 2 a: two' ]
	[ "${lines[-1]}" = '# teardown failed' ]
}

@test "run tells status, output, lines and messages" {
	run_suite 1 <<-'END'
		both() { echo out; echo message >&2; return 3; }
		%test "one" {
			run both
			[ "$status" -eq 3 ]
			[ "${lines[1]}" = message ]
			run -3 --separate-stderr both
			[ "$output" = out ]
			[ "$stderr" = message ]
			run ! both
			run true
			[ "${#lines[@]}" -eq 0 ]
		}
	END
	[ "${lines[1]}" = 'ok 1 a: one' ]
}

@test "a test that hangs is ended, with all it started, and the next one runs" {
	SUITE_LIMIT=3 run_suite 1 <<-'END'
		%test "one" { echo $BASHPID >pid; sleep 1000; }
		%test "two" { :; }
	END
	[ "${lines[1]}" = 'not ok 1 a: one' ]
	[ "${lines[2]}" = '# stopped after 3 s' ]
	[ "${lines[3]}" = 'ok 2 a: two' ]
	run ! kill -0 "$(cat pid)"
}

@test "a test that was stopped has its teardown, and its daemons end with it" {
	cp "$ROOT/tests/vm/guest.bash" .
	SUITE_LIMIT=3 run_suite 1 <<-'END'
		load guest
		log_dir=$BATS_TEST_DIRNAME
		teardown() { cat "$BATS_TEST_TMPDIR/made"; }
		%test "one" {
			start_daemon sleep 1000
			echo "${daemons[0]}" >pid
			echo torn down >"$BATS_TEST_TMPDIR/made"
			sleep 1000
		}
		%test "two" { touch "$BATS_TEST_TMPDIR/made"; run ! leads_session "$(cat pid)"; }
	END
	echo "$output"
	[ "${lines[1]}" = 'not ok 1 a: one' ]
	[ "${lines[2]}" = '# stopped after 3 s' ]
	[ "${lines[3]}" = '# torn down' ]
	[ "${lines[4]}" = 'ok 2 a: two' ]
}

@test "what is waited for in vain ends the test and is told, in a substitution, too" {
	cp "$ROOT/tests/vm/guest.bash" .
	SUITE_LIMIT=20 WAIT=1 run_suite 1 <<-'END'
		load guest
		teardown() { :; }
		session_of() { return 1; }
		%test "one" { disk=$(disk_of iqn.2001-04.com.example:array); }
		%test "two" { [ "$(cat "$(disk_of iqn.2001-04.com.example:array)/timeout")" = 30 ]; }
		%test "three" { if wait_for false; then :; fi; }
	END
	echo "$output"
	[ "$(grep -c '^not ok' <<<"$output")" -eq 2 ]
	[ "$(grep -c '^# not within 1 s: disk_now iqn.2001-04.com.example:array$' <<<"$output")" -eq 2 ]
	[[ $output != *stopped* ]]
}

@test "a test that no boot would run is a failure" {
	local line
	for line in '# bats test_tags=boot:3' '#bats test_tags=boot:2' '# bats test_tags=boot:2,slow' \
		"%test 'one' { :; }" '	%test "one" { :; }' '%test "one"'; do
		run_guest <<<$'%test "zero" { :; }\n'"$line"
		[ "$status" -eq 1 ]
		[[ $output == *"not this: $PWD/a.bats:2:${line/\%/@}" ]]
	done
	[ ! -e o/vm/disk ]
}

@test "a test fails by what a sanitizer found, in a program whose end nobody looked at, too" {
	cat >bad.c <<-'END'
		#include <stdlib.h>
		#include <string.h>

		int main(int argc, char **argv)
		{
			int *n = malloc(argc * sizeof *n), shift = 31 + argc;

			memset(n, 0, argc * sizeof *n);
			if (!strcmp(argv[argc - 1], "leak"))
				n = NULL;
			else if (!strcmp(argv[argc - 1], "overflow"))
				n[argc] = 1;
			else if (!strcmp(argv[argc - 1], "shift"))
				*n = 1 << shift;
			free(n);
			return 0;
		}
	END
	"${CC:-cc}" -g -fsanitize=address,undefined -fno-sanitize-recover=all -o bad bad.c
	run_suite 1 <<-END
		%test "one" { $PWD/bad none; }
		%test "two" { run $PWD/bad overflow; }
		%test "three" { setsid $PWD/bad leak >/dev/null 2>&1 & wait; }
		%test "four" { $PWD/bad shift 2>/dev/null || :; }
		%test "five" { :; }
	END
	[ "$status" -eq 1 ]
	[ "$(grep -E '^(not )?ok' <<<"$output" | cut -d : -f 1 | xargs)" = \
		'ok 1 a not ok 2 a not ok 3 a not ok 4 a ok 5 a' ]
	[[ $output == *heap-buffer-overflow*bad.c:12*'not ok 3'*'Direct leak of'*bad.c:6*'not ok 4'* ]]
	[[ $output == *'not ok 4'*'AddressSanitizer: ABRT'*__ubsan_handle_shift*bad.c:14*'ok 5'* ]]
}

@test "a test belongs to one boot" {
	local file='%test "one" { :; }
# bats test_tags=boot:2
%test "two" { :; }
%test "three" { :; }'
	run_suite 1 <<<"$file"
	[ "$output" = $'1..2\nok 1 a: one\nok 2 a: three' ]
	run_suite 2 <<<"$file"
	[ "$output" = $'1..1\nok 1 a: two' ]
}

@test "a guest that dies under a test fails" {
	run_guest <<-'END'
		%test "one" { :; }
		%test "two" { echo c >/proc/sysrq-trigger; }
		%test "three" { :; }
	END
	[ "$status" -eq 1 ]
	[[ $output == *'ok 2 a: one'* ]]
	[[ $output == *'not ok 3 boot 1 runs all of its tests'* ]]
	[[ $output == *'it ended after 1 of 3 tests'* ]]
	[[ $output == *'sysrq triggered crash'* ]]
	[[ $output == *'1..3'* ]]
	no_qemu_is_left
}

@test "a guest that takes too long is stopped, and fails" {
	VM_LIMIT=1 run_guest <<<'%test "one" { :; }'
	[ "$status" -eq 1 ]
	[[ $output == *'not ok 1 boot 1 gets ready'* ]]
	[[ $output == *'not ok 2 boot 1 runs all of its tests'* ]]
	no_qemu_is_left
}

@test "qemu ends with its runner, however that ends" {
	local signal runner
	test_file <<<'%test "one" { sleep 1000; }'
	for signal in TERM KILL; do
		setsid "$ROOT/tests/vm/run" "$PWD/a.bats" >out 2>&1 3>&- &
		runner=$!
		until qemu_runs; do
			kill -0 "$runner"
			sleep 0.02
		done
		kill "-$signal" "$runner"
		wait "$runner" || :
		no_qemu_is_left
	done
}
