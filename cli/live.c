/* SPDX-License-Identifier: MIT */
#include "live.h"

#include <errno.h>

#include "engine/knob.h"
#include "engine/plan.h"
#include "err.h"

int live_set(const struct plan *plan, const struct paths *paths, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < plan->live_count; i++) {
		const struct change *change = &plan->live[i];
		struct err later = { 0 };
		int set = knob_set(paths, knob_find(change->place->kind, change->key),
				   change->place->path, change->after, rc < 0 ? &later : err);

		/* What went meanwhile needs no value. */
		if (set == -ENOENT)
			set = 0;
		if (rc == 0)
			rc = set;
	}
	return rc;
}
