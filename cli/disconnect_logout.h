/* SPDX-License-Identifier: MIT */
/* The logout itself: of exactly one session, proven by sysfs. Of the live host alone. */
#ifndef SGW_DISCONNECT_LOGOUT_H
#define SGW_DISCONNECT_LOGOUT_H

struct err;
struct host_session;
struct paths;

/*
 * Log out of a session, by -T, -p and -I as its attributes say them, and see
 * that it is gone. iscsiadm then ends each session of that target, portal and
 * interface (session_shares_logout()), and -m session -r would name one alone:
 * but one of them that stays keeps the record in use and comes back as two at
 * the next login, so they go together or not at all. 0 done, 1 there was none.
 * Looks for no user of their devices: that is for the caller to do right
 * before, of them all (disconnecting.h).
 */
int disconnect_logout(const struct paths *paths, const struct host_session *session,
		      struct err *err);

#endif
