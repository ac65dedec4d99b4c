/* SPDX-License-Identifier: MIT */
#include "iscsi/discovery_task.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "iscsi/bytes.h"
#include "iscsi/connection.h"
#include "iscsi/status.h"
#include "os/resolve.h"

enum {
	PARTS_MAX = 100000, /* of one answer */
	EMPTY_MAX = 16, /* parts in a row that bring nothing */
	TEXT_ITT = 2,
};

static void add_note(struct discovery_result *result, const char *text)
{
	char shown[4 * ERR_REASON_MAX];

	escape_text(text, strlen(text), shown, sizeof(shown));
	buf_addf(&result->notes, "%s\n", shown);
}

static const struct portal *candidate(const struct discovery_task *task)
{
	return &task->candidates[task->candidate_at];
}

static void finish_with(struct discovery_task *task, const struct err *why)
{
	struct discovery_result *result = &task->result;
	char asked[PORTAL_TEXT_MAX], at[PORTAL_TEXT_MAX];

	result->rc = -why->code;
	result->err = *why;
	portal_text(&result->asked, asked);
	portal_text(candidate(task), at);
	result->err.place[0] = '\0';
	if (task->hops > 0)
		err_at(&result->err, "%s, redirected to %s", asked, at);
	else
		err_at(&result->err, "%s", asked);
	targets_done(&result->targets);
	task->done(task);
}

static void try_candidate(struct discovery_task *task);

/* A candidate that cannot be reached is no end while there are others. */
static void fail(struct discovery_task *task, const struct err *why)
{
	if (task->result.stage <= DISCOVERY_CONNECT &&
	    task->candidate_at + 1 < task->candidate_count) {
		add_note(&task->result, why->reason);
		task->candidate_at++;
		try_candidate(task);
		return;
	}
	finish_with(task, why);
}

/* What the connection knows, before it goes. */
static void take_login(struct discovery_task *task)
{
	const struct login *login = connection_login(task->connection);
	struct discovery_result *result = &task->result;

	result->status = login->status;
	result->ours = login->ours;
	result->theirs = login->theirs;
	result->moved_for_good |= login->status == LOGIN_MOVED_PERMANENTLY;
	result->answered = *candidate(task);
	result->address = *connection_address(task->connection);
	result->connect_us = connection_connect_us(task->connection);
	if (result->stage == DISCOVERY_CONNECT && result->connect_us > 0)
		result->stage = DISCOVERY_LOGIN;
	if (login->notes.len > 0)
		buf_adds(&result->notes, login->notes.data);
}

static bool was_visited(const struct discovery_task *task, const struct portal *portal)
{
	for (unsigned int i = 0; i < task->hops; i++)
		if (portal_equal(&task->visited[i], portal))
			return true;
	return false;
}

/* Go where the target says, but neither for ever nor in a circle. */
static void follow(struct discovery_task *task, const struct login *login)
{
	struct portal next[LOGIN_REDIRECTS_MAX];
	size_t count = 0;
	struct err err;

	if (task->hops == DISCOVERY_HOPS_MAX) {
		err_set(&err, ELOOP, "login failed: redirected more than %d times",
			DISCOVERY_HOPS_MAX);
		finish_with(task, &err);
		return;
	}
	task->visited[task->hops++] = *candidate(task);
	for (size_t i = 0; i < login->redirect_count; i++)
		if (!was_visited(task, &login->redirects[i]))
			next[count++] = login->redirects[i];
	if (count == 0) {
		err_set(&err, ELOOP, "login failed: redirected in a circle");
		finish_with(task, &err);
		return;
	}
	memcpy(task->candidates, next, count * sizeof(next[0]));
	task->candidate_count = count;
	task->candidate_at = 0;
	try_candidate(task);
}

static void connection_closed(void *arg, int rc, const struct err *why)
{
	struct discovery_task *task = arg;
	struct connection *connection = task->connection;
	struct err err = *why;

	take_login(task);
	task->connection = NULL;
	if (rc == CONNECTION_REDIRECTED) {
		task->from_afar |= connection_address_kind(connection) != ADDRESS_LOOPBACK;
		follow(task, connection_login(connection));
	} else if (task->complete) {
		if (rc != 0)
			add_note(&task->result, err.reason);
		task->done(task);
	} else {
		if (rc >= 0)
			err_set(&err, ECONNRESET,
				"SendTargets failed: the target asked for a logout before it had "
				"answered");
		fail(task, &err);
	}
	connection_free(connection);
}

/* Ask for the first part (ttt TAG_NONE), or with the tags of a part for the next (11.10.4). */
static void ask(struct discovery_task *task, const struct pdu *part)
{
	static const char all[] = "SendTargets=All";
	uint8_t bhs[BHS_LEN] = { OP_TEXT_REQUEST, FLAG_FINAL };
	struct err err;

	put_be32(bhs + BHS_ITT, TEXT_ITT);
	put_be32(bhs + BHS_TTT, TAG_NONE);
	if (part) {
		memcpy(bhs + BHS_LUN, part->bhs + BHS_LUN, 8);
		memcpy(bhs + BHS_TTT, part->bhs + BHS_TTT, 4);
	}
	if (connection_request(task->connection, bhs, part ? NULL : all, part ? 0 : sizeof(all),
			       "answer to SendTargets", &err) < 0)
		connection_fail(task->connection, &err);
}

static void connection_ready(void *arg)
{
	struct discovery_task *task = arg;

	task->result.stage = DISCOVERY_TEXT;
	ask(task, NULL);
}

/* A Text Response: a part of the answer, or the end of it (11.11). */
static int take_part(struct discovery_task *task, const struct pdu *pdu, struct err *err)
{
	bool final = pdu->bhs[BHS_FLAGS] & FLAG_FINAL, more = pdu->bhs[BHS_FLAGS] & FLAG_CONTINUE;
	struct targets *targets = &task->result.targets;
	char name[16];
	int rc;

	if (pdu_opcode(pdu->bhs) != OP_TEXT_RESPONSE)
		return err_set(err, EPROTO, "the target sent a %s",
			       pdu_opcode_name(pdu->bhs[BHS_OPCODE], name));
	if (get_be32(pdu->bhs + BHS_ITT) != TEXT_ITT)
		return err_set(err, EPROTO, "the target answers another task (0x%08x)",
			       get_be32(pdu->bhs + BHS_ITT));
	if (final && more)
		return err_set(err, EPROTO, "a part is the last and goes on (RFC 7143, 11.11.1)");
	if (!final && get_be32(pdu->bhs + BHS_TTT) == TAG_NONE)
		return err_set(err, EPROTO, "a part goes on without a tag (RFC 7143, 11.11.4)");
	task->bytes += pdu->data_len;
	task->empty = pdu->data_len > 0 ? 0 : task->empty + 1;
	if (task->bytes > task->options->max_bytes || ++task->parts > PARTS_MAX)
		return err_set(err, EMSGSIZE, "the answer is longer than %zu bytes or %d parts",
			       task->options->max_bytes, PARTS_MAX);
	if (!final && task->empty > EMPTY_MAX)
		return err_set(err, EPROTO, "the answer goes on with nothing in it");
	rc = targets_feed(targets, pdu->data, pdu->data_len, err);
	if (rc < 0 || !final)
		return rc;
	task->complete = true;
	return targets_end(targets, candidate(task), connection_address_kind(task->connection),
			   err);
}

static void connection_pdu(void *arg, const struct pdu *pdu)
{
	struct discovery_task *task = arg;
	struct err why, err;

	if (take_part(task, pdu, &why) < 0) {
		task->complete = false;
		err_set(&err, why.code, "SendTargets failed: %s", why.reason);
		connection_fail(task->connection, &err);
	} else if (task->complete) {
		task->result.stage = DISCOVERY_LOGOUT;
		connection_logout(task->connection);
	} else {
		ask(task, pdu);
	}
}

static const struct connection_handler handler = {
	.ready = connection_ready,
	.pdu = connection_pdu,
	.closed = connection_closed,
};

static void open_connection(struct discovery_task *task, const struct socket_address *addresses,
			    size_t count)
{
	const struct connection_limits limits = {
		.connect_ms = task->options->connect_ms,
		.answer_ms = task->options->answer_ms,
		.from_afar = task->from_afar,
	};
	struct err err;

	task->result.stage = DISCOVERY_CONNECT;
	/*
	 * A new one each time: the same would end a session that another login
	 * has begun (6.3.5).
	 */
	if (login_isid_random(task->config.isid, &err) == 0)
		task->connection = connection_open(task->loop, addresses, count, &task->config,
						   task->params, &limits, &handler, task, &err);
	if (!task->connection)
		finish_with(task, &err);
}

static void looked_up(void *arg, const struct socket_address *addresses, int count,
		      const struct err *err)
{
	struct discovery_task *task = arg;

	task->resolve = NULL;
	if (count < 0)
		fail(task, err);
	else
		open_connection(task, addresses, (size_t)count);
}

static void try_candidate(struct discovery_task *task)
{
	const struct portal *portal = candidate(task);
	struct socket_address address;
	struct err err;

	task->result.stage = DISCOVERY_RESOLVE;
	if (portal->numeric && socket_address_parse(portal->host, portal->port, &address) == 0) {
		open_connection(task, &address, 1);
		return;
	}
	task->resolve =
		resolve_start(task->loop, portal->host, portal->port, looked_up, task, &err);
	if (!task->resolve)
		finish_with(task, &err);
}

static void took_too_long(void *arg)
{
	struct discovery_task *task = arg;
	struct err err;
	char text[16];

	if (task->connection)
		take_login(task);
	err_set(&err, ETIMEDOUT, "%s did not come to an end within %s in all",
		discovery_stage_name(task->result.stage),
		connection_duration(task->options->total_ms, text));
	if (task->complete) {
		add_note(&task->result, err.reason);
		task->done(task);
	} else {
		finish_with(task, &err);
	}
}

void discovery_task_start(struct discovery_task *task)
{
	const struct discovery_options *options = task->options;
	struct err err;

	task->candidates[0] = task->result.asked;
	task->candidate_count = 1;
	task->config = (struct login_config){
		.initiator_name = options->initiator_name,
		.portal_group_tag = PORTAL_NO_TAG,
		.auth = options->auth,
		.user = options->user,
		.secret = options->secret,
		.target_secret = options->target_secret,
		.target_user = options->target_user,
	};
	memcpy(task->config.algorithms, options->algorithms, sizeof(options->algorithms));
	task->total = (struct loop_timer){ .fire = took_too_long, .arg = task };
	if (loop_timer_set(task->loop, &task->total, options->total_ms, &err) < 0)
		finish_with(task, &err);
	else
		try_candidate(task);
}

void discovery_task_free(struct discovery_task *task)
{
	loop_timer_cancel(task->loop, &task->total);
	if (task->resolve)
		resolve_cancel(task->resolve);
	connection_free(task->connection);
	discovery_result_done(&task->result);
	free(task);
}
