/* SPDX-License-Identifier: MIT */
/* Undo of live values, whatever became of their sessions. */
#include "engine/restore_live.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"
#include "engine/tx.h"
#include "engine/undo.h"
#include "err.h"
#include "scratch.h"

#define TARGET "iqn.1997-05.com.amazon:a"
#define SESSIONS "/sys/class/iscsi_session/"
#define CONNECTIONS "/sys/class/iscsi_connection/"

/* A session of the target as the kernel shows it, with a disk 0:0:0; port NULL: no connection. */
static void add_session(struct scratch *scratch, const char *number, const char *target,
			const char *port, const char *recovery, const char *timeout)
{
	char path[256], text[64];

	snprintf(path, sizeof(path), SESSIONS "session%s/targetname", number);
	scratch_write(scratch, path, target, 0644);
	snprintf(path, sizeof(path), SESSIONS "session%s/recovery_tmo", number);
	snprintf(text, sizeof(text), "%s\n", recovery);
	scratch_write(scratch, path, text, 0644);
	if (port) {
		snprintf(path, sizeof(path), CONNECTIONS "connection%s:0/persistent_address",
			 number);
		scratch_write(scratch, path, "10.0.0.1\n", 0644);
		snprintf(path, sizeof(path), CONNECTIONS "connection%s:0/persistent_port", number);
		scratch_write(scratch, path, port, 0644);
	}
	if (!timeout)
		return;
	snprintf(path, sizeof(path), SESSIONS "session%s/device/target%s:0:0/%s:0:0:0/type", number,
		 number, number);
	scratch_write(scratch, path, "0\n", 0644);
	snprintf(path, sizeof(path), SESSIONS "session%s/device/target%s:0:0/%s:0:0:0/timeout",
		 number, number, number);
	snprintf(text, sizeof(text), "%s\n", timeout);
	scratch_write(scratch, path, text, 0644);
}

static void tell(const struct undo_step *step, void *ctx)
{
	static const char *const words[] = {
		[UNDO_EDITED] = "back",
		[UNDO_KEPT] = "kept",
		[UNDO_GONE] = "gone",
	};
	const char *name = strrchr(step->path, '/');

	buf_addf(ctx, "%s %s %s%s%s\n", words[step->action], name ? name + 1 : step->path,
		 step->key, step->note ? ": " : "", step->note ? step->note : "");
}

/* Commit what was live in session 1, then undo it on the host as it is. */
static void undo_it(struct scratch *scratch, const char *before, struct buf *told)
{
	const struct tx_live live[] = {
		{ "session1", TARGET, "10.0.0.1", 3260, NULL, "recovery_tmo", "120", "600" },
		{ "session1", TARGET, "10.0.0.1", 3260, "0:0:0", "timeout", before, "600" },
	};
	CLEANUP(buf_done) struct buf dry = { 0 };
	struct undo_calls calls = { .tell = tell, .ctx = &dry };
	char id[TX_ID_MAX];
	struct tx *tx;
	struct err err = { 0 };

	assert_int_equal(tx_begin(&tx, &scratch->paths, NULL, &err), 0);
	tx_live(tx, live, ARRAY_LEN(live));
	assert_int_equal(tx_commit(tx, "apply", NULL, 0, id, &err), 0);
	assert_string_not_equal(id, "");
	/* The next commit is none of theirs, and without files it is nothing. */
	assert_int_equal(tx_commit(tx, "apply", NULL, 0, id, &err), 0);
	assert_string_equal(id, "");
	assert_int_equal(undo_show(&scratch->paths, NULL, &calls, &err), 0);
	calls.ctx = told;
	assert_int_equal(undo_entry(tx, NULL, &calls, &err), 0);
	tx_end(tx);
	assert_string_equal(buf_text(&dry), buf_text(told));
}

static void sessions_are_known_again(void **state)
{
	static const struct {
		const char *what;
		const char *number, *target, *port, *recovery, *timeout; /* as it is by now */
		const char *before; /* of the disk's timeout */
		const char *recovery_left, *timeout_left, *told;
	} table[] = {
		{ "as it was", "1", TARGET, "3260", "600", "600", "30", "120", "30",
		  "back session1 recovery_tmo\nback 1:0:0:0 timeout\n" },
		{ "logged in again", "7", TARGET, "3260", "600", "600", "30", "120", "30",
		  "back session7 recovery_tmo\nback 7:0:0:0 timeout\n" },
		{ "as before it", "1", TARGET, "3260", "120", "30", "30", "120", "30", "" },
		{ "others changed one", "1", TARGET, "3260", "300", "600", "30", "300", "30",
		  "kept session1 recovery_tmo: others changed it since\nback 1:0:0:0 timeout\n" },
		{ "a harmful value", "1", TARGET, "3260", "600", "600", "0", "120", "600",
		  "back session1 recovery_tmo\nkept 1:0:0:0 timeout: '0' is no value for timeout: "
		  "seconds from 1 to 2147483\n" },
		{ "nothing before it", "1", TARGET, "3260", "600", "600", "", "120", "600",
		  "back session1 recovery_tmo\nkept 1:0:0:0 timeout: '' is no value for timeout: "
		  "seconds from 1 to 2147483\n" },
		{ "another target", "1", TARGET "b", "3260", "600", "600", "30", "600", "600",
		  "gone " TARGET " at 10.0.0.1:3260 recovery_tmo: there is no session of it any "
		  "more\ngone " TARGET " at 10.0.0.1:3260, unit 0:0:0 timeout: there is no session "
		  "of it any more\n" },
		{ "another portal", "1", TARGET, "3261", "600", "600", "30", "600", "600",
		  "gone " TARGET " at 10.0.0.1:3260 recovery_tmo: there is no session of it any "
		  "more\ngone " TARGET " at 10.0.0.1:3260, unit 0:0:0 timeout: there is no session "
		  "of it any more\n" },
		{ "its disk went", "1", TARGET, "3260", "600", NULL, "30", "120", NULL,
		  "back session1 recovery_tmo\ngone " TARGET " at 10.0.0.1:3260, unit 0:0:0 "
		  "timeout: its session has no such device any more\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		CLEANUP(buf_done) struct buf told = { 0 };
		struct scratch scratch;
		const char *left;
		char path[256];

		scratch_init(&scratch);
		add_session(&scratch, table[i].number, table[i].target, table[i].port,
			    table[i].recovery, table[i].timeout);
		undo_it(&scratch, table[i].before, &told);
		if (strcmp(buf_text(&told), table[i].told) != 0)
			fail_msg("%s: told \"%s\"", table[i].what, buf_text(&told));
		snprintf(path, sizeof(path), SESSIONS "session%s/recovery_tmo", table[i].number);
		left = scratch_read(&scratch, path);
		if (strncmp(left, table[i].recovery_left, strlen(table[i].recovery_left)) != 0)
			fail_msg("%s: recovery_tmo is %s", table[i].what, left);
		snprintf(path, sizeof(path),
			 SESSIONS "session%s/device/target%s:0:0/%s:0:0:0/timeout", table[i].number,
			 table[i].number, table[i].number);
		left = scratch_read(&scratch, path);
		if (left &&
		    strncmp(left, table[i].timeout_left, strlen(table[i].timeout_left)) != 0)
			fail_msg("%s: timeout is %s", table[i].what, left);
		scratch_done(&scratch);
	}
}

/* Two paths to one target at one portal: the session that was changed is the one to mend. */
static void of_two_sessions_it_is_the_one_it_was(void **state)
{
	CLEANUP(buf_done) struct buf told = { 0 };
	struct scratch scratch;

	(void)state;
	scratch_init(&scratch);
	add_session(&scratch, "0", TARGET, "3260", "600", "600");
	add_session(&scratch, "1", TARGET, "3260", "600", "600");
	undo_it(&scratch, "30", &told);
	assert_string_equal(buf_text(&told), "back session1 recovery_tmo\nback 1:0:0:0 timeout\n");
	assert_string_equal(scratch_read(&scratch, SESSIONS "session0/recovery_tmo"), "600\n");
	scratch_done(&scratch);
}

/*
 * One live value of session 1 was set to 600 and journaled; then the entry's
 * mark became another.
 */
static void commit_one(struct scratch *scratch, const char *mark, bool there)
{
	const struct tx_live live[] = {
		{ "session1", TARGET, "10.0.0.1", 3260, NULL, "recovery_tmo", "120", "600" },
	};
	char id[TX_ID_MAX], path[256];
	struct tx *tx;
	struct err err = { 0 };

	scratch_init(scratch);
	add_session(scratch, "1", TARGET, "3260", "600", NULL);
	assert_int_equal(tx_begin(&tx, &scratch->paths, NULL, &err), 0);
	tx_live(tx, live, ARRAY_LEN(live));
	assert_int_equal(tx_commit(tx, "apply", NULL, 0, id, &err), 0);
	tx_end(tx);
	snprintf(path, sizeof(path), TX_JOURNAL "/%s/%s", id, mark);
	if (there)
		scratch_write(scratch, path, "", 0600);
	else
		assert_int_equal(remove(scratch_path(scratch, path)), 0);
}

/* What was set live was set after the done mark: to roll back is to leave it alone. */
static void a_roll_back_sets_no_live_value(void **state)
{
	CLEANUP(buf_done) struct buf told = { 0 };
	struct scratch scratch;
	struct tx *tx;
	struct err err = { 0 };

	(void)state;
	commit_one(&scratch, "done", false);
	assert_int_equal(tx_begin(&tx, &scratch.paths, &told, &err), 0);
	tx_end(tx);
	assert_non_null(strstr(buf_text(&told), "rolled back"));
	assert_string_equal(scratch_read(&scratch, SESSIONS "session1/recovery_tmo"), "600\n");
	scratch_done(&scratch);
}

/* An undo that was cut off before its live values is finished with them. */
static void a_half_done_undo_finishes_them(void **state)
{
	struct scratch scratch;
	struct tx *tx;
	struct err err = { 0 };

	(void)state;
	commit_one(&scratch, "undoing", true);
	assert_int_equal(tx_begin(&tx, &scratch.paths, NULL, &err), 0);
	tx_end(tx);
	assert_string_equal(scratch_read(&scratch, SESSIONS "session1/recovery_tmo"), "120\n");
	scratch_done(&scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sessions_are_known_again),
		cmocka_unit_test(of_two_sessions_it_is_the_one_it_was),
		cmocka_unit_test(a_roll_back_sets_no_live_value),
		cmocka_unit_test(a_half_done_undo_finishes_them),
	};

	return cmocka_run_group_tests_name("restore_live", tests, NULL, NULL);
}
