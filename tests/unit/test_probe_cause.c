/* SPDX-License-Identifier: MIT */
#include "iscsi/probe.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "iscsi/status.h"

static const struct row {
	const char *cause;
	int rc;
	enum probe_stage stage;
	uint16_t status;
	enum login_verdict ours, theirs;
	bool no_chap;
} rows[] = {
	{ "none", 0, PROBE_LOGOUT, 0, VERDICT_ACCEPTED, VERDICT_ACCEPTED, false },
	{ "none", 0, PROBE_LOGOUT, 0, VERDICT_NOT_ASKED, VERDICT_NOT_ASKED, true },
	{ "unreachable", -ENOENT, PROBE_RESOLVE, 0, VERDICT_NONE, VERDICT_NONE, false },
	{ "unreachable", -ETIMEDOUT, PROBE_CONNECT, 0, VERDICT_NONE, VERDICT_NONE, false },
	{ "silent", -ETIMEDOUT, PROBE_LOGIN, 0, VERDICT_NONE, VERDICT_NONE, false },
	{ "silent", -ETIMEDOUT, PROBE_COMMANDS, 0, VERDICT_ACCEPTED, VERDICT_ACCEPTED, false },
	{ "target-refused-us", -EACCES, PROBE_LOGIN, 0x0201, VERDICT_WRONG, VERDICT_NONE, false },
	{ "we-refused-proof", -EPROTO, PROBE_LOGIN, 0, VERDICT_ACCEPTED, VERDICT_WRONG, false },
	{ "we-refused-name", -EPROTO, PROBE_LOGIN, 0, VERDICT_ACCEPTED, VERDICT_WRONG_NAME, false },
	{ "target-proves-nothing", -EPROTO, PROBE_LOGIN, 0, VERDICT_ACCEPTED, VERDICT_MISSING,
	  false },
	{ "reflected", -EPROTO, PROBE_LOGIN, 0, VERDICT_ACCEPTED, VERDICT_REFLECTED, false },
	{ "reflected", -EPROTO, PROBE_LOGIN, 0, VERDICT_REFLECTED, VERDICT_NONE, false },
	{ "chap-demanded", -EACCES, PROBE_LOGIN, 0x0201, VERDICT_NO_METHOD, VERDICT_NONE, true },
	{ "chap-not-done", -EACCES, PROBE_LOGIN, 0x0201, VERDICT_NO_METHOD, VERDICT_NONE, false },
	/* It goes on without CHAP although we offered nothing else. */
	{ "chap-not-done", -EPROTO, PROBE_LOGIN, 0, VERDICT_NO_METHOD, VERDICT_MISSING, false },
	{ "no-common-algorithm", -EPROTO, PROBE_LOGIN, 0, VERDICT_NO_ALGORITHM, VERDICT_NONE,
	  false },
	{ "not-admitted", -EACCES, PROBE_LOGIN, 0x0202, VERDICT_ACCEPTED, VERDICT_NONE, false },
	{ "no-such-target", -EACCES, PROBE_LOGIN, 0x0203, VERDICT_NONE, VERDICT_NONE, false },
	{ "no-such-target", -EACCES, PROBE_LOGIN, 0x0204, VERDICT_NONE, VERDICT_NONE, false },
	{ "unavailable", -EBUSY, PROBE_LOGIN, 0x0302, VERDICT_NONE, VERDICT_NONE, false },
	{ "login-refused", -EACCES, PROBE_LOGIN, 0x0200, VERDICT_NONE, VERDICT_NONE, false },
	{ "protocol", -EPROTO, PROBE_LOGIN, 0, VERDICT_MALFORMED, VERDICT_NONE, false },
	{ "protocol", -ECONNRESET, PROBE_COMMANDS, 0, VERDICT_ACCEPTED, VERDICT_ACCEPTED, false },
	{ "credentials", -EINVAL, PROBE_LOGIN, 0, VERDICT_NONE, VERDICT_NONE, false },
};

static void causes_follow_from_verdicts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		const struct probe_result result = { .rc = row->rc,
						     .stage = row->stage,
						     .status = row->status,
						     .ours = row->ours,
						     .theirs = row->theirs };
		enum probe_cause cause = probe_cause(&result, !row->no_chap);

		print_message("row: %zu, %s\n", i, row->cause);
		assert_string_equal(probe_cause_word(cause), row->cause);
	}
}

static void a_unit_with_a_problem_is_a_cause(void **state)
{
	struct probe_unit units[2] = { { .identified = true }, { .problem = "INQUIRY: BUSY" } };
	const struct probe_result result = { .stage = PROBE_LOGOUT,
					     .units = units,
					     .unit_count = 2 };

	(void)state;
	assert_string_equal(probe_cause_word(probe_cause(&result, true)), "unit");
}

static void every_cause_has_its_words(void **state)
{
	(void)state;
	for (enum probe_cause a = 0; a < PROBE_CAUSES; a++) {
		assert_non_null(probe_cause_text(a));
		for (enum probe_cause b = 0; b < a; b++)
			assert_string_not_equal(probe_cause_word(a), probe_cause_word(b));
	}
}

static void units_have_numbers(void **state)
{
	static const struct {
		const char *lun;
		uint64_t number;
	} table[] = {
		{ "\0\0\0\0\0\0\0\0", 0 },
		{ "\0\5\0\0\0\0\0\0", 5 },
		{ "\x40\5\0\0\0\0\0\0", 5 },
		{ "\x41\0\0\0\0\0\0\0", 256 },
		{ "\xc1\1\0\0\0\0\0\0", UINT64_C(0xc101000000000000) },
		{ "\0\1\0\2\0\0\0\0", UINT64_C(0x0001000200000000) },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct probe_unit unit = { .block_size = 0 };

		memcpy(unit.lun, table[i].lun, sizeof(unit.lun));
		print_message("row: %zu\n", i);
		assert_true(probe_unit_number(&unit) == table[i].number);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(causes_follow_from_verdicts),
		cmocka_unit_test(a_unit_with_a_problem_is_a_cause),
		cmocka_unit_test(every_cause_has_its_words),
		cmocka_unit_test(units_have_numbers),
	};

	return cmocka_run_group_tests_name("probe_cause", tests, NULL, NULL);
}
