/* SPDX-License-Identifier: MIT */
#include "iscsi/session.h"

#include <errno.h>
#include <string.h>

#include "err.h"
#include "iscsi/bytes.h"
#include "iscsi/status.h"

enum { LOGOUT_ITT = 0x10000000 }; /* far from those that callers count */

void session_begin(struct session *session, const struct login *login)
{
	*session = (struct session){
		.cmd_sn = login->cmd_sn,
		.exp_stat_sn = login->exp_stat_sn,
		.exp_cmd_sn = login->exp_cmd_sn,
		.max_cmd_sn = login->max_cmd_sn,
		.header_digest = login->params.value[PARAM_HEADER_DIGEST] == DIGEST_CRC32C,
		.data_digest = login->params.value[PARAM_DATA_DIGEST] == DIGEST_CRC32C,
	};
}

void session_done(struct session *session)
{
	buf_done(&session->held);
}

/* Number a PDU and seal it behind the others. */
static void add_pdu(struct session *session, uint8_t bhs[BHS_LEN], const void *data, size_t len,
		    struct buf *out)
{
	put_be32(bhs + BHS_CMD_SN, session->cmd_sn);
	put_be32(bhs + BHS_EXP_STAT_SN, session->exp_stat_sn);
	if (!(bhs[BHS_OPCODE] & OPCODE_IMMEDIATE))
		session->cmd_sn++;
	pdu_append(out, bhs, data, len, session->header_digest, session->data_digest);
}

static bool window_is_open(const struct session *session)
{
	return serial_before_or_equal(session->cmd_sn, session->max_cmd_sn);
}

void session_request(struct session *session, uint8_t bhs[BHS_LEN], const void *data, size_t len,
		     struct buf *out)
{
	if ((bhs[BHS_OPCODE] & OPCODE_IMMEDIATE) ||
	    (session->held.len == 0 && window_is_open(session)))
		add_pdu(session, bhs, data, len, out);
	else
		pdu_append(&session->held, bhs, data, len, false, false);
	out->failed |= session->held.failed;
}

static void release_held(struct session *session, struct buf *out)
{
	size_t at = 0;

	while (at < session->held.len && window_is_open(session)) {
		uint8_t bhs[BHS_LEN];
		size_t len;

		memcpy(bhs, session->held.data + at, BHS_LEN);
		len = get_be24(bhs + BHS_DATA_LEN);
		add_pdu(session, bhs, session->held.data + at + BHS_LEN, len, out);
		at += BHS_LEN + ((len + 3) & ~(size_t)3);
	}
	if (at > 0) {
		memmove(session->held.data, session->held.data + at, session->held.len - at);
		session->held.len -= at;
	}
}

int session_logout(struct session *session, enum connection_state *state, struct buf *out,
		   struct err *err)
{
	/* Reason 0, close the session (11.14.1). */
	uint8_t bhs[BHS_LEN] = { OP_LOGOUT_REQUEST | OPCODE_IMMEDIATE, FLAG_FINAL };
	int rc = states_take(state, EVENT_LOGOUT_SENT, err);

	if (rc < 0)
		return rc;
	session->held.len = 0;
	put_be32(bhs + BHS_ITT, LOGOUT_ITT);
	add_pdu(session, bhs, NULL, 0, out);
	return 0;
}

/* A ping is answered with its own tags (11.18.1, 11.18.2); without a tag it only brings numbers. */
static void answer_ping(struct session *session, const struct pdu *pdu, struct buf *out)
{
	uint8_t bhs[BHS_LEN] = { OP_NOP_OUT | OPCODE_IMMEDIATE, FLAG_FINAL };

	if (get_be32(pdu->bhs + BHS_TTT) == TAG_NONE)
		return;
	memcpy(bhs + BHS_LUN, pdu->bhs + BHS_LUN, 8);
	put_be32(bhs + BHS_ITT, TAG_NONE);
	memcpy(bhs + BHS_TTT, pdu->bhs + BHS_TTT, 4);
	add_pdu(session, bhs, NULL, 0, out);
}

static int take_async(enum connection_state *state, const struct pdu *pdu, struct err *err)
{
	uint8_t event = pdu->bhs[ASYNC_EVENT];
	int rc;

	if (event == ASYNC_LOGOUT_REQUESTED) {
		rc = states_take(state, EVENT_LOGOUT_ASKED, err);
		if (rc < 0)
			return rc;
		return *state == S7_LOGOUT_REQUESTED ? SESSION_LOGOUT_ASKED : SESSION_SERVED;
	}
	if (event == ASYNC_CONNECTION_DROPS || event == ASYNC_SESSION_DROPS)
		return err_set(err, ECONNRESET, "%s (reconnect after %u s)", status_of_async(event),
			       get_be16(pdu->bhs + ASYNC_PARAMETER2));
	/* 5 was never negotiated (TaskReporting); the others are news and no more. */
	if (event == ASYNC_FAST_ABORT)
		return err_set(err, EPROTO, "%s, which was not agreed (RFC 7143, 11.9.1)",
			       status_of_async(event));
	return SESSION_SERVED;
}

static int take_logout(enum connection_state *state, const struct pdu *pdu, struct err *err)
{
	uint8_t response = pdu->bhs[RESPONSE_CODE];
	int rc;

	if (*state == S6_IN_LOGOUT && get_be32(pdu->bhs + BHS_ITT) != LOGOUT_ITT)
		return err_set(err, EPROTO, "the target answers the logout of another task");
	if (*state == S6_IN_LOGOUT && response != LOGOUT_CLOSED)
		return err_set(err, EPROTO, "the target answered the logout with %u: %s", response,
			       status_of_logout(response));
	rc = states_take(state, EVENT_LOGOUT_DONE, err);
	return rc < 0 ? rc : SESSION_CLOSED;
}

/* Which status a PDU uses up, and the window, which only ever moves on (4.2.2). */
static void take_numbers(struct session *session, const struct pdu *pdu)
{
	uint8_t opcode = pdu_opcode(pdu->bhs);
	uint32_t exp_cmd_sn = get_be32(pdu->bhs + BHS_EXP_CMD_SN);
	uint32_t max_cmd_sn = get_be32(pdu->bhs + BHS_MAX_CMD_SN);
	bool has_status = opcode != OP_R2T &&
			  (opcode != OP_DATA_IN || (pdu->bhs[BHS_FLAGS] & DATA_STATUS_PRESENT)) &&
			  (opcode != OP_NOP_IN || get_be32(pdu->bhs + BHS_ITT) != TAG_NONE);

	if (has_status)
		session->exp_stat_sn = get_be32(pdu->bhs + BHS_STAT_SN) + 1;
	if (serial_before(max_cmd_sn, exp_cmd_sn - 1))
		return; /* both are to be ignored (4.2.2.1) */
	if (serial_before(session->exp_cmd_sn, exp_cmd_sn))
		session->exp_cmd_sn = exp_cmd_sn;
	if (serial_before(session->max_cmd_sn, max_cmd_sn))
		session->max_cmd_sn = max_cmd_sn;
}

int session_receive(struct session *session, enum connection_state *state, const struct pdu *pdu,
		    struct buf *out, struct err *err)
{
	uint8_t opcode = pdu_opcode(pdu->bhs);
	char name[16];

	if (pdu->data_digest_bad)
		return err_set(err, EBADMSG, "the data digest of a %s is wrong",
			       pdu_opcode_name(opcode, name));
	if (!(opcode & 0x20) || opcode == OP_LOGIN_RESPONSE)
		return err_set(err, EPROTO, "the target sent a %s, which cannot come now",
			       pdu_opcode_name(opcode, name));
	take_numbers(session, pdu);
	release_held(session, out);
	switch (opcode) {
	case OP_ASYNC:
		return take_async(state, pdu, err);
	case OP_REJECT:
		return err_set(err, EPROTO, "the target rejected a request: %s (0x%02x)",
			       status_of_reject(pdu->bhs[REJECT_REASON]), pdu->bhs[REJECT_REASON]);
	case OP_LOGOUT_RESPONSE:
		return take_logout(state, pdu, err);
	case OP_NOP_IN:
		if (get_be32(pdu->bhs + BHS_ITT) != TAG_NONE)
			break;
		answer_ping(session, pdu, out);
		return SESSION_SERVED;
	default:
		break;
	}
	/* After the logout what comes answers what was given up. */
	return *state == S6_IN_LOGOUT ? SESSION_SERVED : SESSION_PDU;
}
