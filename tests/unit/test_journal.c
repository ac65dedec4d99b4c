/* SPDX-License-Identifier: MIT */
/* Entries that were damaged are told, and harm nobody. */
#include "engine/journal.h"

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

#include "engine/entry.h"
#include "engine/journal_writer.h"
#include "engine/undo.h"
#include "err.h"
#include "scratch.h"

#define CONF "/etc/iscsi/iscsid.conf"

/* One entry about two files, one of them with a label of odd bytes. */
static void write_entry(struct scratch *scratch, char id[TX_ID_MAX])
{
	struct attribute label = { (char *)"user.odd", (char *)"\0\xff", 2 };
	struct entry_file files[2] = {
		{
			.path = (char *)CONF,
			.real = (char *)"/etc/real/iscsid.conf",
			.type = (char *)"open-iscsi configuration",
			.before = { true, "old", 3 },
			.after = { true, "newer", 5 },
			.attributes = { .mode = 0644,
					.uid = 1,
					.gid = 2,
					.list = &label,
					.count = 1 },
			.mode = 0600,
		},
		{
			.path = (char *)"/nodes/x",
			.real = (char *)"/nodes/x",
			.database = (char *)"/nodes",
			.after = { true, "", 0 },
			.mode = 0600,
		},
	};
	struct entry_live live[2] = {
		{ (char *)"session1", (char *)"iqn.x", (char *)"10.0.0.1", 3260, NULL,
		  (char *)"recovery_tmo", (char *)"120", (char *)"600" },
		{ (char *)"session2", (char *)"iqn.y", NULL, 0, (char *)"0:0:0", (char *)"timeout",
		  (char *)"30", (char *)"600" },
	};
	struct entry entry = {
		.files = files,
		.file_count = 2,
		.live = live,
		.live_count = 2,
		.command = "apply \xc3\xa9",
	};
	struct err err;

	assert_int_equal(dirs_add(&entry.dirs, "/nodes", &err), 0);
	assert_int_equal(journal_write(&scratch->paths, &entry, &err), 0);
	snprintf(id, TX_ID_MAX, "%s", entry.id);
	dirs_done(&entry.dirs);
}

static void what_is_written_is_read(void **state)
{
	struct scratch *scratch = *state;
	struct entry entry;
	char id[TX_ID_MAX];
	struct err err;

	write_entry(scratch, id);
	assert_int_equal(journal_load(&scratch->paths, id, &entry, &err), 0);
	assert_string_equal(entry.command, "apply \xc3\xa9");
	assert_int_equal(entry.file_count, 2);
	assert_string_equal(entry.files[0].path, CONF);
	assert_string_equal(entry.files[0].real, "/etc/real/iscsid.conf");
	assert_string_equal(entry.files[0].type, "open-iscsi configuration");
	assert_null(entry.files[0].database);
	assert_int_equal(entry.files[0].before.len, 3);
	assert_memory_equal(entry.files[0].before.bytes, "old", 3);
	assert_memory_equal(entry.files[0].after.bytes, "newer", 5);
	assert_int_equal(entry.files[0].attributes.mode, 0644);
	assert_int_equal(entry.files[0].attributes.uid, 1);
	assert_int_equal(entry.files[0].attributes.gid, 2);
	assert_int_equal(entry.files[0].attributes.count, 1);
	assert_memory_equal(entry.files[0].attributes.list[0].value, "\0\xff", 2);
	assert_int_equal(entry.files[0].mode, 0600);
	assert_false(entry.files[1].before.exists);
	assert_true(entry.files[1].after.exists);
	assert_null(entry.files[1].type);
	assert_string_equal(entry.files[1].database, "/nodes");
	assert_int_equal(entry.dirs.count, 1);
	assert_int_equal(entry.live_count, 2);
	assert_string_equal(entry.live[0].session, "session1");
	assert_string_equal(entry.live[0].target, "iqn.x");
	assert_string_equal(entry.live[0].address, "10.0.0.1");
	assert_int_equal(entry.live[0].port, 3260);
	assert_null(entry.live[0].unit);
	assert_string_equal(entry.live[0].key, "recovery_tmo");
	assert_string_equal(entry.live[0].before, "120");
	assert_string_equal(entry.live[0].after, "600");
	assert_null(entry.live[1].address);
	assert_string_equal(entry.live[1].unit, "0:0:0");
	entry_done(&entry);
}

static void what_could_not_be_read_is_not_written(void **state)
{
	struct scratch *scratch = *state;
	struct entry_file file = { .path = (char *)"/etc/../x",
				   .real = (char *)"/x",
				   .after = { true, "", 0 } };
	struct entry entry = { .files = &file, .file_count = 1, .command = "apply" };
	struct journal_entry *entries;
	struct err err = { 0 };
	size_t count;

	assert_int_equal(journal_write(&scratch->paths, &entry, &err), -EINVAL);
	assert_non_null(strstr(err.reason, "could not be undone: \"path\" is no plain path"));
	assert_int_equal(journal_list(&scratch->paths, &entries, &count, &err), 0);
	assert_int_equal(count, 0);
	free(entries);
	file.path = (char *)"/x";
	assert_int_equal(journal_write(&scratch->paths, &entry, &err), 0);
}

/* One change of the entry's text, and what is said of it then. */
static void damage_is_told(void **state)
{
	static const struct {
		const char *from, *to; /* from NULL: the whole text */
		const char *problem;
	} table[] = {
		{ NULL, "", "line 1" },
		{ NULL, "{", "line 1" },
		{ NULL, "[]", "\"schema\"" },
		{ NULL, "{\"schema\": 1}", "\"schema\"" },
		{ "journal/1", "journal/2", "journal/2" },
		{ "\"time\":", "\"tame\":", "\"time\"" },
		{ "\"time\":", "\"time\":-", "\"time\"" },
		{ "\"command\":\"", "\"command\":[\"x\"],\"y\":\"", "\"command\"" },
		{ "\"size\":8,\"sha", "\"size\":9,\"sha", "8 bytes instead of 9" },
		{ "\"sha256\":\"", "\"sha256\":\"0", "checksum" },
		{ "\"path\":\"/", "\"path\":\"", "\"path\" is no plain path" },
		{ "\"path\":\"", "\"link\":\"x\",\"path\":\"", "\"link\" is no plain path" },
		{ "\"path\":\"", "\"link\":7,\"path\":\"", "\"link\"" },
		{ "/etc/real/", "/etc/../", "\"real\" is no plain path" },
		{ "/etc/real/", "/etc//", "\"real\" is no plain path" },
		{ "/etc/real/iscsid.conf", "/etc/real/", "\"real\" is no plain path" },
		{ "/etc/real/", "/etc/./", "\"real\" is no plain path" },
		{ "\"database\":\"/nodes", "\"database\":\"/..", "\"database\"" },
		{ "\"directories\":[\"/nodes", "\"directories\":[\"nodes", "a directory" },
		{ "\"directories\":[", "\"directories\":null,\"x\":[", "\"directories\"" },
		{ "\"files\":[", "\"files\":{},\"x\":[", "\"files\"" },
		{ "\"files\":[", "\"files\":[7,", "\"path\"" },
		{ "\"offset\":0", "\"offset\":9", "\"offset\"" },
		{ "\"offset\":3", "\"offset\":-3", "\"offset\"" },
		{ "\"offset\":3,\"size\":5", "\"offset\":3,\"size\":6", "\"size\"" },
		{ "\"offset\":3", "\"offset\":9223372036854775807", "\"offset\"" },
		{ "\"offset\":3", "\"offset\":99999999999999999999", "line 1" },
		{ "\"mode\":420", "\"mode\":32768", "\"mode\"" },
		{ "\"uid\":1", "\"uid\":4294967295", "\"uid\"" },
		{ "\"uid\":1", "\"uid\":\"root\"", "\"uid\"" },
		{ "user.odd", "security.capability", "none to keep" },
		{ "00ff", "00f", "hexadecimal" },
		{ "00ff", "zz", "hexadecimal" },
		{ "\"attributes\":{", "\"attributes\":[],\"x\":{", "\"attributes\"" },
		{ "\"before\":null,\"after\":", "\"before\":null,\"after\":null,\"x\":",
		  "absent before and after" },
		{ "\"before\":null", "\"before\":true", "\"before\"" },
		{ "\"path\":\"", "\"prior\":7,\"path\":\"", "\"prior\"" },
		{ "\"path\":\"", "\"prior\":{\"offset\":0,\"size\":9,\"mode\":384},\"path\":\"",
		  "\"size\"" },
		{ "\"path\":\"", "\"prior\":{\"offset\":0,\"size\":3,\"mode\":384},\"path\":\"",
		  "\"uid\"" },
		{ "\"live\":[", "\"live\":{},\"x\":[", "\"live\"" },
		{ "\"live\":[", "\"live\":[7,", "\"session\"" },
		{ "\"port\":3260", "\"port\":65536", "\"port\"" },
		{ "\"before\":\"120\"", "\"before\":120", "\"before\"" },
		{ "\"after\":\"600\"", "\"after\":null", "\"after\"" },
		{ "\"id\":\"2", "\"id\":\"3", "it calls itself 3" },
		{ "\"files\":[", "\"former\":{\"id\":\"x\",\"own\":1},\"files\":[", "\"former\"" },
		{ "\"files\":[", "\"former\":{\"id\":\"20260101T000000Z\"},\"files\":[",
		  "\"own\"" },
		{ "\"files\":[", "\"former\":{\"id\":\"20260101T000000Z\",\"own\":3},\"files\":[",
		  "\"own\"" },
	};
	struct scratch *scratch = *state;
	CLEANUP(free_ptr) char *good = NULL;
	char id[TX_ID_MAX], path[128];
	size_t i;

	write_entry(scratch, id);
	snprintf(path, sizeof(path), TX_JOURNAL "/%s/" JOURNAL_INTENT, id);
	good = strdup(scratch_read(scratch, path));
	for (i = 0; i < ARRAY_LEN(table); i++) {
		CLEANUP(buf_done) struct buf bad = { 0 };
		CLEANUP(buf_done) struct buf told = { 0 };
		struct entry entry;
		const char *at;
		struct err err = { 0 };
		int ret;

		at = table[i].from ? strstr(good, table[i].from) : good;
		if (!at)
			fail_msg("row %zu: %s is not in %s", i, table[i].from, good);
		buf_add(&bad, good, (size_t)(at - good));
		buf_adds(&bad, table[i].to);
		if (table[i].from)
			buf_adds(&bad, at + strlen(table[i].from));
		scratch_write(scratch, path, buf_text(&bad), 0600);
		ret = journal_load(&scratch->paths, id, &entry, &err);
		entry_done(&entry);
		if (ret != -EINVAL || !strstr(err.reason, table[i].problem) ||
		    strcmp(err.place, scratch_path(scratch, path)) != 0)
			fail_msg("%s: %d %s: %s", bad.data, ret, err.place, err.reason);
		/* It has no done mark: it is reported, and left. */
		assert_int_equal(undo_recover(&scratch->paths, &told, &err), 0);
		assert_non_null(strstr(told.data, id));
		assert_non_null(strstr(told.data, "damaged"));
		assert_true(scratch_has(scratch, path));
	}
}

static void each_bit_of_an_entry_is_sealed(void **state)
{
	struct scratch *scratch = *state;
	CLEANUP(buf_done) struct buf text = { 0 };
	char id[TX_ID_MAX], path[128];
	struct err err = { 0 };

	write_entry(scratch, id);
	snprintf(path, sizeof(path), TX_JOURNAL "/%s/" JOURNAL_INTENT, id);
	buf_adds(&text, scratch_read(scratch, path));
	for (size_t i = 0; i < text.len; i++) {
		const char good = text.data[i];

		for (int bit = 0; bit < 7; bit++) {
			struct entry entry;
			int ret;

			text.data[i] = (char)(good ^ 1 << bit);
			if (text.data[i] == '\0') /* the scratch tree takes texts */
				continue;
			scratch_write(scratch, path, buf_text(&text), 0600);
			ret = journal_load(&scratch->paths, id, &entry, &err);
			entry_done(&entry);
			if (ret != -EINVAL)
				fail_msg("byte %zu, bit %d: %d %s", i, bit, ret, text.data);
		}
		text.data[i] = good;
	}
}

static void files_of_an_entry_may_be_missing(void **state)
{
	static const char *const names[] = { JOURNAL_IMAGES, JOURNAL_INTENT };
	struct scratch *scratch = *state;
	struct journal_entry *entries;
	struct entry entry;
	char id[TX_ID_MAX], path[128];
	struct err err;
	size_t count, i;

	for (i = 0; i < ARRAY_LEN(names); i++) {
		write_entry(scratch, id);
		assert_int_equal(journal_set_mark(&scratch->paths, id, ENTRY_APPLIED, &err), 0);
		snprintf(path, sizeof(path), TX_JOURNAL "/%s/%s", id, names[i]);
		assert_int_equal(unlink(scratch_path(scratch, path)), 0);
		assert_int_equal(journal_load(&scratch->paths, id, &entry, &err), -ENOENT);
		assert_string_equal(err.place, scratch_path(scratch, path));
		entry_done(&entry);
	}
	scratch_write(scratch, TX_JOURNAL "/20200101T000000Z", "a file", 0600);
	scratch_write(scratch, TX_JOURNAL "/README", "not ours", 0600);
	assert_int_equal(journal_list(&scratch->paths, &entries, &count, &err), 0);
	assert_int_equal(count, 3);
	assert_string_equal(entries[0].id, "20200101T000000Z");
	assert_int_equal(entries[0].state, ENTRY_UNREADABLE);
	assert_int_equal(entries[1].state, ENTRY_APPLIED); /* its images are not looked at here */
	assert_int_equal(entries[2].state, ENTRY_UNREADABLE);
	assert_string_not_equal(entries[2].problem, "");
	free(entries);
}

static void a_journal_that_others_can_write_is_refused(void **state)
{
	struct scratch *scratch = *state;
	struct journal_entry *entries;
	char id[TX_ID_MAX];
	struct err err;
	size_t count;

	write_entry(scratch, id);
	assert_int_equal(chmod(scratch_path(scratch, TX_JOURNAL), 0770), 0);
	assert_int_equal(journal_list(&scratch->paths, &entries, &count, &err), -EPERM);
	assert_string_equal(err.place, scratch_path(scratch, TX_JOURNAL));
	assert_int_equal(undo_recover(&scratch->paths, NULL, &err), -EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(what_is_written_is_read),
		scratch_test(what_could_not_be_read_is_not_written),
		scratch_test(damage_is_told),
		scratch_test(each_bit_of_an_entry_is_sealed),
		scratch_test(files_of_an_entry_may_be_missing),
		scratch_test(a_journal_that_others_can_write_is_refused),
	};

	return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
