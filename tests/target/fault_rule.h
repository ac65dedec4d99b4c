/* SPDX-License-Identifier: MIT */
/* One line of --faults or --control as a rule: the grammar, nothing of what a rule does. */
#ifndef SGW_TARGET_FAULT_RULE_H
#define SGW_TARGET_FAULT_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "events.h"
#include "os/loop.h"

struct err;
struct fault_action;
struct faults;

enum { RULE_LINE_MAX = 16384 }; /* bytes */

enum rule_when {
	RULE_ON, /* an event, by its number */
	RULE_AT, /* a time, once */
	RULE_NOW,
};

struct fault_args {
	uint64_t ms;
	uint32_t code; /* of a status */
	struct buf text; /* bytes, any */
};

struct rule {
	struct rule *next;
	char *text; /* the line, without blanks around it */
	enum rule_when when;
	uint64_t at_ms; /* RULE_AT: from when it was given */

	/* RULE_ON: the nth thing like this and those behind it, `count` of them. */
	enum event event;
	char *op; /* name of the SCSI command, or NULL */
	char *target; /* its name, whole or behind the last colon; or NULL */
	size_t target_column; /* of the line, from 1 */
	char *initiator; /* its name, or NULL */
	uint64_t nth; /* from 1 */
	uint64_t count;

	const struct fault_action *action;
	struct fault_args args;

	/* faults.c */
	struct faults *faults;
	struct loop_timer timer;
	uint64_t met; /* things like this so far */
	uint64_t struck; /* … that were struck */
};

/*
 * Parse a line:
 *	on EVENT [target=NAME] [initiator=NAME] [nth=N] [count=N]: ACTION [ARGUMENT]
 *	at TIME: ACTION [ARGUMENT]
 *	ACTION [ARGUMENT]
 * Returns 1 and a rule in *out, 0 for a blank line or a comment, or -EINVAL
 * or -ENOMEM with the column and what is allowed there in *err.
 */
int rule_parse(const char *line, struct rule **out, struct err *err) __attribute__((nonnull));
/* NULL is fine. */
void rule_free(struct rule *rule);
/* Whether it may still strike. */
bool rule_is_live(const struct rule *rule) __attribute__((nonnull));

#endif
