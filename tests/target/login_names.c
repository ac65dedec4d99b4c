/* SPDX-License-Identifier: MIT */
/* Who logs in to what. */
#include "login_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "connection.h"
#include "err.h"
#include "gateway.h"
#include "iscsi/name.h"
#include "iscsi/status.h"

/*
 * An iSCSI name with the letters of ASCII made small: initiators should have
 * done so, and one initiator must not have two identities. NULL where it is
 * none (4.2.7), or without memory.
 */
static char *fold_name(const char *name, struct err *err)
{
	size_t len = strlen(name);
	char *folded = malloc(len + 1);

	if (!folded) {
		err_oom(err);
		return NULL;
	}
	target_name_fold(name, len, folded);
	if (name_check(folded, len, err) >= 0)
		return folded;
	free(folded);
	return NULL;
}

/* Keep a text of the peer in place of another. */
static unsigned int keep_text(char **out, const char *value, struct err *err)
{
	free(*out);
	*out = strdup(value);
	if (*out)
		return 0;
	err_oom(err);
	return LOGIN_OUT_OF_RESOURCES;
}

/* Look through the first request for who wants what, whatever the order of its keys is. */
static unsigned int scan_names(struct target_login *login, struct text_iter it, struct err *err)
{
	struct text_pair pair;
	unsigned int status = 0;
	int rc;

	while (status == 0 && (rc = text_next(&it, &pair, err)) != 0) {
		if (rc < 0)
			return LOGIN_INITIATOR_ERROR;
		switch (param_find(pair.key)) {
		case PARAM_SESSION_TYPE:
			login->discovery = strcmp(pair.value, "Discovery") == 0;
			if (!login->discovery && strcmp(pair.value, "Normal") != 0) {
				err_set(err, EPROTO, "SessionType='%.64s' (RFC 7143, 13.21)",
					pair.value);
				status = LOGIN_INITIATOR_ERROR;
			}
			break;
		case PARAM_INITIATOR_NAME:
			status = keep_text(&login->sent_initiator, pair.value, err);
			break;
		case PARAM_TARGET_NAME:
			status = keep_text(&login->sent_target, pair.value, err);
			break;
		default:
			break;
		}
	}
	return status;
}

unsigned int target_login_check_tsih(const struct connection *connection, struct err *err)
{
	const struct target_login *login = connection->login;
	const struct session *session;

	if (login->tsih == 0)
		return 0;
	session = session_find_tsih(connection->gateway, login->tsih);
	if (!session || session->discovery != login->discovery ||
	    session->target != login->target || memcmp(session->isid, login->isid, ISID_LEN) != 0 ||
	    strcmp(session->initiator, login->initiator) != 0) {
		err_set(err, ENOENT, "TSIH %u is no session of this initiator, ISID and target",
			login->tsih);
		return LOGIN_NO_SESSION;
	}
	if (session->connection->cid != login->cid) {
		err_set(err, EPROTO, "a second connection (CID %u) in a session that has one",
			login->cid);
		return LOGIN_TOO_MANY_CONNECTIONS;
	}
	return 0;
}

static unsigned int find_target(struct connection *connection, struct err *err)
{
	struct target_login *login = connection->login;
	CLEANUP(free_ptr) char *folded = NULL;

	if (!login->sent_target) {
		if (login->discovery)
			return 0;
		err_set(err, EPROTO, "the first request has no TargetName");
		return LOGIN_MISSING_PARAMETER;
	}
	folded = fold_name(login->sent_target, err);
	if (!folded)
		return LOGIN_INITIATOR_ERROR;
	login->target = target_list_find(&connection->gateway->targets, folded, strlen(folded));
	if (login->target)
		return 0;
	err_set(err, ENOENT, "there is no target '%s' here", login->sent_target);
	return LOGIN_NOT_FOUND;
}

unsigned int target_login_names(struct connection *connection, struct text_iter it, struct err *err)
{
	struct target_login *login = connection->login;
	unsigned int status = scan_names(login, it, err);

	if (status != 0)
		return status;
	if (!login->sent_initiator) {
		err_set(err, EPROTO, "the first request has no InitiatorName");
		return LOGIN_MISSING_PARAMETER;
	}
	login->initiator = fold_name(login->sent_initiator, err);
	if (!login->initiator)
		return LOGIN_INITIATOR_ERROR;
	login->params.value[PARAM_SESSION_TYPE] =
		login->discovery ? SESSION_DISCOVERY : SESSION_NORMAL;
	status = find_target(connection, err);
	if (status == 0)
		status = target_login_check_tsih(connection, err);
	if (status == 0)
		(void)params_set_list(
			&login->params, PARAM_AUTH_METHOD,
			auth_methods(&login->auth, connection->gateway, login->target), err);
	return status;
}

bool target_login_repeats(const struct target_login *login, uint64_t before,
			  const struct text_pair *pair)
{
	enum param key = param_find(pair->key);

	if (key == PARAM_UNKNOWN || !(before & UINT64_C(1) << key))
		return false;
	switch (key) {
	case PARAM_INITIATOR_NAME:
		return strcmp(pair->value, login->sent_initiator) == 0;
	case PARAM_TARGET_NAME:
		return login->sent_target && strcmp(pair->value, login->sent_target) == 0;
	case PARAM_SESSION_TYPE:
		return strcmp(pair->value, login->discovery ? "Discovery" : "Normal") == 0;
	case PARAM_INITIATOR_ALIAS:
		return true;
	default:
		return false;
	}
}
