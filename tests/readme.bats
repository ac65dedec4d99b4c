#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What README.md says that was seen: it is what a run measured, and each claim has its test.

load helpers

figure() { # table|svg
	"$ROOT/tests/vm/figure" "$1" "$ROOT/tests/vm/long/outages"
}

@test "README.md shows the outages as the kept run measured them" {
	figure table >"$BATS_TEST_TMPDIR/table"
	sed -n '/^| settings /,/^$/{/^|/p}' "$ROOT/README.md" | diff - "$BATS_TEST_TMPDIR/table"
	figure svg | diff "$ROOT/tests/vm/long/outage.svg" -
	grep -q '](tests/vm/long/outage.svg)' "$ROOT/README.md"
}

@test "the figure of the outages is whole XML that needs nothing from elsewhere" {
	need xmllint
	figure svg >"$BATS_TEST_TMPDIR/a.svg"
	xmllint --noout "$BATS_TEST_TMPDIR/a.svg"
	run ! grep -E 'href|url\(|@import' "$BATS_TEST_TMPDIR/a.svg"
}

@test "the outages that were kept are those of tests/vm/long" {
	# The kind, the settings' name and the four timeouts of each case.
	# shellcheck disable=SC2016 # the test's own variable
	sed -n 's/^\t\t\t$kind //p' "$ROOT/tests/vm/long/outage.bats" |
		awk '{ for (i = 1; i <= 2; i++) print i == 1 ? "freeze" : "away", $1, $2, $3, $4, $5 }' |
		sort >"$BATS_TEST_TMPDIR/cases"
	awk '$1 == 150 { print $2, $3, $4, $5, $6, $7 }' "$ROOT/tests/vm/long/outages" | sort |
		diff "$BATS_TEST_TMPDIR/cases" -
	[ "$(wc -l <"$BATS_TEST_TMPDIR/cases")" -eq 8 ]
}
