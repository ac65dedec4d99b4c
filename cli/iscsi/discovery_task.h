/* SPDX-License-Identifier: MIT */
/* The discovery of one portal, from its look-up to the logout; for initiator.c alone. */
#ifndef SGW_ISCSI_DISCOVERY_TASK_H
#define SGW_ISCSI_DISCOVERY_TASK_H

#include <stdbool.h>
#include <stddef.h>

#include "iscsi/initiator.h"
#include "iscsi/params.h"
#include "os/loop.h"

struct connection;
struct resolve;

enum {
	DISCOVERY_RECEIVE_MAX = 262144, /* our MaxRecvDataSegmentLength: big answers in few parts */
	DISCOVERY_HOPS_MAX = 4, /* redirections one after the other */
};

struct discovery_task {
	/* Set by the owner, who frees it after `done`, or before to give it up. */
	struct loop *loop;
	const struct discovery_options *options; /* with its defaults filled in */
	const struct params *params; /* of the login */
	void (*done)(struct discovery_task *task); /* once: result is there */
	void *owner;
	struct discovery_task *next, **self; /* the owner's list */
	struct discovery_result result; /* asked and number are the owner's */

	/* Private. */
	struct login_config config;
	struct connection *connection;
	struct resolve *resolve;
	struct loop_timer total;
	/* Where to go: first the portal itself, then what a redirection names. */
	struct portal candidates[LOGIN_REDIRECTS_MAX];
	size_t candidate_count, candidate_at;
	struct portal visited[DISCOVERY_HOPS_MAX]; /* who redirected us so far */
	unsigned int hops;
	bool from_afar; /* one of them is no address of this host's own */
	size_t bytes, parts, empty;
	bool complete; /* the whole answer is here */
};

/* Begin; `done` may be called before this returns. */
void discovery_task_start(struct discovery_task *task) __attribute__((nonnull));
/* Also frees what is left of the result. */
void discovery_task_free(struct discovery_task *task) __attribute__((nonnull));

#endif
