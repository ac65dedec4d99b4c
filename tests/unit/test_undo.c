/* SPDX-License-Identifier: MIT */
/* Taking back: exact where nobody was there since, key by key where somebody was. */
#include "engine/undo.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "documents/document.h"
#include "engine/journal.h"
#include "engine/tx.h"
#include "err.h"
#include "host/lock.h"
#include "scratch.h"

#define CONF "/etc/iscsi/iscsid.conf"
#define RULE "/etc/udev/rules.d/60-sgw-init.rules"
#define NODES "/var/lib/iscsi/nodes"
#define RECORD NODES "/iqn.1997-05.com.amazon:a/10.0.0.1,3260,1/default"
#define GONE NODES "/iqn.1997-05.com.amazon:b/10.0.0.1,3260,1/default"

#define STOCK "# first\nnode.a = 1\nnode.b = 1\nnode.c = 1\n"
#define TUNED "# first\nnode.a = 2\nnode.b = 2\nnode.c = 1\nnode.d = 2\n"
#define TEN(x) x x x x x x x x x x
#define TOO_LONG "node.a = 2\n# " TEN(TEN(TEN("long"))) "\n"
#define TUNED_RECORD "node.a = 2\n"

static int setup(void **state)
{
	struct scratch *scratch;

	scratch_setup(state);
	scratch = *state;
	scratch_write(scratch, CONF, STOCK, 0644);
	scratch_write(scratch, "/etc/udev/rules.d/50-other.rules", "# other\n", 0644);
	scratch_write(scratch, GONE, "gone\n", 0600);
	assert_int_equal(chmod(scratch_path(scratch, NODES), 0700), 0);
	return 0;
}

static void text_file(struct tx_file *file, struct buf bufs[2], const char *path,
		      const char *before, const char *after, mode_t mode)
{
	*file = (struct tx_file){
		.path = path,
		.type = &document_open_iscsi,
		.mode = mode,
		.database = strncmp(path, NODES, strlen(NODES)) == 0 ? "/var/lib/iscsi" : NULL,
	};
	if (before) {
		buf_adds(&bufs[0], before);
		file->before = &bufs[0];
	}
	if (after) {
		buf_adds(&bufs[1], after);
		file->after = &bufs[1];
	}
}

static void commit_one(struct scratch *scratch, const char *path, const char *before,
		       const char *after, char id[TX_ID_MAX])
{
	struct buf bufs[2] = { 0 };
	struct tx_file file;
	struct tx *tx;
	struct err err;

	text_file(&file, bufs, path, before, after, 07777);
	assert_int_equal(tx_begin(&tx, &scratch->paths, NULL, &err), 0);
	assert_int_equal(tx_commit(tx, "apply", &file, 1, id, &err), 0);
	tx_end(tx);
	buf_done(&bufs[0]);
	buf_done(&bufs[1]);
}

/* What an apply does to the tree of setup: one changed, two made, one removed. */
static void apply(struct scratch *scratch, char id[TX_ID_MAX])
{
	struct buf bufs[4][2] = { 0 };
	struct tx_file files[4];
	struct tx *tx;
	struct err err;
	size_t i;

	text_file(&files[0], bufs[0], CONF, STOCK, TUNED, 0600);
	text_file(&files[1], bufs[1], RULE, NULL, "rule\n", 0644);
	files[1].type = NULL;
	text_file(&files[2], bufs[2], RECORD, NULL, TUNED_RECORD, 0600);
	text_file(&files[3], bufs[3], GONE, "gone\n", NULL, 0);
	assert_int_equal(tx_begin(&tx, &scratch->paths, NULL, &err), 0);
	assert_int_equal(tx_commit(tx, "apply", files, 4, id, &err), 0);
	tx_end(tx);
	for (i = 0; i < 4; i++) {
		buf_done(&bufs[i][0]);
		buf_done(&bufs[i][1]);
	}
}

static void tell(const struct undo_step *step, void *ctx)
{
	static const char *const words[] = { "restored", "removed", "edited", "kept" };
	struct buf *told = ctx;

	buf_addf(told, "%s %s%s%s%s%s\n", words[step->action], step->path, step->key ? " " : "",
		 step->key ? step->key : "", step->note ? ": " : "", step->note ? step->note : "");
}

static int undo(struct scratch *scratch, const char *id, bool dry_run, struct buf *told,
		struct err *err)
{
	const struct undo_calls calls = { .tell = told ? tell : NULL, .ctx = told };
	struct tx *tx;
	int ret;

	if (dry_run)
		return undo_show(&scratch->paths, id, &calls, err);
	assert_int_equal(tx_begin(&tx, &scratch->paths, NULL, err), 0);
	ret = undo_entry(tx, id, &calls, err);
	tx_end(tx);
	return ret;
}

static enum entry_state state_of(struct scratch *scratch, const char *id)
{
	struct journal_state *states;
	enum entry_state found = ENTRY_UNREADABLE;
	struct err err;
	size_t count, i;

	assert_int_equal(journal_states(&scratch->paths, &states, &count, &err), 0);
	for (i = 0; i < count; i++)
		if (strcmp(states[i].id, id) == 0)
			found = states[i].state;
	free(states);
	return found;
}

static void undo_is_exact(void **state)
{
	struct scratch *scratch = *state;
	CLEANUP(buf_done) struct buf told = { 0 };
	CLEANUP(free_ptr) char *before = scratch_dump(scratch);
	CLEANUP(free_ptr) char *after = NULL;
	char id[TX_ID_MAX];
	struct err err;

	apply(scratch, id);
	assert_int_equal(undo(scratch, NULL, false, &told, &err), 0);
	after = scratch_dump(scratch);
	assert_string_equal(before, after);
	assert_string_equal(told.data, "restored " CONF "\nremoved " RULE "\nremoved " RECORD
				       "\nrestored " GONE "\n");
	assert_int_equal(state_of(scratch, id), ENTRY_UNDONE);
	assert_int_equal(undo(scratch, id, false, NULL, &err), -EALREADY);
	assert_int_equal(undo(scratch, NULL, false, NULL, &err), -ENOENT);
	assert_int_equal(undo(scratch, "nonsense", false, NULL, &err), -ENOENT);
}

static void a_dry_run_only_tells(void **state)
{
	struct scratch *scratch = *state;
	CLEANUP(buf_done) struct buf dry = { 0 };
	CLEANUP(buf_done) struct buf real = { 0 };
	CLEANUP(free_ptr) char *before = NULL;
	CLEANUP(free_ptr) char *after = NULL;
	char id[TX_ID_MAX];
	struct err err;

	apply(scratch, id);
	before = scratch_dump(scratch);
	assert_int_equal(undo(scratch, id, true, &dry, &err), 0);
	after = scratch_dump(scratch);
	assert_string_equal(before, after);
	assert_int_equal(state_of(scratch, id), ENTRY_APPLIED);
	assert_int_equal(undo(scratch, id, false, &real, &err), 0);
	assert_string_equal(dry.data, real.data);
}

/* What others did to a file since, and what undo leaves and says. NULL: they removed it. */
static void others_edits_stay(void **state)
{
	static const struct {
		const char *what, *path, *now, *left, *told;
	} table[] = {
		{ "a key of theirs", CONF, TUNED "their.own = 1\n", STOCK "their.own = 1\n",
		  "edited " CONF " node.a\nedited " CONF " node.b\nedited " CONF " node.d\n" },
		{ "our key changed", CONF, "node.a = 3\nnode.b = 2\nnode.d = 2\n",
		  "node.a = 3\nnode.b = 1\n",
		  "kept " CONF " node.a: others changed it since\nedited " CONF
		  " node.b\nedited " CONF " node.d\n" },
		{ "our key removed", CONF, "node.b = 2\n", "node.b = 1\n",
		  "kept " CONF " node.a: others changed it since\nedited " CONF " node.b\n" },
		{ "our key back already", CONF, "node.a = 1\nnode.b = 1\n",
		  "node.a = 1\nnode.b = 1\n", "" },
		{ "all back", CONF, STOCK, STOCK, "" },
		{ "a line too long", CONF, TOO_LONG, TOO_LONG, NULL },
		{ "removed", CONF, NULL, NULL, "kept " CONF ": others removed it since\n" },
		{ "a made file changed", RECORD, "node.a = 7\n", "node.a = 7\n",
		  "kept " RECORD ": others changed it since it was made\n" },
		{ "a made file removed", RECORD, NULL, NULL, "" },
		{ "a removed file made", GONE, "new\n", "new\n",
		  "kept " GONE ": others made it anew since it was removed\n" },
		{ "a removed file back", GONE, "gone\n", "gone\n", "" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(table); i++) {
		CLEANUP(buf_done) struct buf told = { 0 };
		struct scratch *scratch;
		struct buf expected = { 0 };
		char id[TX_ID_MAX];
		const char *left;
		struct err err = { 0 };
		void *own;

		setup(&own);
		scratch = own;
		apply(scratch, id);
		if (table[i].now)
			scratch_write(scratch, table[i].path, table[i].now, 0600);
		else
			assert_int_equal(unlink(scratch_path(scratch, table[i].path)), 0);
		if (undo(scratch, id, false, &told, &err) != 0)
			fail_msg("%s: %s", table[i].what, err.reason);
		left = scratch_read(scratch, table[i].path);
		if (!left != !table[i].left || (left && strcmp(left, table[i].left) != 0))
			fail_msg("%s: left \"%s\"", table[i].what, left ? left : "nothing");
		/* The other files' lines are as ever. */
		if (strcmp(table[i].path, CONF) != 0)
			buf_adds(&expected, "restored " CONF "\n");
		else if (table[i].told)
			buf_adds(&expected, table[i].told);
		buf_adds(&expected, "removed " RULE "\n");
		if (strcmp(table[i].path, RECORD) != 0)
			buf_adds(&expected, "removed " RECORD "\n");
		else
			buf_adds(&expected, table[i].told);
		buf_adds(&expected,
			 strcmp(table[i].path, GONE) != 0 ? "restored " GONE "\n" : table[i].told);
		if (table[i].told && strcmp(buf_text(&told), expected.data) != 0)
			fail_msg("%s: told \"%s\"", table[i].what, buf_text(&told));
		assert_int_equal(state_of(scratch, id), ENTRY_UNDONE);
		assert_int_equal(undo(scratch, id, false, NULL, &err), -EALREADY);
		buf_done(&expected);
		scratch_teardown(&own);
	}
}

static void modes_go_back_unless_others_set_them(void **state)
{
	static const struct {
		const char *bytes;
		mode_t now, left;
	} table[] = {
		{ NULL, 0600, 0644 },
		{ NULL, 0640, 0640 },
		{ TUNED "node.secret = x\n", 0600, 0600 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(table); i++) {
		struct scratch *scratch;
		char id[TX_ID_MAX];
		struct stat st;
		struct err err;
		void *own;

		setup(&own);
		scratch = own;
		apply(scratch, id);
		if (table[i].bytes)
			scratch_write(scratch, CONF, table[i].bytes, 0600);
		assert_int_equal(chmod(scratch_path(scratch, CONF), table[i].now), 0);
		assert_int_equal(undo(scratch, id, false, NULL, &err), 0);
		assert_int_equal(stat(scratch_path(scratch, CONF), &st), 0);
		if ((st.st_mode & 07777) != table[i].left)
			fail_msg("%zu: %o", i, (unsigned)st.st_mode);
		scratch_teardown(&own);
	}
}

static void something_else_in_its_place_stays(void **state)
{
	struct scratch *scratch = *state;
	CLEANUP(buf_done) struct buf told = { 0 };
	char id[TX_ID_MAX];
	struct err err;

	apply(scratch, id);
	assert_int_equal(unlink(scratch_path(scratch, RULE)), 0);
	assert_int_equal(mkfifo(scratch_path(scratch, RULE), 0644), 0);
	assert_int_equal(undo(scratch, id, false, &told, &err), 0);
	assert_non_null(strstr(told.data, "kept " RULE ": something else than a file"));
	assert_true(scratch_has(scratch, RULE));
}

static void directories_that_others_use_stay(void **state)
{
	struct scratch *scratch = *state;
	char id[TX_ID_MAX];
	struct err err;

	apply(scratch, id);
	scratch_write(scratch, NODES "/iqn.1997-05.com.amazon:a/10.0.0.2,3260,1/default", "", 0600);
	assert_int_equal(undo(scratch, id, false, NULL, &err), 0);
	assert_true(scratch_has(scratch, NODES "/iqn.1997-05.com.amazon:a/10.0.0.2,3260,1"));
	assert_false(scratch_has(scratch, NODES "/iqn.1997-05.com.amazon:a/10.0.0.1,3260,1"));
}

static void the_newest_of_a_file_goes_first(void **state)
{
	struct scratch *scratch = *state;
	char first[TX_ID_MAX], second[TX_ID_MAX], other[TX_ID_MAX];
	struct err err;

	apply(scratch, first);
	commit_one(scratch, CONF, TUNED, "node.a = 9\n", second);
	commit_one(scratch, "/etc/elsewhere", NULL, "x\n", other);
	assert_int_equal(undo(scratch, first, false, NULL, &err), -EINVAL);
	assert_string_equal(err.place, first);
	assert_non_null(strstr(err.reason, second));
	assert_non_null(strstr(err.reason, CONF));
	assert_int_equal(undo(scratch, second, false, NULL, &err), 0);
	assert_string_equal(scratch_read(scratch, CONF), TUNED);
	assert_int_equal(undo(scratch, first, false, NULL, &err), 0);
	assert_string_equal(scratch_read(scratch, CONF), STOCK);
	assert_string_equal(scratch_read(scratch, "/etc/elsewhere"), "x\n");
	assert_int_equal(undo(scratch, NULL, false, NULL, &err), 0);
	assert_null(scratch_read(scratch, "/etc/elsewhere"));
}

static int refuse_records(const char *path, void *ctx, struct err *err)
{
	struct buf *asked = ctx;

	buf_addf(asked, "%s\n", path);
	return strcmp(path, RECORD) == 0 ? err_set(err, EBUSY, "it has a session") : 0;
}

static void a_veto_stops_it_before_the_first_write(void **state)
{
	struct scratch *scratch = *state;
	CLEANUP(buf_done) struct buf asked = { 0 };
	const struct undo_calls calls = { .veto = refuse_records, .ctx = &asked };
	CLEANUP(free_ptr) char *before = NULL;
	CLEANUP(free_ptr) char *after = NULL;
	char id[TX_ID_MAX];
	struct tx *tx;
	struct err err;

	apply(scratch, id);
	before = scratch_dump(scratch);
	assert_int_equal(tx_begin(&tx, &scratch->paths, NULL, &err), 0);
	assert_int_equal(undo_entry(tx, id, &calls, &err), -EBUSY);
	tx_end(tx);
	after = scratch_dump(scratch);
	assert_string_equal(before, after);
	assert_string_equal(asked.data, RULE "\n" RECORD "\n");
	assert_int_equal(state_of(scratch, id), ENTRY_APPLIED);
}

/* What a killed run leaves, made by hand: marks that lack, temps, locks, entries on their way. */
static void the_next_run_recovers(void **state)
{
	struct scratch *scratch = *state;
	CLEANUP(buf_done) struct buf told = { 0 };
	CLEANUP(free_ptr) char *before = scratch_dump(scratch);
	CLEANUP(free_ptr) char *applied = NULL;
	CLEANUP(free_ptr) char *after = NULL;
	char id[TX_ID_MAX], path[256];
	struct tx *tx;
	struct err err;

	/* An undo that came half way: its mark, one file back, one temp. */
	apply(scratch, id);
	snprintf(path, sizeof(path), TX_JOURNAL "/%s/undoing", id);
	scratch_write(scratch, path, "", 0600);
	assert_int_equal(unlink(scratch_path(scratch, RULE)), 0);
	snprintf(path, sizeof(path), "/etc/iscsi/.sgw-init-%s-0", id);
	scratch_write(scratch, path, STOCK, 0600);
	scratch_write(scratch, TX_JOURNAL "/.old-20000101T000000Z/images", "", 0600);
	assert_int_equal(state_of(scratch, id), ENTRY_HALF_UNDONE);
	assert_int_equal(tx_begin(&tx, &scratch->paths, &told, &err), 0);
	tx_end(tx);
	after = scratch_dump(scratch);
	assert_string_equal(before, after);
	assert_int_equal(state_of(scratch, id), ENTRY_UNDONE);
	assert_non_null(strstr(told.data, "undone to its end"));
	assert_false(scratch_has(scratch, TX_JOURNAL "/.old-20000101T000000Z"));

	/* An apply that came half way: no done mark, one file still old, temps, another's edit. */
	apply(scratch, id);
	applied = scratch_dump(scratch);
	snprintf(path, sizeof(path), TX_JOURNAL "/%s/done", id);
	assert_int_equal(unlink(scratch_path(scratch, path)), 0);
	scratch_write(scratch, CONF, STOCK, 0644);
	snprintf(path, sizeof(path), "/var/lib/iscsi/.sgw-init-%s-2", id);
	scratch_write(scratch, path, TUNED_RECORD, 0600);
	scratch_write(scratch, TX_JOURNAL "/.new-20990101T000000Z/images", "half", 0600);
	buf_done(&told);
	assert_int_equal(tx_begin(&tx, &scratch->paths, &told, &err), 0);
	tx_end(tx);
	free(after);
	after = scratch_dump(scratch);
	assert_string_equal(before, after);
	assert_int_equal(state_of(scratch, id), ENTRY_UNREADABLE); /* it is gone */
	assert_non_null(strstr(told.data, "rolled back"));
	assert_false(scratch_has(scratch, TX_JOURNAL "/.new-20990101T000000Z"));

	buf_done(&told);
	assert_int_equal(tx_begin(&tx, &scratch->paths, &told, &err), 0);
	tx_end(tx);
	assert_string_equal(buf_text(&told), "");
}

#define CLASS "/sys/class/iscsi_session"

/* Session 1; address NULL: its portal cannot be read, target NULL: nor its target. */
static void add_session(struct scratch *scratch, const char *target, const char *address)
{
	const char *const connection = "/sys/class/iscsi_connection/connection1:0";
	char path[128];

	scratch_write(scratch, CLASS "/session1/state", "LOGGED_IN\n", 0444);
	if (target)
		scratch_write(scratch, CLASS "/session1/targetname", target, 0444);
	if (!address)
		return;
	snprintf(path, sizeof(path), "%s/persistent_address", connection);
	scratch_write(scratch, path, address, 0444);
	snprintf(path, sizeof(path), "%s/persistent_port", connection);
	scratch_write(scratch, path, "3260\n", 0444);
}

/* After a loss of power, iscsid has logged in by what an undo had not come to yet. */
static void an_undo_that_is_finished_leaves_records_in_use(void **state)
{
	static const struct {
		const char *what, *target, *address;
		bool unreadable, left;
	} table[] = {
		{ "its session", "iqn.1997-05.com.amazon:a\n", "10.0.0.1\n", false, true },
		{ "maybe its session", "iqn.1997-05.com.amazon:a\n", NULL, false, true },
		{ "maybe any session", NULL, NULL, false, true },
		{ "another portal's", "iqn.1997-05.com.amazon:a\n", "10.0.0.2\n", false, false },
		{ "another target's", "iqn.1997-05.com.amazon:b\n", "10.0.0.1\n", false, false },
		{ "no sessions to be read", NULL, NULL, true, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		CLEANUP(buf_done) struct buf told = { 0 };
		CLEANUP(buf_done) struct buf again = { 0 };
		char id[TX_ID_MAX], path[256];
		struct scratch *scratch;
		struct err err;
		struct tx *tx;
		void *own;

		setup(&own);
		scratch = own;
		apply(scratch, id);
		snprintf(path, sizeof(path), TX_JOURNAL "/%s/undoing", id);
		scratch_write(scratch, path, "", 0600);
		if (table[i].unreadable)
			scratch_write(scratch, CLASS, "", 0444);
		else
			add_session(scratch, table[i].target, table[i].address);
		assert_int_equal(tx_begin(&tx, &scratch->paths, &told, &err), 0);
		tx_end(tx);
		if (scratch_has(scratch, RECORD) != table[i].left ||
		    !strstr(told.data, "undone to its end") ||
		    !strstr(told.data,
			    "(1 left: changed by others since, or in use by a session)") !=
			    !table[i].left)
			fail_msg("%s: %s", table[i].what, told.data);
		assert_string_equal(scratch_read(scratch, CONF), STOCK);
		assert_string_equal(scratch_read(scratch, GONE), "gone\n");
		assert_false(scratch_has(scratch, RULE));
		assert_int_equal(state_of(scratch, id), ENTRY_UNDONE);
		assert_int_equal(tx_begin(&tx, &scratch->paths, &again, &err), 0);
		tx_end(tx);
		assert_string_equal(buf_text(&again), "");
		scratch_teardown(&own);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(undo_is_exact, setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(a_dry_run_only_tells, setup, scratch_teardown),
		cmocka_unit_test(others_edits_stay),
		cmocka_unit_test(modes_go_back_unless_others_set_them),
		cmocka_unit_test_setup_teardown(something_else_in_its_place_stays, setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(directories_that_others_use_stay, setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(the_newest_of_a_file_goes_first, setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(a_veto_stops_it_before_the_first_write, setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(the_next_run_recovers, setup, scratch_teardown),
		cmocka_unit_test(an_undo_that_is_finished_leaves_records_in_use),
	};

	return cmocka_run_group_tests_name("undo", tests, NULL, NULL);
}
