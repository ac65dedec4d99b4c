/* SPDX-License-Identifier: MIT */
#include "gateway.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "connection.h"
#include "err.h"
#include "stall.h"
#include "task_management.h"

static const struct limits default_limits = {
	.connections = 16384,
	.sessions = 16384,
	.login_requests = 64,
	.login_text = 4 * PDU_LOGIN_DATA_MAX,
	.login_part = PDU_LOGIN_DATA_MAX,
	.wait_ms = {
		[WAIT_LOGIN] = 15000,
		[WAIT_PDU] = 30000,
		[WAIT_QUIET] = 1000,
		[WAIT_IDLE] = 60000,
		[WAIT_ANSWER] = 60000,
		[WAIT_LINGER] = 3000,
		[WAIT_TASKS] = 2000,
	},
};

struct gateway *gateway_new(struct err *err)
{
	struct gateway *gateway = calloc(1, sizeof(*gateway));

	if (!gateway) {
		err_oom(err);
		return NULL;
	}
	gateway->limits = default_limits;
	if (session_table_init(&gateway->sessions, err) < 0) {
		gateway_free(gateway);
		return NULL;
	}
	return gateway;
}

void gateway_free(struct gateway *gateway)
{
	if (!gateway)
		return;
	session_table_done(&gateway->sessions);
	target_list_done(&gateway->targets);
	chap_file_done(&gateway->chap);
	free(gateway->portals);
	free(gateway);
}

/* Credentials keep the file's order, so that the first of two that fit is the one that counts. */
static int tie_credential(struct gateway *gateway, const struct chap_entry *entry,
			  const char **unused, struct err *err)
{
	struct target *target =
		target_list_find(&gateway->targets, entry->target, strlen(entry->target));
	struct credential **link;

	if (!target) {
		*unused = entry->target;
		return 0;
	}
	link = &target->credentials;
	while (*link)
		link = &(*link)->next;
	*link = malloc(sizeof(**link));
	if (!*link)
		return err_oom(err);
	**link = (struct credential){ .entry = entry };
	return 0;
}

int gateway_prepare(struct gateway *gateway, const char **unused, struct err *err)
{
	int rc = target_list_sort(&gateway->targets, err);

	*unused = NULL;
	for (size_t i = 0; rc == 0 && i < gateway->chap.count; i++)
		rc = tie_credential(gateway, &gateway->chap.entries[i], unused, err);
	stall_init(gateway);
	for (int i = 0; i < WAIT_COUNT; i++)
		deadline_queue_init(&gateway->waits[i], gateway->limits.wait_ms[i]);
	return rc;
}

uint64_t gateway_next_deadline(const struct gateway *gateway)
{
	uint64_t first = stall_next(gateway);

	for (int i = 0; i < WAIT_COUNT; i++) {
		uint64_t at = deadline_first(&gateway->waits[i]);

		first = at < first ? at : first;
	}
	return first;
}

struct connection *gateway_expire(struct gateway *gateway)
{
	struct connection *stalled = stall_expire(gateway);

	if (stalled)
		return stalled;
	for (int i = 0; i < WAIT_COUNT; i++) {
		struct deadline *deadline = deadline_expired(&gateway->waits[i], gateway->now);
		struct connection *connection;

		if (!deadline)
			continue;
		if (i == WAIT_TASKS)
			return task_management_expired(deadline);
		connection = connection_of_deadline(deadline);
		connection_expired(connection);
		return connection;
	}
	return NULL;
}

/* HOST:PORT, an IPv6 address in brackets. */
static void add_address(struct buf *out, const char *host, uint16_t port)
{
	buf_addf(out, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
}

void gateway_portal_text(const struct gateway *gateway, size_t portal,
			 const struct socket_address *arrived, size_t via, struct buf *out)
{
	const struct gateway_portal *it = &gateway->portals[portal];
	uint16_t port = socket_address_port(&it->address);
	char host[SOCKET_HOST_MAX];

	if (gateway->advertise) {
		/* Written with a port it stands for all portals. */
		if (gateway->advertise_port && portal > 0)
			return;
		add_address(out, gateway->advertise,
			    gateway->advertise_port ? gateway->advertise_port : port);
	} else {
		/* Which of a wildcard's addresses others could use is not known. */
		if (it->any_address && portal != via)
			return;
		socket_address_host(it->any_address ? arrived : &it->address, host);
		add_address(out, host, port);
	}
	buf_addf(out, ",%d", PORTAL_GROUP_TAG);
}
