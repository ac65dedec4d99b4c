/* SPDX-License-Identifier: MIT */
/* Whether a record's portal can be reached at all, before iscsid is asked to log in. */
#ifndef SGW_CONNECT_REACH_H
#define SGW_CONNECT_REACH_H

struct err;
struct record;

/*
 * Whether the portal takes connections: iscsid tries a dead one for up to two
 * minutes and says little. -ECONNREFUSED, -ETIMEDOUT or another errno with
 * cause and remedy, at TARGET at PORTAL. Not asked (0) where the record is
 * bound to an interface, which may go another way than we would.
 */
int connect_reach(const struct record *record, struct err *err);

#endif
