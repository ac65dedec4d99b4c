/* SPDX-License-Identifier: MIT */
#include "iscsi/probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "iscsi/bytes.h"
#include "iscsi/connection.h"
#include "iscsi/inventory.h"
#include "os/loop.h"
#include "os/resolve.h"

enum {
	TOTAL_MS = 30000,
	HOPS_MAX = 4, /* redirections one after the other */
};

struct probe {
	struct loop *loop;
	struct probe_config config;
	void (*done)(void *arg, struct probe_result *result);
	void *arg;
	struct probe_result result;

	struct connection *connection;
	struct resolve *resolve;
	struct loop_timer total;
	unsigned int hops;
	bool from_afar; /* a redirection came from another host */
	uint64_t since; /* of the login: microseconds */
	struct inventory inventory;
};

void probe_result_done(struct probe_result *result)
{
	free(result->units);
	buf_done(&result->notes);
}

void probe_result_note(struct probe_result *result, const char *text)
{
	char shown[4 * ERR_REASON_MAX];

	escape_text(text, strlen(text), shown, sizeof(shown));
	buf_addf(&result->notes, "%s\n", shown);
}

uint64_t probe_unit_number(const struct probe_unit *unit)
{
	static const uint8_t rest[6];
	const uint8_t *lun = unit->lun;

	if (memcmp(lun + 2, rest, sizeof(rest)) != 0 || lun[0] >= 0x80)
		return get_be64(lun);
	return lun[0] < 0x40 ? lun[1] : (uint64_t)(lun[0] & 0x3f) << 8 | lun[1];
}

static void free_probe(struct probe *probe)
{
	loop_timer_cancel(probe->loop, &probe->total);
	inventory_end(&probe->inventory);
	if (probe->resolve)
		resolve_cancel(probe->resolve);
	connection_free(probe->connection);
	probe_result_done(&probe->result);
	free(probe);
}

static void finish(struct probe *probe)
{
	probe->done(probe->arg, &probe->result);
	free_probe(probe);
}

static void finish_with(struct probe *probe, const struct err *why)
{
	struct probe_result *result = &probe->result;
	char asked[PORTAL_TEXT_MAX], at[PORTAL_TEXT_MAX];

	result->rc = -why->code;
	result->err = *why;
	result->err.place[0] = '\0';
	portal_text(&probe->config.portal, asked);
	portal_text(&result->answered, at);
	if (probe->hops > 0)
		err_at(&result->err, "%s, redirected to %s", asked, at);
	else
		err_at(&result->err, "%s", asked);
	finish(probe);
}

/* The portal in use, as an address. */
static void take_address(struct probe *probe)
{
	const struct socket_address *address = connection_address(probe->connection);
	struct portal *answered = &probe->result.answered;
	char host[SOCKET_HOST_MAX];

	socket_address_host(address, host);
	if (!address_parse(host, strcspn(host, "%"), answered->address))
		return;
	answered->numeric = true;
	answered->port = socket_address_port(address);
	snprintf(answered->host, sizeof(answered->host), "%s", host);
	probe->result.has_answered = true;
}

/* What the connection knows, before it goes. */
static void take_login(struct probe *probe)
{
	const struct login *login = connection_login(probe->connection);
	struct probe_result *result = &probe->result;

	result->status = login->status;
	result->ours = login->ours;
	result->theirs = login->theirs;
	result->algorithm = login->algorithm;
	result->connect_us = connection_connect_us(probe->connection);
	take_address(probe);
	if (result->stage == PROBE_CONNECT && result->connect_us > 0)
		result->stage = PROBE_LOGIN;
	if (login->notes.len > 0)
		buf_adds(&result->notes, login->notes.data);
}

static void open_connection(struct probe *probe, const struct socket_address *addresses,
			    size_t count);

static void looked_up(void *arg, const struct socket_address *addresses, int count,
		      const struct err *err)
{
	struct probe *probe = arg;

	probe->resolve = NULL;
	if (count < 0)
		finish_with(probe, err);
	else
		open_connection(probe, addresses, (size_t)count);
}

static void go_to(struct probe *probe, const struct portal *portal)
{
	struct socket_address address;
	struct err err;

	probe->result.stage = PROBE_RESOLVE;
	probe->result.answered = *portal;
	if (portal->numeric && socket_address_parse(portal->host, portal->port, &address) == 0) {
		open_connection(probe, &address, 1);
		return;
	}
	probe->resolve =
		resolve_start(probe->loop, portal->host, portal->port, looked_up, probe, &err);
	if (!probe->resolve)
		finish_with(probe, &err);
}

/* Go where the target says: its addresses in turn where they are numeric, but not for ever. */
static void follow(struct probe *probe, const struct login *login)
{
	struct socket_address addresses[LOGIN_REDIRECTS_MAX];
	size_t count = 0;
	struct err err;

	if (++probe->hops > HOPS_MAX) {
		err_set(&err, ELOOP, "login failed: redirected more than %d times", HOPS_MAX);
		finish_with(probe, &err);
		return;
	}
	for (size_t i = 0; i < login->redirect_count; i++) {
		const struct portal *portal = &login->redirects[i];

		if (portal->numeric &&
		    socket_address_parse(portal->host, portal->port, &addresses[count]) == 0)
			count++;
	}
	if (count == 0) {
		go_to(probe, &login->redirects[0]);
		return;
	}
	probe->result.answered = login->redirects[0];
	open_connection(probe, addresses, count);
}

static void connection_closed(void *arg, int rc, const struct err *why)
{
	struct probe *probe = arg;
	struct connection *connection = probe->connection;
	struct err err = *why;

	take_login(probe);
	probe->connection = NULL;
	inventory_end(&probe->inventory);
	if (rc == CONNECTION_REDIRECTED) {
		char text[PORTAL_TEXT_MAX], note[PORTAL_TEXT_MAX + 64];

		probe->from_afar |= connection_address_kind(connection) != ADDRESS_LOOPBACK;
		portal_text(&connection_login(connection)->redirects[0], text);
		snprintf(note, sizeof(note), "redirected to %s", text);
		probe_result_note(&probe->result, note);
		follow(probe, connection_login(connection));
	} else if (probe->result.stage == PROBE_LOGOUT) {
		/* An odd end takes nothing from what is known (I-END-1 of the conformance list). */
		if (rc != 0)
			probe_result_note(&probe->result, err.reason);
		finish(probe);
	} else {
		if (rc >= 0)
			err_set(&err, ECONNRESET,
				"the target asked for a logout before all was asked");
		finish_with(probe, &err);
	}
	connection_free(connection);
}

static void leave(void *arg)
{
	struct probe *probe = arg;

	probe->result.stage = PROBE_LOGOUT;
	connection_logout(probe->connection);
}

static void connection_pdu(void *arg, const struct pdu *pdu)
{
	struct probe *probe = arg;

	inventory_receive(&probe->inventory, pdu);
}

static void connection_ready(void *arg)
{
	struct probe *probe = arg;

	probe->result.stage = PROBE_COMMANDS;
	probe->result.params = connection_login(probe->connection)->params;
	probe->result.login_us =
		loop_clock_us() - probe->since - connection_connect_us(probe->connection);
	if (probe->config.login_only)
		leave(probe);
	else
		inventory_begin(&probe->inventory, probe->loop, probe->connection, &probe->result,
				leave, probe);
}

static const struct connection_handler handler = {
	.ready = connection_ready,
	.pdu = connection_pdu,
	.closed = connection_closed,
};

static void open_connection(struct probe *probe, const struct socket_address *addresses,
			    size_t count)
{
	const struct connection_limits limits = {
		.connect_ms = probe->config.connect_ms,
		.answer_ms = probe->config.answer_ms,
		.from_afar = probe->from_afar,
	};
	struct err err;

	probe->result.stage = PROBE_CONNECT;
	probe->since = loop_clock_us();
	/*
	 * Random, and a new one each time: it can be no other session's, so it
	 * ends none (6.3.5).
	 */
	if (login_isid_random(probe->config.login.isid, &err) == 0)
		probe->connection =
			connection_open(probe->loop, addresses, count, &probe->config.login,
					probe->config.params, &limits, &handler, probe, &err);
	if (!probe->connection)
		finish_with(probe, &err);
}

static void took_too_long(void *arg)
{
	struct probe *probe = arg;
	struct err err;

	if (probe->connection)
		take_login(probe);
	err_set(&err, ETIMEDOUT, "not done within %u ms in all", probe->config.total_ms);
	if (probe->result.stage == PROBE_LOGOUT) {
		probe_result_note(&probe->result, err.reason);
		finish(probe);
	} else {
		finish_with(probe, &err);
	}
}

/* Outside of the caller's call: done is never called before probe_start returns. */
static void begin(void *arg)
{
	struct probe *probe = arg;
	struct err err;

	probe->total.fire = took_too_long;
	if (loop_timer_set(probe->loop, &probe->total, probe->config.total_ms, &err) < 0)
		finish_with(probe, &err);
	else
		go_to(probe, &probe->config.portal);
}

struct probe *probe_start(struct loop *loop, const struct probe_config *config,
			  void (*done)(void *arg, struct probe_result *result), void *arg,
			  struct err *err)
{
	struct probe *probe = calloc(1, sizeof(*probe));

	if (!probe) {
		err_oom(err);
		return NULL;
	}
	probe->loop = loop;
	probe->config = *config;
	probe->done = done;
	probe->arg = arg;
	probe->total = (struct loop_timer){ .fire = begin, .arg = probe };
	if (config->total_ms == 0)
		probe->config.total_ms = TOTAL_MS;
	if (loop_timer_set(loop, &probe->total, 0, err) < 0) {
		free(probe);
		return NULL;
	}
	return probe;
}
