/* SPDX-License-Identifier: MIT */
#include "engine/budget.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* The ranges of what was measured on a silent target, and what the formula gives for the rest. */
static void test_budget(void **state)
{
	static const struct row {
		const char *what;
		struct budget_inputs in;
		uint64_t least, most;
		uint32_t away;
		bool handling, offlines;
	} rows[] = {
		{ "stock: 131 s measured",
		  { 120, 5, 5, false, 30, 15 },
		  125,
		  130,
		  120,
		  false,
		  false },
		{ "udev rule alone: 129 s measured",
		  { 120, 5, 5, false, 600, 15 },
		  125,
		  130,
		  120,
		  false,
		  false },
		{ "iscsid.conf alone: session dropped at 77 s",
		  { 600, 60, 600, false, 30, 15 },
		  675,
		  677,
		  600,
		  true,
		  false },
		{ "an abort that is waited for longer",
		  { 600, 60, 600, false, 30, 40 },
		  700,
		  702,
		  600,
		  true,
		  false },
		{ "all of it", { 600, 60, 600, false, 600, 15 }, 1200, 1260, 600, false, false },
		{ "NOPs that notice beside error handling",
		  { 600, 60, 16, false, 30, 15 },
		  616,
		  676,
		  600,
		  true,
		  false },
		{ "scaled down: 7.8 s measured",
		  { 5, 2, 2, false, 30, 15 },
		  7,
		  9,
		  5,
		  false,
		  false },
		{ "no NOPs: 12.9 s measured, offlined",
		  { 5, 0, 0, false, 4, 15 },
		  4,
		  30,
		  5,
		  true,
		  true },
		{ "tape: the NOP timeout alone decides",
		  { 600, 60, 600, true, 0, 15 },
		  600,
		  660,
		  0,
		  false,
		  false },
		{ "tape without NOPs",
		  { 600, 0, 0, true, 0, 15 },
		  BUDGET_UNNOTICED,
		  BUDGET_UNNOTICED,
		  0,
		  false,
		  false },
		{ "a disk timeout of 0 is no tape's",
		  { 600, 60, 600, false, 0, 15 },
		  615,
		  617,
		  600,
		  true,
		  false },
		{ "sums beyond 32 bits",
		  { UINT32_MAX, 0, 0, false, UINT32_MAX, 15 },
		  UINT32_MAX,
		  3 * (uint64_t)UINT32_MAX + 17,
		  UINT32_MAX,
		  true,
		  true },
		{ "tape, 12 s frozen: fails at 4 s",
		  { 600, 2, 2, true, 0, 15 },
		  2,
		  4,
		  0,
		  false,
		  false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct budget budget = budget_of(&rows[i].in);

		if (budget.least != rows[i].least || budget.most != rows[i].most ||
		    budget.away != rows[i].away || budget.by_error_handling != rows[i].handling ||
		    budget.offlines != rows[i].offlines)
			fail_msg("%s: %" PRIu64 " to %" PRIu64
				 " s, away %u s, handling %d, offlines %d",
				 rows[i].what, budget.least, budget.most, budget.away,
				 budget.by_error_handling, budget.offlines);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_budget) };

	return cmocka_run_group_tests_name("budget", tests, NULL, NULL);
}
