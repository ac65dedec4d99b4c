/* SPDX-License-Identifier: MIT */
#include "iscsi/states.h"

#include <errno.h>
#include <stddef.h>

#include "buf.h"
#include "err.h"

/* The initiator's half of the matrix of 8.1.3, and M1 of 8.2.2, which ends S8. */
static const struct {
	enum connection_state state;
	enum connection_event event;
	const char *transition;
	enum connection_state next;
} transitions[] = {
	{ S1_FREE, EVENT_CONNECT, "T1", S2_XPT_WAIT },
	{ S2_XPT_WAIT, EVENT_CONNECT_FAILED, "T2", S1_FREE },
	{ S2_XPT_WAIT, EVENT_CONNECTED, "T4", S4_IN_LOGIN },
	{ S4_IN_LOGIN, EVENT_LOGIN_DONE, "T5", S5_LOGGED_IN },
	{ S4_IN_LOGIN, EVENT_LOGIN_FAILED, "T7", S1_FREE },
	{ S5_LOGGED_IN, EVENT_LOGOUT_SENT, "T9", S6_IN_LOGOUT },
	{ S7_LOGOUT_REQUESTED, EVENT_LOGOUT_SENT, "T10", S6_IN_LOGOUT },
	{ S5_LOGGED_IN, EVENT_LOGOUT_ASKED, "T11", S7_LOGOUT_REQUESTED },
	{ S7_LOGOUT_REQUESTED, EVENT_LOGOUT_ASKED, "T12", S7_LOGOUT_REQUESTED },
	{ S6_IN_LOGOUT, EVENT_LOGOUT_DONE, "T13", S1_FREE },
	{ S6_IN_LOGOUT, EVENT_LOGOUT_ASKED, "T14", S6_IN_LOGOUT },
	{ S5_LOGGED_IN, EVENT_LOST, "T15", S8_CLEANUP_WAIT },
	{ S7_LOGOUT_REQUESTED, EVENT_LOST, "T16", S8_CLEANUP_WAIT },
	{ S6_IN_LOGOUT, EVENT_LOST, "T17", S8_CLEANUP_WAIT },
	{ S8_CLEANUP_WAIT, EVENT_CLEANED, "M1", S1_FREE },
};

const char *states_name(enum connection_state state)
{
	static const char *const names[] = {
		[S1_FREE] = "FREE",
		[S2_XPT_WAIT] = "XPT_WAIT",
		[S4_IN_LOGIN] = "IN_LOGIN",
		[S5_LOGGED_IN] = "LOGGED_IN",
		[S6_IN_LOGOUT] = "IN_LOGOUT",
		[S7_LOGOUT_REQUESTED] = "LOGOUT_REQUESTED",
		[S8_CLEANUP_WAIT] = "CLEANUP_WAIT",
	};

	return names[state];
}

int states_take(enum connection_state *state, enum connection_event event, struct err *err)
{
	static const char *const events[] = {
		[EVENT_CONNECT] = "a connect",
		[EVENT_CONNECT_FAILED] = "a failed connect",
		[EVENT_CONNECTED] = "a connection",
		[EVENT_LOGIN_DONE] = "the end of a login",
		[EVENT_LOGIN_FAILED] = "a failed login",
		[EVENT_LOGOUT_SENT] = "a logout",
		[EVENT_LOGOUT_ASKED] = "a request to log out",
		[EVENT_LOGOUT_DONE] = "a Logout Response",
		[EVENT_LOST] = "a lost connection",
		[EVENT_CLEANED] = "a cleanup",
	};

	for (size_t i = 0; i < ARRAY_LEN(transitions); i++)
		if (transitions[i].state == *state && transitions[i].event == event) {
			*state = transitions[i].next;
			return 0;
		}
	return err_set(err, EPROTO, "%s cannot come in state %s (RFC 7143, 8.1.3)", events[event],
		       states_name(*state));
}
