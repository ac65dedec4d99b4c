/* SPDX-License-Identifier: MIT */
/* Which logins a run would do, by what the records say and what the sessions run with. */
#include "engine/actions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"
#include "engine/compare.h"
#include "engine/plan.h"
#include "engine/survey.h"
#include "engine/wanted.h"
#include "err.h"
#include "scratch.h"

#define NODES "/etc/iscsi/nodes/"
#define NAME "iqn.1997-05.com.amazon:"

/* A host as one row says it: per letter a target of that name at 10.0.0.1. */
struct row {
	const char *what;
	const char *records; /* the letters that have one: "a" without CHAP, "A" with a secret */
	const char *sessions; /* "a" as wanted, "b!" with stock NOPs, "c?" with another secret */
	const char *other_portal; /* sessions that go through another one */
	const char *expected; /* actions and their reasons */
	const char *chap; /* the plan sets the secret of these; NULL: there is no plan */
};

static void write_record(const struct scratch *scratch, char letter, bool secret)
{
	char path[256], text[1024];

	snprintf(path, sizeof(path), NODES NAME "%c/10.0.0.1,3260,1/default", letter);
	snprintf(text, sizeof(text),
		 "# BEGIN RECORD 2.1.8\nnode.name = " NAME "%c\nnode.tpgt = 1\n%s"
		 "node.conn[0].address = 10.0.0.1\nnode.conn[0].port = 3260\n# END RECORD\n",
		 letter, secret ? "node.session.auth.password = the-secret-01\n" : "");
	scratch_write(scratch, path, text, 0600);
}

static void write_record_of(const struct scratch *scratch, const char *interface)
{
	char path[256], text[1024];

	snprintf(path, sizeof(path), NODES NAME "a/10.0.0.1,3260,1/%s", interface);
	snprintf(text, sizeof(text),
		 "# BEGIN RECORD 2.1.8\nnode.name = " NAME "a\nnode.tpgt = 1\n"
		 "iface.iscsi_ifacename = %s\n"
		 "node.conn[0].address = 10.0.0.1\nnode.conn[0].port = 3260\n# END RECORD\n",
		 interface);
	scratch_write(scratch, path, text, 0600);
}

static void write_attribute(const struct scratch *scratch, bool connection, int number,
			    const char *key, const char *value)
{
	char path[256], text[256];

	if (connection)
		snprintf(path, sizeof(path), "/sys/class/iscsi_connection/connection%d:0/%s",
			 number, key);
	else
		snprintf(path, sizeof(path), "/sys/class/iscsi_session/session%d/%s", number, key);
	snprintf(text, sizeof(text), "%s\n", value);
	scratch_write(scratch, path, text, 0644);
}

static void write_session(const struct scratch *scratch, const struct row *row, int number,
			  const char *spec)
{
	char letter = spec[0], name[] = NAME "x", lower = (char)(letter | 0x20);

	name[strlen(NAME)] = lower;
	write_attribute(scratch, false, number, "targetname", name);
	write_attribute(scratch, false, number, "recovery_tmo", "600");
	write_attribute(scratch, false, number, "first_burst_len", "262144");
	write_attribute(scratch, false, number, "max_burst_len", "16776192");
	if (letter != lower)
		write_attribute(scratch, false, number, "password",
				spec[1] == '?' ? "another-secret" : "the-secret-01");
	write_attribute(scratch, true, number, "persistent_address",
			strchr(row->other_portal, letter) ? "10.0.0.2" : "10.0.0.1");
	write_attribute(scratch, true, number, "persistent_port", "3260");
	write_attribute(scratch, true, number, "recv_tmo", spec[1] == '!' ? "5" : "60");
	write_attribute(scratch, true, number, "ping_tmo", spec[1] == '!' ? "5" : "600");
	write_attribute(scratch, true, number, "max_recv_dlength", "262144");
}

static void write_host(const struct scratch *scratch, const struct row *row)
{
	int number = 0;

	scratch_write(scratch, ISCSID_CONF, "node.startup = manual\n", 0644);
	for (const char *at = row->records; *at; at++)
		write_record(scratch, (char)(*at | 0x20), !(*at & 0x20));
	for (const char *at = row->sessions; *at; at++)
		if (*at != '!' && *at != '?')
			write_session(scratch, row, ++number, at);
}

static int plan_secrets(struct plan *plan, struct survey *survey, const char *letters,
			struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < survey->count; i++) {
		struct place *place = &survey->places[i];

		if (place->kind == PLACE_RECORD &&
		    strchr(letters, place->record->target[strlen(NAME)]))
			rc = plan_set(plan, place, "node.session.auth.password", "a-new-secret",
				      true, err);
	}
	return rc;
}

static void tell(const struct actions *actions, struct buf *told)
{
	buf_adds(told, "");
	for (size_t i = 0; i < actions->count; i++) {
		const struct action *action = &actions->items[i];

		buf_addf(told, "%s %c%s%s\n", action_word(action->kind),
			 action->record->target[strlen(NAME)], action->why[0] ? " " : "",
			 action->why);
	}
}

static void sessions_and_records_decide(void **state)
{
	static const struct row table[] = {
		{ "nothing is there", "", "", "", "", NULL },
		{ "no session yet", "ab", "a", "", "log-in b\n", NULL },
		{ "another portal will do", "a", "a", "a", "", NULL },
		{ "stock values", "ab", "ab!", "", "log-in-again b recv_tmo, ping_tmo\n", NULL },
		{ "without a record nothing can be done", "", "a!", "", "", NULL },
		{ "the record of another portal is another's", "a", "a!", "a", "", NULL },
		{ "the same secret", "A", "A", "", "", NULL },
		{ "another secret", "A", "A?", "", "log-in-again a CHAP\n", NULL },
		{ "a record that got one", "A", "a", "", "", NULL }, /* it does not tell */
		{ "a record that lost it", "a", "A", "", "", NULL },
		{ "that one has stock values too", "a", "A!", "", "", NULL },
		{ "both in turn", "abc", "b!c", "", "log-in-again b recv_tmo, ping_tmo\nlog-in a\n",
		  NULL },
		{ "a secret that the plan sets", "AB", "AB", "", "log-in-again b CHAP\n", "b" },
		{ "and brings back", "a", "A!", "", "log-in-again a recv_tmo, ping_tmo, CHAP\n",
		  "a" },
	};
	static const struct actions_wanted all = { .reload = true,
						   .log_in_again = true,
						   .log_in = true },
					   none = { .reload = true };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const struct row *row = &table[i];
		CLEANUP(buf_done) struct buf told = { 0 };
		struct selection selection = { .by_name = true };
		struct scratch scratch;
		struct wanted wanted;
		struct survey survey;
		struct findings findings = { 0 };
		struct plan plan = { 0 };
		struct actions actions;
		struct err err = { 0 };

		scratch_init(&scratch);
		write_host(&scratch, row);
		assert_int_equal(wanted_load(&wanted, &scratch.paths, NULL, &err), 0);
		if (survey_load(&survey, &scratch.paths, &wanted, &selection, &err) < 0)
			fail_msg("%s: %s: %s", row->what, err.place, err.reason);
		assert_int_equal(compare_survey(&survey, &findings, &err), 0);
		if (row->chap)
			assert_int_equal(plan_secrets(&plan, &survey, row->chap, &err), 0);
		assert_int_equal(actions_find(&actions, &survey, &findings,
					      row->chap ? &plan : NULL, &all, &err),
				 0);
		tell(&actions, &told);
		if (strcmp(buf_text(&told), row->expected) != 0)
			fail_msg("%s: \"%s\"", row->what, buf_text(&told));
		actions_done(&actions);
		assert_int_equal(actions_find(&actions, &survey, &findings, NULL, &none, &err), 0);
		assert_int_equal(actions.count, 0);
		actions_done(&actions);
		plan_done(&plan);
		findings_done(&findings);
		survey_done(&survey);
		wanted_done(&wanted);
		scratch_done(&scratch);
	}
}

/* Two records of a portal, by which interface a session came. */
static void the_record_of_its_interface(void **state)
{
	static const struct {
		const char *records[2], *session, *expected;
	} table[] = {
		{ { "default", "eth1" }, "eth1\n", "eth1" },
		{ { "eth0", "eth1" }, "eth0\n", "eth0" },
		{ { "eth0", "eth1" }, "eth2\n", NULL },
		{ { "eth0", "eth1" }, "<NULL>\n", NULL },
		{ { "eth0", NULL }, "<NULL>\n", "eth0" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		static const struct row row = { .records = "",
						.sessions = "a!",
						.other_portal = "" };
		struct scratch scratch;
		struct wanted wanted;
		struct survey survey;
		struct findings findings = { 0 };
		struct selection selection = { .by_name = true };
		struct actions actions;
		struct err err = { 0 };

		scratch_init(&scratch);
		write_host(&scratch, &row);
		write_attribute(&scratch, false, 1, "ifacename", table[i].session);
		for (size_t j = 0; j < 2 && table[i].records[j]; j++)
			write_record_of(&scratch, table[i].records[j]);
		assert_int_equal(wanted_load(&wanted, &scratch.paths, NULL, &err), 0);
		assert_int_equal(survey_load(&survey, &scratch.paths, &wanted, &selection, &err),
				 0);
		assert_int_equal(compare_survey(&survey, &findings, &err), 0);
		assert_int_equal(actions_find(&actions, &survey, &findings, NULL,
					      &(struct actions_wanted){ .log_in_again = true },
					      &err),
				 0);
		if (actions.count != (table[i].expected != NULL))
			fail_msg("%s: %zu actions", table[i].session, actions.count);
		if (table[i].expected)
			assert_string_equal(actions.items[0].record->interface, table[i].expected);
		actions_done(&actions);
		findings_done(&findings);
		survey_done(&survey);
		wanted_done(&wanted);
		scratch_done(&scratch);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sessions_and_records_decide),
		cmocka_unit_test(the_record_of_its_interface),
	};

	return cmocka_run_group_tests_name("actions", tests, NULL, NULL);
}
