/* SPDX-License-Identifier: MIT */
/*
 * What disks' caches hold is written out before a session ends. A disk that does
 * not answer takes nothing: whoever asked it would wait for minutes. Of the live
 * host alone.
 */
#ifndef SGW_DISCONNECT_FLUSH_H
#define SGW_DISCONNECT_FLUSH_H

#include <stddef.h>

struct err;
struct host_session;
struct paths;
struct uses;

/*
 * Disks that are open exclusively (O_EXCL): as long as they are, the kernel lets
 * nobody mount them or build on them. All zero is none; end it by claims_done().
 */
struct claims {
	int *fds;
	size_t count;
};

void claims_done(struct claims *claims);

/*
 * Of the disks of all sessions that end with this one (session_shares_logout()).
 * With claims (may be NULL) they are opened exclusively for it, and those that
 * answer stay so there: -EBUSY where the kernel holds one for something that no
 * table shows. -ETIMEDOUT where a disk takes no flush in time.
 */
int disconnect_flush(const struct paths *paths, const struct host_session *session,
		     struct claims *claims, struct err *err);

/* Of the file systems that are mounted from them, which are to lose them; a warning where it cannot. */
int disconnect_flush_mounts(const struct paths *paths, const struct host_session *session,
			    const struct uses *uses, struct err *err);

#endif
