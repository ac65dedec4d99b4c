/* SPDX-License-Identifier: MIT */
/* Live values: what may be written, and that nothing else ever is. */
#include "engine/knob.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"
#include "err.h"
#include "scratch.h"

#define SESSION "/sys/class/iscsi_session/session1"
#define DISK SESSION "/device/target2:0:0/2:0:0:0"

static void two_values_are_knobs(void **state)
{
	static const struct {
		enum place_kind kind;
		const char *key;
		bool knob;
	} table[] = {
		{ PLACE_SESSION, "recovery_tmo", true },   { PLACE_DEVICE, "timeout", true },
		{ PLACE_SESSION, "recv_tmo", false },	   { PLACE_SESSION, "ping_tmo", false },
		{ PLACE_SESSION, "max_burst_len", false }, { PLACE_SESSION, "timeout", false },
		{ PLACE_DEVICE, "recovery_tmo", false },   { PLACE_DEVICE, "eh_timeout", false },
		{ PLACE_UDEV_RULE, "timeout", false },	   { PLACE_SESSION, "", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (!!knob_find(table[i].kind, table[i].key) != table[i].knob)
			fail_msg("%s at a %s", table[i].key, place_word(table[i].kind));
}

static void only_values_that_the_kernel_shows_again_are_written(void **state)
{
	static const struct {
		const char *value;
		bool session, device;
	} table[] = {
		{ "600", true, true },
		{ "1", true, true },
		{ "0", true, false }, /* every command would fail at once */
		{ "off", true, false },
		{ "2147483", true, true },
		{ "2147484", true, false }, /* in ticks it would no longer fit */
		{ "2147483647", true, false },
		{ "2147483648", false, false },
		{ "", false, false },
		{ "abc", false, false },
		{ "-1", false, false },
		{ "+600", false, false },
		{ " 600", false, false },
		{ "600 ", false, false },
		{ "600\n", false, false },
		{ "0600", false, false },
		{ "0x258", false, false },
		{ "600s", false, false },
		{ "OFF", false, false },
		{ "[timeout]", false, false },
		{ "99999999999", false, false },
	};
	struct scratch scratch;

	(void)state;
	scratch_init(&scratch);
	scratch_write(&scratch, SESSION "/recovery_tmo", "120\n", 0644);
	scratch_write(&scratch, DISK "/timeout", "2147480\n", 0644); /* longer than what comes */
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		for (int device = 0; device < 2; device++) {
			const struct knob *knob = device ? knob_find(PLACE_DEVICE, "timeout")
							 : knob_find(PLACE_SESSION, "recovery_tmo");
			const char *dir = device ? DISK : SESSION;
			const char *path = device ? DISK "/timeout" : SESSION "/recovery_tmo";
			bool sound = device ? table[i].device : table[i].session;
			CLEANUP(buf_done) struct buf expected = { 0 };
			struct err err = { 0 };
			int rc;

			if (sound)
				buf_addf(&expected, "%s\n", table[i].value);
			else
				buf_adds(&expected, scratch_read(&scratch, path));
			rc = knob_set(&scratch.paths, knob, dir, table[i].value, &err);
			if (rc != (sound ? 0 : -EINVAL) ||
			    strcmp(scratch_read(&scratch, path), buf_text(&expected)) != 0)
				fail_msg("%s into %s: %d, it is %s", table[i].value, knob->key, rc,
					 scratch_read(&scratch, path));
			if (rc < 0 && strcmp(err.place, scratch_path(&scratch, path)) != 0)
				fail_msg("%s: it is not told where", table[i].value);
		}
	}
	scratch_done(&scratch);
}

static void what_is_gone_is_not_made(void **state)
{
	const struct knob *knob = knob_find(PLACE_DEVICE, "timeout");
	struct scratch scratch;
	struct err err = { 0 };

	(void)state;
	scratch_init(&scratch);
	assert_int_equal(knob_set(&scratch.paths, knob, DISK, "600", &err), -ENOENT);
	scratch_write(&scratch, DISK "/type", "0\n", 0644);
	assert_int_equal(knob_set(&scratch.paths, knob, DISK, "600", &err), -ENOENT);
	assert_false(scratch_has(&scratch, DISK "/timeout"));
	scratch_done(&scratch);
}

/* A file of the kernel that makes something else of what is written: 51 is shown as 00000033. */
static void a_value_that_does_not_hold_is_an_error(void **state)
{
	static const struct knob knob = { PLACE_SESSION, "coredump_filter", 0, 100, NULL };
	struct paths paths;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(paths_init(&paths, NULL, &err), 0);
	assert_int_equal(knob_set(&paths, &knob, "/proc/self", "51", &err), -EIO);
	assert_string_equal(err.place, "/proc/self/coredump_filter");
	assert_non_null(strstr(err.reason, "51 was written, and it is 00000033"));
	paths_done(&paths);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_values_are_knobs),
		cmocka_unit_test(only_values_that_the_kernel_shows_again_are_written),
		cmocka_unit_test(what_is_gone_is_not_made),
		cmocka_unit_test(a_value_that_does_not_hold_is_an_error),
	};

	return cmocka_run_group_tests_name("knob", tests, NULL, NULL);
}
