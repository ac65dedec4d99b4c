/* SPDX-License-Identifier: MIT */
/* Where a server listens. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "err.h"
#include "gateway.h"
#include "options.h"
#include "server.h"
#include "server_state.h"

enum {
	ACCEPT_BATCH = 64, /* connections taken in a row before others have their turn */
	LISTEN_BACKLOG = 4096,
	REST_MS = 50,
};

/*
 * The system has no socket left to give: the listener would be ready again and again for nothing.
 * Others that end leave theirs; where there is no memory for the timer it stays ready.
 */
static void rest(struct listener *listener)
{
	struct err err;

	if (loop_timer_set(listener->server->loop, &listener->rest, REST_MS, &err) < 0)
		return;
	listener->resting = true;
	listener_watch(listener);
}

static void rest_is_over(void *arg)
{
	struct listener *listener = arg;

	listener->resting = false;
	listener_watch(listener);
}

static void listener_ready(void *arg, unsigned int events)
{
	struct listener *listener = arg;
	struct server *server = listener->server;
	struct gateway *gateway = server->gateway;
	struct socket_address far;

	(void)events;
	gateway->now = loop_now(server->loop);
	server->busy = true;
	for (int i = 0; i < ACCEPT_BATCH && !server->frozen && !server->leaving; i++) {
		int fd = socket_accept(listener->fd, &far);

		if (fd < 0 && fd != -EAGAIN)
			rest(listener);
		if (fd < 0)
			break;
		if (gateway->connection_count >= gateway->limits.connections + SERVER_REFUSED_ROOM)
			socket_close(fd);
		else
			server_welcome(listener, fd, &far);
	}
	server_settle(server);
}

void listener_watch(struct listener *listener)
{
	if (listener->fd >= 0)
		loop_change(listener->server->loop, &listener->watch,
			    listener->server->frozen || listener->resting ? 0 : LOOP_READ);
}

/* Have the port, and listen to nobody yet. */
static int hold(struct listener *listener, struct err *err)
{
	const struct gateway *gateway = listener->server->gateway;

	if (listener->held < 0)
		listener->held = socket_hold(&gateway->portals[listener->portal].address, err);
	return listener->held < 0 ? listener->held : 0;
}

static void let_go(struct listener *listener)
{
	socket_close(listener->held);
	listener->held = -1;
}

int listener_open(struct listener *listener, struct err *err)
{
	struct server *server = listener->server;
	int rc;

	if (listener->fd >= 0)
		return 0;
	rc = hold(listener, err);
	if (rc < 0)
		return rc;
	listener->watch = (struct loop_watch){ .ready = listener_ready, .arg = listener };
	listener->rest = (struct loop_timer){ .fire = rest_is_over, .arg = listener };
	rc = socket_listen_held(listener->held, LISTEN_BACKLOG, err);
	if (rc == 0)
		rc = loop_add(server->loop, &listener->watch, listener->held,
			      server->frozen ? 0 : LOOP_READ, err);
	if (rc < 0) {
		let_go(listener);
		return rc;
	}
	listener->fd = listener->held;
	listener->held = -1;
	return 0;
}

static void stop_listening(struct listener *listener)
{
	if (listener->fd < 0)
		return;
	loop_timer_cancel(listener->server->loop, &listener->rest);
	listener->resting = false;
	loop_remove(listener->server->loop, &listener->watch);
	socket_close(listener->fd);
	listener->fd = -1;
}

/* One that listens admits none beside it: for a moment the port is nobody's. */
int listener_leave(struct listener *listener, struct err *err)
{
	stop_listening(listener);
	return hold(listener, err);
}

void listener_close(struct listener *listener)
{
	stop_listening(listener);
	let_go(listener);
}

int server_listen(struct server *server, const struct portal_option *where, struct err *err)
{
	struct gateway *gateway = server->gateway;
	struct listener *listener;
	struct socket_address address;
	char host[SOCKET_HOST_MAX];
	int rc = socket_resolve(where->host, where->port, &address, 1, err);

	if (rc < 0)
		return rc;
	listener = ARRAY_ROOM(gateway->portals, gateway->portal_count)
			   ? calloc(1, sizeof(*listener))
			   : NULL;
	if (!listener)
		return err_oom(err);
	*listener = (struct listener){
		.server = server,
		.portal = gateway->portal_count,
		.fd = -1,
		.held = -1,
		.next = server->listeners,
	};
	server->listeners = listener;
	gateway->portals[listener->portal] = (struct gateway_portal){ .address = address };
	rc = listener_open(listener, err);
	if (rc < 0)
		return rc;
	/* From here on the port is the real one: whoever comes back takes it again. */
	if (socket_local(listener->fd, &address) < 0)
		return err_set(err, EIO, "cannot tell the port of %s", where->host);
	socket_address_host(&address, host);
	gateway->portals[gateway->portal_count++] = (struct gateway_portal){
		.address = address,
		.any_address = strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0,
	};
	return 0;
}
