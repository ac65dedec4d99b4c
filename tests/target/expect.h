/* SPDX-License-Identifier: MIT */
/* What --expect asks of the logins, and which of them broke it. */
#ifndef SGW_TARGET_EXPECT_H
#define SGW_TARGET_EXPECT_H

#include <stdint.h>

struct err;
struct events;
struct expectations;
struct login_facts;

/*
 * Add an expectation; *list may be NULL. KEY OP VALUE, with OP one of = !=
 * < <= > >=. KEY is a negotiated key of RFC 7143 (13), InitiatorName,
 * TargetName or CHAP, which every normal login is held to; or a counter of
 * events_defs, which is looked at in the end. -EINVAL for anything else.
 */
int expectations_add(struct expectations **list, const char *text, struct err *err)
	__attribute__((nonnull));
void expectations_free(struct expectations *list);

/* A normal session was logged in to. */
void expectations_login(struct expectations *list, uint32_t connection,
			const struct login_facts *facts) __attribute__((nonnull(3)));

/*
 * How many are broken; tell(arg, text) is called with a sentence for each. An
 * expectation of logins is broken, too, where there was none to hold to it.
 */
unsigned int expectations_broken(const struct expectations *list, const struct events *events,
				 void (*tell)(void *arg, const char *text), void *arg)
	__attribute__((nonnull(2, 3)));

#endif
