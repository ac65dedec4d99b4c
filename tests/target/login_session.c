/* SPDX-License-Identifier: MIT */
/* From a login to its session: a new one, or one that it takes over. */
#include "login_state.h"

#include <errno.h>
#include <string.h>

#include "connection.h"
#include "err.h"
#include "gateway.h"
#include "iscsi/status.h"
#include "task_management.h"
#include "task_pool.h"

/* Of a connection that takes over in its session only what is a connection's is new (13). */
static void take_values(struct session *session, const struct target_login *login)
{
	static const enum param own[] = { PARAM_HEADER_DIGEST, PARAM_DATA_DIGEST,
					  PARAM_MAX_RECV_DATA_SEGMENT_LENGTH };

	if (login->tsih == 0)
		memcpy(session->value, login->params.value, sizeof(session->value));
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		session->value[own[i]] = login->params.value[own[i]];
}

/* The session goes on by this connection, the old one ends (connection reinstatement, 6.3.4). */
static unsigned int take_over(struct connection *connection, struct session **out, struct err *err)
{
	unsigned int status =
		target_login_check_tsih(connection, err); /* it may have ended meanwhile */
	struct connection *old;

	if (status != 0)
		return status;
	*out = session_find_tsih(connection->gateway, connection->login->tsih);
	old = (*out)->connection;
	old->session = NULL;
	connection_end(old, "another connection took its place");
	session_drop_held(*out);
	task_management_drop(*out);
	task_pool_drop(*out); /* their connection is gone (6.3.4) */
	return 0;
}

/* A new session; a live one of the same identity ends (session reinstatement, 6.3.5). */
static unsigned int make_session(struct connection *connection, struct session **out,
				 struct err *err)
{
	struct gateway *gateway = connection->gateway;
	const struct target_login *login = connection->login;
	const struct session_key key = {
		.initiator = login->initiator,
		.isid = login->isid,
		.target = login->target,
		.discovery = login->discovery,
		.portal = connection->portal,
	};
	struct session *old = session_find(gateway, &key);

	if (!old && gateway->sessions.count >= gateway->limits.sessions) {
		err_set(err, ENOSPC, "there are %u sessions, which is the limit",
			gateway->sessions.count);
		return LOGIN_OUT_OF_RESOURCES;
	}
	if (!login->discovery && !session_admits(gateway, login->target, login->initiator)) {
		err_set(err, ENOSPC, "the target is in use by %u initiators, which is the limit",
			gateway->limits.initiators);
		return LOGIN_OUT_OF_RESOURCES;
	}
	if (old)
		connection_end(old->connection, "a new login took the session's place");
	*out = session_new(gateway, &key);
	if (!*out) {
		err_oom(err);
		return LOGIN_OUT_OF_RESOURCES;
	}
	(*out)->exp_cmd_sn = login->cmd_sn;
	return 0;
}

unsigned int target_login_session(struct connection *connection, struct err *err)
{
	struct session *session = NULL;
	unsigned int status = connection->login->tsih != 0
				      ? take_over(connection, &session, err)
				      : make_session(connection, &session, err);

	if (status != 0)
		return status;
	session->connection = connection;
	session->chap = auth_word(&connection->login->auth);
	take_values(session, connection->login);
	connection->session = session;
	return 0;
}
