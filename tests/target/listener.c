/* SPDX-License-Identifier: MIT */
/* Where a server listens. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

int listener_open(struct listener *listener, struct err *err)
{
	struct server *server = listener->server;
	int fd = socket_listen(&server->gateway->portals[listener->portal].address, LISTEN_BACKLOG,
			       err);
	int rc;

	if (fd < 0)
		return fd;
	listener->watch = (struct loop_watch){ .ready = listener_ready, .arg = listener };
	listener->rest = (struct loop_timer){ .fire = rest_is_over, .arg = listener };
	rc = loop_add(server->loop, &listener->watch, fd, server->frozen ? 0 : LOOP_READ, err);
	if (rc < 0)
		socket_close(fd);
	else
		listener->fd = fd;
	return rc;
}

void listener_close(struct listener *listener)
{
	if (listener->fd < 0)
		return;
	loop_timer_cancel(listener->server->loop, &listener->rest);
	listener->resting = false;
	loop_remove(listener->server->loop, &listener->watch);
	socket_close(listener->fd);
	listener->fd = -1;
}

int server_listen(struct server *server, const struct portal_option *where, struct err *err)
{
	struct gateway *gateway = server->gateway;
	struct gateway_portal *portals;
	struct listener *listener;
	struct socket_address address;
	char host[SOCKET_HOST_MAX];
	int rc = socket_resolve(where->host, where->port, &address, 1, err);

	if (rc < 0)
		return rc;
	portals = realloc(gateway->portals, (gateway->portal_count + 1) * sizeof(*portals));
	if (portals)
		gateway->portals = portals;
	listener = calloc(1, sizeof(*listener));
	if (!portals || !listener) {
		free(listener);
		return err_oom(err);
	}
	*listener = (struct listener){
		.server = server,
		.portal = gateway->portal_count,
		.fd = -1,
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
