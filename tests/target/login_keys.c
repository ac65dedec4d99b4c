/* SPDX-License-Identifier: MIT */
/* What an initiator offers, and what it gets. */
#include "login_state.h"

#include <errno.h>

#include "buf.h"
#include "connection.h"
#include "err.h"
#include "gateway.h"
#include "iscsi/status.h"

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

void target_login_wish(struct target_login *login)
{
	struct err err;

	params_init(&login->params, PARAMS_TARGET);
	/* The values above are in range, the lists those of the table. */
	for (size_t i = 0; i < ARRAY_LEN(wishes); i++)
		(void)params_set(&login->params, wishes[i].key, wishes[i].value, &err);
	(void)params_set_list(&login->params, PARAM_HEADER_DIGEST, "CRC32C,None", &err);
	(void)params_set_list(&login->params, PARAM_DATA_DIGEST, "CRC32C,None", &err);
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

unsigned int target_login_keys(struct connection *connection, struct text_iter it, struct err *err)
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
