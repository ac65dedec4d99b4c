/* SPDX-License-Identifier: MIT */
/* What apply does to the running host once the files are written. */
#ifndef SGW_LIVE_H
#define SGW_LIVE_H

#include <stdbool.h>

struct err;
struct findings;
struct paths;
struct plan;

/*
 * Set the plan's live values, all of them also where one fails; then the first
 * that failed is the error. What went meanwhile needs none.
 */
int live_set(const struct plan *plan, const struct paths *paths, struct err *err);

/*
 * The same for findings, of sessions that this run made: there is nothing to go
 * back to. 1: some.
 */
int live_mend(const struct findings *findings, const struct paths *paths, struct err *err);

/*
 * Have udevd read its rules anew, and see that it did: the plan's disks are
 * given an event each, and must come out of it with their new timeout. udevd
 * may miss a reload under load, so it is asked some more times, unless it does
 * not run. What fails is a warning with the command to type, since the next
 * boot reads the rules in any case.
 */
void live_reload_rules(const struct plan *plan, const struct paths *paths);

/*
 * In an undo, where no event tells a rule that is gone from one that is not
 * read yet: udevd is asked, and with wait waited for until it is through with
 * what it had begun, for a few seconds. False where that was in vain: told as
 * above.
 */
bool live_reload_former_rules(const struct paths *paths, bool wait);

/* After logins: a warning where udevd does not run, whose links connecting_run() did not await. */
void live_warn_of_links(const struct paths *paths);

#endif
