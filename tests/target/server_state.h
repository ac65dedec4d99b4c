/* SPDX-License-Identifier: MIT */
/* The sockets of a server, for the files of server.c alone. */
#ifndef SGW_TARGET_SERVER_STATE_H
#define SGW_TARGET_SERVER_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "connection.h"
#include "os/loop.h"
#include "os/sockets.h"

struct backlog;
struct server;

enum { SERVER_REFUSED_ROOM = 64 }; /* connections beyond the limit, to be told so */

/* A connection with its socket. */
struct peer {
	struct connection connection; /* first: a connection is its peer */
	struct server *server;
	struct loop_watch watch;
	struct backlog *backlog; /* what the socket did not take; nothing is read meanwhile */
	int fd;
	bool finished; /* FIN is sent */
	struct peer *prev, *next;
};

struct listener {
	struct server *server;
	struct loop_watch watch;
	int fd; /* it listens; -1: not for a while */
	int held; /* it keeps the port meanwhile; -1: none does */
	struct loop_timer rest;
	bool resting; /* it accepts nothing until then */
	size_t portal;
	struct listener *next;
};

struct server {
	struct gateway *gateway;
	struct loop *loop;
	struct listener *listeners;
	struct peer *peers;
	struct loop_timer timer;
	uint64_t timer_due; /* UINT64_MAX: not set */
	bool busy; /* a connection is at work: none goes away before server_settle */

	/* outage.c */
	bool frozen; /* nothing is read, sent, accepted or timed out */
	uint64_t frozen_since; /* milliseconds */
	struct loop_timer thaw;
	bool leaving; /* away begins when nobody is at work any more */
	bool away; /* no connection, no listener */
	struct loop_timer back;
};

/* Connections that ended, this one's or others', and the time of the next deadline. */
void server_settle(struct server *server) __attribute__((nonnull));
/* Watch a connection for what it can do now: nothing while all is frozen. */
void server_watch(struct peer *peer) __attribute__((nonnull));
/* Go on with a connection that had to wait. */
void server_go_on(struct peer *peer) __attribute__((nonnull));
/* Take a connection that arrived at a listener. */
void server_welcome(struct listener *listener, int fd, const struct socket_address *far)
	__attribute__((nonnull));

/* listener.c: listen at its portal, anew after listener_leave; 0 or a negative errno. */
int listener_open(struct listener *listener, struct err *err) __attribute__((nonnull));
/* Listen no more, and keep the port; 0, or a negative errno where it is open to others now. */
int listener_leave(struct listener *listener, struct err *err) __attribute__((nonnull));
void listener_close(struct listener *listener) __attribute__((nonnull));
void listener_watch(struct listener *listener) __attribute__((nonnull));

/* outage.c */
void server_outages_init(struct server *server) __attribute__((nonnull));
void server_outages_done(struct server *server) __attribute__((nonnull));
/* Begin to be away, nobody being at work. */
void server_leave(struct server *server) __attribute__((nonnull));

#endif
