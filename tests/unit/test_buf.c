/* SPDX-License-Identifier: MIT */
#include "buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void test_empty(void **state)
{
	struct buf buf = { 0 }, other = { 0 };
	char *text;

	(void)state;
	assert_string_equal(buf_text(&buf), "");
	assert_true(buf_equal(&buf, &other));
	buf_add(&buf, "", 0);
	assert_int_equal(buf.len, 0);
	assert_true(buf_equal(&buf, &other));
	buf_done(&buf);
	text = buf_take(&other);
	assert_string_equal(text, "");
	free(text);
	buf_done(&other);
}

static void test_add(void **state)
{
	struct buf buf = { 0 }, other = { 0 };

	(void)state;
	buf_adds(&buf, "one");
	buf_add(&buf, "\0two", 4);
	buf_addf(&buf, " %d%%", 3);
	assert_int_equal(buf.len, 10);
	assert_memory_equal(buf.data, "one\0two 3%", 11);
	buf_add(&other, "one\0two 3", 9);
	assert_false(buf_equal(&buf, &other));
	buf_adds(&other, "%");
	assert_true(buf_equal(&buf, &other));
	other.data[0] = 'O';
	assert_false(buf_equal(&buf, &other));
	buf_done(&buf);
	buf_done(&other);
	assert_null(buf.data);
	assert_int_equal(buf.len, 0);
}

/* Every length around the sizes at which memory is asked for again. */
static void test_growth(void **state)
{
	struct buf buf = { 0 };

	(void)state;
	for (size_t i = 0; i < 5000; i++) {
		char c = (char)('a' + i % 26);

		buf_add(&buf, &c, 1);
		assert_int_equal(buf.len, i + 1);
		assert_true(buf.size > buf.len);
		assert_int_equal(buf.data[buf.len], '\0');
	}
	for (size_t i = 0; i < 5000; i++)
		assert_int_equal(buf.data[i], 'a' + i % 26);
	buf_done(&buf);
}

static void test_room(void **state)
{
	struct buf buf = { 0 };
	char *room;

	(void)state;
	buf_adds(&buf, "head");
	room = buf_room(&buf, 1000);
	assert_non_null(room);
	memset(room, 'x', 1000);
	buf.len += 1000;
	buf_adds(&buf, "tail");
	assert_int_equal(buf.len, 1008);
	assert_memory_equal(buf.data, "headx", 5);
	assert_string_equal(buf.data + 1003, "xtail");
	buf_done(&buf);
}

/* A text longer than any first guess comes out whole. */
static void test_long_format(void **state)
{
	struct buf buf = { 0 };

	(void)state;
	buf_addf(&buf, "%03000d|%s", 7, "end");
	assert_int_equal(buf.len, 3004);
	assert_string_equal(buf.data + 2999, "7|end");
	buf_done(&buf);
}

static void test_failure_sticks(void **state)
{
	struct buf buf = { 0 };

	(void)state;
	buf_adds(&buf, "kept");
	assert_null(buf_room(&buf, SIZE_MAX / 2));
	assert_true(buf.failed);
	buf_adds(&buf, " not added");
	buf_addf(&buf, "%s", "nor this");
	assert_string_equal(buf_text(&buf), "kept");
	assert_null(buf_take(&buf));
	assert_null(buf.data);
	buf_done(&buf);
}

static void test_take(void **state)
{
	struct buf buf = { .secret = true };
	char *text;

	(void)state;
	buf_adds(&buf, "mine now");
	text = buf_take(&buf);
	assert_string_equal(text, "mine now");
	assert_null(buf.data);
	assert_int_equal(buf.len, 0);
	assert_true(buf.secret);
	free(text);
	buf_adds(&buf, "again");
	assert_string_equal(buf_text(&buf), "again");
	buf_done(&buf);
	assert_true(buf.secret);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),	    cmocka_unit_test(test_add),
		cmocka_unit_test(test_growth),	    cmocka_unit_test(test_room),
		cmocka_unit_test(test_long_format), cmocka_unit_test(test_failure_sticks),
		cmocka_unit_test(test_take),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
