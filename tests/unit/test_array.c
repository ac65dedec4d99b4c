/* SPDX-License-Identifier: MIT */
/* An array holds what was added to it, and runs out of memory instead of over. */
#include "array.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void elements_stay_while_it_grows(void **state)
{
	size_t *items = NULL, count = 0;

	(void)state;
	while (count < 1000) {
		assert_true(ARRAY_ROOM(items, count));
		items[count] = count;
		count++;
	}
	while (count-- > 0)
		assert_int_equal(items[count], count);
	free(items);
}

static void what_has_no_size_finds_no_room(void **state)
{
	size_t item, *items = &item;

	(void)state;
	assert_false(ARRAY_ROOM(items, SIZE_MAX / 2));
	assert_ptr_equal(items, &item);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elements_stay_while_it_grows),
		cmocka_unit_test(what_has_no_size_finds_no_room),
	};

	return cmocka_run_group_tests_name("array", tests, NULL, NULL);
}
