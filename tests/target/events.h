/* SPDX-License-Identifier: MIT */
/* What can happen to a target: one table of points, by which it is counted. */
#ifndef SGW_TARGET_EVENTS_H
#define SGW_TARGET_EVENTS_H

#include <stdint.h>

/* Each is raised at one place of the code, before the thing takes effect. */
enum event {
	EVENT_CONNECT,
	EVENT_LOGIN, /* a normal session's login went through */
	EVENT_DISCOVERY, /* a discovery session's */
	EVENT_REFUSED, /* a login did not */
	EVENT_TEXT,
	EVENT_NOP_OUT,
	EVENT_COMMAND, /* SCSI */
	EVENT_DATA_OUT,
	EVENT_TASK, /* task management */
	EVENT_LOGOUT,
	EVENT_REJECT, /* a PDU of the initiator was rejected */
	EVENT_COUNT,
};

struct event_def {
	const char *point; /* "login": where it happens */
	const char *counter; /* "logins": how often it did, for --expect and the summary */
};

extern const struct event_def event_defs[EVENT_COUNT];

struct events {
	uint64_t count[EVENT_COUNT];
};

static inline void event_raise(struct events *events, enum event event)
{
	events->count[event]++;
}

#endif
