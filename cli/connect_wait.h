/* SPDX-License-Identifier: MIT */
/* The second half of connecting_run(): wait for sessions and devices, and say what did not come. */
#ifndef SGW_CONNECT_WAIT_H
#define SGW_CONNECT_WAIT_H

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
