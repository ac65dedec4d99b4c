/* SPDX-License-Identifier: MIT */
/* The live values of an entry that is undone: best effort, for a session may be another by now. */
#ifndef SGW_RESTORE_LIVE_H
#define SGW_RESTORE_LIVE_H

#include <stdbool.h>

struct entry;
struct err;
struct paths;
struct restore;

/*
 * Find out what each of them is by now, and add a step for each that is not
 * as it was before. Sessions are known by target and portal, devices by their
 * session. Only lack of memory is an error.
 */
int restore_live_plan(struct restore *restore, const struct paths *paths, const struct entry *entry,
		      struct err *err);

/* Whether there is one that restore_live_write() would look at. */
bool restore_live_pending(const struct restore *restore);

/*
 * Write those that still are as they were set, or are so again: 1 if there were
 * some, which is so five times at the most. What refuses, or others changed,
 * becomes a step of what is left.
 */
int restore_live_write(struct restore *restore, const struct paths *paths, struct err *err);

void restore_live_done(struct restore *restore);

#endif
