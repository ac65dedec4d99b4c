/* SPDX-License-Identifier: MIT */
/* What a gateway that is silent, or away, costs until the application sees an I/O error. */
#ifndef SGW_BUDGET_H
#define SGW_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/wanted.h"

struct survey;

/* The values that decide, in seconds. */
struct budget_inputs {
	uint32_t replacement;
	uint32_t noop_interval;
	uint32_t noop_timeout; /* interval and timeout 0: no NOPs */
	bool tape; /* no disk, and no disk_timeout */
	uint32_t disk_timeout;
	uint32_t abort_timeout; /* node.session.err_timeo.abort_timeout */
};

/* Of tape without NOPs: no time of ours decides but its driver's own timeout. */
#define BUDGET_UNNOTICED UINT64_MAX

/* Seconds after which an I/O error comes: of silence, at the earliest and at the latest. */
struct budget {
	uint64_t least, most; /* both may be BUDGET_UNNOTICED */
	uint32_t away; /* where it closes its connections and accepts none; 0: at once (tape) */
	bool by_error_handling; /* SCSI error handling notices before the NOPs do */
	bool offlines; /* NOPs off: error handling may take the device offline */
};

struct budget budget_of(const struct budget_inputs *inputs);

/*
 * The least budget of this host's gateways of that kind: by what the sessions
 * run with, or without any what the records hold, or without those what
 * iscsid.conf gives. False where the host has none of the kind: neither
 * records nor sessions, nor does a portal name them. Without any at all it is
 * volume gateways that iscsid.conf is for.
 */
bool budget_of_survey(const struct survey *survey, enum gateway_kind kind, struct budget *out);

#endif
