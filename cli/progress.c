/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include <stdarg.h>
#include <stdio.h>

#include "os/loop.h"
#include "os/terminal.h"

enum { BETWEEN_US = 100000 };

void progress_show(struct progress *progress, const char *fmt, ...)
{
	uint64_t now = loop_clock_us();
	va_list args;

	if ((progress->shown_at != 0 && now - progress->shown_at < BETWEEN_US) ||
	    !terminal_is(stderr))
		return;
	progress->shown_at = now;
	progress->shown = true;
	fputs("\r\033[K", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fflush(stderr);
}

void progress_clear(struct progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", stderr);
	progress->shown = false;
}
