/* SPDX-License-Identifier: MIT */
#include "login.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "connection.h"
#include "err.h"
#include "expect.h"
#include "gateway.h"
#include "login_state.h"
#include "iscsi/bytes.h"
#include "iscsi/status.h"
#include "iscsi/text.h"
#include "transcript.h"

enum {
	FIRST_BURST_MAX = 262144,
	MAX_BURST_MAX = 16776192, /* what open-iscsi offers, so that it can be seen to be kept */
	OUTSTANDING_R2T_MAX = 8,
};

/* What we answer an initiator's offers with. */
static const struct wish {
	enum param key;
	uint32_t value;
} wishes[] = {
	{ PARAM_MAX_CONNECTIONS, 1 },
	{ PARAM_INITIAL_R2T, 0 },
	{ PARAM_IMMEDIATE_DATA, 1 },
	{ PARAM_MAX_RECV_DATA_SEGMENT_LENGTH, GATEWAY_MAX_RECV },
	{ PARAM_MAX_BURST_LENGTH, MAX_BURST_MAX },
	{ PARAM_FIRST_BURST_LENGTH, FIRST_BURST_MAX },
	{ PARAM_DEFAULT_TIME2WAIT, 2 },
	{ PARAM_DEFAULT_TIME2RETAIN, 20 },
	{ PARAM_MAX_OUTSTANDING_R2T, OUTSTANDING_R2T_MAX },
	{ PARAM_DATA_PDU_IN_ORDER, 1 },
	{ PARAM_DATA_SEQUENCE_IN_ORDER, 1 },
	{ PARAM_ERROR_RECOVERY_LEVEL, 0 },
	{ PARAM_PROTOCOL_LEVEL, 1 },
	{ PARAM_TARGET_PORTAL_GROUP_TAG, PORTAL_GROUP_TAG },
};

struct target_login *target_login_new(void)
{
	struct target_login *login = calloc(1, sizeof(*login));
	struct err err;

	if (!login)
		return NULL;
	params_init(&login->params, PARAMS_TARGET);
	/* The values above are in range, the lists those of the table. */
	for (size_t i = 0; i < ARRAY_LEN(wishes); i++)
		(void)params_set(&login->params, wishes[i].key, wishes[i].value, &err);
	(void)params_set_list(&login->params, PARAM_HEADER_DIGEST, "CRC32C,None", &err);
	(void)params_set_list(&login->params, PARAM_DATA_DIGEST, "CRC32C,None", &err);
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

static uint8_t *begin_response(struct connection *connection, uint8_t flags)
{
	const struct target_login *login = connection->login;
	uint8_t *bhs = connection_answer(connection, OP_LOGIN_RESPONSE, flags);

	memcpy(bhs + LOGIN_ISID, login->isid, ISID_LEN);
	put_be16(bhs + LOGIN_TSIH, login->tsih);
	put_be32(bhs + BHS_ITT, login->tag);
	return bhs;
}

static struct login_facts facts_of(const struct target_login *login)
{
	const struct target *target = login->target;

	return (struct login_facts){
		.initiator = login->initiator,
		.target = target ? target->name : login->sent_target,
		.target_len = target		   ? target->name_len
			      : login->sent_target ? strlen(login->sent_target)
						   : 0,
		.discovery = login->discovery,
		.chap = auth_word(&login->auth),
		.value = login->params.value,
	};
}

void target_login_redirect(struct target_login *login, const char *address)
{
	login->address.len = 0;
	buf_addf(&login->address, "TargetAddress=%s", address);
	buf_add(&login->address, "", 1);
}

/* Status-Class ≠ 0: no flags, no key but where else to go, and the connection closes (11.13.5). */
static void refuse(struct connection *connection, unsigned int status, const struct err *err)
{
	struct login_facts facts = facts_of(connection->login);
	const struct target_login *login = connection->login;
	const char *text = buf_text(&login->address);
	uint8_t *bhs = begin_response(connection, 0);

	facts.status = status;
	facts.reason = err->reason;
	put_be16(bhs + LOGIN_STATUS, (uint16_t)status);
	connection_number(connection, bhs, true);
	connection_send(connection, bhs, text, login->address.len, DATA_SCRATCH);
	transcript_login_text(connection, false, login->stage, text, login->address.len);
	event_count(&connection->gateway->events, EVENT_REFUSED);
	transcript_login(connection, &facts);
	connection_close(connection, "the login was refused");
}

/* Whether the rules let a login go on; where they do not it was answered, or will never be. */
static bool goes_on(struct connection *connection, enum event event)
{
	const struct events *events = &connection->gateway->events;
	enum verdict verdict = event_ask(events, event, connection, NULL);
	struct err err;

	if (verdict != VERDICT_REFUSE)
		return connection_strike(connection, verdict);
	err_set(&err, EACCES, "a fault that was asked for");
	refuse(connection, events->struck.status, &err);
	return false;
}

static bool answer_waits(const struct target_login *login)
{
	return login->answered < login->answer.len;
}

/* Send the next part of the answer: the flags are those of the last (11.13.7). */
static void send_part(struct connection *connection, uint8_t flags)
{
	struct target_login *login = connection->login;
	size_t left = login->answer.len - login->answered, len = left;
	const char *text = buf_text(&login->answer) + login->answered;
	uint8_t *bhs;

	if (left > connection->gateway->limits.login_part) {
		len = connection->gateway->limits.login_part;
		flags = (uint8_t)(FLAG_CONTINUE | login->stage << LOGIN_CSG_SHIFT);
	}
	bhs = begin_response(connection, flags);
	connection_number(connection, bhs, true);
	connection_send(connection, bhs, text, len, DATA_SCRATCH);
	transcript_login_text(connection, false, login->stage, text, len);
	login->answered += len;
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

/* The first request sets what later ones must repeat; version and CID count once (11.12.4, 11.12.7). */
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

/* One pair of a request. CHAP keys are put aside: they are looked at together. */
static unsigned int take_pair(struct target_login *login, const struct text_pair *pair,
			      const char **chap, struct err *err)
{
	enum param key = PARAM_UNKNOWN;
	int outcome = params_receive(&login->params, login->stage, pair, &login->answer, &key, err);

	if (outcome < 0)
		return LOGIN_INITIATOR_ERROR;
	if (login->tsih != 0 && key != PARAM_UNKNOWN && key != PARAM_SESSION_TYPE &&
	    (param_defs[key].flags & PARAM_LEADING_ONLY)) {
		err_set(err, EPROTO, "%s belongs to the session's first login (RFC 7143, %s)",
			param_defs[key].key, param_defs[key].section);
		return LOGIN_INITIATOR_ERROR;
	}
	if (outcome == PARAMS_SECURITY) {
		chap[key - PARAM_CHAP_A] = pair->value;
	} else if (key == PARAM_AUTH_METHOD && outcome == PARAMS_REJECTED) {
		err_set(err, EACCES, "AuthMethod=%.64s has none that is accepted here%s",
			pair->value, login->auth.demanded ? ": CHAP is demanded" : "");
		return LOGIN_AUTHENTICATION_FAILED;
	} else if (key == PARAM_AUTH_METHOD) {
		auth_method(&login->auth, login->params.value[PARAM_AUTH_METHOD]);
	}
	return 0;
}

/* The CHAP keys of a request; step: how far the proof was before it. */
static unsigned int take_chap(struct connection *connection, const char *const *chap,
			      enum auth_step step, struct err *err)
{
	struct target_login *login = connection->login;
	const struct auth_parties parties = {
		.initiator = login->initiator,
		.sent_name = login->sent_initiator,
		.target = login->target,
	};
	bool none = true;

	for (int i = 0; i < AUTH_KEYS; i++)
		none = none && !chap[i];
	if (none)
		return 0;
	if (step != AUTH_NO_METHOD)
		return auth_receive(&login->auth, connection->gateway, &parties, chap,
				    &login->answer, err);
	err_set(err, EPROTO, "CHAP keys before AuthMethod=CHAP is agreed on");
	return LOGIN_AUTHENTICATION_FAILED;
}

/* All pairs of a whole request, and the answer to them. */
static unsigned int take_text(struct connection *connection, struct text_iter it, struct err *err)
{
	struct target_login *login = connection->login;
	const char *chap[AUTH_KEYS] = { NULL };
	enum auth_step step = login->auth.step;
	uint64_t before = login->params.received;
	unsigned int status = 0;
	struct text_pair pair;
	int rc;

	while (status == 0 && (rc = text_next(&it, &pair, err)) != 0) {
		if (rc < 0)
			return LOGIN_INITIATOR_ERROR;
		if (!target_login_repeats(login, before, &pair))
			status = take_pair(login, &pair, chap, err);
	}
	if (status == 0)
		status = take_chap(connection, chap, step, err);
	if (status != 0)
		return status;
	if (!login->discovery)
		params_offer(&login->params, PARAM_TARGET_PORTAL_GROUP_TAG, &login->answer);
	if (login->stage == STAGE_OPERATIONAL) {
		params_offer(&login->params, PARAM_MAX_RECV_DATA_SEGMENT_LENGTH, &login->answer);
		login->declared = true;
	}
	params_settle(&login->params, &login->answer);
	if (!login->answer.failed)
		return 0;
	err_oom(err);
	return LOGIN_OUT_OF_RESOURCES;
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

static void report(const struct connection *connection)
{
	struct gateway *gateway = connection->gateway;
	struct login_facts facts = facts_of(connection->login);

	event_count(&gateway->events, facts.discovery ? EVENT_DISCOVERY : EVENT_LOGIN);
	transcript_login(connection, &facts);
	if (!facts.discovery)
		expectations_login(gateway->expectations, connection->number, &facts);
}

/* The last response, and everything of the full feature phase in force behind it. */
static void finish(struct connection *connection, uint8_t flags)
{
	struct target_login *login = connection->login;
	const struct session *session;
	unsigned int status;
	struct err err;

	if (!goes_on(connection, login->discovery ? EVENT_DISCOVERY : EVENT_LOGIN))
		return;
	status = target_login_session(connection, &err);
	session = connection->session;
	if (status != 0) {
		refuse(connection, status, &err);
		return;
	}
	login->tsih = session->tsih;
	send_part(connection, flags);
	report(connection);

	connection->phase = CONNECTION_FULL;
	connection->cid = login->cid;
	connection->max_send = session->value[PARAM_MAX_RECV_DATA_SEGMENT_LENGTH];
	connection->header_digest = session->value[PARAM_HEADER_DIGEST] == DIGEST_CRC32C;
	connection->data_digest = session->value[PARAM_DATA_DIGEST] == DIGEST_CRC32C;
	connection->reader.header_digest = connection->header_digest;
	connection->reader.data_digest = connection->data_digest;
	if (login->declared)
		connection->reader.max_data = GATEWAY_MAX_RECV;
	target_login_free(TAKE_PTR(connection->login));
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
	if (!answer_waits(login)) {
		login->answer.len = login->answered = 0;
		if (!login->named)
			status = target_login_names(connection, it, err);
		login->named = true;
		if (status == 0)
			status = take_text(connection, it, err);
	}
	if (status == 0)
		status = answer_flags(login, bhs, before, &flags, err);
	if (status != 0)
		return status;

	/* What does not fit now has no transit either: it goes with the last part. */
	if (login->answer.len - login->answered > connection->gateway->limits.login_part)
		flags = 0;
	if ((flags & LOGIN_TRANSIT) && (flags & LOGIN_NSG) == STAGE_FULL_FEATURE) {
		finish(connection, flags);
		return 0;
	}
	send_part(connection, flags);
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

	if (status == 0 && !goes_on(connection, EVENT_LOGIN_REQUEST))
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
	if (status == 0 && answer_waits(login) && pdu->data_len > 0) {
		err_set(err, EPROTO, "new text before the end of the answer was taken");
		status = LOGIN_INITIATOR_ERROR;
	}
	if (status != 0)
		return status;
	if (pdu->bhs[BHS_FLAGS] & FLAG_CONTINUE) {
		status = join(connection, pdu, err);
		if (status == 0)
			send_part(connection, (uint8_t)(login->stage << LOGIN_CSG_SHIFT));
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
		refuse(connection, status, &err);
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
	refuse(connection, LOGIN_INITIATOR_ERROR, err);
}
