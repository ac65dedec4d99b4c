/* SPDX-License-Identifier: MIT */
#include "command.h"

#include <stdlib.h>

#include "buf.h"
#include "connection.h"
#include "exchange.h"
#include "gateway.h"
#include "iscsi/bytes.h"
#include "iscsi/status.h"
#include "task_management.h"
#include "transfer.h"

enum {
	LOGOUT_CLOSE_SESSION = 0,
	LOGOUT_CLOSE_CONNECTION = 1,
	LOGOUT_RECOVERY = 2,
};

/* What an opcode needs to be served. */
struct request {
	/* A reason to reject the PDU before its CmdSN counts, or 0; NULL: none. */
	uint8_t (*check)(const struct connection *connection, const struct pdu *pdu);
	void (*run)(struct connection *connection, const struct pdu *pdu);
	enum event event;
	bool unnumbered; /* carries no CmdSN of its own */
	bool discovery; /* has a place in a discovery session (4.3) */
};

static void nop_out(struct connection *connection, const struct pdu *pdu)
{
	uint32_t tag = get_be32(pdu->bhs + BHS_ITT);
	size_t len = pdu->data_len;
	uint8_t *bhs;

	if (tag == TAG_NONE) {
		/* The answer to a ping, or nothing but news of ExpStatSN: both want no answer. */
		if (get_be32(pdu->bhs + BHS_TTT) == connection->ping_tag)
			connection->ping_tag = TAG_NONE;
		return;
	}
	if (len > connection->max_send)
		len = connection->max_send;
	bhs = connection_answer(connection, OP_NOP_IN, FLAG_FINAL);
	put_be32(bhs + BHS_ITT, tag);
	put_be32(bhs + BHS_TTT, TAG_NONE);
	connection_number(connection, bhs, true);
	connection_send(connection, bhs, pdu->data, len, DATA_SCRATCH);
}

void command_ping(struct connection *connection)
{
	uint8_t *bhs = connection_answer(connection, OP_NOP_IN, FLAG_FINAL);

	connection->ping_tag = connection->stat_sn;
	if (connection->ping_tag == TAG_NONE)
		connection->ping_tag = 0;
	put_be32(bhs + BHS_ITT, TAG_NONE);
	put_be32(bhs + BHS_TTT, connection->ping_tag);
	connection_number(connection, bhs, false);
	put_be32(bhs + BHS_STAT_SN, connection->stat_sn); /* the next one, not used up (11.19.2) */
	connection_send(connection, bhs, NULL, 0, DATA_SCRATCH);
}

static uint8_t check_logout(const struct connection *connection, const struct pdu *pdu)
{
	uint8_t reason = pdu->bhs[BHS_FLAGS] & LOGOUT_REASON;

	if (reason > LOGOUT_RECOVERY)
		return REJECT_INVALID_FIELD;
	if (connection->session->discovery && reason == LOGOUT_CLOSE_CONNECTION)
		return REJECT_PROTOCOL;
	return 0;
}

static void logout(struct connection *connection, const struct pdu *pdu)
{
	uint8_t reason = pdu->bhs[BHS_FLAGS] & LOGOUT_REASON, response = LOGOUT_CLOSED;
	uint8_t *bhs = connection_answer(connection, OP_LOGOUT_RESPONSE, FLAG_FINAL);

	if (reason == LOGOUT_RECOVERY)
		response = LOGOUT_RECOVERY_UNSUPPORTED;
	else if (reason == LOGOUT_CLOSE_CONNECTION &&
		 get_be16(pdu->bhs + LOGOUT_CID) != connection->cid)
		response = LOGOUT_CID_NOT_FOUND;
	bhs[RESPONSE_CODE] = response;
	put_be32(bhs + BHS_ITT, get_be32(pdu->bhs + BHS_ITT));
	connection_number(connection, bhs, true);
	connection_send(connection, bhs, NULL, 0, DATA_SCRATCH);
	if (response == LOGOUT_CLOSED)
		connection_close(connection, "logged out");
}

static const struct request requests[OPCODE_MASK + 1] = {
	[OP_NOP_OUT] = { .run = nop_out, .event = EVENT_NOP_OUT },
	[OP_SCSI_COMMAND] = { .check = scsi_check, .run = scsi_run, .event = EVENT_COMMAND },
	[OP_TASK_REQUEST] = { .run = task_management, .event = EVENT_TASK },
	[OP_TEXT_REQUEST] = { .run = exchange_receive, .event = EVENT_TEXT, .discovery = true },
	[OP_DATA_OUT] = { .run = transfer_data_out, .event = EVENT_DATA_OUT, .unnumbered = true },
	[OP_LOGOUT_REQUEST] = { .check = check_logout,
				.run = logout,
				.event = EVENT_LOGOUT,
				.discovery = true },
};

static void run(struct connection *connection, const struct request *request, const struct pdu *pdu)
{
	struct events *events = &connection->gateway->events;

	if (connection_strike(connection, event_raise(events, request->event, connection, pdu)))
		request->run(connection, pdu);
	events->struck.command = false;
}

/* Run a request whose CmdSN counts from now on; a Reject takes that back (7.3). */
static void run_counted(struct connection *connection, const struct request *request,
			const struct pdu *pdu)
{
	connection->counted = true;
	run(connection, request, pdu);
	connection->counted = false;
}

bool command_run_held(struct connection *connection)
{
	CLEANUP(free_ptr) uint8_t *bytes = NULL;
	struct pdu pdu;
	int what = session_next_held(connection->session, &pdu, &bytes);

	if (what == 1)
		run_counted(connection, &requests[pdu_opcode(pdu.bhs)], &pdu);
	return what != 0;
}

/* CmdSN: run in order, keep what comes early, ignore what is outside the window (4.2.2.1). */
static void put_in_order(struct connection *connection, const struct request *request,
			 const struct pdu *pdu)
{
	struct session *session = connection->session;
	uint32_t cmd_sn = get_be32(pdu->bhs + BHS_CMD_SN);
	bool gone = session->settling && task_management_covers(session, pdu);

	if (cmd_sn == session->exp_cmd_sn) {
		session->exp_cmd_sn++;
		if (!gone)
			run_counted(connection, request, pdu);
	} else if (serial_before(session->exp_cmd_sn, cmd_sn) &&
		   serial_before_or_equal(cmd_sn, session_max_cmd_sn(session))) {
		if (gone ? !session_skip(session, cmd_sn) : !session_hold(session, cmd_sn, pdu))
			connection_close(connection, "too much came before its turn");
	}
}

/* Why a PDU is rejected as it stands, or 0. */
static uint8_t find_fault(const struct connection *connection, const struct request *request,
			  const struct pdu *pdu)
{
	if (!request->run)
		return pdu_opcode(pdu->bhs) == OP_LOGIN_REQUEST ? REJECT_PROTOCOL
								: REJECT_NOT_SUPPORTED;
	if (connection->session->discovery && !request->discovery)
		return REJECT_PROTOCOL;
	/* Of Data-Out the command must learn, too. */
	if (pdu->data_digest_bad && request->run != transfer_data_out)
		return REJECT_DATA_DIGEST;
	return request->check ? request->check(connection, pdu) : 0;
}

void command_receive(struct connection *connection, const struct pdu *pdu)
{
	uint8_t opcode = pdu_opcode(pdu->bhs);
	const struct request *request = &requests[opcode];
	bool immediate = pdu->bhs[BHS_OPCODE] & OPCODE_IMMEDIATE;
	bool tagged = get_be32(pdu->bhs + BHS_ITT) != TAG_NONE;
	uint8_t fault = find_fault(connection, request, pdu);

	if (fault != 0) {
		connection_reject(connection, pdu->bhs, fault);
	} else if (!tagged && opcode != OP_NOP_OUT && !request->unnumbered) {
		connection_reject(connection, pdu->bhs, REJECT_INVALID_FIELD);
		connection_close(connection, "a request with the reserved task tag");
	} else if (immediate || request->unnumbered || !tagged) {
		run(connection, request, pdu);
	} else {
		put_in_order(connection, request, pdu);
	}
}
