/* SPDX-License-Identifier: MIT */
/*
 * Ranges of portals, and single ones, asked for their targets; answers are
 * handed on as they come.
 */
#ifndef SGW_SWEEP_H
#define SGW_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iscsi/initiator.h"
#include "progress.h"

struct err;
struct paths;

/* What became of the hosts of ranges; portals that were named one by one are not in it. */
struct sweep_counts {
	size_t hosts;
	size_t answered; /* with their targets, or with none */
	size_t refused; /* or unreachable, as somebody on the way says */
	size_t silent; /* until the time to connect was over */
	size_t failed; /* something listens there, but no list of targets was to be had */
};

struct sweep {
	uint32_t timeout_ms; /* as in portals_discover */
	uint32_t max_hosts; /* of all ranges together; 0: SWEEP_HOSTS */
	/*
	 * An answer, or the failure of a portal that was named by itself
	 * (in_range false) or that was connected to. To keep the result copy the
	 * struct and set *result to all zero.
	 */
	void (*found)(void *arg, struct discovery_result *result, bool in_range);
	void *arg;

	struct sweep_counts counts;

	/* Private. */
	struct progress progress;
	struct loop *loop;
	size_t singles, done;
};

enum { SWEEP_HOSTS = 256 };

/* Whether one of the arguments is a range. */
bool sweep_is_wanted(char *const *args, size_t count);

/*
 * Ask them all. -ERR_USAGE before any is asked where a text is neither portal
 * nor range, or where the ranges have more hosts than max_hosts: the reason
 * says how to allow it. What the hosts answer is no failure of this call.
 */
int sweep_run(struct sweep *sweep, const struct paths *paths, char *const *args, size_t count,
	      struct err *err);

#endif
