/* SPDX-License-Identifier: MIT */
/*
 * Log in again where apply --relogin was cut off between its logout and its
 * login (engine/owed.h): whichever run comes next makes it good, and tells so.
 */
#ifndef SGW_RESUME_H
#define SGW_RESUME_H

#include <jansson.h>
#include <stddef.h>

struct choice;
struct err;
struct findings;
struct paths;
struct sessions;

/* What the runs before this one left, and what became of it. All zero at first. */
struct resume {
	size_t missing; /* logins that are owed still */
	json_t *list; /* for programs, as connect's targets; NULL: nothing was tried */
};

void resume_done(struct resume *resume);

/*
 * On the live host: first make good what was cut off in the journal, then log
 * in to all that is owed, by the records as they are, and tell so. A login
 * that fails is told and counted; one whose record is gone is owed no longer.
 * Negative errno where nobody can tell what is owed. device_ms as
 * connecting_run() takes it. Takes sgw-init's lock for a moment.
 */
int resume_run(struct resume *resume, const struct paths *paths, unsigned device_ms,
	       struct err *err);

/* Count anew what is missing, without a login: others may have brought it back meanwhile. */
int resume_look(struct resume *resume, const struct paths *paths, struct err *err);

/* Of a dry run: a warning for each that would be logged in to, counted. */
int resume_warn(struct resume *resume, const struct paths *paths, struct err *err);

/* Those are to stay logged out: nothing is owed of them. */
int resume_forget(const struct paths *paths, const struct choice *choice, struct err *err);

/* For check: add a finding for each that has no session. */
int resume_report(const struct paths *paths, const struct sessions *sessions,
		  struct findings *findings, struct err *err);

#endif
