/* SPDX-License-Identifier: MIT */
/* The sockets of a gateway: listening, receiving, sending, until told to quit. */
#ifndef SGW_TARGET_SERVER_H
#define SGW_TARGET_SERVER_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct gateway;
struct loop;
struct portal_option;
struct server;

/*
 * Listen at one more portal, and add it to gateway->portals. All portals are
 * there before server_run.
 */
struct server *server_new(struct gateway *gateway, struct err *err) __attribute__((nonnull));
int server_listen(struct server *server, const struct portal_option *where, struct err *err)
	__attribute__((nonnull));
/* One HOST:PORT line per portal, renamed into place. */
int server_write_ready(const struct server *server, const char *path, struct err *err)
	__attribute__((nonnull));
/* From here on SIGTERM and SIGINT kill no more, but end server_run. 0 or a negative errno. */
int server_on_quit(struct server *server, struct err *err) __attribute__((nonnull));
/* Serve until server_stop. 0 or a negative errno. */
int server_run(struct server *server, struct err *err) __attribute__((nonnull));
void server_stop(struct server *server) __attribute__((nonnull));
/* What it waits in, for others to wait in. */
struct loop *server_loop(struct server *server) __attribute__((nonnull));

/*
 * End all connections and listen no more, as if the process were gone; in `ms`
 * be back at the very same addresses, and as soon as they can be had again.
 */
void server_away(struct server *server, uint64_t ms) __attribute__((nonnull));
/* End all connections, with a reset or a FIN. */
void server_drop(struct server *server, bool reset) __attribute__((nonnull));
/*
 * For `ms`, read, send, accept and time out nothing; connections stay, and new
 * ones get as far as the system takes them. Then all goes on where it was.
 * Again while it lasts: until `ms` from now. Both outages may overlap.
 */
void server_freeze(struct server *server, uint64_t ms) __attribute__((nonnull));
bool server_is_away(const struct server *server) __attribute__((nonnull));
bool server_is_frozen(const struct server *server) __attribute__((nonnull));
/* End both now, and all stalls. */
void server_resume(struct server *server) __attribute__((nonnull));

/* Close all that is open; the gateway stays. NULL is fine. */
void server_free(struct server *server);

#endif
