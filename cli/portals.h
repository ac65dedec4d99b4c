/* SPDX-License-Identifier: MIT */
/* The PORTAL arguments of a command, asked for their targets, and what was odd about the answers. */
#ifndef SGW_PORTALS_H
#define SGW_PORTALS_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct paths;
struct discovery;

struct portals {
	struct discovery *discovery; /* NULL: none were asked */
	const char **targets; /* Storage Gateway targets, sorted by bytes, each once */
	size_t target_count;
};

/*
 * Ask all of them at once, each within timeout_ms to connect. A portal that
 * cannot be parsed is -EINVAL; one that fails is a result with its error, and
 * no failure of this call.
 */
int portals_discover(struct portals *portals, const struct paths *paths, char *const *args,
		     size_t count, uint32_t timeout_ms, struct err *err);
void portals_done(struct portals *portals);

#endif
