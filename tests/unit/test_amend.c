/* SPDX-License-Identifier: MIT */
/* One apply, two commits, since others wrote between: one entry, and one undo takes back both. */
#include "engine/amend.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "documents/document.h"
#include "engine/entry.h"
#include "engine/journal.h"
#include "engine/tx.h"
#include "engine/undo.h"
#include "err.h"
#include "host/lock.h"
#include "scratch.h"

#define CONF "/etc/iscsi/iscsid.conf"
#define RECORD "/var/lib/iscsi/nodes/iqn.1997-05.com.amazon:a/10.0.0.1,3260,1/default"
#define SECOND "/var/lib/iscsi/nodes/iqn.1997-05.com.amazon:b/10.0.0.1,3260,1/default"

#define STOCK "a = 1\nb = 1\n"
#define TUNED "a = 2\nb = 2\n"
#define TEN(x) x x x x x x x x x x
#define TOO_LONG "a = 2\n# " TEN(TEN(TEN("long"))) "\n"

/* Where the next commit ends, and whether the process ends with it. */
static struct {
	enum { NOWHERE, BEFORE_ITS_RENAME, AFTER_ITS_RENAME } where;
	bool killed;
} end;

/* In place of the system's. */
int renameat(int old_dir, const char *old, int new_dir, const char *new)
{
	const char *const temp = ".sgw-init-";

	if ((end.where == BEFORE_ITS_RENAME && strncmp(old, temp, strlen(temp)) == 0) ||
	    (end.where == AFTER_ITS_RENAME && strcmp(new, JOURNAL_FORMER) == 0)) {
		if (end.killed)
			_exit(0);
		end.where = NOWHERE;
		errno = ENOSPC;
		return -1;
	}
	return renameat2(old_dir, old, new_dir, new, 0);
}

static int setup(void **state)
{
	*state = test_calloc(1, sizeof(struct scratch));
	scratch_init(*state);
	return 0;
}

static int teardown(void **state)
{
	scratch_done(*state);
	test_free(*state);
	return 0;
}

/* Commit one file; former NULL: the first attempt. */
static int commit(struct tx *tx, const char *former, const char *path, const char *before,
		  const char *after, char id[TX_ID_MAX], struct err *err)
{
	CLEANUP(buf_done) struct buf old = { 0 };
	CLEANUP(buf_done) struct buf new = { 0 };
	struct tx_file file = {
		.path = path,
		.type = &document_open_iscsi,
		.mode = 0600,
		.database = strstr(path, "/nodes/") ? "/var/lib/iscsi" : NULL,
	};

	if (before) {
		buf_adds(&old, before);
		file.before = &old;
	}
	buf_adds(&new, after);
	file.after = &new;
	tx_go_on(tx, former);
	return tx_commit(tx, "apply", &file, 1, id, err);
}

static void undo_all(struct scratch *scratch)
{
	struct journal_entry *entries;
	struct tx *tx;
	struct err err;
	size_t count;

	assert_int_equal(journal_list(&scratch->paths, &entries, &count, &err), 0);
	assert_int_equal(count, 1);
	assert_int_equal(entries[0].state, ENTRY_APPLIED);
	free(entries);
	assert_int_equal(tx_begin(&tx, &scratch->paths, NULL, &err), 0);
	assert_int_equal(undo_entry(tx, NULL, &(struct undo_calls){ 0 }, &err), 0);
	tx_end(tx);
}

static void is(const struct scratch *scratch, const char *row, const char *path, const char *should)
{
	const char *now = scratch_read(scratch, path);

	if (!should ? now != NULL : !now || strcmp(now, should) != 0)
		fail_msg("%s: %s holds [%s], not [%s]", row, path, now ? now : "(absent)",
			 should ? should : "(absent)");
}

static void one_undo_goes_back_behind_both(void **state)
{
	static const struct {
		const char *name, *before, *first, *theirs, *second, *undone;
	} rows[] = {
		{ "the former text again", STOCK, TUNED, STOCK, TUNED, STOCK },
		{ "their own key beside it", STOCK, TUNED, STOCK "c = 7\n", TUNED "c = 7\n",
		  STOCK "c = 7\n" },
		{ "one of ours still stands", STOCK, TUNED, "a = 2\nb = 7\n", TUNED,
		  "a = 1\nb = 7\n" },
		{ "they left it", STOCK, TUNED, TUNED, "a = 3\nb = 2\n", STOCK },
		{ "what we made they made anew", NULL, TUNED, STOCK, TUNED, STOCK },
		{ "what we made they left", NULL, TUNED, TUNED, "a = 3\n", NULL },
		{ "what we made they removed", NULL, TUNED, NULL, TUNED, NULL },
		{ "it cannot be read", STOCK, TUNED, TOO_LONG, TUNED, TOO_LONG },
	};
	struct scratch *scratch = *state;
	char first[TX_ID_MAX], second[TX_ID_MAX];
	struct err err;
	struct tx *tx;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		scratch_done(scratch);
		scratch_init(scratch);
		if (rows[i].before)
			scratch_write(scratch, CONF, rows[i].before, 0644);
		assert_int_equal(tx_begin(&tx, &scratch->paths, NULL, &err), 0);
		assert_int_equal(commit(tx, NULL, CONF, rows[i].before, rows[i].first, first, &err),
				 0);
		if (rows[i].theirs)
			scratch_write(scratch, CONF, rows[i].theirs, 0600);
		else
			unlink(scratch_path(scratch, CONF));
		if (commit(tx, first, CONF, rows[i].theirs, rows[i].second, second, &err) != 0)
			fail_msg("%s: %s", rows[i].name, err.reason);
		tx_end(tx);
		is(scratch, rows[i].name, CONF, rows[i].second);
		undo_all(scratch);
		is(scratch, rows[i].name, CONF, rows[i].undone);
	}
}

static void what_others_left_alone_comes_along(void **state)
{
	struct scratch *scratch = *state;
	char ids[3][TX_ID_MAX];
	struct err err;
	struct tx *tx;

	assert_int_equal(tx_begin(&tx, &scratch->paths, NULL, &err), 0);
	assert_int_equal(commit(tx, NULL, RECORD, NULL, TUNED, ids[0], &err), 0);
	assert_int_equal(commit(tx, ids[0], SECOND, NULL, TUNED, ids[1], &err), 0);
	scratch_write(scratch, SECOND, STOCK, 0600);
	assert_int_equal(commit(tx, ids[1], SECOND, STOCK, TUNED, ids[2], &err), 0);
	tx_end(tx);
	undo_all(scratch);
	is(scratch, "ours", RECORD, NULL);
	is(scratch, "theirs", SECOND, STOCK);
	assert_false(scratch_has(scratch, "/var/lib/iscsi/nodes/iqn.1997-05.com.amazon:a"));
}

static void modes_go_back_behind_both(void **state)
{
	struct scratch *scratch = *state;
	char first[TX_ID_MAX], second[TX_ID_MAX];
	struct stat st;
	struct err err;
	struct tx *tx;

	scratch_write(scratch, CONF, STOCK, 0644);
	assert_int_equal(tx_begin(&tx, &scratch->paths, NULL, &err), 0);
	assert_int_equal(commit(tx, NULL, CONF, STOCK, TUNED, first, &err), 0);
	scratch_write(scratch, CONF, STOCK, 0600); /* the mode of the first one stands */
	assert_int_equal(commit(tx, first, CONF, STOCK, TUNED, second, &err), 0);
	tx_end(tx);
	undo_all(scratch);
	assert_int_equal(stat(scratch_path(scratch, CONF), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
}

static void the_first_stands_where_the_second_does_not(void **state)
{
	struct scratch *scratch = *state;
	char first[TX_ID_MAX], second[TX_ID_MAX];
	struct err err;
	struct tx *tx;

	assert_int_equal(tx_begin(&tx, &scratch->paths, NULL, &err), 0);
	assert_int_equal(commit(tx, NULL, RECORD, NULL, TUNED, first, &err), 0);
	/* The lock's directory cannot be made: known only when the database is to be locked. */
	assert_int_equal(rmdir(scratch_path(scratch, LOCK_DATABASE_DIR)), 0);
	scratch_write(scratch, LOCK_DATABASE_DIR, "", 0644);
	assert_int_equal(commit(tx, first, SECOND, NULL, TUNED, second, &err), -ENOTDIR);
	unlink(scratch_path(scratch, LOCK_DATABASE_DIR));
	tx_end(tx);
	is(scratch, "failed", RECORD, TUNED);
	is(scratch, "failed", SECOND, NULL);
	undo_all(scratch);
	is(scratch, "undone", RECORD, NULL);
}

/* A second attempt at the same file that does not come to its end, and what it left. */
static void fail_again(const struct scratch *scratch, const char *former, const char *path,
		       const char *before, const char *after)
{
	char id[TX_ID_MAX];
	struct err err;
	struct tx *tx;

	assert_int_equal(tx_begin(&tx, &scratch->paths, NULL, &err), 0);
	assert_int_equal(commit(tx, former, path, before, after, id, &err), -ENOSPC);
	tx_end(tx);
}

static void kill_again(const struct scratch *scratch, const char *former, const char *path,
		       const char *before, const char *after)
{
	char id[TX_ID_MAX];
	struct err err;
	struct tx *tx;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (tx_begin(&tx, &scratch->paths, NULL, &err) == 0)
			commit(tx, former, path, before, after, id, &err);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	end.where = NOWHERE;
	assert_int_equal(tx_begin(&tx, &scratch->paths, NULL, &err), 0);
	tx_end(tx);
}

static void a_file_of_both_stands_as_the_first_and_others_left_it(void **state)
{
	static const struct {
		const char *name, *path, *before, *first, *theirs, *second, *undone;
	} rows[] = {
		{ "one of ours they changed", RECORD, STOCK, TUNED, "a = 2\nb = 7\n", TUNED,
		  "a = 1\nb = 7\n" },
		{ "one of a wider file", CONF, STOCK, TUNED, "a = 2\nb = 7\n", TUNED,
		  "a = 1\nb = 7\n" },
		{ "the former text again", CONF, STOCK, TUNED, STOCK, TUNED, STOCK },
		{ "they left it", RECORD, STOCK, TUNED, TUNED, "a = 3\nb = 2\n", STOCK },
		{ "what we made they left", RECORD, NULL, TUNED, TUNED, "a = 3\n", NULL },
		{ "what we made they made anew", RECORD, NULL, TUNED, STOCK, TUNED, STOCK },
		{ "what we made they removed", RECORD, NULL, TUNED, NULL, TUNED, NULL },
	};
	static const struct {
		const char *name;
		int where;
		bool killed;
	} ends[] = {
		{ "failed before its rename", BEFORE_ITS_RENAME, false },
		{ "failed after its rename", AFTER_ITS_RENAME, false },
		{ "killed before its rename", BEFORE_ITS_RENAME, true },
		{ "killed after its rename", AFTER_ITS_RENAME, true },
	};
	struct scratch *scratch = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows) * ARRAY_LEN(ends); i++) {
		const size_t at = i / ARRAY_LEN(ends), how = i % ARRAY_LEN(ends);
		char first[TX_ID_MAX], name[128];
		struct stat st;
		struct err err;
		struct tx *tx;

		scratch_done(scratch);
		scratch_init(scratch);
		snprintf(name, sizeof(name), "%s, %s", rows[at].name, ends[how].name);
		if (rows[at].before)
			scratch_write(scratch, rows[at].path, rows[at].before, 0644);
		assert_int_equal(tx_begin(&tx, &scratch->paths, NULL, &err), 0);
		assert_int_equal(commit(tx, NULL, rows[at].path, rows[at].before, rows[at].first,
					first, &err),
				 0);
		tx_end(tx);
		if (rows[at].theirs)
			scratch_write(scratch, rows[at].path, rows[at].theirs, 0600);
		else
			unlink(scratch_path(scratch, rows[at].path));
		end.where = ends[how].where;
		end.killed = ends[how].killed;
		(end.killed ? kill_again : fail_again)(scratch, first, rows[at].path,
						       rows[at].theirs, rows[at].second);
		is(scratch, name, rows[at].path, rows[at].theirs);
		if (rows[at].theirs && (stat(scratch_path(scratch, rows[at].path), &st) < 0 ||
					(st.st_mode & 07777) != 0600))
			fail_msg("%s: its mode is %o", name, (unsigned)st.st_mode);
		undo_all(scratch);
		is(scratch, name, rows[at].path, rows[at].undone);
	}
}

static void live_values_come_along(void **state)
{
	static const struct tx_live lives[] = {
		{ "session1", "iqn.a", "10.0.0.1", 3260, NULL, "recovery_tmo", "120", "600" },
		{ "session2", "iqn.b", "10.0.0.1", 3260, NULL, "recovery_tmo", "120", "600" },
	};
	static const struct tx_live again = { "session2", "iqn.b",	  "10.0.0.1", 3260,
					      NULL,	  "recovery_tmo", "600",      "900" };
	struct scratch *scratch = *state;
	char ids[2][TX_ID_MAX];
	struct entry entry;
	struct err err;
	struct tx *tx;

	assert_int_equal(tx_begin(&tx, &scratch->paths, NULL, &err), 0);
	tx_live(tx, lives, ARRAY_LEN(lives));
	assert_int_equal(commit(tx, NULL, CONF, NULL, TUNED, ids[0], &err), 0);
	tx_live(tx, &again, 1);
	tx_go_on(tx, ids[0]);
	assert_int_equal(tx_commit(tx, "apply", NULL, 0, ids[1], &err), 0);
	tx_end(tx);
	assert_int_equal(journal_load(&scratch->paths, ids[1], &entry, &err), 0);
	assert_int_equal(entry.file_count, 1);
	assert_int_equal(entry.own, 0);
	assert_int_equal(entry.live_count, 2);
	assert_string_equal(entry.live[0].session, "session2");
	assert_string_equal(entry.live[0].before, "120");
	assert_string_equal(entry.live[0].after, "900");
	assert_string_equal(entry.live[1].session, "session1");
	entry_done(&entry);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_undo_goes_back_behind_both, setup, teardown),
		cmocka_unit_test_setup_teardown(what_others_left_alone_comes_along, setup,
						teardown),
		cmocka_unit_test_setup_teardown(modes_go_back_behind_both, setup, teardown),
		cmocka_unit_test_setup_teardown(the_first_stands_where_the_second_does_not, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			a_file_of_both_stands_as_the_first_and_others_left_it, setup, teardown),
		cmocka_unit_test_setup_teardown(live_values_come_along, setup, teardown),
	};

	return cmocka_run_group_tests_name("amend", tests, NULL, NULL);
}
