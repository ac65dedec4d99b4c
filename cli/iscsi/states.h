/* SPDX-License-Identifier: MIT */
/* The states of an initiator's connection (RFC 7143, 8.1.3). */
#ifndef SGW_ISCSI_STATES_H
#define SGW_ISCSI_STATES_H

struct err;

/* The standard's numbers. S3 is a target's. */
enum connection_state {
	S1_FREE = 1,
	S2_XPT_WAIT = 2,
	S4_IN_LOGIN = 4,
	S5_LOGGED_IN = 5,
	S6_IN_LOGOUT = 6,
	S7_LOGOUT_REQUESTED = 7,
	S8_CLEANUP_WAIT = 8,
};

enum connection_event {
	EVENT_CONNECT, /* a connection was asked for */
	EVENT_CONNECT_FAILED, /* refused, or timed out */
	EVENT_CONNECTED,
	EVENT_LOGIN_DONE, /* final response with status 0 */
	EVENT_LOGIN_FAILED, /* other status, timeout, loss, or a fault of the peer's */
	EVENT_LOGOUT_SENT,
	EVENT_LOGOUT_ASKED, /* Asynchronous Message 1 */
	EVENT_LOGOUT_DONE, /* Logout Response 0 */
	EVENT_LOST, /* closed, reset, timed out, dropped (Asynchronous Message 2, 3), or a fault */
	EVENT_CLEANED, /* nothing of the session is kept */
};

/*
 * Take an event. 0, or -EPROTO where the state does not know it: then the
 * connection must be closed with *err as the reason, and the state stays.
 */
int states_take(enum connection_state *state, enum connection_event event, struct err *err)
	__attribute__((nonnull));
/* "LOGGED_IN" … */
const char *states_name(enum connection_state state);

#endif
