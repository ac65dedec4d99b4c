/* SPDX-License-Identifier: MIT */
/* Commits: what they write, what they keep, and what they refuse before the first write. */
#include "engine/tx.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "documents/document.h"
#include "engine/journal.h"
#include "err.h"
#include "host/lock.h"
#include "scratch.h"

#define CONF "/etc/iscsi/iscsid.conf"
#define RULE "/etc/udev/rules.d/60-sgw-init.rules"
#define RECORD_NODES "/var/lib/iscsi/nodes"
#define RECORD_TARGET RECORD_NODES "/iqn.1997-05.com.amazon:a"
#define RECORD_PORTAL RECORD_TARGET "/10.0.0.1,3260,1"
#define RECORD RECORD_PORTAL "/default"
#define SECOND "/var/lib/iscsi/nodes/iqn.1997-05.com.amazon:b/10.0.0.1,3260,1/default"

static int setup(void **state)
{
	scratch_setup(state);
	scratch_write(*state, CONF, "a = 1\n", 0644);
	return 0;
}

/* One file to commit; NULL is absent. */
struct want {
	const char *path, *before, *after;
	mode_t mode;
};

static int commit(struct scratch *scratch, const struct want *wants, size_t count, char *id,
		  struct err *err)
{
	struct tx_file files[4] = { 0 };
	struct buf bufs[4][2] = { 0 };
	char own_id[TX_ID_MAX];
	struct tx *tx;
	size_t i;
	int ret;

	assert_true(count <= ARRAY_LEN(files));
	for (i = 0; i < count; i++) {
		files[i] = (struct tx_file){
			.path = wants[i].path,
			.type = &document_open_iscsi,
			.mode = wants[i].mode,
			.database = strstr(wants[i].path, "/nodes/") ? "/var/lib/iscsi" : NULL,
		};
		if (wants[i].before) {
			buf_adds(&bufs[i][0], wants[i].before);
			files[i].before = &bufs[i][0];
		}
		if (wants[i].after) {
			buf_adds(&bufs[i][1], wants[i].after);
			files[i].after = &bufs[i][1];
		}
	}
	ret = tx_begin(&tx, &scratch->paths, NULL, err);
	if (ret == 0) {
		ret = tx_commit(tx, "test", files, count, id ? id : own_id, err);
		tx_end(tx);
	}
	for (i = 0; i < count; i++) {
		buf_done(&bufs[i][0]);
		buf_done(&bufs[i][1]);
	}
	return ret;
}

static void journal_is(struct scratch *scratch, size_t count)
{
	struct journal_entry *entries;
	struct err err;
	size_t got, i;

	assert_int_equal(journal_list(&scratch->paths, &entries, &got, &err), 0);
	assert_int_equal(got, count);
	for (i = 0; i < got; i++)
		assert_int_equal(entries[i].state, ENTRY_APPLIED);
	free(entries);
}

static void all_files_are_written(void **state)
{
	static const struct want wants[] = {
		{ CONF, "a = 1\n", "a = 2\n", 07777 },
		{ RULE, NULL, "rule\n", 0644 },
		{ RECORD, NULL, "record\n", 0600 },
		{ SECOND, NULL, "", 0600 },
	};
	struct scratch *scratch = *state;
	struct journal_entry *entries;
	char id[TX_ID_MAX];
	struct err err;
	struct stat st;
	size_t count;
	CLEANUP(free_ptr) char *dump = NULL;

	assert_int_equal(commit(scratch, wants, ARRAY_LEN(wants), id, &err), 0);
	dump = scratch_dump(scratch);
	assert_string_equal(
		dump,
		"/etc 40755\n/etc/iscsi 40755\n/etc/iscsi/iscsid.conf 100644 [a = 2\n]\n"
		"/etc/udev 40755\n/etc/udev/rules.d 40755\n"
		"/etc/udev/rules.d/60-sgw-init.rules 100644 [rule\n]\n"
		"/var 40755\n/var/lib 40755\n/var/lib/iscsi 40755\n/var/lib/iscsi/nodes 40700\n"
		"/var/lib/iscsi/nodes/iqn.1997-05.com.amazon:a 40700\n"
		"/var/lib/iscsi/nodes/iqn.1997-05.com.amazon:a/10.0.0.1,3260,1 40700\n"
		"/var/lib/iscsi/nodes/iqn.1997-05.com.amazon:a/10.0.0.1,3260,1/default 100600 "
		"[record\n]\n"
		"/var/lib/iscsi/nodes/iqn.1997-05.com.amazon:b 40700\n"
		"/var/lib/iscsi/nodes/iqn.1997-05.com.amazon:b/10.0.0.1,3260,1 40700\n"
		"/var/lib/iscsi/nodes/iqn.1997-05.com.amazon:b/10.0.0.1,3260,1/default 100600 "
		"[]\n");
	assert_int_equal(journal_list(&scratch->paths, &entries, &count, &err), 0);
	assert_int_equal(count, 1);
	assert_string_equal(entries[0].id, id);
	assert_string_equal(entries[0].command, "test");
	assert_int_equal(entries[0].file_count, 4);
	assert_int_equal(entries[0].state, ENTRY_APPLIED);
	free(entries);
	assert_int_equal(stat(scratch_path(scratch, TX_JOURNAL), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_false(scratch_has(scratch, LOCK_DATABASE_DIR "/lock.write"));
}

static void nothing_to_change_writes_nothing(void **state)
{
	static const struct want wants[] = {
		{ CONF, "a = 1\n", "a = 1\n", 07777 },
		{ RULE, NULL, NULL, 0644 },
	};
	struct scratch *scratch = *state;
	struct stat before, after;
	char id[TX_ID_MAX] = "x";
	struct err err;

	assert_int_equal(stat(scratch_path(scratch, CONF), &before), 0);
	assert_int_equal(commit(scratch, wants, 0, id, &err), 0);
	assert_string_equal(id, "");
	assert_int_equal(commit(scratch, wants, ARRAY_LEN(wants), id, &err), 0);
	assert_string_equal(id, "");
	assert_int_equal(stat(scratch_path(scratch, CONF), &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_false(scratch_has(scratch, TX_JOURNAL));
	assert_false(scratch_has(scratch, LOCK_DATABASE_DIR));
}

static void files_keep_what_they_have(void **state)
{
	static const struct want wants[] = { { "/etc/link.conf", "a = 1\n", "a = 2\n", 07777 } };
	struct scratch *scratch = *state;
	char value[8], target[64] = "";
	struct stat st;
	struct err err;
	bool attributes;

	assert_int_equal(chmod(scratch_path(scratch, CONF), 02640), 0);
	if (geteuid() == 0)
		assert_int_equal(chown(scratch_path(scratch, CONF), 12, 34), 0);
	assert_int_equal(chmod(scratch_path(scratch, CONF), 02640), 0);
	attributes = setxattr(scratch_path(scratch, CONF), "user.note", "hi", 2, 0) == 0;
	assert_int_equal(
		symlink("/etc/iscsi/../iscsi/iscsid.conf", scratch_path(scratch, "/etc/link.conf")),
		0);
	assert_int_equal(commit(scratch, wants, 1, NULL, &err), 0);

	assert_true(readlink(scratch_path(scratch, "/etc/link.conf"), target, sizeof(target)) > 0);
	assert_string_equal(scratch_read(scratch, CONF), "a = 2\n");
	assert_int_equal(lstat(scratch_path(scratch, CONF), &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 02640);
	if (geteuid() == 0) {
		assert_int_equal(st.st_uid, 12);
		assert_int_equal(st.st_gid, 34);
	}
	if (attributes)
		assert_int_equal(getxattr(scratch_path(scratch, CONF), "user.note", value, 8), 2);
}

static void a_secret_narrows_the_mode(void **state)
{
	static const struct want bytes[] = { { CONF, "a = 1\n", "a = s\n", 0600 } };
	static const struct want mode[] = { { CONF, "a = s\n", "a = s\n", 0600 } };
	struct scratch *scratch = *state;
	struct stat st;
	struct err err;

	assert_int_equal(commit(scratch, bytes, 1, NULL, &err), 0);
	assert_int_equal(stat(scratch_path(scratch, CONF), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(commit(scratch, mode, 1, NULL, &err), 0);
	journal_is(scratch, 1);
	assert_int_equal(chmod(scratch_path(scratch, CONF), 0640), 0);
	assert_int_equal(commit(scratch, mode, 1, NULL, &err), 0);
	journal_is(scratch, 2);
	assert_int_equal(stat(scratch_path(scratch, CONF), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void files_that_are_otherwise_are_refused(void **state)
{
	static const struct {
		const char *what;
		struct want want;
		int code;
		const char *reason;
	} table[] = {
		{ "other bytes",
		  { CONF, "a = 0\n", "a = 2\n", 07777 },
		  ESTALE,
		  "changed meanwhile" },
		{ "appeared", { CONF, NULL, "a = 2\n", 0644 }, ESTALE, "changed meanwhile" },
		{ "vanished", { RULE, "x", "y", 07777 }, ESTALE, "changed meanwhile" },
		{ "to be removed", { CONF, "a", NULL, 0 }, ESTALE, "changed meanwhile" },
		{ "a directory", { "/etc/iscsi", NULL, "x", 0644 }, EINVAL, "something else" },
		{ "below a file", { CONF "/x", NULL, "x", 0644 }, ENOTDIR, "Not a directory" },
		{ "a link to nowhere",
		  { "/dangling", NULL, "x", 0644 },
		  ENOENT,
		  "a link into a directory that is missing" },
	};
	struct scratch *scratch = *state;
	CLEANUP(free_ptr) char *before = NULL;
	size_t i;

	assert_int_equal(symlink("/none/there", scratch_path(scratch, "/dangling")), 0);
	before = scratch_dump(scratch);
	for (i = 0; i < ARRAY_LEN(table); i++) {
		const struct want wants[] = { { RECORD, NULL, "r", 0600 }, table[i].want };
		CLEANUP(free_ptr) char *after = NULL;
		struct err err = { 0 };
		int ret = commit(scratch, wants, 2, NULL, &err);

		if (ret != -table[i].code || !strstr(err.reason, table[i].reason) ||
		    strncmp(err.place, scratch->dir, strlen(scratch->dir)) != 0)
			fail_msg("%s: %d %s: %s", table[i].what, ret, err.place, err.reason);
		after = scratch_dump(scratch);
		assert_string_equal(before, after);
		assert_false(scratch_has(scratch, TX_JOURNAL));
	}
}

static void one_file_by_two_names_is_refused(void **state)
{
	static const struct want wants[] = {
		{ CONF, "a = 1\n", "a = 2\n", 07777 },
		{ "/etc/other/iscsid.conf", "a = 1\n", "a = 3\n", 07777 },
	};
	struct scratch *scratch = *state;
	struct err err;

	assert_int_equal(symlink("iscsi", scratch_path(scratch, "/etc/other")), 0);
	assert_int_equal(commit(scratch, wants, 2, NULL, &err), -EINVAL);
	assert_non_null(strstr(err.reason, "two changes"));
	assert_string_equal(scratch_read(scratch, CONF), "a = 1\n");
}

static int set_flags(const char *path, int flags)
{
	int fd = open(path, O_RDONLY), ret;

	assert_true(fd >= 0);
	ret = ioctl(fd, FS_IOC_SETFLAGS, &flags);
	close(fd);
	return ret;
}

static void immutable_files_are_refused(void **state)
{
	static const struct want edit[] = {
		{ RULE, NULL, "rule\n", 0644 },
		{ CONF, "a = 1\n", "a = 2\n", 07777 },
	};
	static const struct want removal[] = {
		{ RULE, NULL, "rule\n", 0644 },
		{ RECORD, "r = 1\n", NULL, 07777 },
	};
	static const struct {
		const char *path;
		int flag;
		const char *remedy;
		const struct want *wants;
	} table[] = {
		{ CONF, FS_IMMUTABLE_FL, "chattr -i", edit },
		{ CONF, FS_APPEND_FL, "chattr -a", edit },
		{ "/etc/iscsi", FS_IMMUTABLE_FL, "chattr -i", edit },
		{ RECORD, FS_IMMUTABLE_FL, "chattr -i", removal },
		{ RECORD_PORTAL, FS_IMMUTABLE_FL, "chattr -i", removal },
		{ RECORD_TARGET, FS_IMMUTABLE_FL, "chattr -i", removal },
		{ RECORD_NODES, FS_IMMUTABLE_FL, "chattr -i", removal },
	};
	struct scratch *scratch = *state;
	size_t i;

	scratch_write(scratch, RECORD, "r = 1\n", 0600);
	assert_int_equal(chmod(scratch_path(scratch, RECORD_PORTAL), 0700), 0);
	assert_int_equal(chmod(scratch_path(scratch, RECORD_TARGET), 0700), 0);
	for (i = 0; i < ARRAY_LEN(table); i++) {
		const char *path = scratch_path(scratch, table[i].path);
		struct err err = { 0 };

		if (set_flags(path, table[i].flag) < 0)
			skip(); /* not root, or a file system without such flags */
		assert_int_equal(commit(scratch, table[i].wants, 2, NULL, &err), -EPERM);
		assert_int_equal(set_flags(path, 0), 0);
		if (!strstr(err.reason, table[i].remedy) || strcmp(err.place, path) != 0)
			fail_msg("%s: %s: %s", table[i].path, err.place, err.reason);
		assert_false(scratch_has(scratch, RULE));
		assert_false(scratch_has(scratch, TX_JOURNAL));
	}
}

/* From here on the process has mounts of its own, so that nothing stays mounted. */
static bool own_mounts(struct scratch *scratch)
{
	struct err err;

	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return false;
	/* The descriptor of the root still sees the mounts of before. */
	paths_done(&scratch->paths);
	return paths_init(&scratch->paths, scratch->dir, &err) == 0;
}

static int commit_over_a_mount(struct scratch *scratch, const char *what)
{
	static const struct want wants[] = {
		{ RULE, NULL, "rule\n", 0644 },
		{ CONF, "a = 1\n", "a = 2\n", 07777 },
	};
	struct err err = { 0 };
	const char *path = scratch_path(scratch, what);

	if (!own_mounts(scratch))
		return 77;
	if (strcmp(what, CONF) == 0) {
		if (mount(path, path, NULL, MS_BIND, NULL) < 0)
			return 77;
		if (commit(scratch, wants, 2, NULL, &err) != -EBUSY ||
		    !strstr(err.reason, "bind mount") || strcmp(err.place, path) != 0)
			return 1;
	} else {
		if (mount(path, path, NULL, MS_BIND, NULL) < 0 ||
		    mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0)
			return 77;
		if (commit(scratch, wants, 2, NULL, &err) != -EROFS)
			return 1;
	}
	return scratch_has(scratch, RULE) || scratch_has(scratch, TX_JOURNAL) ? 2 : 0;
}

static void mounts_are_refused(void **state)
{
	static const char *const mounts[] = { CONF, "/etc/iscsi" };
	struct scratch *scratch = *state;
	size_t i;

	for (i = 0; i < ARRAY_LEN(mounts); i++) {
		int status;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			_exit(commit_over_a_mount(scratch, mounts[i]));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		if (WEXITSTATUS(status) == 77)
			skip(); /* not root, or no namespaces */
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

static void a_full_disk_is_told_before_the_first_write(void **state)
{
	static const struct want wants[] = { { "/small/big", NULL, "x", 0644 } };
	struct scratch *scratch = *state;
	struct err err = { 0 };
	int status;
	pid_t pid;

	scratch_write(scratch, "/small/x", "", 0644);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char fill[16384] = { 0 };
		int fd;

		if (!own_mounts(scratch) ||
		    mount("none", scratch_path(scratch, "/small"), "tmpfs", 0, "size=16k") < 0)
			_exit(77);
		fd = open(scratch_path(scratch, "/small/fill"), O_WRONLY | O_CREAT, 0600);
		if (write(fd, fill, sizeof(fill)) != sizeof(fill))
			_exit(1);
		_exit(commit(scratch, wants, 1, NULL, &err) == -ENOSPC &&
				      strstr(err.reason, "bytes are free") &&
				      !scratch_has(scratch, TX_JOURNAL)
			      ? 0
			      : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip(); /* not root, or no namespaces */
	assert_int_equal(status, 0);
}

/* A directory made by an error on the way goes again, and so does the entry. */
static void a_late_error_takes_all_back(void **state)
{
	static const struct want wants[] = {
		{ CONF, "a = 1\n", "a = 2\n", 07777 },
		{ RULE, NULL, "rule\n", 0644 },
		{ RECORD, NULL, "record\n", 0600 },
	};
	struct scratch *scratch = *state;
	CLEANUP(free_ptr) char *before = scratch_dump(scratch);
	CLEANUP(free_ptr) char *after = NULL;
	struct err err = { 0 };

	/* The lock's directory cannot be made: known only when the database is to be locked. */
	scratch_write(scratch, LOCK_DATABASE_DIR, "", 0644);
	assert_int_equal(commit(scratch, wants, 3, NULL, &err), -ENOTDIR);
	after = scratch_dump(scratch);
	assert_string_equal(before, after);
	journal_is(scratch, 0);
}

static void ids_sort_by_age(void **state)
{
	static const struct {
		const char *newest;
		int64_t now;
		const char *id;
	} table[] = {
		{ NULL, 0, "19700101T000000Z" },
		{ NULL, 1795359661, "20261122T150101Z" },
		{ "20261122T150100Z", 1795359661, "20261122T150101Z" },
		{ "20261122T150100Z-17", 1795359661, "20261122T150101Z" },
		{ "20261122T150101Z", 1795359661, "20261122T150101Z-02" },
		{ "20261122T150101Z-09", 1795359661, "20261122T150101Z-10" },
		{ "20261122T150101Z-99", 1795359661, "20261122T150102Z" },
		{ "20991231T235959Z-99", 1795359661, "21000101T000000Z" },
		{ "20261122T150107Z", 1795359661, "20261122T150107Z-02" },
	};
	static const char *const wrong[] = { "",
					     "x",
					     "20261122T150101",
					     "20261122T150101Z-2",
					     "20261122T150101Z-xx",
					     "20261122X150101Z",
					     "../../../../../..",
					     "20261122T150101Z-022" };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(table); i++) {
		char id[TX_ID_MAX];

		journal_id_next(id, table[i].newest, table[i].now);
		if (strcmp(id, table[i].id) != 0 || !journal_id_valid(id))
			fail_msg("%s after %s", id, table[i].newest);
		if (table[i].newest)
			assert_true(strcmp(id, table[i].newest) > 0);
	}
	for (i = 0; i < ARRAY_LEN(wrong); i++)
		if (journal_id_valid(wrong[i]))
			fail_msg("%s", wrong[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_files_are_written, setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(nothing_to_change_writes_nothing, setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(files_keep_what_they_have, setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(a_secret_narrows_the_mode, setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(files_that_are_otherwise_are_refused, setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(one_file_by_two_names_is_refused, setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(immutable_files_are_refused, setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(mounts_are_refused, setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(a_full_disk_is_told_before_the_first_write, setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(a_late_error_takes_all_back, setup,
						scratch_teardown),
		cmocka_unit_test(ids_sort_by_age),
	};

	return cmocka_run_group_tests_name("tx", tests, NULL, NULL);
}
