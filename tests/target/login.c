/* SPDX-License-Identifier: MIT */
#include "login.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "connection.h"
#include "err.h"
#include "gateway.h"
#include "iscsi/bytes.h"
#include "iscsi/status.h"
#include "iscsi/text.h"
#include "login_state.h"
#include "transcript.h"

struct target_login *target_login_new(void)
{
	struct target_login *login = calloc(1, sizeof(*login));

	if (login)
		target_login_wish(login);
	return login;
}

void target_login_free(struct target_login *login)
{
	if (!login)
		return;
	buf_done(&login->text);
	buf_done(&login->answer);
	buf_done(&login->address);
	free(login->initiator);
	free(login->sent_initiator);
	free(login->sent_target);
	free(login);
}

const char *target_login_initiator(const struct target_login *login)
{
	return login->initiator;
}

const struct target *target_login_target(const struct target_login *login)
{
	return login->target;
}

uint32_t target_login_cmd_sn(const struct target_login *login)
{
	return login->cmd_sn;
}

/* What the header says by itself. Returns a status. */
static unsigned int check_header(struct target_login *login, const struct pdu *pdu, struct err *err)
{
	uint8_t flags = pdu->bhs[BHS_FLAGS];
	unsigned int csg = (flags & LOGIN_CSG) >> LOGIN_CSG_SHIFT, nsg = flags & LOGIN_NSG;

	if (pdu->ahs_len > 0)
		err_set(err, EPROTO, "a login request has an additional header segment");
	else if (csg != STAGE_SECURITY && csg != STAGE_OPERATIONAL)
		err_set(err, EPROTO, "current stage %u is none of a login", csg);
	else if ((flags & LOGIN_TRANSIT) && (nsg == STAGE_RESERVED || nsg <= csg))
		err_set(err, EPROTO, "transit from stage %u to stage %u", csg, nsg);
	else if ((flags & LOGIN_TRANSIT) && (flags & FLAG_CONTINUE))
		err_set(err, EPROTO, "transit in a request that is to be continued");
	else if (csg != (unsigned int)login->stage)
		err_set(err, EPROTO, "request in stage %u, the login is in stage %u", csg,
			login->stage);
	else
		return 0;
	return LOGIN_INITIATOR_ERROR;
}

/*
 * The first request sets what later ones must repeat; version and CID count
 * once (11.12.4, 11.12.7).
 */
static unsigned int check_identity(struct target_login *login, const uint8_t *bhs, struct err *err)
{
	if (login->begun) {
		if (get_be32(bhs + BHS_ITT) == login->tag &&
		    get_be16(bhs + LOGIN_TSIH) == login->tsih &&
		    memcmp(bhs + LOGIN_ISID, login->isid, ISID_LEN) == 0)
			return 0;
		err_set(err, EPROTO, "task tag, TSIH or ISID changed in mid login");
		return LOGIN_INITIATOR_ERROR;
	}
	login->begun = true;
	login->stage = (enum login_stage)((bhs[BHS_FLAGS] & LOGIN_CSG) >> LOGIN_CSG_SHIFT);
	login->tag = get_be32(bhs + BHS_ITT);
	login->cmd_sn = get_be32(bhs + BHS_CMD_SN);
	memcpy(login->isid, bhs + LOGIN_ISID, ISID_LEN);
	login->tsih = get_be16(bhs + LOGIN_TSIH);
	login->cid = get_be16(bhs + LOGIN_CID);
	if (bhs[LOGIN_VERSION_MIN] == 0)
		return 0;
	err_set(err, EPROTO, "protocol version %u or later is asked for", bhs[LOGIN_VERSION_MIN]);
	return LOGIN_VERSION_UNSUPPORTED;
}

/*
 * The flags of the answer. A transit is granted when it was asked for and
 * whatever proof is due was given; one that is asked for in a request that
 * brings the proof no further is an attempt to do without.
 */
static unsigned int answer_flags(const struct target_login *login, const uint8_t *bhs,
				 enum auth_step before, uint8_t *flags, struct err *err)
{
	const struct auth *auth = &login->auth;
	bool due = auth->demanded ? !auth->proven
				  : auth->step != AUTH_NO_METHOD && auth->step != AUTH_DONE;

	*flags = (uint8_t)(login->stage << LOGIN_CSG_SHIFT);
	if (due && (login->stage != STAGE_SECURITY ||
		    ((bhs[BHS_FLAGS] & LOGIN_TRANSIT) && auth->step == before))) {
		err_set(err, EACCES, "the initiator goes on without the proof that is demanded");
		return LOGIN_AUTHENTICATION_FAILED;
	}
	if ((bhs[BHS_FLAGS] & LOGIN_TRANSIT) && !due)
		*flags |= (uint8_t)(LOGIN_TRANSIT | (bhs[BHS_FLAGS] & LOGIN_NSG));
	return 0;
}

/* A whole request, in one piece or joined. */
static unsigned int serve(struct connection *connection, const uint8_t *bhs, const char *text,
			  size_t len, struct err *err)
{
	struct target_login *login = connection->login;
	enum auth_step before = login->auth.step;
	struct text_iter it = { text, len };
	unsigned int status = 0;
	uint8_t flags = 0;

	transcript_login_text(connection, true, login->stage, text, len);
	if (!target_login_answer_waits(login)) {
		login->answer.len = login->answered = 0;
		if (!login->named)
			status = target_login_names(connection, it, err);
		login->named = true;
		if (status == 0)
			status = target_login_keys(connection, it, err);
	}
	if (status == 0)
		status = answer_flags(login, bhs, before, &flags, err);
	if (status != 0)
		return status;

	/* What does not fit now has no transit either: it goes with the last part. */
	if (login->answer.len - login->answered > connection->gateway->limits.login_part)
		flags = 0;
	if ((flags & LOGIN_TRANSIT) && (flags & LOGIN_NSG) == STAGE_FULL_FEATURE) {
		target_login_finish(connection, flags);
		return 0;
	}
	target_login_send_part(connection, flags);
	if (flags & LOGIN_TRANSIT)
		login->stage = (enum login_stage)(flags & LOGIN_NSG);
	return 0;
}

/* A part of a request (C bit) waits for the rest. */
static unsigned int join(struct connection *connection, const struct pdu *pdu, struct err *err)
{
	struct target_login *login = connection->login;

	if (login->text.len + pdu->data_len > connection->gateway->limits.login_text) {
		err_set(err, EPROTO, "a request in parts of more than %u bytes",
			connection->gateway->limits.login_text);
		return LOGIN_INITIATOR_ERROR;
	}
	buf_add(&login->text, pdu->data, pdu->data_len);
	if (!login->text.failed)
		return 0;
	err_oom(err);
	return LOGIN_OUT_OF_RESOURCES;
}

static unsigned int take_request(struct connection *connection, const struct pdu *pdu,
				 struct err *err)
{
	struct target_login *login = connection->login;
	unsigned int status = check_identity(login, pdu->bhs, err);

	if (status == 0 && !target_login_goes_on(connection, EVENT_LOGIN_REQUEST))
		return 0;
	if (status == 0)
		status = check_header(login, pdu, err);
	if (status == 0 && connection->over_limit) {
		err_set(err, ENOSPC, "there are %u connections, which is the limit",
			connection->gateway->limits.connections);
		status = LOGIN_OUT_OF_RESOURCES;
	}
	if (status == 0 && ++login->requests > connection->gateway->limits.login_requests) {
		err_set(err, EPROTO, "a login of more than %u requests",
			connection->gateway->limits.login_requests);
		status = LOGIN_INITIATOR_ERROR;
	}
	if (status == 0 && target_login_answer_waits(login) && pdu->data_len > 0) {
		err_set(err, EPROTO, "new text before the end of the answer was taken");
		status = LOGIN_INITIATOR_ERROR;
	}
	if (status != 0)
		return status;
	if (pdu->bhs[BHS_FLAGS] & FLAG_CONTINUE) {
		status = join(connection, pdu, err);
		if (status == 0)
			target_login_send_part(connection,
					       (uint8_t)(login->stage << LOGIN_CSG_SHIFT));
		return status;
	}
	if (login->text.len == 0)
		return serve(connection, pdu->bhs, (const char *)pdu->data, pdu->data_len, err);
	status = join(connection, pdu, err);
	if (status == 0) {
		CLEANUP(buf_done) struct buf text = login->text;

		login->text = (struct buf){ 0 };
		status = serve(connection, pdu->bhs, text.data, text.len, err);
	}
	return status;
}

void target_login_receive(struct connection *connection, const struct pdu *pdu)
{
	struct target_login *login = connection->login;
	unsigned int status;
	char name[16];
	struct err err;

	if (pdu_opcode(pdu->bhs) == OP_LOGIN_REQUEST) {
		status = take_request(connection, pdu, &err);
	} else if (login->begun) {
		err_set(&err, EPROTO, "%s in mid login", pdu_opcode_name(pdu->bhs[0], name));
		status = LOGIN_INVALID_REQUEST;
	} else {
		connection_end(connection, "the first PDU is no Login Request");
		return;
	}
	if (status != 0)
		target_login_refuse(connection, status, &err);
}

void target_login_too_long(struct connection *connection, const uint8_t *bhs, const struct err *err)
{
	struct target_login *login = connection->login;

	if (pdu_opcode(bhs) != OP_LOGIN_REQUEST) {
		connection_end(connection, err->reason);
		return;
	}
	if (!login->begun)
		login->tag = get_be32(bhs + BHS_ITT);
	target_login_refuse(connection, LOGIN_INITIATOR_ERROR, err);
}
