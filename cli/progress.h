/* SPDX-License-Identifier: MIT */
/* One line on a terminal's standard error that says how far a long command is. */
#ifndef SGW_PROGRESS_H
#define SGW_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* All zero before. */
struct progress {
	uint64_t shown_at; /* microseconds */
	bool shown;
};

/* Write the line anew, ten times a second at most. Nothing where nobody looks. */
void progress_show(struct progress *progress, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Take it away: before anything else is printed, and at the end. */
void progress_clear(struct progress *progress);

#endif
