/* SPDX-License-Identifier: MIT */
#include "fault_actions.h"

#include "buf.h"
#include "connection.h"
#include "fault_rule.h"
#include "faults.h"
#include "server.h"

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

#define EVERYWHERE (PLACE_ANY_EVENT | PLACE_ANY_TIME)

const struct fault_action fault_actions[] = {
	{ "away", ARGUMENT_TIME, EVERYWHERE, false, away },
	{ "freeze", ARGUMENT_TIME, EVERYWHERE, false, freeze },
	{ "clear", ARGUMENT_NONE, EVERYWHERE, true, clear },
	{ "quit", ARGUMENT_NONE, EVERYWHERE, true, quit },
};

const size_t fault_action_count = ARRAY_LEN(fault_actions);
