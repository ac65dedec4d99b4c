/* SPDX-License-Identifier: MIT */
#include "fault_actions.h"

#include "buf.h"
#include "connection.h"
#include "exchange.h"
#include "fault_rule.h"
#include "faults.h"
#include "gateway.h"
#include "login.h"
#include "server.h"
#include "stall.h"

/* Who meant to be answered is not: the process is gone by then. */
static enum verdict away(const struct strike *strike)
{
	server_away(strike->faults->server, strike->rule->args.ms);
	return VERDICT_IGNORE;
}

/* The answer comes after the thaw. */
static enum verdict freeze(const struct strike *strike)
{
	server_freeze(strike->faults->server, strike->rule->args.ms);
	if (strike->connection)
		strike->connection->paused = true;
	return VERDICT_SERVE;
}

static enum verdict clear(const struct strike *strike)
{
	faults_clear(strike->faults);
	server_resume(strike->faults->server);
	return VERDICT_SERVE;
}

static enum verdict quit(const struct strike *strike)
{
	server_stop(strike->faults->server);
	return VERDICT_SERVE;
}

static enum verdict ignore(const struct strike *strike)
{
	struct struck *struck = &strike->faults->gateway->events.struck;

	if (strike->event != EVENT_COMMAND)
		return VERDICT_IGNORE;
	/* Its data moves, and it takes its place of the window: it is the device that is silent. */
	struck->command = true;
	struck->stall_ms = STALL_FOR_EVER;
	return VERDICT_SERVE;
}

static enum verdict stall(const struct strike *strike)
{
	struct struck *struck = &strike->faults->gateway->events.struck;
	uint64_t ms = strike->rule->args.ms;

	if (strike->event != EVENT_COMMAND) {
		stall_connection(strike->connection, ms);
		return VERDICT_SERVE;
	}
	struck->command = true;
	if (struck->stall_ms < ms)
		struck->stall_ms = ms;
	return VERDICT_SERVE;
}

static enum verdict fail(const struct strike *strike)
{
	struct struck *struck = &strike->faults->gateway->events.struck;

	struck->command = true;
	struck->scsi_status = (uint8_t)(strike->rule->args.code >> 24);
	struck->sense = strike->rule->args.code & 0xffffff;
	return VERDICT_SERVE;
}

static enum verdict refuse(const struct strike *strike)
{
	strike->faults->gateway->events.struck.status = strike->rule->args.code;
	return VERDICT_REFUSE;
}

static enum verdict redirect(const struct strike *strike)
{
	target_login_redirect(strike->connection->login, buf_text(&strike->rule->args.text));
	return refuse(strike);
}

static enum verdict drop(const struct strike *strike)
{
	if (!strike->connection)
		server_drop(strike->faults->server, false);
	return VERDICT_CLOSE;
}

static enum verdict reset(const struct strike *strike)
{
	if (!strike->connection)
		server_drop(strike->faults->server, true);
	return VERDICT_RESET;
}

static enum verdict name(const struct strike *strike)
{
	const struct buf *text = &strike->rule->args.text;

	exchange_add_name(strike->connection, buf_text(text), text->len);
	return VERDICT_SERVE;
}

static enum verdict answer(const struct strike *strike)
{
	const struct buf *text = &strike->rule->args.text;

	exchange_set_answer(strike->connection, buf_text(text), text->len);
	return VERDICT_SERVE;
}

static enum verdict advertise(const struct strike *strike)
{
	exchange_set_address(strike->connection, buf_text(&strike->rule->args.text));
	return VERDICT_SERVE;
}

#define IQN "iqn.1997-05.com.amazon:"
#define FIFTY "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define NAME(text)                     \
	{                              \
		text, sizeof(text) - 1 \
	}

/*
 * What would leave its directory, its line, its field, its word or its length,
 * or drive a terminal.
 */
static const struct {
	const char *bytes;
	size_t len;
} hostile[] = {
	NAME(""),
	NAME("."),
	NAME(".."),
	NAME("../../../etc/passwd"),
	NAME("/etc/passwd"),
	NAME(IQN "../../../etc/passwd"),
	NAME(IQN "a/b"),
	NAME(IQN "a\\b"),
	NAME(IQN "a\nnode.startup = automatic"),
	NAME(IQN "a\rb"),
	NAME(IQN "a b"),
	NAME(IQN "a\tb"),
	NAME(IQN "a#b"),
	NAME(IQN "a\"b'c"),
	NAME(IQN "$(touch a)`touch b`;touch c"),
	NAME(IQN "%s%n"),
	NAME(IQN "\033[31m\033]0;title\007"),
	NAME(IQN "\177\302\205"), /* DEL and C1's NEXT LINE */
	NAME(IQN "\342\200\256gpj"), /* right to left */
	NAME(IQN "\357\273\277a"), /* byte order mark */
	NAME(IQN "\377\376\300\257"), /* no UTF-8 */
	NAME("-rf"),
	NAME("iqn"),
	NAME("other.2001-04.com.example:a"),
	NAME(IQN FIFTY FIFTY FIFTY FIFTY "y"), /* 224 bytes, one too many */
	NAME(IQN FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY FIFTY),
};

static enum verdict hostile_names(const struct strike *strike)
{
	for (size_t i = 0; i < ARRAY_LEN(hostile); i++)
		exchange_add_name(strike->connection, hostile[i].bytes, hostile[i].len);
	return VERDICT_SERVE;
}

/* At a time, or at once, these are about every SendTargets from then on (faults.c). */
#define ANSWERS (PLACE_EVENT(EVENT_SEND_TARGETS) | PLACE_ANY_TIME)
#define LOGINS \
	(PLACE_EVENT(EVENT_LOGIN_REQUEST) | PLACE_EVENT(EVENT_LOGIN) | PLACE_EVENT(EVENT_DISCOVERY))
#define REQUESTS                                                                             \
	(PLACE_EVENT(EVENT_TEXT) | PLACE_EVENT(EVENT_NOP_OUT) | PLACE_EVENT(EVENT_COMMAND) | \
	 PLACE_EVENT(EVENT_DATA_OUT) | PLACE_EVENT(EVENT_TASK) | PLACE_EVENT(EVENT_LOGOUT))
#define CONNECTS PLACE_EVENT(EVENT_CONNECT)
#define EVERYWHERE ((PLACE_ANY_EVENT & ~PLACE_EVENT(EVENT_SEND_TARGETS)) | PLACE_ANY_TIME)

const struct fault_action fault_actions[] = {
	{ "away", ARGUMENT_TIME, EVERYWHERE, false, away },
	{ "freeze", ARGUMENT_TIME, EVERYWHERE, false, freeze },
	{ "drop", ARGUMENT_NONE, CONNECTS | LOGINS | REQUESTS | PLACE_ANY_TIME, false, drop },
	{ "reset", ARGUMENT_NONE, CONNECTS | LOGINS | REQUESTS | PLACE_ANY_TIME, false, reset },
	{ "refuse", ARGUMENT_STATUS, LOGINS, false, refuse },
	{ "redirect", ARGUMENT_MOVE, LOGINS, false, redirect },
	{ "ignore", ARGUMENT_NONE, LOGINS | REQUESTS, false, ignore },
	{ "stall", ARGUMENT_TIME, CONNECTS | LOGINS | REQUESTS, false, stall },
	{ "fail", ARGUMENT_SENSE, PLACE_EVENT(EVENT_COMMAND), false, fail },
	{ "advertise", ARGUMENT_PORTAL, ANSWERS, false, advertise },
	{ "name", ARGUMENT_TEXT, ANSWERS, false, name },
	{ "hostile-names", ARGUMENT_NONE, ANSWERS, false, hostile_names },
	{ "answer", ARGUMENT_TEXT, ANSWERS, false, answer },
	{ "clear", ARGUMENT_NONE, EVERYWHERE, true, clear },
	{ "quit", ARGUMENT_NONE, EVERYWHERE, true, quit },
};

const size_t fault_action_count = ARRAY_LEN(fault_actions);
