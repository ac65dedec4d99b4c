/* SPDX-License-Identifier: MIT */
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "err.h"

void scratch_init(struct scratch *scratch)
{
	const char *base = getenv("O");
	struct err err;

	snprintf(scratch->dir, sizeof(scratch->dir), "%s/scratch.XXXXXX", base ? base : "/tmp");
	assert_non_null(mkdtemp(scratch->dir));
	assert_int_equal(paths_init(&scratch->paths, scratch->dir, &err), 0);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

void scratch_done(struct scratch *scratch)
{
	paths_done(&scratch->paths);
	assert_int_equal(nftw(scratch->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

int scratch_setup(void **state)
{
	*state = test_calloc(1, sizeof(struct scratch));
	scratch_init(*state);
	return 0;
}

int scratch_teardown(void **state)
{
	scratch_done(*state);
	test_free(*state);
	return 0;
}

const char *scratch_path(const struct scratch *scratch, const char *path)
{
	static char shown[4][2 * PATH_MAX];
	static unsigned next;

	next = (next + 1) % ARRAY_LEN(shown);
	snprintf(shown[next], sizeof(shown[next]), "%s%s", scratch->dir, path);
	return shown[next];
}

static void make_parents(char *path)
{
	char *slash;

	for (slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) < 0)
			assert_int_equal(errno, EEXIST);
		*slash = '/';
	}
}

void scratch_write(const struct scratch *scratch, const char *path, const char *text, mode_t mode)
{
	char full[PATH_MAX];
	FILE *file;

	snprintf(full, sizeof(full), "%s", scratch_path(scratch, path));
	make_parents(full);
	file = fopen(full, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(full, mode), 0);
}

const char *scratch_read(const struct scratch *scratch, const char *path)
{
	static char text[65536];
	FILE *file = fopen(scratch_path(scratch, path), "r");
	size_t len;

	if (!file) {
		assert_int_equal(errno, ENOENT);
		return NULL;
	}
	len = fread(text, 1, sizeof(text) - 1, file);
	assert_int_equal(ferror(file), 0);
	text[len] = '\0';
	fclose(file);
	return text;
}

bool scratch_has(const struct scratch *scratch, const char *path)
{
	struct stat st;

	return lstat(scratch_path(scratch, path), &st) == 0;
}

static void dump_dir(const struct scratch *scratch, const char *dir, struct buf *out)
{
	char **names, path[PATH_MAX];
	size_t count, i;
	struct stat st;
	struct err err;

	assert_int_equal(paths_list(&scratch->paths, dir, &names, &count, &err), 0);
	for (i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", strcmp(dir, "/") == 0 ? "" : dir, names[i]);
		if (strcmp(path, "/run") == 0 || strcmp(path, "/var/lib/sgw-init") == 0)
			continue;
		assert_int_equal(lstat(scratch_path(scratch, path), &st), 0);
		buf_addf(out, "%s %o", path, (unsigned)st.st_mode);
		if (S_ISLNK(st.st_mode)) {
			char text[PATH_MAX] = "";

			assert_true(readlink(scratch_path(scratch, path), text, sizeof(text) - 1) >
				    0);
			buf_addf(out, " -> %s", text);
		} else if (S_ISREG(st.st_mode)) {
			buf_addf(out, " [%s]", scratch_read(scratch, path));
		}
		buf_adds(out, "\n");
		if (S_ISDIR(st.st_mode))
			dump_dir(scratch, path, out);
	}
	paths_list_free(names, count);
}

char *scratch_dump(const struct scratch *scratch)
{
	struct buf out = { 0 };

	buf_adds(&out, "");
	dump_dir(scratch, "/", &out);
	assert_false(out.failed);
	return buf_take(&out);
}
