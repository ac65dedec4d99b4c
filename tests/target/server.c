/* SPDX-License-Identifier: MIT */
#include "server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "connection.h"
#include "control.h"
#include "err.h"
#include "gateway.h"
#include "os/error_text.h"
#include "os/files.h"
#include "server_state.h"

enum { SPARE_SOCKETS = 32 + CONTROL_CLIENTS_MAX }; /* listeners, files, the loop; who controls */

static void peer_free(struct peer *peer)
{
	struct server *server = peer->server;

	loop_remove(server->loop, &peer->watch);
	if (peer->connection.reset)
		socket_reset(peer->fd);
	else
		socket_close(peer->fd);
	if (peer->prev)
		peer->prev->next = peer->next;
	else
		server->peers = peer->next;
	if (peer->next)
		peer->next->prev = peer->prev;
	connection_done(&peer->connection);
	free(peer->backlog);
	free(peer);
}

void server_settle(struct server *server)
{
	struct gateway *gateway = server->gateway;
	uint64_t due;
	struct err err;

	server->busy = false;
	if (server->leaving)
		server_leave(server);
	while (gateway->ended) {
		struct peer *peer = (struct peer *)gateway->ended;

		gateway->ended = peer->connection.ended_next;
		peer_free(peer);
	}
	due = gateway_next_deadline(gateway);
	if (due >= server->timer_due || server->frozen)
		return;
	/*
	 * A timer that is set already cannot fail; the first time there is
	 * nobody to be late for.
	 */
	if (loop_timer_set(server->loop, &server->timer,
			   due > gateway->now ? due - gateway->now : 0, &err) == 0)
		server->timer_due = due;
}

/* The pieces of the first `bytes` bytes, the last of them cut. Returns how many there are. */
static size_t cut_pieces(const struct out *out, size_t bytes, struct socket_piece *pieces)
{
	size_t count = 0;

	for (; bytes > 0; count++) {
		pieces[count] = out->pieces[count];
		if (pieces[count].len > bytes)
			pieces[count].len = bytes;
		bytes -= pieces[count].len;
	}
	return count;
}

/* Send what gathered, unless a fault keeps it back. Returns how much went, or a negative errno. */
static ssize_t send_some(struct peer *peer)
{
	const struct connection *connection = &peer->connection;
	const struct out *out = &peer->server->gateway->out;
	struct socket_piece pieces[OUT_PIECES];
	size_t count;

	if (!connection->paused)
		return socket_send(peer->fd, out->pieces, out->count);
	count = connection_is_stalled(connection) ? cut_pieces(out, connection->answered, pieces)
						  : 0;
	return count > 0 ? socket_send(peer->fd, pieces, count) : -EAGAIN;
}

/* Send what gathered in gateway->out; what the socket does not take waits in the backlog. */
static void flush(struct peer *peer)
{
	struct out *out = &peer->server->gateway->out;
	ssize_t sent;

	if (out->count == 0)
		return;
	sent = send_some(peer);
	if (sent < 0 && sent != -EAGAIN) {
		connection_end(&peer->connection, error_text((int)-sent));
	} else if (sent < (ssize_t)out->bytes) {
		peer->backlog = out_keep(out, sent < 0 ? 0 : (size_t)sent);
		peer->connection.blocked = true;
		if (!peer->backlog)
			connection_end(&peer->connection, "no memory to send");
	}
	out_reset(out);
}

/* Serve what was received, as far as the socket takes the answers. */
static void work(struct peer *peer)
{
	struct connection *connection = &peer->connection;
	bool more;

	do {
		more = connection_handle(connection);
		flush(peer);
	} while (more && !peer->backlog && connection->phase < CONNECTION_CLOSING);
	if (connection->phase == CONNECTION_ENDED)
		return;
	if (connection->phase == CONNECTION_CLOSING && !peer->backlog && !peer->finished &&
	    !connection->paused) {
		socket_finish(peer->fd);
		peer->finished = true;
	}
	server_watch(peer);
}

void server_watch(struct peer *peer)
{
	struct server *server = peer->server;

	if (peer->connection.phase == CONNECTION_ENDED)
		return;
	loop_change(server->loop, &peer->watch,
		    server->frozen || peer->connection.paused ? 0
		    : peer->backlog			      ? LOOP_WRITE
							      : LOOP_READ);
}

void server_go_on(struct peer *peer)
{
	if (peer->connection.phase == CONNECTION_ENDED)
		return;
	if (peer->backlog)
		server_watch(peer);
	else
		work(peer);
}

static void send_backlog(struct peer *peer)
{
	struct backlog *backlog = peer->backlog;
	ssize_t sent = socket_send(peer->fd, backlog->pieces + backlog->next,
				   backlog->count - backlog->next);

	if (sent == -EAGAIN)
		return;
	if (sent < 0) {
		connection_end(&peer->connection, error_text((int)-sent));
		return;
	}
	connection_alive(&peer->connection);
	if (backlog_sent(backlog, (size_t)sent)) {
		free(TAKE_PTR(peer->backlog));
		peer->connection.blocked = false;
		work(peer);
	}
}

/*
 * After the last answer: read what still comes, so that no reset overtakes it,
 * and wait for the end.
 */
static void drain(struct peer *peer)
{
	uint8_t bytes[4096];
	ssize_t got = socket_receive(peer->fd, bytes, sizeof(bytes));

	if (got == 0 || (got < 0 && got != -EAGAIN))
		connection_end(&peer->connection, "closed");
}

static void receive(struct peer *peer)
{
	struct pdu_reader *reader = &peer->connection.reader;
	uint8_t *space;
	struct err err;
	ssize_t got;
	size_t len;

	if (pdu_reader_space(reader, &space, &len, &err) < 0) {
		connection_end(&peer->connection, err.reason);
		return;
	}
	got = socket_receive(peer->fd, space, len);
	if (got > 0) {
		pdu_reader_received(reader, (size_t)got);
		work(peer);
	} else if (got == 0) {
		connection_end(&peer->connection, "the initiator closed the connection");
	} else if (got != -EAGAIN) {
		connection_end(&peer->connection, error_text((int)-got));
	}
}

static void peer_ready(void *arg, unsigned int events)
{
	struct peer *peer = arg;
	struct server *server = peer->server;

	server->gateway->now = loop_now(server->loop);
	server->busy = true;
	if (peer->backlog)
		send_backlog(peer);
	else if (events & LOOP_READ) {
		if (peer->connection.phase == CONNECTION_CLOSING)
			drain(peer);
		else
			receive(peer);
	}
	server_settle(server);
}

static void timer_fired(void *arg)
{
	struct server *server = arg;
	struct connection *connection;

	server->gateway->now = loop_now(server->loop);
	server->timer_due = UINT64_MAX;
	if (server->frozen)
		return;
	server->busy = true;
	while (!server->frozen && (connection = gateway_expire(server->gateway)) != NULL)
		server_go_on((struct peer *)connection);
	server_settle(server);
}

void server_welcome(struct listener *listener, int fd, const struct socket_address *far)
{
	struct server *server = listener->server;
	struct peer *peer = calloc(1, sizeof(*peer));
	char far_text[SOCKET_TEXT_MAX];
	struct socket_address local;
	struct err err;

	if (!peer || socket_local(fd, &local) < 0) {
		free(peer);
		socket_close(fd);
		return;
	}
	peer->server = server;
	peer->fd = fd;
	peer->watch = (struct loop_watch){ .ready = peer_ready, .arg = peer };
	peer->next = server->peers;
	if (peer->next)
		peer->next->prev = peer;
	server->peers = peer;
	socket_address_text(far, far_text);
	if (connection_init(&peer->connection, server->gateway, listener->portal, &local,
			    far_text) < 0 ||
	    loop_add(server->loop, &peer->watch, fd, 0, &err) < 0)
		connection_end(&peer->connection, "no memory for another connection");
	server_watch(peer);
}

struct server *server_new(struct gateway *gateway, struct err *err)
{
	struct server *server = calloc(1, sizeof(*server));
	uint32_t sockets;

	if (!server) {
		err_oom(err);
		return NULL;
	}
	server->gateway = gateway;
	server->timer = (struct loop_timer){ .fire = timer_fired, .arg = server };
	server->timer_due = UINT64_MAX;
	if (sockets_start(err) < 0 || !(server->loop = loop_new(err))) {
		free(server);
		return NULL;
	}
	sockets = sockets_limit();
	sockets = sockets > SPARE_SOCKETS + SERVER_REFUSED_ROOM
			  ? sockets - SPARE_SOCKETS - SERVER_REFUSED_ROOM
			  : 1;
	if (gateway->limits.connections > sockets)
		gateway->limits.connections = sockets;
	gateway->now = loop_now(server->loop);
	server_outages_init(server);
	return server;
}

int server_write_ready(const struct server *server, const char *path, struct err *err)
{
	CLEANUP(buf_done) struct buf lines = { 0 };

	for (size_t i = 0; i < server->gateway->portal_count; i++) {
		char text[SOCKET_TEXT_MAX];

		socket_address_text(&server->gateway->portals[i].address, text);
		buf_addf(&lines, "%s\n", text);
	}
	if (lines.failed)
		return err_oom(err);
	return file_write(path, lines.data, lines.len, 0644, err);
}

struct loop *server_loop(struct server *server)
{
	return server->loop;
}

void server_stop(struct server *server)
{
	loop_stop(server->loop);
}

static void quit(void *arg)
{
	server_stop(arg);
}

int server_on_quit(struct server *server, struct err *err)
{
	return loop_on_quit(server->loop, quit, server, err);
}

int server_run(struct server *server, struct err *err)
{
	return loop_run(server->loop, err);
}

void server_free(struct server *server)
{
	if (!server)
		return;
	while (server->peers) {
		connection_end(&server->peers->connection, "the target ends");
		peer_free(server->peers);
	}
	server->gateway->ended = NULL;
	while (server->listeners) {
		struct listener *next = server->listeners->next;

		listener_close(server->listeners);
		free(server->listeners);
		server->listeners = next;
	}
	server_outages_done(server);
	loop_timer_cancel(server->loop, &server->timer);
	loop_free(server->loop);
	free(server);
}
