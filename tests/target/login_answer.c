/* SPDX-License-Identifier: MIT */
/* Login Responses: an answer in parts, a refusal, the last one of a login. */
#include "login.h"

#include <errno.h>
#include <string.h>

#include "buf.h"
#include "connection.h"
#include "err.h"
#include "expect.h"
#include "gateway.h"
#include "iscsi/bytes.h"
#include "login_state.h"
#include "transcript.h"

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

/* No flags, and no key but where else to go (11.13.5). */
void target_login_refuse(struct connection *connection, unsigned int status, const struct err *err)
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

bool target_login_goes_on(struct connection *connection, enum event event)
{
	const struct events *events = &connection->gateway->events;
	enum verdict verdict = event_ask(events, event, connection, NULL);
	struct err err;

	if (verdict != VERDICT_REFUSE)
		return connection_strike(connection, verdict);
	err_set(&err, EACCES, "a fault that was asked for");
	target_login_refuse(connection, events->struck.status, &err);
	return false;
}

void target_login_send_part(struct connection *connection, uint8_t flags)
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

static void report(const struct connection *connection)
{
	struct gateway *gateway = connection->gateway;
	struct login_facts facts = facts_of(connection->login);

	event_count(&gateway->events, facts.discovery ? EVENT_DISCOVERY : EVENT_LOGIN);
	transcript_login(connection, &facts);
	if (!facts.discovery)
		expectations_login(gateway->expectations, connection->number, &facts);
}

void target_login_finish(struct connection *connection, uint8_t flags)
{
	struct target_login *login = connection->login;
	const struct session *session;
	unsigned int status;
	struct err err;

	if (!target_login_goes_on(connection, login->discovery ? EVENT_DISCOVERY : EVENT_LOGIN))
		return;
	status = target_login_session(connection, &err);
	session = connection->session;
	if (status != 0) {
		target_login_refuse(connection, status, &err);
		return;
	}
	login->tsih = session->tsih;
	target_login_send_part(connection, flags);
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
