/* SPDX-License-Identifier: MIT */
/* Outages of a whole server: gone for a while, or there and silent. */
#include "err.h"
#include "gateway.h"
#include "server.h"
#include "server_state.h"
#include "stall.h"
#include "transcript.h"

enum { AGAIN_MS = 50 }; /* until a port is tried again that could not be kept */

/* ---- away ---- */

/* Whether a portal is lost by what was tried, a negative errno, and if so why: told once. */
static bool is_lost(const struct listener *listener, int rc, const struct err *err)
{
	struct gateway *gateway = listener->server->gateway;
	struct gateway_portal *portal = &gateway->portals[listener->portal];

	if (rc < 0 && portal->lost != -rc) {
		if (gateway->warn)
			gateway->warn(err);
		transcript_lost(gateway, portal, err->reason);
	}
	portal->lost = rc < 0 ? -rc : 0;
	return rc < 0;
}

static void come_back(void *arg)
{
	struct server *server = arg;
	bool back = true;
	struct err err;

	server->gateway->now = loop_now(server->loop);
	for (struct listener *it = server->listeners; it; it = it->next)
		back &= !is_lost(it, listener_open(it, &err), &err);
	/* A timer's memory is there: it has just fired. */
	if (back)
		server->away = false;
	else
		(void)loop_timer_set(server->loop, &server->back, AGAIN_MS, &err);
}

void server_leave(struct server *server)
{
	struct err err;

	server->leaving = false;
	server->away = true;
	for (struct listener *it = server->listeners; it; it = it->next)
		(void)is_lost(it, listener_leave(it, &err), &err);
	for (struct peer *it = server->peers; it; it = it->next)
		connection_end(&it->connection, "the target is away");
}

void server_away(struct server *server, uint64_t ms)
{
	struct err err;

	if (loop_timer_set(server->loop, &server->back, ms, &err) < 0)
		return;
	server->leaving = true;
	if (!server->busy)
		server_settle(server);
}

void server_drop(struct server *server, bool reset)
{
	for (struct peer *it = server->peers; it; it = it->next) {
		it->connection.reset = reset;
		connection_end(&it->connection, "a fault that was asked for");
	}
	if (!server->busy)
		server_settle(server);
}

/* ---- freeze ---- */

static void thaw(void *arg)
{
	struct server *server = arg;
	struct gateway *gateway = server->gateway;

	server->frozen = false;
	gateway->now = loop_now(server->loop);
	for (int i = 0; i < WAIT_COUNT; i++)
		deadline_queue_shift(&gateway->waits[i], gateway->now - server->frozen_since);
	for (struct listener *it = server->listeners; it; it = it->next)
		listener_watch(it);
	server->busy = true;
	for (struct peer *it = server->peers; it && !server->frozen; it = it->next) {
		it->connection.paused = connection_is_stalled(&it->connection);
		server_go_on(it);
	}
	server_settle(server);
}

void server_freeze(struct server *server, uint64_t ms)
{
	struct err err;

	if (loop_timer_set(server->loop, &server->thaw, ms, &err) < 0 || server->frozen)
		return;
	server->frozen = true;
	server->frozen_since = loop_now(server->loop);
	for (struct listener *it = server->listeners; it; it = it->next)
		listener_watch(it);
	for (struct peer *it = server->peers; it; it = it->next)
		server_watch(it);
}

/* Have it end: at once, or when nobody is at work any more. */
static void end_now(struct server *server, bool on, struct loop_timer *timer)
{
	struct err err;

	if (!on)
		return;
	if (server->busy) {
		(void)loop_timer_set(server->loop, timer, 0, &err); /* it is set: it cannot fail */
		return;
	}
	loop_timer_cancel(server->loop, timer);
	timer->fire(timer->arg);
}

void server_resume(struct server *server)
{
	stall_end_all(server->gateway);
	if (!server->busy)
		server_settle(server);
	end_now(server, server->frozen, &server->thaw);
	end_now(server, server->away || server->leaving, &server->back);
}

bool server_is_away(const struct server *server)
{
	return server->away;
}

bool server_is_frozen(const struct server *server)
{
	return server->frozen;
}

void server_outages_init(struct server *server)
{
	server->back = (struct loop_timer){ .fire = come_back, .arg = server };
	server->thaw = (struct loop_timer){ .fire = thaw, .arg = server };
}

void server_outages_done(struct server *server)
{
	loop_timer_cancel(server->loop, &server->back);
	loop_timer_cancel(server->loop, &server->thaw);
}
