/* SPDX-License-Identifier: MIT */
/* What a plan does that is no file and no live value: udev's rules read anew, logins. */
#ifndef SGW_ACTIONS_H
#define SGW_ACTIONS_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct findings;
struct host_session;
struct plan;
struct record;
struct survey;

/* In the order in which they are done. */
enum action_kind {
	ACTION_RELOAD_RULES, /* the plan changes a rule */
	ACTION_LOG_IN_AGAIN, /* the session has values that it takes over at a login alone */
	ACTION_LOG_IN, /* the record's target has no session; of several records by one alone */
	ACTION_AWAIT, /* the record's session is down, or lacks a device that can be used */
};

struct action {
	enum action_kind kind;
	const struct record *record; /* NULL: of none */
	const struct host_session *session; /* to log out of; else NULL */
	char why[256]; /* the values that need it; else empty */
	bool barred; /* to log in again: there is no record, or that has lost its secret */
};

struct actions {
	struct action *items;
	size_t count;
};

/* Which of them a run is asked for. */
struct actions_wanted {
	bool reload; /* on the live host alone */
	bool log_in_again;
	bool log_in; /* and wait for the sessions that are there */
	bool barred; /* with log_in_again: those that are barred as well, to be told alone */
};

/*
 * Find what is to be done. plan may be NULL; else what it changes counts as
 * done. The actions point into the survey. Sessions without a record among the
 * survey's places are barred: nothing can log in again by it; such an action
 * has no record. The caller ends them by actions_done(), also after an error.
 */
int actions_find(struct actions *actions, const struct survey *survey,
		 const struct findings *findings, const struct plan *plan,
		 const struct actions_wanted *wanted, struct err *err);
void actions_done(struct actions *actions);

/* For programs: "reload-rules", "log-in-again", "log-in", "await". */
const char *action_word(enum action_kind kind);

#endif
