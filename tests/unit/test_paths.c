/* SPDX-License-Identifier: MIT */
/* Paths inside a tree whose links try to leave it. */
#include "host/paths.h"

#include <errno.h>
#include <fcntl.h>
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

/* The tree: `in` is what --root names, `out` lies beside it and is never to be seen. */
static const struct node {
	char kind; /* d directory, f file, l link, p pipe */
	const char *path;
	const char *text; /* of a file or link; @ is the absolute place of the whole scratch */
} tree[] = {
	{ 'd', "out", NULL },
	{ 'f', "out/secret", "outside" },
	{ 'd', "in", NULL },
	{ 'd', "in/etc", NULL },
	{ 'd', "in/etc/iscsi", NULL },
	{ 'f', "in/etc/iscsi/iscsid.conf", "inside" },
	{ 'f', "in/etc/state", " running \n\t\n" },
	{ 'f', "in/etc/empty", "\n" },
	{ 'f', "in/etc/long", "123456789\n" },
	{ 'f', "in/secret", "mine" },
	{ 'd', "in/var", NULL },
	{ 'd', "in/var/lib", NULL },
	{ 'l', "in/var/lib/iscsi", "/etc/iscsi" },
	{ 'l', "in/var/up", "../../../../etc" },
	{ 'l', "in/absolute", "/etc/iscsi/iscsid.conf" },
	{ 'l', "in/relative", "etc/./iscsi//iscsid.conf" },
	{ 'l', "in/twice", "relative" },
	{ 'l', "in/leave", "../out/secret" },
	{ 'l', "in/leave-real", "@/out/secret" },
	{ 'l', "in/leave-up", "../../../../../../../../../secret" },
	{ 'l', "in/etc/root", "/" },
	{ 'l', "in/etc/parent", ".." },
	{ 'l', "in/loop", "loop" },
	{ 'l', "in/loop-a", "loop-b/x" },
	{ 'l', "in/loop-b", "loop-a/x" },
	{ 'l', "in/dangling", "/etc/absent" },
	{ 'l', "in/dangling-dir", "/absent/file" },
	{ 'l', "in/to-dir", "etc/iscsi/" },
	{ 'l', "in/through-file", "secret/.." },
	{ 'p', "in/pipe", NULL },
	{ 'l', "in/to-pipe", "pipe" },
};

struct scratch {
	char dir[64];
	struct paths paths;
};

static void make_node(const char *dir, const struct node *node)
{
	char path[PATH_MAX], text[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, node->path);
	switch (node->kind) {
	case 'd':
		assert_int_equal(mkdir(path, 0755), 0);
		break;
	case 'p':
		assert_int_equal(mkfifo(path, 0600), 0);
		break;
	case 'l':
		snprintf(text, sizeof(text), "%s%s", node->text[0] == '@' ? dir : "",
			 node->text + (node->text[0] == '@'));
		assert_int_equal(symlink(text, path), 0);
		break;
	default:
		file = fopen(path, "w");
		assert_non_null(file);
		assert_true(fputs(node->text, file) >= 0);
		assert_int_equal(fclose(file), 0);
	}
}

static int setup(void **state)
{
	struct scratch *scratch = test_calloc(1, sizeof(*scratch));
	char in[PATH_MAX];
	struct err err = { 0 };
	size_t i;

	snprintf(scratch->dir, sizeof(scratch->dir), "/tmp/test_paths.XXXXXX");
	assert_non_null(mkdtemp(scratch->dir));
	for (i = 0; i < ARRAY_LEN(tree); i++)
		make_node(scratch->dir, &tree[i]);
	snprintf(in, sizeof(in), "%s/in//", scratch->dir);
	assert_int_equal(paths_init(&scratch->paths, in, &err), 0);
	*state = scratch;
	return 0;
}

static int teardown(void **state)
{
	struct scratch *scratch = *state;
	char path[PATH_MAX];
	size_t i;

	for (i = ARRAY_LEN(tree); i-- > 0;) {
		snprintf(path, sizeof(path), "%s/%s", scratch->dir, tree[i].path);
		assert_int_equal(remove(path), 0);
	}
	assert_int_equal(rmdir(scratch->dir), 0);
	paths_done(&scratch->paths);
	test_free(scratch);
	return 0;
}

static void reads_stay_inside(void **state)
{
	static const struct {
		const char *path;
		const char *text; /* NULL: fails */
		int code;
		const char *reason; /* in the message */
	} table[] = {
		{ "/etc/iscsi/iscsid.conf", "inside", 0, "" },
		{ "//etc/../etc/./iscsi//iscsid.conf", "inside", 0, "" },
		{ "/../../../etc/iscsi/iscsid.conf", "inside", 0, "" },
		{ "/var/lib/iscsi/iscsid.conf", "inside", 0, "" },
		{ "/var/up/iscsi/iscsid.conf", "inside", 0, "" },
		{ "/absolute", "inside", 0, "" },
		{ "/relative", "inside", 0, "" },
		{ "/twice", "inside", 0, "" },
		{ "/etc/root/etc/parent/secret", "mine", 0, "" },
		{ "/to-dir/iscsid.conf", "inside", 0, "" },
		{ "/leave-up", "mine", 0, "" },
		{ "/leave", NULL, ENOENT, "there is no directory /out" },
		{ "/leave-real", NULL, ENOENT, "there is no directory /tmp" },
		{ "/loop", NULL, ELOOP, "/loop" },
		{ "/loop-a/y", NULL, ELOOP, "" },
		{ "/dangling", NULL, ENOENT, "no such file" },
		{ "/dangling-dir", NULL, ENOENT, "there is no directory /absent" },
		{ "/through-file", NULL, ENOTDIR, "/secret" },
		{ "/secret/.", NULL, ENOTDIR, "/secret" },
		{ "/secret/x", NULL, ENOTDIR, "/secret" },
		{ "/etc", NULL, EISDIR, "a directory" },
		{ "/", NULL, EISDIR, "a directory" },
		{ "/etc/..", NULL, EISDIR, "a directory" },
		{ "/pipe", NULL, EINVAL, "a pipe" },
		{ "/to-pipe", NULL, EINVAL, "a pipe" },
		{ "etc/iscsi", NULL, EINVAL, "does not begin with /" },
		{ "", NULL, EINVAL, "does not begin with /" },
	};
	struct scratch *scratch = *state;
	size_t i;

	for (i = 0; i < ARRAY_LEN(table); i++) {
		CLEANUP(buf_done) struct buf bytes = { 0 };
		struct err err = { 0 };
		char shown[ERR_PLACE_MAX];
		int ret;

		ret = paths_read(&scratch->paths, table[i].path, 100, &bytes, NULL, &err);
		if (ret != -table[i].code || !strstr(err.reason, table[i].reason) ||
		    (table[i].text && strcmp(buf_text(&bytes), table[i].text) != 0))
			fail_msg("\"%s\": %d \"%s\" \"%s\"", table[i].path, ret, buf_text(&bytes),
				 err.reason);
		if (ret < 0) {
			snprintf(shown, sizeof(shown), "%s/in%s", scratch->dir, table[i].path);
			assert_string_equal(err.place, shown);
		}
		if (table[i].path[0] == '/')
			assert_int_equal(paths_exists(&scratch->paths, table[i].path, &err),
					 ret == 0 || table[i].code == EISDIR ||
						 strstr(table[i].reason, "a pipe"));
	}
}

static void real_paths_hold_no_link(void **state)
{
	static const struct {
		const char *path, *real;
	} table[] = {
		{ "/", "/" },
		{ "/..", "/" },
		{ "/etc/iscsi/.", "/etc/iscsi" },
		{ "/twice", "/etc/iscsi/iscsid.conf" },
		{ "/var/lib/iscsi", "/etc/iscsi" },
		{ "/var/lib/iscsi/../../secret", "/secret" },
		{ "/dangling", "/etc/absent" },
		{ "/new", "/new" },
		{ "/dangling-dir", NULL },
	};
	struct scratch *scratch = *state;
	size_t i;

	for (i = 0; i < ARRAY_LEN(table); i++) {
		struct err err = { 0 };
		CLEANUP(free_ptr)
		char *real = paths_real(&scratch->paths, table[i].path, &err);

		if (!real != !table[i].real || (real && strcmp(real, table[i].real) != 0))
			fail_msg("\"%s\" is \"%s\": %s", table[i].path, real ? real : "",
				 err.reason);
	}
}

static void a_spot_tells_where_to_write(void **state)
{
	static const struct {
		const char *path, *name;
		bool exists;
	} table[] = {
		{ "/twice", "iscsid.conf", true }, { "/dangling", "absent", false },
		{ "/new", "new", false },	   { "/to-dir", "iscsi", true },
		{ "/etc/parent", ".", true },	   { "/", ".", true },
	};
	struct scratch *scratch = *state;
	size_t i;

	for (i = 0; i < ARRAY_LEN(table); i++) {
		struct spot spot = SPOT_NONE;
		struct err err = { 0 };

		assert_int_equal(paths_find(&scratch->paths, table[i].path, &spot, &err), 0);
		if (strcmp(spot.name, table[i].name) != 0 || spot.exists != table[i].exists)
			fail_msg("\"%s\" is \"%s\", %d", table[i].path, spot.name, spot.exists);
		assert_true(fcntl(spot.dirfd, F_GETFD) & FD_CLOEXEC);
		spot_done(&spot);
	}
}

static void names_come_sorted(void **state)
{
	static const char *const root[] = { "absolute", "dangling",	"dangling-dir", "etc",
					    "leave",	"leave-real",	"leave-up",	"loop",
					    "loop-a",	"loop-b",	"pipe",		"relative",
					    "secret",	"through-file", "to-dir",	"to-pipe",
					    "twice",	"var" };
	struct scratch *scratch = *state;
	struct err err = { 0 };
	char **names;
	size_t count, i;

	assert_int_equal(paths_list(&scratch->paths, "/etc/..", &names, &count, &err), 0);
	assert_int_equal(count, ARRAY_LEN(root));
	for (i = 0; i < count; i++)
		assert_string_equal(names[i], root[i]);
	paths_list_free(names, count);

	assert_int_equal(paths_list(&scratch->paths, "/var/lib/iscsi/", &names, &count, &err), 0);
	assert_int_equal(count, 1);
	paths_list_free(names, count);

	assert_int_equal(paths_list(&scratch->paths, "/none", &names, &count, &err), -ENOENT);
	assert_null(names);
	assert_int_equal(paths_list(&scratch->paths, "/secret", &names, &count, &err), -ENOTDIR);
	assert_int_equal(paths_list(&scratch->paths, "/pipe", &names, &count, &err), -ENOTDIR);
}

static void reading_is_bounded(void **state)
{
	struct scratch *scratch = *state;
	struct buf bytes = { 0 };
	struct err err = { 0 };
	struct stat st;

	assert_int_equal(paths_read(&scratch->paths, "/secret", 4, &bytes, &st, &err), 0);
	assert_int_equal(st.st_size, 4);
	assert_int_equal(paths_read(&scratch->paths, "/secret", 4, &bytes, NULL, &err), 0);
	assert_string_equal(bytes.data, "minemine"); /* it appends */
	assert_int_equal(paths_read(&scratch->paths, "/secret", 3, &bytes, NULL, &err), -EFBIG);
	buf_done(&bytes);
}

static void attributes_come_without_the_blanks_at_their_end(void **state)
{
	static const struct {
		const char *key, *text;
		int rc;
	} rows[] = {
		{ "state", " running", 0 }, { "empty", "", 0 },	      { "long", "", -EOVERFLOW },
		{ "absent", "", -ENOENT },  { "iscsi", "", -EISDIR },
	};
	struct scratch *scratch = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = { 0 }, after = { 0 };
		char text[sizeof(" running")];
		int rc = paths_read_text(&scratch->paths, "/etc", rows[i].key, text, sizeof(text),
					 &err);

		if (rc != rows[i].rc || strcmp(text, rows[i].text) != 0 ||
		    (rc < 0) != (err.place[0] != '\0'))
			fail_msg("%s: %d, '%s', %s", rows[i].key, rc, text, err.place);
		rc = rc == -ENOENT ? 0 : rc;
		assert_int_equal(paths_unless_gone(rows[i].rc, &err, &after), rc);
		assert_int_equal(after.code, -rc);
	}
}

/* The live host: links of /proc that the kernel resolves by magic are read as mere text. */
static void live_paths_read_proc(void **state)
{
	struct paths live;
	struct err err = { 0 };
	struct buf bytes = { 0 };
	char link[64];
	int ends[2];

	(void)state;
	assert_int_equal(paths_init(&live, NULL, &err), 0);
	assert_true(live.live);
	assert_int_equal(paths_read(&live, "/proc/self/stat", 4096, &bytes, NULL, &err), 0);
	assert_int_equal(strtol(buf_text(&bytes), NULL, 10), getpid());
	assert_int_equal(paths_read(&live, "/proc/self/mountinfo", 1, &bytes, NULL, &err), -EFBIG);
	buf_done(&bytes);

	assert_int_equal(pipe(ends), 0);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", ends[0]);
	assert_int_equal(paths_read(&live, link, 100, &bytes, NULL, &err), -ENOENT);
	close(ends[0]);
	close(ends[1]);
	paths_done(&live);
}

static void roots_are_checked(void **state)
{
	struct scratch *scratch = *state;
	struct paths paths;
	struct err err = { 0 };
	char path[PATH_MAX], shown[PATH_MAX];

	snprintf(path, sizeof(path), "%s/in/secret", scratch->dir);
	assert_int_equal(paths_init(&paths, path, &err), -ENOTDIR);
	assert_string_equal(err.place, path);
	assert_int_equal(paths_init(&paths, "", &err), -ENOENT);
	assert_int_equal(paths_init(&paths, "/", &err), 0);
	assert_false(paths.live);
	paths_show(&paths, "/etc", shown, sizeof(shown));
	assert_string_equal(shown, "/etc");
	paths_done(&paths);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_stay_inside),
		cmocka_unit_test(real_paths_hold_no_link),
		cmocka_unit_test(a_spot_tells_where_to_write),
		cmocka_unit_test(names_come_sorted),
		cmocka_unit_test(reading_is_bounded),
		cmocka_unit_test(live_paths_read_proc),
		cmocka_unit_test(attributes_come_without_the_blanks_at_their_end),
		cmocka_unit_test(roots_are_checked),
	};

	return cmocka_run_group_tests_name("paths", tests, setup, teardown);
}
