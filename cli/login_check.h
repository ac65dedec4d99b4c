/* SPDX-License-Identifier: MIT */
/* What sessions came up with: whether those of a login, and their devices, hold what is wanted. */
#ifndef SGW_LOGIN_CHECK_H
#define SGW_LOGIN_CHECK_H

#include <stddef.h>

struct connected;
struct err;
struct finding;
struct findings;
struct inspection;

/*
 * How many findings about the sessions of the list, and about their devices,
 * weigh; of one that has no session there is none. *first (may be NULL) is the
 * first of them, or NULL.
 */
size_t login_unwanted(const struct findings *findings, const struct connected *list, size_t count,
		      const struct finding **first);

/*
 * Look at the host anew, set the live values that the rule did not, and see
 * whether the sessions of the list are there and hold what is wanted: by a tuned
 * record they do at once, and what they lack then no apply mends. -ENOTCONN for
 * one that is gone, -EIO names the value. The inspection's survey is the last
 * look.
 */
int login_check(struct inspection *in, const struct connected *list, size_t count, struct err *err);

#endif
