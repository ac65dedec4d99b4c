/* SPDX-License-Identifier: MIT */
/*
 * Host names looked up without stopping the loop: the system's resolver
 * blocks, so each name gets a thread of its own, which ends when the resolver
 * does. Who starts many bounds how many run at once.
 */
#ifndef SGW_OS_RESOLVE_H
#define SGW_OS_RESOLVE_H

#include "os/sockets.h"

struct err;
struct loop;
struct resolve;

enum { RESOLVE_MAX = 16 }; /* addresses of one name that are kept */

/*
 * Look host up. found is called once, inside the loop, with count addresses
 * (valid during the call alone) or a negative errno and the resolver's words;
 * then the job is gone. NULL with *err set where it cannot be started.
 */
struct resolve *resolve_start(struct loop *loop, const char *host, uint16_t port,
			      void (*found)(void *arg, const struct socket_address *addresses,
					    int count, const struct err *err),
			      void *arg, struct err *err) __attribute__((nonnull(1, 2, 4, 6)));
/* Give up: found is never called. The thread may outlive this, and even the loop. */
void resolve_cancel(struct resolve *job) __attribute__((nonnull));

#endif
