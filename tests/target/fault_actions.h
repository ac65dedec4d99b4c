/* SPDX-License-Identifier: MIT */
/* What a rule does when it strikes: one table, to which an action is a row and a function. */
#ifndef SGW_TARGET_FAULT_ACTIONS_H
#define SGW_TARGET_FAULT_ACTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "events.h"

struct faults;
struct rule;

/* What stands behind the name of an action (fault_rule.c reads it). */
enum fault_argument {
	ARGUMENT_NONE,
	ARGUMENT_TIME, /* args.ms */
	ARGUMENT_STATUS, /* args.code: of a Login Response, none that is success */
	ARGUMENT_SENSE, /* args.code: a SCSI status in the upper byte, enum sense below */
	ARGUMENT_PORTAL, /* args.text: an address, with port and tag */
	ARGUMENT_MOVE, /* args.text: the same without a tag; args.code: of a Login Response */
	ARGUMENT_TEXT, /* args.text: any bytes */
};

/* Where an action may be had. */
#define PLACE_EVENT(event) (UINT32_C(1) << (event))
#define PLACE_ANY_TIME (UINT32_C(1) << 31) /* at a time, at once */
#define PLACE_ANY_EVENT (PLACE_ANY_TIME - 1)

/* What is struck. */
struct strike {
	struct faults *faults;
	const struct rule *rule;
	enum event event;
	struct connection *connection; /* NULL: at a time, at once */
};

struct fault_action {
	const char *name;
	enum fault_argument argument;
	uint32_t places;
	bool quiet; /* no fault: it is not counted or told */
	enum verdict (*act)(const struct strike *strike);
};

extern const struct fault_action fault_actions[];
extern const size_t fault_action_count;

#endif
