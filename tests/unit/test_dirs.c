/* SPDX-License-Identifier: MIT */
/* Directories: sets of them, missing ones, and the cursor that keeps them open. */
#include "host/dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "buf.h"
#include "err.h"
#include "scratch.h"

static int setup(void **state)
{
	scratch_setup(state);
	scratch_write(*state, "/a/b/c/file", "", 0644);
	scratch_write(*state, "/a/b2/c/file", "", 0644);
	assert_int_equal(symlink("a/b", scratch_path(*state, "/link")), 0);
	assert_int_equal(symlink("gone/there", scratch_path(*state, "/dangling")), 0);
	return 0;
}

static void sets_hold_parents_first(void **state)
{
	static const char *const in[] = { "/b", "/a/b", "/a", "/b", "/a/b/c", "/a" };
	static const char *const out[] = { "/a", "/a/b", "/a/b/c", "/b" };
	struct dirs dirs = { 0 };
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(in); i++)
		assert_int_equal(dirs_add(&dirs, in[i], &err), 0);
	assert_int_equal(dirs.count, ARRAY_LEN(out));
	for (i = 0; i < ARRAY_LEN(out); i++) {
		assert_string_equal(dirs.paths[i], out[i]);
		assert_true(dirs_hold(&dirs, out[i]));
	}
	assert_false(dirs_hold(&dirs, "/a/"));
	dirs_done(&dirs);
}

static void what_is_missing_is_listed(void **state)
{
	static const struct {
		const char *path;
		int code;
		const char *missing[3];
	} table[] = {
		{ "/a/b/c", 0, { NULL } },
		{ "/a/b/new", 0, { "/a/b/new", NULL } },
		{ "/new/x/y", 0, { "/new", "/new/x", "/new/x/y" } },
		{ "/link/new", 0, { "/link/new", NULL } },
		{ "/a/b/c/file", ENOTDIR, { NULL } },
		{ "/a/b/c/file/x", ENOTDIR, { NULL } },
		{ "/dangling", ENOENT, { NULL } },
		{ "/dangling/x", ENOENT, { NULL } },
	};
	struct scratch *scratch = *state;
	size_t i, j;

	for (i = 0; i < ARRAY_LEN(table); i++) {
		struct dirs dirs = { 0 };
		struct err err;
		int ret = dirs_missing(&dirs, &scratch->paths, table[i].path, &err);

		if (ret != -table[i].code)
			fail_msg("%s: %d", table[i].path, ret);
		for (j = 0; ret == 0 && j < 3 && table[i].missing[j]; j++)
			if (j >= dirs.count || strcmp(dirs.paths[j], table[i].missing[j]) != 0)
				fail_msg("%s: %s is not listed", table[i].path,
					 table[i].missing[j]);
		assert_int_equal(dirs.count, j);
		dirs_done(&dirs);
	}
}

static void made_directories_have_their_mode(void **state)
{
	struct scratch *scratch = *state;
	struct stat st;
	struct err err;
	int fd, i;

	for (i = 0; i < 2; i++) {
		fd = dir_open_made(&scratch->paths, "/x/y/z", 0700, &err);
		assert_true(fd >= 0);
		close(fd);
		assert_int_equal(stat(scratch_path(scratch, "/x/y"), &st), 0);
		assert_int_equal(st.st_mode & 07777, 0755);
		assert_int_equal(stat(scratch_path(scratch, "/x/y/z"), &st), 0);
		assert_int_equal(st.st_mode & 07777, 0700);
	}
}

/* One walk through neighbours, strangers, links and what is not there. */
static void the_cursor_arrives_where_it_is_sent(void **state)
{
	static const struct {
		const char *path, *is; /* NULL: not there */
	} table[] = {
		{ "/a/b/c", "/a/b/c" },
		{ "/a/b/c", "/a/b/c" },
		{ "/a/b2/c", "/a/b2/c" },
		{ "/a/b", "/a/b" },
		{ "/", "/" },
		{ "/a", "/a" },
		{ "/link/c", "/a/b/c" },
		{ "/link", "/a/b" },
		{ "/a/b/c", "/a/b/c" },
		{ "/a/b/none", NULL },
		{ "/a/b/c/file", NULL },
		{ "/dangling", NULL },
		{ "/a/b2/c", "/a/b2/c" },
	};
	struct scratch *scratch = *state;
	struct dir_cursor cursor = { 0 };
	struct err err = { 0 };
	struct stat is, should;
	size_t i;
	int fd;

	for (i = 0; i < ARRAY_LEN(table); i++) {
		fd = dir_cursor_at(&cursor, &scratch->paths, table[i].path, &err);
		if (!table[i].is != (fd < 0))
			fail_msg("%zu: %s: %d", i, table[i].path, fd);
		if (fd < 0) {
			assert_string_equal(err.place, scratch_path(scratch, table[i].path));
			continue;
		}
		assert_int_equal(fstat(fd, &is), 0);
		assert_int_equal(stat(scratch_path(scratch, table[i].is), &should), 0);
		if (is.st_ino != should.st_ino)
			fail_msg("%zu: %s is another directory", i, table[i].path);
	}
	dir_cursor_done(&cursor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_hold_parents_first),
		cmocka_unit_test_setup_teardown(what_is_missing_is_listed, setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(made_directories_have_their_mode, setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(the_cursor_arrives_where_it_is_sent, setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests_name("dirs", tests, NULL, NULL);
}
