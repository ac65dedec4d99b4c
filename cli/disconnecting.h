/* SPDX-License-Identifier: MIT */
/*
 * One session ended with care: nobody uses its devices, what is in their
 * caches is written, nobody can mount them from there on, and then the
 * logout of exactly that target and portal.
 * Others that this logout ends too (session_shares_logout()) are looked at
 * alike, and keep it where they are in use.
 * Of the live host alone.
 */
#ifndef SGW_DISCONNECTING_H
#define SGW_DISCONNECTING_H

#include "err.h"
#include "host/in_use.h"
#include "host/sessions.h"

struct paths;

enum disconnected_state {
	DISCONNECTED_DONE,
	DISCONNECTED_IN_USE, /* nothing was done; uses says by whom, err with what to type */
	DISCONNECTED_FAILED, /* see err */
};

struct disconnected {
	const struct host_session *session; /* as given */
	enum disconnected_state state;
	bool begun; /* the logout itself: where it failed, iscsid may go on with it */
	struct uses uses;
	struct err err; /* its place is TARGET at PORTAL */
};

void disconnecting_run(const struct paths *paths, const struct host_session *session,
		       struct disconnected *out);

/*
 * From under its users, after a run that found it in use: only where each use
 * is known, and none is the root disk, swap, a tape or a changer. Never where
 * the kernel alone says that it holds a disk: nobody could tell for what.
 * What mounted file systems and the disks' own caches hold is written first, as
 * far as the disks answer.
 */
bool disconnecting_can_force(const struct host_session *session, const struct uses *uses);
void disconnecting_force(const struct paths *paths, struct disconnected *out);

void disconnected_done(struct disconnected *disconnected);

/* "disconnected", "in use", "failed"; for programs "in-use". */
const char *disconnected_text(enum disconnected_state state);
const char *disconnected_word(enum disconnected_state state);

/*
 * All uses of all devices of a session and of those that end with it; -EBUSY
 * with them in words, and with what ends them, where there are some. The caller
 * ends uses by uses_done().
 */
int disconnecting_check(const struct paths *paths, const struct host_session *session,
			struct uses *uses, struct err *err);
/* "mounted on /data (sdb1); open by dd, process 123 (sdb)" */
void disconnecting_users(const struct uses *uses, struct buf *out);

#endif
