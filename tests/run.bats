#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The runner that counts all other tests, on a tree of its own.

load helpers

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	mkdir -p tests/data o
	cp "$ROOT/tests/run" tests
	: >tests/data/expected-skips
	unset JOBS JOB_SECONDS TEST_LIMIT RUN_LIMIT # of the run that this one is a part of
}

# suite NAME: a bats file with these lines.
suite() {
	cat >"tests/$1.bats"
}

run_suites() {
	O=o run "$@" tests/run bats
	last=${lines[-1]}
}

# ends PID: within two seconds; a zombie that nobody has waited for has ended.
ends() {
	for _ in {1..100}; do
		grep -q "^State:[[:space:]]*[^Z]" "/proc/$1/status" 2>/dev/null || return 0
		sleep 0.02
	done
	return 1
}

@test "the last line counts what passed, failed and was skipped" {
	suite a <<<'@test "one" { :; }'
	suite b <<<$'@test "two" { :; }\n@test "three" { echo why it broke; false; }'
	run_suites -1
	[ "$last" = '2 passed, 1 failed, 0 skipped' ]
	[[ $output == *'tests/b.bats: three'* ]]
	[[ $output == *'why it broke'* ]]
}

@test "a skip fails unless it is listed with its reason" {
	suite a <<<$'@test "one" { :; }\n@test "two" { skip "no kernel here"; }'
	run_suites -1
	[ "$last" = '1 passed, 1 failed, 0 skipped' ]
	[[ $output == *'two: skipped, but not in tests/data/expected-skips: no kernel here'* ]]

	printf 'two\tno network here\n' >tests/data/expected-skips
	run_suites -1

	printf '# a note\ntests/a.*\tno * here\n' >tests/data/expected-skips
	run_suites -0
	[ "$last" = '1 passed, 0 failed, 1 skipped' ]
	[[ $output == *'tests/a.bats: two: no kernel here'* ]]
}

@test "a file that runs no test fails, and so does a run of nothing" {
	run_suites -1
	[ "$last" = '0 passed, 0 failed, 0 skipped' ]

	suite a <<<'@test "one" { :; }'
	suite b </dev/null
	run_suites -1
	[[ $output == *'tests/b.bats: ran no test'* ]]
}

@test "a file that hangs is stopped, with all it started" {
	suite a <<<$'@test "one" { :; }\n@test "two" { echo $$ >pid; sleep 1000; }'
	TEST_LIMIT=10 run_suites -1
	[ "$last" = '1 passed, 1 failed, 0 skipped' ]
	[[ $output == *'tests/a.bats: stopped after its 10 s, having run 1 of 2 tests'* ]]
	ends "$(cat pid)"
}

@test "all files together have one limit, too, and one that is left no time fails" {
	suite a <<<'@test "one" { :; }'
	suite b <<<'@test "two" { sleep 1000; }'
	suite c <<<'@test "three" { touch has-run; }'
	JOBS=1 RUN_LIMIT=12 run_suites -1
	[ "$last" = '1 passed, 2 failed, 0 skipped' ]
	[[ $output =~ tests/b.bats:\ stopped\ after\ its\ ([1-9]|1[0-2])\ s, ]]
	[[ $output =~ tests/c.bats:\ stopped\ after\ its\ (0|-[0-9])\ s,\ having\ run\ 0 ]]
	[ ! -e has-run ]
}

@test "files of a guest share one" {
	mkdir tests/vm
	touch tests/vm/{a,b,c}.bats
	cat >tests/vm/run <<-'END'
		#!/bin/sh
		echo 1..1
		echo "ok 1 $*"
	END
	chmod +x tests/vm/run
	suite a <<<'@test "one" { :; }'
	O=o run -0 tests/run tests/vm/c.bats tests/a.bats tests/vm/a.bats
	[ "${lines[-1]}" = '2 passed, 0 failed, 0 skipped' ]
	grep -x 'ok 1 tests/vm/c.bats tests/vm/a.bats' o/check/vm.tap
	O=o run -0 tests/run vm
	grep -x 'ok 1 tests/vm/a.bats tests/vm/b.bats tests/vm/c.bats' o/check/vm.tap
}

@test "the lines come in the order of the files, whichever ends first" {
	suite a <<<'@test "one" { until [ -e b-is-done ]; do read -r -t 0.02 || :; done <> <(:); }'
	suite b <<<'@test "two" { touch b-is-done; }'
	run_suites -0
	[[ ${lines[0]} == *a.bats* ]]
	[[ ${lines[1]} == *b.bats* ]]
}
