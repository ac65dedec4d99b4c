/* SPDX-License-Identifier: MIT */
/* sgw-target's fault rules: what a line means, and what is wrong with it. */
#include <errno.h>
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
#include "../target/faults.h"
#include "../target/gateway.h"
#include "buf.h"
#include "err.h"
#include "target_script.h"

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
	if (rule->args.code != 0)
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
	{ "on login: redirect GW.example # soon",
	  "on login from 1 always redirect 101 gw.example:3260" },
	{ "on discovery nth=1: redirect [2001:db8::1]:3261  permanently ",
	  "on discovery from 1 1 times redirect 102 [2001:db8::1]:3261" },
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
	{ "on login-request initiator=a: drop", "!column 18: who logs in is not known yet" },
	{ "on login nth=2 nth=3: drop", "!column 16: nth is given twice" },
	{ "on login target=a target=a: drop", "!column 19: target is given twice" },
	{ "at", "!':' and a blank are missing" },
	{ "at : drop", "!column 4: a time is missing" },
	{ "at 5s drop", "!column 7: 'drop' stands between the time and its ':'" },
	{ "at 5x: drop", "!column 4: '5x' is not a duration such as 3, 20s, 500ms, 2m" },
	{ "at 25000h: drop", "!is not a duration" },
	{ "at 86401s: drop", "!86401s is out of range: 0 to 24h" },
	{ "at 86400s: drop", "at 86400000 drop" },
	{ "freeze 1441m", "!1441m is out of range: 1ms to 24h" },
	{ "onn login: drop", "!'onn' is no action: on EVENT: ..., at TIME: ..., status, away" },
	{ "on login: foo", "!'foo' is no action: away, freeze" },
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
	{ "on login: redirect",
	  "!redirect takes an address, such as 192.0.2.1:3260, and maybe permanently" },
	{ "on login: redirect 192.0.2.1,1", "!column 20: '192.0.2.1,1' has a tag" },
	{ "on login: redirect 192.0.2.1 for good", "!column 30: 'for good' is too much" },
	{ "on login: redirect 192.0.2.1 permanently so", "!column 42: 'so' is too much" },
	{ "on login: redirect permanently 192.0.2.1", "!'192.0.2.1' is too much" },
	{ "on nop-out: redirect 192.0.2.1", "!redirect cannot be had there: on login-request" },
	{ "name", "!name takes a text" },
	{ "name x", "!column 6: a text stands in double quotes" },
	{ "name \"x", "!the text has no closing" },
	{ "name \"x\\\"", "!the text has no closing" },
	{ "name \"x\\q\"",
	  "!column 8: behind a backslash stands another, a '\"', n, r, t, 0 or xHH, not 'q'" },
	{ "name \"x\\x1\"", "!xHH, not 'x'" },
	{ "name \"x\\", "!xHH, not ''" },
	{ "name \"x\"y", "!column 9: 'y' is too much" },
	{ "explode", "!column 1: 'explode' is no action: on EVENT: ..., at TIME: ..., status, "
		     "away, freeze, drop" },
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

#define LOGIN_WITH(keys) "> 1/3T : I|T|" keys "\n< 0000 1/3T\n"
#define LOGIN "> 1/3T : I|T\n< 0000 1/3T\n"
#define ASKED LOGIN_WITH("InitialR2T=Yes|ImmediateData=No")
#define UNASKED LOGIN_WITH("InitialR2T=No|ImmediateData=No")
#define PING "> nop : x\n< nop : !x\n"
#define INQUIRY "120000002400"
#define WRITE_1 "2a000000000100000100"
#define READ_1 "28000000000100000100"
#define TEST_UNIT_READY "000000000000"

static const struct script_row scripts[] = {
	{ "a stalled answer that was made up comes whole, and others before it",
	  LOGIN "fault on scsi.inquiry nth=1: stall 5s\n> cmd F R len=36 itt=9 : " INQUIRY "\n"
		"< open\n" PING "> cmd F R len=36 itt=10 : " INQUIRY "\n< data itt=10 dsl=36\n"
		"wait 4999\n< open\nwait 1\n< data itt=9 dsl=36 flags=0x81 byte0=0\n< open" },
	{ "a stalled read takes its place in the window until then",
	  LOGIN "fault on scsi.read nth=1: stall 5s\n> cmd F R len=512 itt=9 : " READ_1 "\n"
		"> nop : x\n< nop max=228\nwait 5000\n< data itt=9 dsl=512 max=229" },
	{ "a stalled write is asked for, taken, and answered later",
	  ASKED "fault on scsi.write: stall 5s\n> cmd F W len=512 itt=9 : " WRITE_1 "\n< r2t\n"
		"> dataout F itt=9 ttt=r0 data=512 byte=z :\n< none\n> cmd F R len=512 : " READ_1
		"\n< data byte0=122\nwait 4999\n< none\nwait 1\n< status st=0 itt=9" },
	{ "the stall of a write is counted from when all of it is there",
	  ASKED "fault on scsi.write: stall 5s\n> cmd F W len=512 itt=9 : " WRITE_1 "\n< r2t\n"
		"wait 6000\n> dataout F itt=9 ttt=r0 data=512 :\n< none\nwait 5000\n< status" },
	{ "a stalled command is aborted, and its tag used again",
	  LOGIN "fault on scsi.read nth=1: stall 5s\n> cmd F R len=512 itt=9 : " READ_1 "\n"
		"> tmf I F fn=1 ref=9 refsn=100 :\n< tmf code=0 max=228\n"
		"> cmd F R len=512 itt=9 : " READ_1 "\n< data itt=9\nwait 6000\n< open" },
	{ "a stalled command goes with LUN RESET",
	  LOGIN "fault on scsi.read: stall 5s\n> cmd F R len=512 itt=9 : " READ_1 "\n"
		"> tmf I F fn=5 :\n< tmf code=0\nwait 6000\n< open" },
	{ "a stalled command's tag is in use",
	  LOGIN "fault on scsi.read nth=1: stall 5s\n> cmd F R len=512 itt=9 : " READ_1 "\n"
		"> cmd F R len=512 itt=9 : " READ_1 "\n< reject code=7\nwait 5000\n< data itt=9" },
	{ "stalled commands are answered in the order of their times",
	  LOGIN "fault on scsi.read nth=1: stall 5s\nfault on scsi.read nth=2: stall 1s\n"
		"> cmd F R len=512 itt=9 : " READ_1 "\n> cmd F R len=512 itt=10 : " READ_1 "\n"
		"wait 1000\n< data itt=10\n< none\nwait 4000\n< data itt=9" },
	{ "a login that is stalled beyond its deadline is answered, and has all its time again",
	  "fault on login-request nth=1: stall 20s\n> 0/1T : I|T|AuthMethod=None\n"
	  "wait 19999\n< open\nwait 1\n< 0000 0/1T\nwait 14999\n< open\nwait 1\n< closed" },
	{ "a connection that is stalled beyond the deadline of its login is served after that",
	  "fault on connect: stall 20s\n> 1/3T : I|T\nwait 19999\n< open\nwait 1\n< 0000 1/3T" },
	{ "what a connection answered before its stall is sent",
	  LOGIN "fault on nop-out nth=2: stall 5s\n> nop sn=101 : b\n> nop sn=100 : a\n< nop : !a\n"
		"< none\nwait 4999\n< open\nwait 1\n< nop : !b\n< open" },
	{ "a session that is stalled is not pinged",
	  LOGIN "fault on nop-out nth=2: stall 300s\n" PING "> nop : y\nwait 299999\n< open\n"
		"wait 1\n< nop : !y\nwait 60999\n< open\nwait 1\n< nop itt=0xffffffff" },
	{ "a session goes with what is stalled in it",
	  LOGIN "fault on scsi.read: stall 5s\n> cmd F R len=512 itt=9 : " READ_1 "\n"
		"> logout F fn=0 :\n< logout code=0\n< closed\nwait 6000\nnew\n" LOGIN PING },
	{ "an ignored write moves its data and is never answered, but can be aborted",
	  ASKED "fault on scsi.write nth=1: ignore\n> cmd F W len=512 itt=9 : " WRITE_1 "\n< r2t\n"
		"> dataout F itt=9 ttt=r0 data=512 :\nwait 4000\n< none\n"
		"> tmf I F fn=1 ref=9 refsn=100 :\n< tmf code=0\n" PING },
	{ "an ignored NOP-Out counts, and the next one is answered", LOGIN
	  "fault on nop-out nth=1: ignore\n> nop : a\n< open\n> nop : b\n< nop exp=102 : !b" },
	{ "an ignored text request, logout, task management", LOGIN
	  "fault on text nth=1: ignore\nfault on logout nth=1: ignore\nfault on task: ignore\n"
	  "> text F : SendTargets=\n< open\n> tmf I F fn=5 :\n< open\n> logout F fn=0 :\n"
	  "< open\n> logout F fn=0 :\n< logout\n< closed" },
	{ "an ignored command that came before its turn",
	  LOGIN "fault on nop-out nth=2: ignore\n> nop sn=101 : b\n< none\n> nop sn=100 : a\n"
		"< nop : !a\n< open\n> nop sn=102 : c\n< nop exp=103 : !c" },
	{ "a command fails with sense data, and its address where that is of the medium",
	  LOGIN "fault on scsi.read nth=1: fail 3/11/00\n> cmd F R len=512 : " READ_1 "\n"
		"< status st=2 key=3 asc=0x1100 flags=0x82 res=512\n> cmd F R len=512 : " READ_1
		"\n< data" },
	{ "a write that fails takes its unsolicited data first",
	  UNASKED "fault on scsi.write: fail 4/44/00\n> cmd W len=512 itt=9 : " WRITE_1 "\n< none\n"
		  "> dataout F itt=9 data=512 byte=z :\n< status st=2 key=4 asc=0x4400\n"
		  "> cmd F R len=512 : " READ_1 "\n< data byte0=0" },
	{ "BUSY, TASK SET FULL, RESERVATION CONFLICT",
	  LOGIN "fault on scsi nth=1: fail busy\nfault on scsi nth=2: fail task-set-full\n"
		"fault on scsi nth=3: fail reservation-conflict\n"
		"> cmd F : " TEST_UNIT_READY "\n< status st=8\n> cmd F : " TEST_UNIT_READY
		"\n< status st=0x28\n> cmd F : " TEST_UNIT_READY "\n< status st=0x18\n"
		"> cmd F : " TEST_UNIT_READY "\n< status st=0" },
	{ "a failure that is late",
	  LOGIN "fault on scsi: stall 1s\nfault on scsi: fail busy\n> cmd F : " TEST_UNIT_READY
		"\n< open\nwait 1000\n< status st=8" },
	{ "a fault of a command that is rejected is none of the next one", ASKED
	  "> cmd F W len=512 itt=9 : " WRITE_1 "\n< r2t\nfault on scsi nth=1: fail busy\n"
	  "> cmd F W len=512 itt=9 : " WRITE_1 "\n< reject code=7\n"
	  "> dataout F itt=9 ttt=r0 data=512 :\n< status st=0\n> cmd F sn=101 : " TEST_UNIT_READY
	  "\n< status st=0" },
	{ "a refused login", "fault on login nth=1: refuse 0x0202\n> 1/3T : I|T\n< 0202\n< closed\n"
			     "new\n" LOGIN },
	{ "a login is redirected, whose address comes without a tag",
	  "fault on login nth=1: redirect 192.0.2.1\nfault on login nth=2: redirect "
	  "[2001:db8::1]:3261 "
	  "permanently\n> 1/3T : I|T\n< 0101 : !TargetAddress=192.0.2.1:3260\n< closed\nnew\n"
	  "> 1/3T : I|T\n< 0102 : !TargetAddress=[2001:db8::1]:3261\n< closed\nnew\n" LOGIN },
	{ "the first request of a login is redirected, and a discovery",
	  "fault on discovery: redirect gw.example\n> 1/3T : I|D\n"
	  "< 0101 : !TargetAddress=gw.example:3260\n< closed\nnew\n"
	  "fault on login-request: redirect gw.example:1\n> 0/1T : I|T|AuthMethod=None\n"
	  "< 0101 : !TargetAddress=gw.example:1\n< closed" },
	{ "of two rules the first one says how a login ends, and where",
	  "fault on login: refuse 0x0301\nfault on login: redirect 192.0.2.1\n> 1/3T : I|T\n"
	  "< 0301 : !\n< closed" },
	{ "a login is refused after its proof, not before",
	  "chap any\nfault on login: refuse 0x0301\n> 0/1T : I|T|AuthMethod=None\n< 0201\n< "
	  "closed" },
	{ "nth counts what an earlier rule took, too",
	  "fault on login nth=1: drop\nfault on login nth=2: refuse 0x0301\n> 1/3T : I|T\n"
	  "< closed\nnew\n> 1/3T : I|T\n< 0301\n< closed\nnew\n" LOGIN },
	{ "an answer that is given at once is that of every SendTargets",
	  "fault answer \"A=B\"\n> 1/3T : I|D\n< 0000 1/3T\n> text F : SendTargets=All\n"
	  "< text F raw : !A=B\n> text F : SendTargets=All\n< text F raw : !A=B\n" },
	{ "a discovery is none of \"login\"",
	  "fault on login: refuse 0x0202\n> 1/3T : I|D\n< 0000 1/3T\n" },
	{ "a login request that is refused, one that is ignored",
	  "fault on login-request nth=2: refuse 0x0302\n> 0/1T : I|T|AuthMethod=None\n< 0000 0/1T\n"
	  "> 1/3T :\n< 0302\n< closed" },
	{ "a connection that is dropped in mid session",
	  LOGIN "fault on nop-out nth=2: drop\n" PING "> nop : x\n< closed" },
	{ "a rule of an initiator and a target", LOGIN
	  "b > 1/3T : InitiatorName=iqn.2026-01.com.example:other|T\nb < 0000 1/3T\n"
	  "fault on nop-out initiator=iqn.2026-01.com.example:Other target=myvolume: ignore\n" PING
	  "b > nop : x\nb < open\n" PING },
	{ "other records, another address, another answer",
	  "> 1/3T : I|D\n< 0000 1/3T\nfault on send-targets nth=1: advertise 192.0.2.1\n"
	  "fault on send-targets nth=1: name \"../x\"\n> text F : SendTargets=All\n"
	  "< text F : !TargetName=../x|TargetAddress=192.0.2.1:3260,1|"
	  "TargetName=iqn.1997-05.com.amazon:myvolume|TargetAddress=192.0.2.1:3260,1\n"
	  "fault on send-targets nth=1: answer \"A=B\\0C\\0\"\n> text F : SendTargets=All\n"
	  "< text F raw : !A=B|C|\n> text F : SendTargets=All\n"
	  "< text F : "
	  "!TargetName=iqn.1997-05.com.amazon:myvolume|TargetAddress=127.0.0.1:3260,1\n" },
};

static void test_what_an_initiator_sees_of_faults(void **state)
{
	(void)state;
	assert_int_equal(script_run_rows(scripts, ARRAY_LEN(scripts)), 0);
}

static int take(struct faults *faults, const char *line, struct err *err)
{
	err->reason[0] = '\0';
	return faults_take(faults, line, err);
}

/* At the limit no rule is taken, whichever way it comes, until there is room. */
static void test_there_is_a_limit_of_rules(void **state)
{
	struct err err;
	struct gateway *gateway = gateway_new(&err);
	struct faults *faults = faults_new(gateway, NULL, &err);

	(void)state;
	for (int i = 0; i < 10000; i++)
		assert_int_equal(take(faults, "on login nth=1: drop", &err), 0);
	assert_int_equal(take(faults, "on login: drop", &err), -ENOSPC);
	assert_non_null(strstr(err.reason, "clear drops them"));
	assert_int_equal(take(faults, "name \"x\"", &err), -ENOSPC);
	faults->rules->next->next->met = 1; /* it struck, and never will again */
	assert_int_equal(take(faults, "name \"x\"", &err), 0);
	assert_int_equal(take(faults, "name \"x\"", &err), -ENOSPC);
	assert_int_equal(faults->count, 10000);
	faults_clear(faults);
	assert_int_equal(take(faults, "on login: drop", &err), 0);
	assert_int_equal(faults->count, 1);
	faults_free(faults);
	gateway_free(gateway);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_line_is_a_rule_or_says_what_is_wrong),
		cmocka_unit_test(test_long_words),
		cmocka_unit_test(test_every_action_can_be_had_somewhere),
		cmocka_unit_test(test_there_is_a_limit_of_rules),
		cmocka_unit_test(test_what_an_initiator_sees_of_faults),
	};

	return cmocka_run_group_tests_name("target_faults", tests, NULL, NULL);
}
