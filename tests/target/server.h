/* SPDX-License-Identifier: MIT */
/* The sockets of a gateway: listening, receiving, sending, until told to quit. */
#ifndef SGW_TARGET_SERVER_H
#define SGW_TARGET_SERVER_H

#include <stdint.h>

struct err;
struct gateway;
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
/* Serve until SIGTERM or SIGINT. 0 or a negative errno. */
int server_run(struct server *server, struct err *err) __attribute__((nonnull));
/* Close all that is open; the gateway stays. NULL is fine. */
void server_free(struct server *server);

#endif
