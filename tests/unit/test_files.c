/* SPDX-License-Identifier: MIT */
#include "os/files.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "err.h"

/* Each test runs in an empty directory of its own. */
static int enter_scratch(void **state)
{
	char *dir = strdup("/tmp/sgw-files.XXXXXX");

	*state = dir;
	return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int leave_scratch(void **state)
{
	static const char *const names[] = { "file", "link", "fifo", "big", "private" };
	int rc;

	if (chdir(*state) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		unlink(names[i]);
	rmdir("dir");
	if (chdir("/") < 0)
		return -1;
	rc = rmdir(*state); /* fails where a temporary file was left behind */
	free(*state);
	return rc;
}

static void put(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void test_read(void **state)
{
	static const struct {
		const char *path;
		size_t max;
		int rc;
		const char *reason;
	} rows[] = {
		{ "file", 5, 0, "hello" },
		{ "file", SIZE_MAX, 0, "hello" },
		{ "file", 4, -EFBIG, "more than 4 bytes" },
		{ "file", 0, -EFBIG, "more than 0 bytes" },
		{ "link", 5, 0, "hello" },
		{ "/dev/null", 5, -EINVAL, "not a regular file" },
		{ "fifo", 5, -EINVAL, "not a regular file" },
		{ "dir", 5, -EISDIR, "directory" },
		{ "absent", 5, -ENOENT, "No such file" },
	};

	(void)state;
	put("file", "hello", 0644);
	assert_int_equal(symlink("file", "link"), 0);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(mkdir("dir", 0700), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(buf_done) struct buf out = { 0 };
		struct err err = { 0 };
		int rc = file_read(rows[i].path, rows[i].max, &out, &err);

		if (rc != rows[i].rc)
			fail_msg("row %zu: %d %s", i, rc, err.reason);
		if (rc == 0) {
			assert_string_equal(buf_text(&out), rows[i].reason);
		} else {
			assert_string_equal(err.place, rows[i].path);
			if (!strstr(err.reason, rows[i].reason))
				fail_msg("row %zu: %s", i, err.reason);
		}
	}
}

static void test_read_long(void **state)
{
	CLEANUP(buf_done) struct buf bytes = { 0 }, out = { 0 };
	struct err err = { 0 };

	(void)state;
	for (unsigned i = 0; i < 30000; i++)
		buf_addf(&bytes, "line %u\n", i);
	assert_false(bytes.failed);
	assert_int_equal(file_write("big", bytes.data, bytes.len, 0644, &err), 0);
	assert_int_equal(file_read("big", bytes.len, &out, &err), 0);
	assert_true(buf_equal(&bytes, &out));
	assert_int_equal(file_read("big", bytes.len - 1, &out, &err), -EFBIG);
}

static void test_read_empty(void **state)
{
	CLEANUP(buf_done) struct buf out = { 0 };
	struct err err = { 0 };

	(void)state;
	put("file", "", 0644);
	assert_int_equal(file_read("file", 10, &out, &err), 0);
	assert_non_null(out.data);
	assert_int_equal(out.len, 0);
}

static void test_read_standard_input(void **state)
{
	CLEANUP(buf_done) struct buf out = { 0 };
	struct err err = { 0 };
	int ends[2], kept = dup(STDIN_FILENO);

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "secret", 6), 6);
	close(ends[1]);
	dup2(ends[0], STDIN_FILENO);
	close(ends[0]);
	assert_int_equal(file_read_private("-", 6, &out, &err), 0);
	assert_string_equal(buf_text(&out), "secret");
	assert_true(out.secret);
	assert_int_equal(file_read("-", 6, &out, &err), 0);
	assert_int_equal(out.len, 6);
	if (kept >= 0)
		dup2(kept, STDIN_FILENO);
	close(kept);
}

static void test_private_modes(void **state)
{
	static const struct {
		mode_t mode;
		int rc;
	} rows[] = {
		{ 0600, 0 },	  { 0400, 0 },	    { 0700, 0 },      { 0640, -EPERM },
		{ 0620, -EPERM }, { 0604, -EPERM }, { 0602, -EPERM }, { 0610, -EPERM },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(buf_done) struct buf out = { 0 };
		struct err err = { 0 };
		int rc;

		put("private", "x", rows[i].mode);
		rc = file_read_private("private", 10, &out, &err);
		if (rc != rows[i].rc)
			fail_msg("mode %04o: %d %s", (unsigned)rows[i].mode, rc, err.reason);
		assert_true(out.secret);
		if (rc < 0) {
			assert_string_equal(err.place, "private");
			assert_non_null(strstr(err.reason, "chmod 600 private"));
			assert_int_equal(out.len, 0);
		}
		unlink("private");
	}
}

static void test_private_owner(void **state)
{
	CLEANUP(buf_done) struct buf out = { 0 };
	struct err err = { 0 };

	(void)state;
	if (geteuid() != 0)
		skip(); /* only root can give a file away */
	put("private", "x", 0600);
	assert_int_equal(chown("private", 12345, 12345), 0);
	assert_int_equal(file_read_private("private", 10, &out, &err), -EPERM);
	assert_non_null(strstr(err.reason, "belongs to user 12345"));
	assert_non_null(strstr(err.reason, "chown 0 private"));
}

/* The path is whatever somebody called the file. */
static void test_private_remedy(void **state)
{
	static const char *const rows[][2] = {
		{ "it's", ": run: chmod 600 'it'\"'\"'s'" },
		{ "x';id;'.json", ": run: chmod 600 'x'\"'\"';id;'\"'\"'.json'" },
		{ "a\\b", ": run: chmod 600 'a\\''b'" },
		{ "-R", ": run: chmod 600 ./-R" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(buf_done) struct buf out = { 0 };
		struct err err = { 0 };

		put(rows[i][0], "x", 0644);
		assert_int_equal(file_read_private(rows[i][0], 10, &out, &err), -EPERM);
		if (!strstr(err.reason, rows[i][1]))
			fail_msg("%s: %s", rows[i][0], err.reason);
		unlink(rows[i][0]);
	}
}

/* Half a command may be another one. */
static void test_private_remedy_too_long(void **state)
{
	CLEANUP(buf_done) struct buf out = { 0 }, path = { 0 };
	struct err err = { 0 };

	(void)state;
	for (int i = 0; i < ERR_REASON_MAX / 2; i++)
		buf_adds(&path, "./");
	buf_adds(&path, "private");
	put(path.data, "x", 0644);
	assert_int_equal(file_read_private(path.data, 10, &out, &err), -EPERM);
	assert_non_null(strstr(err.reason, "mode 0644 lets other users at them"));
	assert_null(strstr(err.reason, "chmod"));
}

static void test_write(void **state)
{
	struct err err = { 0 };
	struct stat st;
	mode_t mask = umask(022);
	ino_t before;

	(void)state;
	assert_int_equal(file_write("file", "one", 3, 0666, &err), 0);
	assert_int_equal(stat("file", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(st.st_size, 3);
	before = st.st_ino;
	assert_int_equal(file_write("./file", "", 0, 0600, &err), 0);
	assert_int_equal(stat("file", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 0);
	assert_int_not_equal(st.st_ino, before);
	umask(mask);
}

static void test_write_follows_a_link(void **state)
{
	CLEANUP(buf_done) struct buf out = { 0 };
	struct err err = { 0 };
	struct stat st;

	(void)state;
	put("file", "old", 0644);
	assert_int_equal(symlink("file", "link"), 0);
	assert_int_equal(file_write("link", "new", 3, 0600, &err), 0);
	assert_int_equal(lstat("link", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(file_read("file", 10, &out, &err), 0);
	assert_string_equal(buf_text(&out), "new");
}

static void test_write_refuses(void **state)
{
	static const struct {
		const char *path;
		int rc;
	} rows[] = {
		{ "dir", -EISDIR },	    { "/dev/null", -EINVAL },
		{ "fifo", -EINVAL },	    { "link", -ENOENT }, /* to nothing */
		{ "absent/file", -ENOENT },
	};

	(void)state;
	assert_int_equal(mkdir("dir", 0700), 0);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(symlink("nothing", "link"), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = { 0 };
		int rc = file_write(rows[i].path, "x", 1, 0600, &err);

		if (rc != rows[i].rc)
			fail_msg("%s: %d %s", rows[i].path, rc, err.reason);
		assert_string_equal(err.place, rows[i].path);
	}
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, enter_scratch, leave_scratch)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_SCRATCH(test_read),		 IN_SCRATCH(test_read_long),
		IN_SCRATCH(test_read_empty),	 IN_SCRATCH(test_read_standard_input),
		IN_SCRATCH(test_private_modes),	 IN_SCRATCH(test_private_owner),
		IN_SCRATCH(test_private_remedy), IN_SCRATCH(test_private_remedy_too_long),
		IN_SCRATCH(test_write),		 IN_SCRATCH(test_write_follows_a_link),
		IN_SCRATCH(test_write_refuses),
	};

	return cmocka_run_group_tests_name("files", tests, NULL, NULL);
}
