/* SPDX-License-Identifier: MIT */
#include "iscsi/probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "iscsi/bytes.h"
#include "iscsi/connection.h"
#include "iscsi/read_task.h"
#include "os/loop.h"
#include "os/resolve.h"

enum {
	TOTAL_MS = 30000,
	HOPS_MAX = 4, /* redirections one after the other */
	FIRST_TAG = 0x100,
	LUNS_LEN = 8 + 8 * PROBE_UNITS_MAX,
	ATTENTIONS_MAX = 8, /* unit attentions of one command in a row */
	BUSY_MAX = 3,
	BUSY_MS = 100, /* and twice as long each time */
};

/* What is asked, in this order; the last three for each unit. */
enum ask {
	ASK_PING,
	ASK_LUNS,
	ASK_IDENTITY,
	ASK_CAPACITY_10,
	ASK_CAPACITY_16,
};

static const struct {
	const char *name, *awaited;
} asks[] = {
	[ASK_PING] = { "NOP-Out", "answer to NOP-Out" },
	[ASK_LUNS] = { "REPORT LUNS", "answer to REPORT LUNS" },
	[ASK_IDENTITY] = { "INQUIRY", "answer to INQUIRY" },
	[ASK_CAPACITY_10] = { "READ CAPACITY(10)", "answer to READ CAPACITY(10)" },
	[ASK_CAPACITY_16] = { "READ CAPACITY(16)", "answer to READ CAPACITY(16)" },
};

struct probe {
	struct loop *loop;
	struct probe_config config;
	void (*done)(void *arg, struct probe_result *result);
	void *arg;
	struct probe_result result;

	struct connection *connection;
	struct resolve *resolve;
	struct loop_timer total, again;
	unsigned int hops;

	enum ask ask;
	struct read_task task;
	uint32_t tag;
	size_t unit; /* the one that is asked */
	unsigned int pings, attentions, busy;
	uint64_t since; /* of the login, then of a ping: microseconds */
};

void probe_result_done(struct probe_result *result)
{
	free(result->units);
	buf_done(&result->notes);
}

uint64_t probe_unit_number(const struct probe_unit *unit)
{
	static const uint8_t rest[6];
	const uint8_t *lun = unit->lun;

	if (memcmp(lun + 2, rest, sizeof(rest)) != 0 || lun[0] >= 0x80)
		return get_be64(lun);
	return lun[0] < 0x40 ? lun[1] : (uint64_t)(lun[0] & 0x3f) << 8 | lun[1];
}

static void add_note(struct probe *probe, const char *text)
{
	char shown[4 * ERR_REASON_MAX];

	escape_text(text, strlen(text), shown, sizeof(shown));
	buf_addf(&probe->result.notes, "%s\n", shown);
}

static void free_probe(struct probe *probe)
{
	loop_timer_cancel(probe->loop, &probe->total);
	loop_timer_cancel(probe->loop, &probe->again);
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
	loop_timer_cancel(probe->loop, &probe->again);
	if (rc == CONNECTION_REDIRECTED) {
		char text[PORTAL_TEXT_MAX], note[PORTAL_TEXT_MAX + 64];

		portal_text(&connection_login(connection)->redirects[0], text);
		snprintf(note, sizeof(note), "redirected to %s", text);
		add_note(probe, note);
		follow(probe, connection_login(connection));
	} else if (probe->result.stage == PROBE_LOGOUT) {
		/* An odd end takes nothing from what is known (I-END-1 of the conformance list). */
		if (rc != 0)
			add_note(probe, err.reason);
		finish(probe);
	} else {
		if (rc >= 0)
			err_set(&err, ECONNRESET,
				"the target asked for a logout before all was asked");
		finish_with(probe, &err);
	}
	connection_free(connection);
}

static void leave(struct probe *probe)
{
	probe->result.stage = PROBE_LOGOUT;
	connection_logout(probe->connection);
}

static void send_ping(struct probe *probe)
{
	uint8_t bhs[BHS_LEN] = { OP_NOP_OUT, FLAG_FINAL };
	struct err err;

	put_be32(bhs + BHS_ITT, ++probe->tag);
	put_be32(bhs + BHS_TTT, TAG_NONE);
	probe->since = loop_clock_us();
	if (connection_request(probe->connection, bhs, NULL, 0, asks[ASK_PING].awaited, &err) < 0)
		connection_fail(probe->connection, &err);
}

static void send_command(struct probe *probe)
{
	static const uint8_t lun_zero[8];
	const uint8_t *lun =
		probe->ask == ASK_LUNS ? lun_zero : probe->result.units[probe->unit].lun;
	uint8_t cdb[CDB_LEN], bhs[BHS_LEN];
	uint32_t len = CDB_CAPACITY_16_LEN;
	struct err err;

	switch (probe->ask) {
	case ASK_LUNS:
		cdb_report_luns(cdb, len = LUNS_LEN);
		break;
	case ASK_IDENTITY:
		cdb_inquiry(cdb, len = CDB_INQUIRY_LEN);
		break;
	case ASK_CAPACITY_10:
		cdb_read_capacity_10(cdb);
		len = CDB_CAPACITY_10_LEN;
		break;
	default:
		cdb_read_capacity_16(cdb, len);
		break;
	}
	read_task_begin(&probe->task, ++probe->tag, lun, cdb, len, bhs);
	if (connection_request(probe->connection, bhs, NULL, 0, asks[probe->ask].awaited, &err) < 0)
		connection_fail(probe->connection, &err);
}

static void send_again(void *arg)
{
	send_command(arg);
}

static void start_ask(struct probe *probe, enum ask ask)
{
	probe->ask = ask;
	probe->attentions = probe->busy = 0;
	send_command(probe);
}

static void next_unit(struct probe *probe)
{
	if (++probe->unit < probe->result.unit_count)
		start_ask(probe, ASK_IDENTITY);
	else
		leave(probe);
}

/* What one unit would not tell is its own problem. */
static void tell_problem(struct probe *probe)
{
	const struct read_task *task = &probe->task;
	struct probe_unit *unit = &probe->result.units[probe->unit];
	char sense[CDB_SENSE_TEXT_MAX] = "";

	if (task->has_sense)
		cdb_sense_text(&task->sense, sense);
	snprintf(unit->problem, sizeof(unit->problem), "%s: %s%s%s", asks[probe->ask].name,
		 cdb_status_name(task->status), sense[0] ? ", " : "", sense);
}

static void tell_short(struct probe *probe)
{
	struct probe_unit *unit = &probe->result.units[probe->unit];

	snprintf(unit->problem, sizeof(unit->problem), "%s: %u bytes are too few for an answer",
		 asks[probe->ask].name, probe->task.received);
}

static int add_units(struct probe *probe, const uint8_t *luns, size_t count)
{
	struct probe_result *result = &probe->result;

	result->units = calloc(count + 1, sizeof(*result->units));
	if (!result->units)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		memcpy(result->units[i].lun, luns + 8 * i, 8);
	result->unit_count = count;
	return 0;
}

static void take_luns(struct probe *probe)
{
	static const uint8_t lun_zero[8];
	const struct read_task *task = &probe->task;
	size_t there = task->received >= 8 ? (task->received - 8) / 8 : 0;
	uint32_t told = task->received >= 8 ? get_be32(task->data) / 8 : 0;
	struct err err;
	int rc;

	if (task->status == CDB_GOOD && told > there)
		add_note(probe, "it has more logical units than are asked here");
	if (told < there)
		there = told;
	if (task->status == CDB_GOOD && task->received >= 8) {
		rc = add_units(probe, task->data + 8, there);
	} else {
		add_note(probe, "REPORT LUNS failed: only logical unit 0 is asked");
		rc = add_units(probe, lun_zero, 1);
	}
	if (rc < 0) {
		err_oom(&err);
		connection_fail(probe->connection, &err);
		return;
	}
	if (probe->result.unit_count == 0)
		add_note(probe, "it has no logical units for this host");
	probe->unit = (size_t)-1;
	next_unit(probe);
}

static void take_identity(struct probe *probe)
{
	struct probe_unit *unit = &probe->result.units[probe->unit];

	unit->identified =
		cdb_identity_parse(probe->task.data, probe->task.received, &unit->identity);
	if (!unit->identified)
		tell_short(probe);
	if (unit->identified && unit->identity.qualifier == 0 &&
	    unit->identity.type == CDB_TYPE_DISK)
		start_ask(probe, ASK_CAPACITY_10);
	else
		next_unit(probe);
}

static void take_capacity(struct probe *probe)
{
	struct probe_unit *unit = &probe->result.units[probe->unit];
	const struct read_task *task = &probe->task;
	bool good = probe->ask == ASK_CAPACITY_10
			    ? cdb_capacity_10_parse(task->data, task->received, &unit->blocks,
						    &unit->block_size)
			    : cdb_capacity_16_parse(task->data, task->received, &unit->blocks,
						    &unit->block_size);

	if (!good)
		tell_short(probe);
	if (good && probe->ask == ASK_CAPACITY_10 && unit->blocks == 0)
		start_ask(probe, ASK_CAPACITY_16); /* 2 TiB or more */
	else
		next_unit(probe);
}

/* Whether the command goes out once more: I-FFP-5 of the conformance list. */
static bool retry(struct probe *probe)
{
	const struct read_task *task = &probe->task;
	struct err err;

	if (task->status == CDB_CHECK_CONDITION && task->sense.key == CDB_KEY_UNIT_ATTENTION &&
	    probe->attentions < ATTENTIONS_MAX) {
		probe->attentions++;
		send_command(probe);
		return true;
	}
	if ((task->status != CDB_BUSY && task->status != CDB_TASK_SET_FULL) ||
	    probe->busy == BUSY_MAX)
		return false;
	connection_rest(probe->connection);
	return loop_timer_set(probe->loop, &probe->again, (uint64_t)BUSY_MS << probe->busy++,
			      &err) == 0;
}

static void command_over(struct probe *probe)
{
	if (retry(probe))
		return;
	if (probe->ask == ASK_LUNS) {
		take_luns(probe);
	} else if (probe->task.status != CDB_GOOD) {
		tell_problem(probe);
		next_unit(probe);
	} else if (probe->ask == ASK_IDENTITY) {
		take_identity(probe);
	} else {
		take_capacity(probe);
	}
}

static int take_ping(struct probe *probe, const struct pdu *pdu, struct err *err)
{
	uint64_t took = loop_clock_us() - probe->since;
	char name[16];

	if (pdu_opcode(pdu->bhs) != OP_NOP_IN || get_be32(pdu->bhs + BHS_ITT) != probe->tag)
		return err_set(err, EPROTO, "the target answers a NOP-Out with a %s",
			       pdu_opcode_name(pdu->bhs[BHS_OPCODE], name));
	if (probe->pings == 0 || took < probe->result.ping_us)
		probe->result.ping_us = took;
	if (++probe->pings < PROBE_PINGS)
		send_ping(probe);
	else
		start_ask(probe, ASK_LUNS);
	return 0;
}

static void connection_pdu(void *arg, const struct pdu *pdu)
{
	struct probe *probe = arg;
	struct err why, err;
	int rc;

	rc = probe->ask == ASK_PING ? take_ping(probe, pdu, &why)
				    : read_task_receive(&probe->task, pdu, &why);
	if (rc > 0) {
		command_over(probe);
	} else if (rc < 0) {
		err_set(&err, why.code, "%s failed: %s", asks[probe->ask].name, why.reason);
		connection_fail(probe->connection, &err);
	}
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
		send_ping(probe);
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
	};
	struct err err;

	probe->result.stage = PROBE_CONNECT;
	probe->since = loop_clock_us();
	/* Random, and a new one each time: it can be no other session's, so it ends none (6.3.5). */
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
		add_note(probe, err.reason);
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
	probe->tag = FIRST_TAG;
	probe->total = (struct loop_timer){ .fire = begin, .arg = probe };
	probe->again = (struct loop_timer){ .fire = send_again, .arg = probe };
	if (config->total_ms == 0)
		probe->config.total_ms = TOTAL_MS;
	if (loop_timer_set(loop, &probe->total, 0, err) < 0) {
		free(probe);
		return NULL;
	}
	return probe;
}
