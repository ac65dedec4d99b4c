/* SPDX-License-Identifier: MIT */
#include "connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "command.h"
#include "err.h"
#include "exchange.h"
#include "gateway.h"
#include "iscsi/bytes.h"
#include "iscsi/status.h"
#include "login.h"
#include "task_management.h"
#include "transcript.h"
#include "transfer.h"

static void wait_for(struct connection *connection, enum wait wait)
{
	struct gateway *gateway = connection->gateway;

	connection->wait = wait;
	if (connection_is_stalled(connection))
		return;
	deadline_arm(&gateway->waits[wait], &connection->deadline, gateway->now);
}

int connection_init(struct connection *connection, struct gateway *gateway, size_t portal,
		    const struct socket_address *local, const char *peer)
{
	*connection = (struct connection){
		.gateway = gateway,
		.phase = CONNECTION_LOGIN,
		.number = ++gateway->connection_number,
		.portal = portal,
		.local = *local,
		.stat_sn = 1,
		.max_send = PDU_LOGIN_DATA_MAX,
		.ping_tag = TAG_NONE,
	};
	pdu_reader_init(&connection->reader, PDU_LOGIN_DATA_MAX);
	connection->over_limit = gateway->connection_count >= gateway->limits.connections;
	gateway->connection_count++;
	event_count(&gateway->events, EVENT_CONNECT);
	transcript_connect(connection, peer);
	wait_for(connection, WAIT_LOGIN);
	connection->login = target_login_new();
	if (!connection->login)
		return -ENOMEM;
	connection_strike(connection, event_ask(&gateway->events, EVENT_CONNECT, connection, NULL));
	return 0;
}

/* All that a connection has beyond its socket and what is still to be sent. */
static void release(struct connection *connection)
{
	target_login_free(TAKE_PTR(connection->login));
	exchange_free(TAKE_PTR(connection->exchange));
	session_free(TAKE_PTR(connection->session));
	deadline_disarm(&connection->deadline);
}

void connection_done(struct connection *connection)
{
	release(connection);
	deadline_disarm(&connection->stall);
	pdu_reader_done(&connection->reader);
	connection->gateway->connection_count--;
}

void connection_end(struct connection *connection, const char *why)
{
	struct gateway *gateway = connection->gateway;

	if (connection->phase == CONNECTION_ENDED)
		return;
	if (connection->phase != CONNECTION_CLOSING)
		transcript_close(connection, why);
	release(connection);
	deadline_disarm(&connection->stall);
	connection->phase = CONNECTION_ENDED;
	connection->ended_next = gateway->ended;
	gateway->ended = connection;
}

void connection_close(struct connection *connection, const char *why)
{
	if (connection->phase >= CONNECTION_CLOSING)
		return;
	transcript_close(connection, why);
	release(connection);
	connection->phase = CONNECTION_CLOSING;
	wait_for(connection, WAIT_LINGER);
}

bool connection_strike(struct connection *connection, enum verdict verdict)
{
	if (verdict == VERDICT_SERVE)
		return true;
	connection->reset = verdict == VERDICT_RESET;
	if (verdict == VERDICT_CLOSE || verdict == VERDICT_RESET)
		connection_end(connection, "a fault that was asked for");
	return false;
}

const char *connection_initiator(const struct connection *connection)
{
	if (connection->session)
		return connection->session->initiator;
	return connection->login ? target_login_initiator(connection->login) : NULL;
}

const struct target *connection_target(const struct connection *connection)
{
	if (connection->session)
		return connection->session->target;
	return connection->login ? target_login_target(connection->login) : NULL;
}

struct connection *connection_of_deadline(struct deadline *deadline)
{
	return DEADLINE_OWNER(deadline, connection, deadline);
}

uint8_t *connection_answer(struct connection *connection, enum pdu_opcode opcode, uint8_t flags)
{
	uint8_t *bhs = out_room(&connection->gateway->out,
				BHS_LEN + (connection->header_digest ? DIGEST_LEN : 0));

	/* There is room: connection_handle stops in time (OUT_RESERVE). */
	memset(bhs, 0, BHS_LEN);
	bhs[BHS_OPCODE] = (uint8_t)opcode;
	bhs[BHS_FLAGS] = flags;
	return bhs;
}

void connection_number(struct connection *connection, uint8_t *bhs, bool status)
{
	uint32_t expected, last;

	if (connection->session) {
		expected = connection->session->exp_cmd_sn;
		last = session_max_cmd_sn(connection->session);
	} else {
		expected = target_login_cmd_sn(connection->login);
		last = expected + SESSION_QUEUE - 1;
	}
	if (status)
		put_be32(bhs + BHS_STAT_SN, connection->stat_sn++);
	put_be32(bhs + BHS_EXP_CMD_SN, expected);
	put_be32(bhs + BHS_MAX_CMD_SN, last);
}

void connection_send(struct connection *connection, uint8_t *bhs, const void *data, size_t len,
		     enum data_place place)
{
	struct out *out = &connection->gateway->out;
	size_t head = pdu_seal_head(bhs, 0, (uint32_t)len, connection->header_digest);
	uint8_t *tail;
	size_t tail_len;

	out_add(out, bhs, head, false);
	if (len == 0)
		return;
	if (place == DATA_SCRATCH) {
		uint8_t *copy = out_room(out, len);

		memcpy(copy, data, len);
		data = copy;
	}
	/* A digest holds for the bytes as they are now: what waits with one is a copy. */
	out_add(out, data, len, place == DATA_LASTING && !connection->data_digest);
	tail = out_room(out, PDU_TAIL_MAX);
	tail_len = pdu_seal_tail(tail, data, len, connection->data_digest);
	out_give_back(out, PDU_TAIL_MAX - tail_len);
	out_add(out, tail, tail_len, false);
}

void connection_reject(struct connection *connection, const uint8_t *bhs, uint8_t reason)
{
	uint8_t *reject = connection_answer(connection, OP_REJECT, FLAG_FINAL);

	if (connection->counted)
		connection->session->exp_cmd_sn--;
	connection->counted = false;
	event_count(&connection->gateway->events, EVENT_REJECT);
	transcript_reject(connection, bhs, reason);
	reject[REJECT_REASON] = reason;
	put_be32(reject + BHS_ITT, TAG_NONE);
	connection_number(connection, reject, true);
	connection_send(connection, reject, bhs, BHS_LEN, DATA_SCRATCH);
}

/* The stream is lost: say so where the phase has a PDU for it, and close. */
static void stream_lost(struct connection *connection, int rc, const uint8_t *bhs,
			const struct err *err)
{
	if (rc != -EMSGSIZE) {
		connection_end(connection, err->reason);
	} else if (connection->phase == CONNECTION_LOGIN) {
		target_login_too_long(connection, bhs, err);
	} else {
		connection_reject(connection, bhs, REJECT_INVALID_FIELD);
		connection_close(connection, err->reason);
	}
}

/*
 * While a PDU is half here its own deadline runs, which later bytes of it do
 * not move. A login has one for all of it.
 */
static void watch_time(struct connection *connection, bool progress)
{
	bool half = pdu_reader_stage(&connection->reader) != NULL;

	if (connection->phase != CONNECTION_FULL)
		return;
	if (half && (progress || connection->wait != WAIT_PDU))
		wait_for(connection, WAIT_PDU);
	else if (!half && progress)
		wait_for(connection, WAIT_QUIET);
}

bool connection_handle(struct connection *connection)
{
	struct gateway *gateway = connection->gateway;
	bool progress = false;
	struct pdu pdu;
	struct err err;

	while (connection->phase < CONNECTION_CLOSING && !connection->paused) {
		int rc;

		if (!out_ready(&gateway->out))
			return true;
		if (connection->phase == CONNECTION_FULL &&
		    (transfer_send_more(connection) ||
		     (connection->session->settling && task_management_go_on(connection)) ||
		     command_run_held(connection)))
			continue;
		rc = pdu_reader_next(&connection->reader, &pdu, &err);
		if (rc < 0)
			stream_lost(connection, rc, pdu.bhs, &err);
		if (rc <= 0)
			break;
		progress = true;
		if (connection->phase == CONNECTION_LOGIN)
			target_login_receive(connection, &pdu);
		else
			command_receive(connection, &pdu);
	}
	watch_time(connection, progress);
	return false;
}

void connection_alive(struct connection *connection)
{
	if (connection->phase == CONNECTION_FULL && connection->wait != WAIT_PDU)
		wait_for(connection, WAIT_QUIET);
}

void connection_resume(struct connection *connection)
{
	connection->paused = false;
	wait_for(connection, connection->wait);
}

void connection_expired(struct connection *connection)
{
	switch (connection->wait) {
	case WAIT_LOGIN:
		connection_end(connection, "the login took too long");
		break;
	case WAIT_PDU:
		connection_end(connection, "a PDU began and did not end in time");
		break;
	case WAIT_QUIET:
		pdu_reader_rest(&connection->reader);
		wait_for(connection, WAIT_IDLE);
		break;
	case WAIT_IDLE:
		if (connection->blocked) {
			connection_end(connection, "the initiator does not read its answers");
		} else if (connection->session->discovery) {
			connection_end(connection, "a discovery session was idle");
		} else {
			command_ping(connection);
			wait_for(connection, WAIT_ANSWER);
		}
		break;
	case WAIT_ANSWER:
		connection_end(connection, "a ping was not answered");
		break;
	case WAIT_LINGER:
	case WAIT_TASKS:
	case WAIT_COUNT:
		connection_end(connection, "the peer did not close");
		break;
	}
}
