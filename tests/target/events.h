/* SPDX-License-Identifier: MIT */
/* What can happen to a target: one table of points, by which it is counted and faults strike. */
#ifndef SGW_TARGET_EVENTS_H
#define SGW_TARGET_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

struct connection;
struct pdu;

/* Each is raised at one place of the code, before the thing takes effect. */
enum event {
	EVENT_CONNECT,
	EVENT_LOGIN_REQUEST, /* each PDU of a login */
	EVENT_LOGIN, /* a normal session's login goes through */
	EVENT_DISCOVERY, /* a discovery session's */
	EVENT_REFUSED, /* a login does not */
	EVENT_TEXT,
	EVENT_SEND_TARGETS, /* of a text request: SendTargets is to be answered */
	EVENT_NOP_OUT,
	EVENT_COMMAND, /* SCSI; "scsi.NAME" is one that a device knows by that name */
	EVENT_DATA_OUT,
	EVENT_TASK, /* task management */
	EVENT_LOGOUT,
	EVENT_REJECT, /* a PDU of the initiator was rejected */
	EVENT_FAULT, /* a rule struck */
	EVENT_COUNT,
};

struct event_def {
	const char *point; /* "login": where a rule can strike; NULL: nowhere */
	const char *counter; /* "logins": for --expect and the summary; NULL: it is not counted */
	bool targeted; /* there may be a target to it */
};

extern const struct event_def event_defs[EVENT_COUNT];

/* What becomes of the thing that an event is about, when the rules have struck. */
enum verdict {
	VERDICT_SERVE, /* it is done as ever */
	VERDICT_IGNORE, /* it is not done, and not answered */
	VERDICT_REFUSE, /* a login: with events->status */
	VERDICT_CLOSE, /* the connection ends, the FIN behind what is answered already */
	VERDICT_RESET, /* the connection ends with a reset */
};

/* What the rules that struck want of what was struck. */
struct struck {
	unsigned int status; /* VERDICT_REFUSE: what the login ends with */
	bool command; /* a SCSI command has something of these */
	uint64_t stall_ms; /* its answer is that late */
	uint8_t scsi_status; /* it fails with this, … */
	uint32_t sense; /* and this (enum sense), where that is CHECK CONDITION */
};

struct events {
	uint64_t count[EVENT_COUNT];
	uint32_t armed; /* bits: there are rules for these */
	struct struck struck; /* taken by who raised the event */
};

/*
 * Let the rules that are armed for an event strike (faults.c). pdu: the one it
 * is about, or NULL.
 */
enum verdict faults_strike(struct connection *connection, enum event event, const struct pdu *pdu)
	__attribute__((nonnull(1)));

static inline void event_count(struct events *events, enum event event)
{
	events->count[event]++;
}

/* Where nobody asked for faults this is all there is to them. */
static inline enum verdict event_ask(const struct events *events, enum event event,
				     struct connection *connection, const struct pdu *pdu)
{
	if (__builtin_expect(!(events->armed >> event & 1), 1))
		return VERDICT_SERVE;
	return faults_strike(connection, event, pdu);
}

static inline enum verdict event_raise(struct events *events, enum event event,
				       struct connection *connection, const struct pdu *pdu)
{
	event_count(events, event);
	return event_ask(events, event, connection, pdu);
}

#endif
