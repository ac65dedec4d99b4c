/* SPDX-License-Identifier: MIT */
/* Which sessions have values that they take over at a login alone: what --relogin is for. */
#ifndef SGW_NEEDS_LOGIN_H
#define SGW_NEEDS_LOGIN_H

#include <jansson.h>

#include "engine/actions.h"

struct err;
struct inspection;
struct plan;

/*
 * All of them, also those that --relogin leaves alone (action.barred). plan may
 * be NULL; else what it changes counts as done. They point into the
 * inspection's survey; the caller ends them by actions_done(), also on error.
 */
int needs_login_find(struct actions *needs, const struct inspection *in, const struct plan *plan,
		     struct err *err);

/* Of a dry run: a line a session, prefix first. */
void needs_login_print(const struct actions *needs, const char *prefix);

/* Array of {session, target, portal, why, relogin}; portal null where it cannot be read. */
json_t *needs_login_json(const struct actions *needs);

#endif
