/* SPDX-License-Identifier: MIT */
/*
 * Logins that are owed: what apply --relogin logs out of is on disk before the
 * logout and until the login, a small file each in the journal's directory, so
 * that a run that was cut off in between is told and made good.
 */
#ifndef SGW_OWED_H
#define SGW_OWED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/records.h"

struct err;
struct host_session;
struct paths;
struct sessions;

struct owed_login {
	char file[64]; /* its name in the journal's directory */
	/* The record to log in by: */
	char target[ISCSI_NAME_SIZE];
	char address[64];
	uint16_t port;
	char interface[64];
	bool others; /* the target had other sessions beside the one to be ended */
	bool fresh; /* written so lately, since this boot, that the logout may be under way yet */
	bool running; /* who owes it is at work on it */
	char problem[256]; /* why the file cannot be read; else empty */
};

/*
 * Before a session is logged out of: the login by its record is owed from here
 * on, synced, by this process. sessions are those of now.
 */
int owed_write(const struct paths *paths, const struct record *record,
	       const struct host_session *session, const struct sessions *sessions,
	       struct err *err);

/* Nothing is owed any longer. Where nothing was, that is no error. */
int owed_settle(const struct paths *paths, const struct record *record, struct err *err);
int owed_remove(const struct paths *paths, const struct owed_login *login, struct err *err);

/* All of them; none where the journal is missing. Free with free(). */
int owed_list(const struct paths *paths, struct owed_login **logins, size_t *count,
	      struct err *err);

enum owed_state {
	OWED_MISSING, /* there is no session */
	OWED_BACK, /* there is one: again, or since the logout never came */
	OWED_PENDING, /* who owes it is at work, or the session that stands may go yet */
};

/* What has become of one without a problem. */
enum owed_state owed_state(const struct owed_login *login, const struct sessions *sessions);

#endif
