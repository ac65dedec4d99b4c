/* SPDX-License-Identifier: MIT */
/* One run of connecting.c, whose second half is connect_wait.c: what both share. */
#ifndef SGW_CONNECTING_STATE_H
#define SGW_CONNECTING_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include "progress.h"

struct connected;
struct err;
struct monitor;
struct paths;

/* One connecting_run(). */
struct connecting {
	const struct paths *paths;
	bool again; /* as asked for: connecting.h */
	struct monitor *monitor; /* listens since before the first login */
	struct connected *list;
	size_t count;
	struct progress progress;
};

/*
 * Until each session of the list is up, its devices run, and udevd is through
 * with them, or so many milliseconds are over, or a signal came. Fills in the
 * devices; one that still lacks something gets its state and err. Negative
 * errno where the host cannot be looked at.
 */
int connect_wait(struct connecting *c, unsigned ms, struct err *err);

/* Let go of the devices of one. */
void connect_forget_devices(struct connected *connected);

#endif
