/* SPDX-License-Identifier: MIT */
/*
 * A login that is owed is on disk from the logout on, for its owner alone, and
 * gone once it is made.
 */
#include "engine/owed.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/journal.h"
#include "err.h"
#include "host/owner.h"
#include "host/sessions.h"
#include "scratch.h"

#define TARGET "iqn.1997-05.com.amazon:myvolume"
#define OTHER "iqn.1997-05.com.amazon:other"

static const struct record record = {
	.target = TARGET,
	.address = "10.0.0.1",
	.port = 3260,
	.interface = "default",
};

/* The one to be ended, one of another target, and one of the same through another portal. */
static struct host_session items[] = {
	{ .name = "session1", .target = TARGET, .address = "10.0.0.1", .port = 3260 },
	{ .name = "session2", .target = OTHER, .address = "10.0.0.1", .port = 3260 },
	{ .name = "session3", .target = TARGET, .address = "10.0.0.2", .port = 3260 },
};

static struct sessions first(size_t count)
{
	return (struct sessions){ .items = items, .count = count };
}

static void owe(const struct scratch *scratch, size_t sessions)
{
	const struct sessions now = first(sessions);
	struct err err = { 0 };

	if (owed_write(&scratch->paths, &record, &items[0], &now, &err) < 0)
		fail_msg("%s: %s", err.place, err.reason);
}

/* How many there are; the first of them in *out. */
static size_t list(const struct scratch *scratch, struct owed_login *out)
{
	struct owed_login *logins;
	struct err err = { 0 };
	size_t count;

	if (owed_list(&scratch->paths, &logins, &count, &err) < 0)
		fail_msg("%s: %s", err.place, err.reason);
	if (count > 0)
		*out = logins[0];
	free(logins);
	return count;
}

static void what_is_owed_is_read_until_it_is_settled(void **state)
{
	const struct scratch *scratch = *state;
	struct journal_state *states;
	struct owed_login login;
	struct err err = { 0 };
	char path[256];
	struct stat st;
	size_t count;

	assert_int_equal(list(scratch, &login), 0);
	assert_int_equal(owed_settle(&scratch->paths, &record, &err), 0);
	owe(scratch, 2);
	owe(scratch, 2); /* once more: the same */
	assert_int_equal(list(scratch, &login), 1);
	assert_string_equal(login.problem, "");
	assert_string_equal(login.target, TARGET);
	assert_string_equal(login.address, "10.0.0.1");
	assert_int_equal(login.port, 3260);
	assert_string_equal(login.interface, "default");
	assert_false(login.others);
	assert_true(login.running);
	assert_true(login.fresh);
	snprintf(path, sizeof(path), TX_JOURNAL "/%s", login.file);
	assert_int_equal(lstat(scratch_path(scratch, path), &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);

	assert_int_equal(journal_states(&scratch->paths, &states, &count, &err), 0);
	assert_int_equal(count, 0);
	free(states);

	assert_int_equal(owed_settle(&scratch->paths, &record, &err), 0);
	assert_int_equal(list(scratch, &login), 0);
	owe(scratch, 3);
	assert_int_equal(list(scratch, &login), 1);
	assert_true(login.others);
	assert_int_equal(owed_remove(&scratch->paths, &login, &err), 0);
	assert_int_equal(owed_remove(&scratch->paths, &login, &err), 0);
	assert_int_equal(list(scratch, &login), 0);
}

static void what_was_written_in_part_is_nobodys(void **state)
{
	const struct scratch *scratch = *state;
	struct owed_login login;

	owe(scratch, 1);
	scratch_write(scratch, TX_JOURNAL "/.login-0123456789abcdef", "{\"target\":\"iqn", 0600);
	assert_int_equal(list(scratch, &login), 1);
	assert_string_equal(login.problem, "");
}

/* By a process that has ended since. */
static void owe_in_child(const struct scratch *scratch)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		owe(scratch, 1);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void who_is_gone_is_not_at_work(void **state)
{
	const struct scratch *scratch = *state;
	struct owed_login login;

	owe_in_child(scratch);
	assert_int_equal(list(scratch, &login), 1);
	assert_false(login.running);
	assert_true(login.fresh);
}

static void sessions_tell_what_became_of_it(void **state)
{
	static const struct {
		const char *title;
		bool others, fresh, running;
		size_t from, count;
		enum owed_state state;
	} rows[] = {
		{ "none", false, false, false, 0, 0, OWED_MISSING },
		{ "none yet", false, true, false, 0, 0, OWED_MISSING },
		{ "at work", false, false, true, 0, 0, OWED_PENDING },
		{ "of another target", false, false, false, 1, 1, OWED_MISSING },
		{ "of that portal", false, false, false, 0, 1, OWED_BACK },
		{ "which may go yet", false, true, false, 0, 1, OWED_PENDING },
		{ "through another portal", false, false, false, 1, 2, OWED_BACK },
		{ "which was there before", true, false, false, 1, 2, OWED_MISSING },
		{ "both", true, false, false, 0, 3, OWED_BACK },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct sessions now = { .items = items + rows[i].from,
					      .count = rows[i].count };
		const struct owed_login login = {
			.target = TARGET,
			.address = "10.0.0.1",
			.port = 3260,
			.interface = "default",
			.others = rows[i].others,
			.fresh = rows[i].fresh,
			.running = rows[i].running,
		};

		if (owed_state(&login, &now) != rows[i].state)
			fail_msg("%s: %d, not %d", rows[i].title, owed_state(&login, &now),
				 rows[i].state);
	}
}

#define BEGIN "{\"target\":\"iqn.x\",\"address\":\"10.0.0.1\",\"port\":"
#define MIDDLE ",\"interface\":\"default\",\"others\":false,\"time\":"
#define END ",\"owner\":\"sgw-init 1 1 boot pid:[1]\"}"

static void a_damaged_one_is_told(void **state)
{
	static const struct {
		const char *text, *problem;
	} rows[] = {
		{ BEGIN "3260" MIDDLE "1" END, "" },
		{ "", "is not what" },
		{ "[]", "is not what" },
		{ "{}", "is not what" },
		{ BEGIN "\"3260\"" MIDDLE "1" END, "is not what" },
		{ BEGIN "3260" MIDDLE "1", "is not what" },
		{ BEGIN "0" MIDDLE "1" END, "no record has" },
		{ BEGIN "65536" MIDDLE "1" END, "no record has" },
		{ "{\"target\":\"iqn.x\",\"address\":\"10.0.0.1-which-is-very-much-longer-than-any-"
		  "address-"
		  "of-any-kind-there-is\",\"port\":3260" MIDDLE "1" END,
		  "no record has" },
	};
	const struct scratch *scratch = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct owed_login login = { 0 };

		scratch_write(scratch, TX_JOURNAL "/login-x", rows[i].text, 0600);
		assert_int_equal(list(scratch, &login), 1);
		if (rows[i].problem[0] ? !strstr(login.problem, rows[i].problem)
				       : login.problem[0] != '\0')
			fail_msg("%s: %s", rows[i].text, login.problem);
		if (rows[i].problem[0] == '\0')
			assert_false(login.running || login.fresh);
	}
}

static void a_clock_that_went_back_makes_nothing_fresh(void **state)
{
	const struct scratch *scratch = *state;
	char text[512], line[OWNER_TEXT_MAX];
	struct owed_login login;
	struct owner self;

	owner_self(&self);
	owner_format(&self, line, sizeof(line));
	line[strcspn(line, "\n")] = '\0';
	for (int i = 0; i < 3; i++) {
		snprintf(text, sizeof(text), BEGIN "3260" MIDDLE "%lld,\"owner\":\"%s\"}",
			 (long long)time(NULL) + (i - 1) * 3600, line);
		scratch_write(scratch, TX_JOURNAL "/login-x", text, 0600);
		assert_int_equal(list(scratch, &login), 1);
		assert_int_equal(login.fresh, i == 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(what_is_owed_is_read_until_it_is_settled),
		scratch_test(what_was_written_in_part_is_nobodys),
		scratch_test(who_is_gone_is_not_at_work),
		scratch_test(sessions_tell_what_became_of_it),
		scratch_test(a_damaged_one_is_told),
		scratch_test(a_clock_that_went_back_makes_nothing_fresh),
	};

	return cmocka_run_group_tests_name("owed", tests, NULL, NULL);
}
