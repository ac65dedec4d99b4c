/* SPDX-License-Identifier: MIT */
#include "err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "buf.h"

static void test_set(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(err_set(&err, EPROTO, "key of %d bytes", 64), -EPROTO);
	assert_int_equal(err.code, EPROTO);
	assert_string_equal(err.reason, "key of 64 bytes");
	assert_int_equal(err_sys(&err, ENOENT, "open"), -ENOENT);
	assert_string_equal(err.reason, "open: No such file or directory");
	assert_int_equal(err_oom(&err), -ENOMEM);
	assert_int_equal(err.code, ENOMEM);
}

static void test_place(void **state)
{
	struct err err = { 0 };

	(void)state;
	err_set(&err, EINVAL, "bad");
	assert_string_equal(err.place, "");
	assert_int_equal(err_at(&err, "iscsid.conf:%d", 7), -EINVAL);
	assert_int_equal(err_at(&err, "outer"), -EINVAL);
	assert_string_equal(err.place, "iscsid.conf:7");
	err_set(&err, EIO, "a new error has no place yet");
	assert_string_equal(err.place, "");
}

static void test_long_texts_are_cut(void **state)
{
	struct err err = { 0 };

	(void)state;
	err_set(&err, EINVAL, "%05000d", 1);
	assert_int_equal(strlen(err.reason), ERR_REASON_MAX - 1);
	err_at(&err, "%05000d", 1);
	assert_int_equal(strlen(err.place), ERR_PLACE_MAX - 1);
	err_sys(&err, EIO, "%05000d", 1);
	assert_int_equal(strlen(err.reason), ERR_REASON_MAX - 1);
}

static void test_commands_are_whole_or_left_out(void **state)
{
	struct err err = { 0 };

	(void)state;
	err_set(&err, EBUSY, "in use");
	assert_true(err_add_command(&err, ": end it with: ", "umount /data"));
	assert_string_equal(err.reason, "in use: end it with: umount /data");
	err_set(&err, EBUSY, "%0*d", ERR_REASON_MAX - 8, 1);
	assert_false(err_add_command(&err, ": ", "umount"));
	assert_int_equal(strlen(err.reason), ERR_REASON_MAX - 8);
	assert_true(err_add_command(&err, ": ", "mount"));
	assert_int_equal(strlen(err.reason), ERR_REASON_MAX - 1);
}

struct print_row {
	const char *place;
	const char *reason;
	const char *line;
};

static const struct print_row print_rows[] = {
	{ "", "no such profile", "sgw-init: no such profile\n" },
	{ "127.0.0.1:3260", "connection refused",
	  "sgw-init: 127.0.0.1:3260: connection refused\n" },
	{ "a\nb", "said \033[2J", "sgw-init: a\\x0ab: said \\x1b[2J\n" },
};

/* What err_print writes to standard error, caught in a file. */
static void print_into(const struct err *err, char *out, size_t size)
{
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);
	size_t len;

	assert_non_null(file);
	assert_true(saved >= 0);
	fflush(stderr);
	assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
	err_print("sgw-init", err);
	fflush(stderr);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
	rewind(file);
	len = fread(out, 1, size - 1, file);
	out[len] = '\0';
	fclose(file);
}

static void test_print(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(print_rows); i++) {
		const struct print_row *row = &print_rows[i];
		struct err err = { 0 };
		char out[256];

		err_set(&err, EINVAL, "%s", row->reason);
		err_at(&err, "%s", row->place);
		print_into(&err, out, sizeof(out));
		if (strcmp(out, row->line) != 0)
			fail_msg("row %zu: '%s' instead of '%s'", i, out, row->line);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_commands_are_whole_or_left_out),
		cmocka_unit_test(test_long_texts_are_cut),
		cmocka_unit_test(test_print),
	};

	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
