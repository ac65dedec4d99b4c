/* SPDX-License-Identifier: MIT */
/* sgw-target's fault rules: what a line means, and what is wrong with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../target/fault_actions.h"
#include "../target/fault_rule.h"
#include "buf.h"
#include "err.h"

/* A rule in one fixed form; "-" where a line is none. */
static void describe(const struct rule *rule, struct buf *out)
{
	if (rule->when == RULE_AT)
		buf_addf(out, "at %" PRIu64 " ", rule->at_ms);
	if (rule->when == RULE_ON) {
		buf_addf(out, "on %s%s%s ", event_defs[rule->event].point, rule->op ? "." : "",
			 rule->op ? rule->op : "");
		if (rule->target)
			buf_addf(out, "target=%s ", rule->target);
		if (rule->initiator)
			buf_addf(out, "initiator=%s ", rule->initiator);
		buf_addf(out, "from %" PRIu64 " ", rule->nth);
		if (rule->count == UINT64_MAX)
			buf_addf(out, "always ");
		else
			buf_addf(out, "%" PRIu64 " times ", rule->count);
	}
	buf_addf(out, "%s", rule->action->name);
	if (rule->action->argument == ARGUMENT_TIME)
		buf_addf(out, " %" PRIu64, rule->args.ms);
	if (rule->action->argument == ARGUMENT_STATUS || rule->action->argument == ARGUMENT_SENSE)
		buf_addf(out, " %x", rule->args.code);
	for (size_t i = 0; i < rule->args.text.len; i++) {
		unsigned char byte = (unsigned char)rule->args.text.data[i];

		buf_addf(out, i == 0 ? " %s" : "%s", "");
		buf_addf(out, byte >= ' ' && byte < 0x7f ? "%c" : "<%02x>", byte);
	}
}

static const struct row {
	const char *line;
	const char *wanted; /* the rule; or, with "!" before it, part of the error */
} rows[] = {
	/* As the manual page has them. */
	{ "on login: refuse 0x0202", "on login from 1 always refuse 202" },
	{ "on scsi.write target=myvolume nth=10: stall 20s",
	  "on scsi.write target=myvolume from 10 1 times stall 20000" },
	{ "on nop-out: ignore", "on nop-out from 1 always ignore" },
	{ "at 5s: away 20s", "at 5000 away 20000" },
	{ "at 5s: freeze 20s", "at 5000 freeze 20000" },
	{ "advertise 192.0.2.1:3260", "advertise 192.0.2.1:3260,1" },
	{ "quit", "quit" },
	{ "clear", "clear" },
	/* Nothing. */
	{ "", "-" },
	{ " \t\r", "-" },
	{ "# on login: drop", "-" },
	{ "\t#", "-" },
	/* Blanks, carriage returns and remarks. */
	{ "  on \t login  :  refuse   0x0301  \r", "on login from 1 always refuse 301" },
	{ "at 0: drop # and again", "at 0 drop" },
	{ "name \"a # b\" # remark", "name a # b" },
	/* Conditions. */
	{ "on login nth=3: drop", "on login from 3 1 times drop" },
	{ "on login count=2: drop", "on login from 1 2 times drop" },
	{ "on login nth=3 count=2: drop", "on login from 3 2 times drop" },
	{ "on login count=2 nth=3: drop", "on login from 3 2 times drop" },
	{ "on login target=iqn.1997-05.com.amazon:A initiator=iqn.2026-01.com.example:H: drop",
	  "on login target=iqn.1997-05.com.amazon:a initiator=iqn.2026-01.com.example:h "
	  "from 1 always drop" },
	{ "on scsi.read-capacity: reset", "on scsi.read-capacity from 1 always reset" },
	{ "on send-targets: hostile-names", "on send-targets from 1 always hostile-names" },
	/* Arguments. */
	{ "freeze 3", "freeze 3000" },
	{ "freeze 500ms", "freeze 500" },
	{ "freeze 2m", "freeze 120000" },
	{ "on login: refuse 0xfFfF", "on login from 1 always refuse ffff" },
	{ "on scsi: fail busy", "on scsi from 1 always fail 8000000" },
	{ "on scsi: fail task-set-full", "on scsi from 1 always fail 28000000" },
	{ "on scsi: fail reservation-conflict", "on scsi from 1 always fail 18000000" },
	{ "on scsi: fail 3/11/0", "on scsi from 1 always fail 2031100" },
	{ "on scsi: fail B/47/7f", "on scsi from 1 always fail 20b477f" },
	{ "advertise 192.0.2.1", "advertise 192.0.2.1:3260,1" },
	{ "advertise [2001:DB8::1]:3261,7", "advertise [2001:db8::1]:3261,7" },
	{ "name \"\"", "name" },
	{ "name \"\\\\ \\\" \\n\\r\\t\\0\\x1bz\xc3\xa4\"",
	  "name \\ \" <0a><0d><09><00><1b>z<c3><a4>" },
	/* What is wrong, and where. */
	{ "on", "!column 3: ':' and a blank are missing" },
	{ "on: drop", "!column 1: 'on:' is no action" },
	{ "on :", "!column 4: an event is missing" },
	{ "on login", "!column 9: ':' and a blank are missing before the action" },
	{ "on login:drop", "!column 4: 'login:drop' is no event" },
	{ "on login: ", "!an action is missing: away, freeze" },
	{ "on Login: drop", "!column 4: 'Login' is no event: connect, login-request, login" },
	{ "on refuse: drop", "!'refuse' is no event" },
	{ "on scsi.: drop", "!'scsi.' is no command" },
	{ "on scsi.format: drop", "!'scsi.format' is no command of a device here" },
	{ "on login foo: drop", "!column 10: 'foo' is no condition" },
	{ "on login foo=1: drop", "!column 10: 'foo=1' is no condition" },
	{ "on login nth: drop", "!column 10: nth has no value" },
	{ "on login nth=: drop", "!column 10: nth has no value" },
	{ "on login nth=0: drop", "!column 10: 0 is out of range" },
	{ "on login nth=-1: drop", "!column 10: '-1' is not a whole number" },
	{ "on login count=0: drop", "!column 10: 0 is out of range" },
	{ "on connect target=a: drop", "!column 12: connect is about no target" },
	{ "on discovery target=a: drop", "!discovery is about no target" },
	{ "on connect initiator=a: drop", "!who connects is not known yet" },
	{ "at", "!':' and a blank are missing" },
	{ "at : drop", "!column 4: a time is missing" },
	{ "at 5s drop", "!column 7: 'drop' stands between the time and its ':'" },
	{ "at 5x: drop", "!column 4: '5x' is not a duration such as 3, 20s, 500ms, 2m" },
	{ "at 25000h: drop", "!is not a duration" },
	{ "at 86401s: drop", "!out of range" },
	{ "away", "!column 5: away takes a time, such as 20s, 500ms, 2m" },
	{ "away # 5s", "!away takes a time" },
	{ "away 0", "!out of range" },
	{ "away 5s 6s", "!column 9: '6s' is too much" },
	{ "drop it", "!column 6: 'it' is too much" },
	{ "on login: refuse 0x0002", "!0x0002 is success" },
	{ "on login: refuse 0202", "!'0202' is no status" },
	{ "on login: refuse 0x202", "!'0x202' is no status" },
	{ "on login: refuse 0x02020", "!no status" },
	{ "on login: refuse 0x02g2", "!no status" },
	{ "on nop-out: refuse 0x0202",
	  "!refuse cannot be had there: on login-request, on login, on discovery" },
	{ "refuse 0x0202", "!column 1: refuse cannot be had there: on login-request" },
	{ "at 1s: ignore", "!column 8: ignore cannot be had there: on login-request" },
	{ "stall 5s", "!stall cannot be had there" },
	{ "on login: advertise 192.0.2.1",
	  "!advertise cannot be had there: on send-targets, at a time" },
	{ "on login: fail busy", "!fail cannot be had there: on scsi" },
	{ "on scsi: fail", "!fail takes busy, or sense data" },
	{ "on scsi: fail slow", "!'slow' is none of busy" },
	{ "on scsi: fail 3/11", "!'3/11' is none of busy" },
	{ "on scsi: fail 10/11/00", "!'10/11/00' is none of" },
	{ "on scsi: fail 3/111/00", "!'3/111/00' is none of" },
	{ "on scsi: fail 3/11/00/", "!is none of" },
	{ "on scsi: fail //", "!is none of" },
	{ "advertise 192.0.2.1:99999", "!99999" },
	{ "advertise", "!advertise takes an address" },
	{ "name", "!name takes a text" },
	{ "name x", "!column 6: a text stands in double quotes" },
	{ "name \"x", "!the text has no closing" },
	{ "name \"x\\\"", "!the text has no closing" },
	{ "name \"x\\q\"", "!column 8: '\\q' is no escape" },
	{ "name \"x\\x1\"", "!'\\x' is no escape" },
	{ "name \"x\\", "!is no escape" },
	{ "name \"x\"y", "!column 9: 'y' is too much" },
	{ "explode", "!column 1: 'explode' is no action: away, freeze, drop" },
};

static void test_a_line_is_a_rule_or_says_what_is_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(buf_done) struct buf text = { 0 };
		const struct row *row = &rows[i];
		struct rule *rule = NULL;
		struct err err = { .code = 0 };
		int rc = rule_parse(row->line, &rule, &err);

		if (rc < 0)
			buf_addf(&text, "!%s", err.reason);
		else if (rc == 0)
			buf_adds(&text, "-");
		else
			describe(rule, &text);
		rule_free(rule);
		if (row->wanted[0] == '!' ? rc >= 0 || !strstr(buf_text(&text), row->wanted + 1)
					  : strcmp(buf_text(&text), row->wanted) != 0)
			fail_msg("'%s': %s, not %s", row->line, buf_text(&text), row->wanted);
	}
}

/* A word, and a line, of any length: refused or taken, never cut. */
static void test_long_words(void **state)
{
	(void)state;
	for (size_t len = 500; len < 530; len++) {
		CLEANUP(buf_done) struct buf line = { 0 };
		struct rule *rule = NULL;
		struct err err;
		int rc;

		buf_adds(&line, "on login target=");
		for (size_t i = strlen("target="); i < len; i++)
			buf_add(&line, "x", 1);
		buf_adds(&line, ": drop");
		rc = rule_parse(buf_text(&line), &rule, &err);
		assert_int_equal(rc, len <= 512 ? 1 : -err.code);
		if (rc == 1)
			assert_int_equal(strlen(rule->target), len - strlen("target="));
		else
			assert_non_null(strstr(err.reason, "too long"));
		rule_free(rule);
	}
}

/* Each action is found by its name, and says what it takes. */
static void test_every_action_can_be_had_somewhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < fault_action_count; i++) {
		const struct fault_action *action = &fault_actions[i];
		unsigned int places = 0;

		for (unsigned int event = 0; event < EVENT_COUNT; event++)
			places += event_defs[event].point && action->places & PLACE_EVENT(event);
		if (places == 0 && !(action->places & PLACE_ANY_TIME))
			fail_msg("%s has no place", action->name);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(action->name, fault_actions[j].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_line_is_a_rule_or_says_what_is_wrong),
		cmocka_unit_test(test_long_words),
		cmocka_unit_test(test_every_action_can_be_had_somewhere),
	};

	return cmocka_run_group_tests_name("target_faults", tests, NULL, NULL);
}
