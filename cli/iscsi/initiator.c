/* SPDX-License-Identifier: MIT */
#include "iscsi/initiator.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "iscsi/bytes.h"
#include "iscsi/connection.h"
#include "iscsi/status.h"
#include "os/loop.h"
#include "os/resolve.h"

enum {
	TOTAL_MS = 30000,
	IN_FLIGHT = 64,
	BYTES_MAX = 16 << 20,
	PDUS_MAX = 100000, /* of one answer */
	EMPTY_MAX = 16, /* parts of an answer in a row that bring nothing */
	HOPS_MAX = 4, /* redirections one after the other */
	RECEIVE_MAX = 262144, /* our MaxRecvDataSegmentLength: big answers in few parts */
	TEXT_ITT = 2,
};

/* One portal under way. */
struct task {
	struct discovery *discovery;
	struct task *next, **self; /* in the list of those under way */
	struct discovery_result result;

	struct login_config config;
	struct connection *connection;
	struct resolve *resolve;
	struct loop_timer total;

	/* Where to go: first the portal itself, then what a redirection names. */
	struct portal candidates[LOGIN_REDIRECTS_MAX];
	size_t candidate_count, candidate_at;
	struct portal visited[HOPS_MAX + 1]; /* who redirected us so far */
	unsigned int hops;

	size_t bytes, pdus, empty;
	bool complete; /* the whole answer is here */
};

struct discovery {
	struct loop *loop;
	struct discovery_options options;
	struct params params;
	void (*found)(void *arg, struct discovery_result *result);
	void (*idle)(void *arg);
	void *arg;

	struct portal *queue; /* from queue_at on they wait */
	size_t queue_count, queue_size, queue_at;
	struct task *tasks;
	unsigned int in_flight;
	struct loop_timer pump; /* starts what waits, outside of all callbacks */
};

const char *discovery_stage_name(enum discovery_stage stage)
{
	static const char *const names[] = {
		[DISCOVERY_RESOLVE] = "host look-up", [DISCOVERY_CONNECT] = "connect",
		[DISCOVERY_LOGIN] = "login",	      [DISCOVERY_TEXT] = "SendTargets",
		[DISCOVERY_LOGOUT] = "logout",
	};

	return names[stage];
}

void discovery_result_done(struct discovery_result *result)
{
	targets_done(&result->targets);
	buf_done(&result->notes);
}

static void add_note(struct discovery_result *result, const char *text)
{
	char shown[4 * ERR_REASON_MAX];

	escape_text(text, strlen(text), shown, sizeof(shown));
	buf_addf(&result->notes, "%s\n", shown);
}

static void free_task(struct task *task)
{
	struct discovery *discovery = task->discovery;

	*task->self = task->next;
	if (task->next)
		task->next->self = task->self;
	discovery->in_flight--;
	loop_timer_cancel(discovery->loop, &task->total);
	if (task->resolve)
		resolve_cancel(task->resolve);
	connection_free(task->connection);
	discovery_result_done(&task->result);
	free(task);
}

static void pump_soon(struct discovery *discovery)
{
	struct err err;

	/* Once set, a timer's place in the heap is there: this cannot fail any more. */
	(void)loop_timer_set(discovery->loop, &discovery->pump, 0, &err);
}

/* Hand the result over and be gone. */
static void finish(struct task *task)
{
	struct discovery *discovery = task->discovery;

	discovery->found(discovery->arg, &task->result);
	free_task(task);
	pump_soon(discovery);
}

static const struct portal *candidate(const struct task *task)
{
	return &task->candidates[task->candidate_at];
}

static void finish_with(struct task *task, const struct err *why)
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
	finish(task);
}

static void try_candidate(struct task *task);

/* A candidate that cannot be reached is no end while there are others. */
static void fail(struct task *task, const struct err *why)
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
static void take_login(struct task *task)
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

static bool was_visited(const struct task *task, const struct portal *portal)
{
	for (unsigned int i = 0; i < task->hops; i++)
		if (portal_equal(&task->visited[i], portal))
			return true;
	return false;
}

/* Go where the target says, but neither for ever nor in a circle. */
static void follow(struct task *task, const struct login *login)
{
	struct portal next[LOGIN_REDIRECTS_MAX];
	size_t count = 0;
	struct err err;

	if (task->hops == HOPS_MAX) {
		err_set(&err, ELOOP, "login failed: redirected more than %d times", HOPS_MAX);
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
	struct task *task = arg;
	struct connection *connection = task->connection;
	struct err err = *why;

	take_login(task);
	task->connection = NULL;
	if (rc == CONNECTION_REDIRECTED) {
		follow(task, connection_login(connection));
	} else if (task->complete) {
		if (rc != 0)
			add_note(&task->result, err.reason);
		finish(task);
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
static void ask(struct task *task, const struct pdu *part)
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
	struct task *task = arg;

	task->result.stage = DISCOVERY_TEXT;
	ask(task, NULL);
}

static enum address_kind kind_of(const struct socket_address *address)
{
	uint8_t bytes[ADDRESS_LEN];
	char text[SOCKET_HOST_MAX];

	socket_address_host(address, text);
	return address_parse(text, strcspn(text, "%"), bytes) ? address_kind(bytes)
							      : ADDRESS_PUBLIC;
}

/* A Text Response: a part of the answer, or the end of it (11.11). */
static int take_part(struct task *task, const struct pdu *pdu, struct err *err)
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
	if (task->bytes > task->discovery->options.max_bytes || ++task->pdus > PDUS_MAX)
		return err_set(err, EMSGSIZE, "the answer is longer than %zu bytes or %d parts",
			       task->discovery->options.max_bytes, PDUS_MAX);
	if (!final && task->empty > EMPTY_MAX)
		return err_set(err, EPROTO, "the answer goes on with nothing in it");
	rc = targets_feed(targets, pdu->data, pdu->data_len, err);
	if (rc < 0 || !final)
		return rc;
	task->complete = true;
	return targets_end(targets, candidate(task), kind_of(connection_address(task->connection)),
			   err);
}

static void connection_pdu(void *arg, const struct pdu *pdu)
{
	struct task *task = arg;
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

static void open_connection(struct task *task, const struct socket_address *addresses, size_t count)
{
	struct discovery *discovery = task->discovery;
	const struct connection_limits limits = {
		.connect_ms = discovery->options.connect_ms,
		.answer_ms = discovery->options.answer_ms,
	};
	struct err err;

	task->result.stage = DISCOVERY_CONNECT;
	/* A new one each time: the same would end a session that another login has begun (6.3.5). */
	if (login_isid_random(task->config.isid, &err) == 0)
		task->connection =
			connection_open(discovery->loop, addresses, count, &task->config,
					&discovery->params, &limits, &handler, task, &err);
	if (!task->connection)
		finish_with(task, &err);
}

static void looked_up(void *arg, const struct socket_address *addresses, int count,
		      const struct err *err)
{
	struct task *task = arg;

	task->resolve = NULL;
	if (count < 0)
		fail(task, err);
	else
		open_connection(task, addresses, (size_t)count);
}

static void try_candidate(struct task *task)
{
	const struct portal *portal = candidate(task);
	struct socket_address address;
	struct err err;

	task->result.stage = DISCOVERY_RESOLVE;
	if (portal->numeric && socket_address_parse(portal->host, portal->port, &address) == 0) {
		open_connection(task, &address, 1);
		return;
	}
	task->resolve = resolve_start(task->discovery->loop, portal->host, portal->port, looked_up,
				      task, &err);
	if (!task->resolve)
		finish_with(task, &err);
}

static void took_too_long(void *arg)
{
	struct task *task = arg;
	struct err err;

	if (task->connection)
		take_login(task);
	err_set(&err, ETIMEDOUT, "%s did not come to an end within %u ms in all",
		discovery_stage_name(task->result.stage), task->discovery->options.total_ms);
	if (task->complete) {
		add_note(&task->result, err.reason);
		finish(task);
	} else {
		finish_with(task, &err);
	}
}

static void start_task(struct discovery *discovery, size_t number)
{
	const struct discovery_options *options = &discovery->options;
	const struct portal *portal = &discovery->queue[number];
	struct discovery_result failed = { .asked = *portal, .number = number };
	struct task *task = calloc(1, sizeof(*task));
	struct err err;

	if (!task) {
		failed.rc = err_oom(&failed.err);
		discovery->found(discovery->arg, &failed);
		return;
	}
	task->discovery = discovery;
	task->result = failed;
	task->candidates[0] = *portal;
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
	task->next = discovery->tasks;
	task->self = &discovery->tasks;
	if (task->next)
		task->next->self = &task->next;
	discovery->tasks = task;
	discovery->in_flight++;
	if (loop_timer_set(discovery->loop, &task->total, options->total_ms, &err) < 0)
		finish_with(task, &err);
	else
		try_candidate(task);
}

static void pump(void *arg)
{
	struct discovery *discovery = arg;

	while (discovery->in_flight < discovery->options.max_in_flight &&
	       discovery->queue_at < discovery->queue_count)
		start_task(discovery, discovery->queue_at++);
	if (discovery->in_flight > 0)
		return;
	loop_timer_cancel(discovery->loop, &discovery->pump);
	if (discovery->idle)
		discovery->idle(discovery->arg);
}

struct discovery *discovery_new(struct loop *loop, const struct discovery_options *options,
				void (*found)(void *arg, struct discovery_result *result),
				void (*idle)(void *arg), void *arg, struct err *err)
{
	struct discovery *discovery = calloc(1, sizeof(*discovery));

	if (!discovery) {
		err_oom(err);
		return NULL;
	}
	*discovery = (struct discovery){
		.loop = loop,
		.options = *options,
		.found = found,
		.idle = idle,
		.arg = arg,
		.pump = { .fire = pump, .arg = discovery },
	};
	if (options->total_ms == 0)
		discovery->options.total_ms = TOTAL_MS;
	if (options->max_in_flight == 0)
		discovery->options.max_in_flight = IN_FLIGHT;
	if (options->max_bytes == 0)
		discovery->options.max_bytes = BYTES_MAX;
	params_init(&discovery->params, PARAMS_INITIATOR);
	/* A target that insists on digests can have them. */
	if (params_set_list(&discovery->params, PARAM_HEADER_DIGEST, "None,CRC32C", err) < 0 ||
	    params_set_list(&discovery->params, PARAM_DATA_DIGEST, "None,CRC32C", err) < 0 ||
	    params_set(&discovery->params, PARAM_MAX_RECV_DATA_SEGMENT_LENGTH, RECEIVE_MAX, err) <
		    0 ||
	    loop_timer_set(loop, &discovery->pump, 0, err) < 0) {
		free(discovery);
		return NULL;
	}
	return discovery;
}

void discovery_free(struct discovery *discovery)
{
	if (!discovery)
		return;
	while (discovery->tasks)
		free_task(discovery->tasks);
	loop_timer_cancel(discovery->loop, &discovery->pump);
	free(discovery->queue);
	free(discovery);
}

int discovery_add(struct discovery *discovery, const struct portal *portal, struct err *err)
{
	if (discovery->queue_count == discovery->queue_size) {
		size_t size = discovery->queue_size ? 2 * discovery->queue_size : 16;
		struct portal *queue = realloc(discovery->queue, size * sizeof(*queue));

		if (!queue)
			return err_oom(err);
		discovery->queue = queue;
		discovery->queue_size = size;
	}
	discovery->queue[discovery->queue_count++] = *portal;
	return loop_timer_set(discovery->loop, &discovery->pump, 0, err);
}

struct run {
	struct loop *loop;
	struct discovery_result *results;
};

static void keep_result(void *arg, struct discovery_result *result)
{
	struct run *run = arg;

	run->results[result->number] = *result;
	*result = (struct discovery_result){ .rc = 0 };
}

static void stop_run(void *arg)
{
	loop_stop(((struct run *)arg)->loop);
}

int discovery_run(const struct portal *portals, size_t count,
		  const struct discovery_options *options, struct discovery_result *results,
		  struct err *err)
{
	struct run run = { .loop = loop_new(err), .results = results };
	struct discovery *discovery = NULL;
	int rc = run.loop ? 0 : -err->code;

	memset(results, 0, count * sizeof(*results));
	if (rc == 0) {
		discovery = discovery_new(run.loop, options, keep_result, stop_run, &run, err);
		rc = discovery ? 0 : -err->code;
	}
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = discovery_add(discovery, &portals[i], err);
	if (rc == 0)
		rc = loop_run(run.loop, err);
	discovery_free(discovery);
	loop_free(run.loop);
	return rc;
}
