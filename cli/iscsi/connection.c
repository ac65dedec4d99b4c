/* SPDX-License-Identifier: MIT */
#include "iscsi/connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "err.h"
#include "iscsi/session.h"
#include "os/loop.h"

enum {
	CONNECT_MS = 3000,
	ANSWER_MS = 10000,
	LOGOUT_MS = 1000,
};

struct connection {
	struct loop *loop;
	struct connection_limits limits;
	const struct connection_handler *handler;
	void *arg;
	enum connection_state state;
	bool over; /* closed was called */
	unsigned int depth; /* calls of ours that are under way, and … */
	bool freed; /* … whether the owner let go meanwhile */

	struct socket_address *addresses;
	size_t address_count, address_at;
	struct err connect_err; /* why the last address failed */
	uint64_t connect_began, connect_us;
	int fd;
	struct loop_watch watch;
	struct loop_timer timer;
	const char *awaited; /* what is due; NULL: nothing */

	struct login login;
	const struct login_config *config;
	struct params params;
	struct session session;
	struct pdu_reader reader;

	struct buf out; /* sealed PDUs, and how much of them was sent */
	size_t out_sent;
};

const struct login *connection_login(const struct connection *connection)
{
	return &connection->login;
}

enum connection_state connection_state(const struct connection *connection)
{
	return connection->state;
}

const struct socket_address *connection_address(const struct connection *connection)
{
	size_t last = connection->address_count - 1;

	return &connection
			->addresses[connection->address_at < last ? connection->address_at : last];
}

static enum address_kind kind_of(const struct socket_address *address)
{
	uint8_t bytes[ADDRESS_LEN];
	char text[SOCKET_HOST_MAX];

	socket_address_host(address, text);
	return address_parse(text, strcspn(text, "%"), bytes) ? address_kind(bytes)
							      : ADDRESS_PUBLIC;
}

enum address_kind connection_address_kind(const struct connection *connection)
{
	return kind_of(connection_address(connection));
}

uint64_t connection_connect_us(const struct connection *connection)
{
	return connection->connect_us;
}

static void close_socket(struct connection *connection)
{
	if (connection->fd < 0)
		return;
	loop_remove(connection->loop, &connection->watch);
	socket_close(connection->fd);
	connection->fd = -1;
}

static void destroy(struct connection *connection)
{
	pdu_reader_done(&connection->reader);
	login_done(&connection->login);
	buf_done(&connection->out);
	session_done(&connection->session);
	free(connection->addresses);
	free(connection);
}

void connection_free(struct connection *connection)
{
	if (!connection)
		return;
	close_socket(connection);
	loop_timer_cancel(connection->loop, &connection->timer);
	connection->over = true;
	connection->freed = true;
	if (connection->depth == 0)
		destroy(connection);
}

/* Around whatever may call the handler: it may free the connection, which then waits for leave. */
static void enter(struct connection *connection)
{
	connection->depth++;
}

static void leave(struct connection *connection)
{
	if (--connection->depth == 0 && connection->freed)
		destroy(connection);
}

static void end(struct connection *connection, int rc, const struct err *err)
{
	if (connection->over)
		return;
	connection->over = true;
	close_socket(connection);
	loop_timer_cancel(connection->loop, &connection->timer);
	connection->handler->closed(connection->arg, rc, err);
}

/* The end by a fault of either side, as the state of the connection sees it. */
static void fail(struct connection *connection, const struct err *err)
{
	enum connection_state before = connection->state;
	struct err ignored;

	if (connection->over)
		return;
	(void)states_take(&connection->state,
			  before == S2_XPT_WAIT	  ? EVENT_CONNECT_FAILED
			  : before == S4_IN_LOGIN ? EVENT_LOGIN_FAILED
						  : EVENT_LOST,
			  &ignored);
	if (connection->state == S8_CLEANUP_WAIT)
		(void)states_take(&connection->state, EVENT_CLEANED, &ignored);
	/* All was said and done before the logout: that it went wrong is a remark. */
	end(connection, before == S6_IN_LOGOUT ? 1 : -err->code, err);
}

void connection_fail(struct connection *connection, const struct err *err)
{
	enter(connection);
	fail(connection, err);
	leave(connection);
}

static void set_timer(struct connection *connection, uint32_t ms)
{
	struct err err;

	if (loop_timer_set(connection->loop, &connection->timer, ms, &err) < 0)
		fail(connection, &err);
}

static int open_socket(const struct connection *connection, struct err *err)
{
	const struct socket_address *address = connection_address(connection);
	enum address_kind kind = kind_of(address);
	char text[SOCKET_TEXT_MAX];

	if (!connection->limits.from_afar ||
	    (kind != ADDRESS_LOOPBACK && kind != ADDRESS_UNSPECIFIED))
		return socket_connect(address, err);
	socket_address_text(address, text);
	return err_set(err, EHOSTUNREACH,
		       "%s is this host's own address, and it was another host that named it: the "
		       "gateway advertises an address that no host can reach it at",
		       text);
}

/* Begin to connect to the next address that lets itself be tried. */
static void try_address(struct connection *connection)
{
	struct loop_watch *watch = &connection->watch;
	struct err err;

	while (connection->address_at < connection->address_count) {
		connection->connect_began = loop_clock_us();
		connection->fd = open_socket(connection, &connection->connect_err);
		if (connection->fd >= 0) {
			if (loop_add(connection->loop, watch, connection->fd, LOOP_WRITE, &err) <
			    0) {
				socket_close(connection->fd);
				connection->fd = -1;
				fail(connection, &err);
				return;
			}
			set_timer(connection, connection->limits.connect_ms);
			return;
		}
		connection->address_at++;
	}
	fail(connection, &connection->connect_err);
}

static void try_next_address(struct connection *connection)
{
	close_socket(connection);
	connection->address_at++;
	try_address(connection);
}

const char *connection_duration(uint32_t ms, char out[16])
{
	if (ms % 1000 == 0)
		snprintf(out, 16, "%u s", ms / 1000);
	else
		snprintf(out, 16, "%u ms", ms);
	return out;
}

static void silence(struct connection *connection)
{
	uint32_t ms = connection->state == S6_IN_LOGOUT ? connection->limits.logout_ms
							: connection->limits.answer_ms;
	const char *stage = pdu_reader_stage(&connection->reader);
	struct err err;
	char text[16];

	err_set(&err, ETIMEDOUT, "no %s within %s%s%s",
		connection->awaited ? connection->awaited : "answer", connection_duration(ms, text),
		stage ? ": the target stopped in the middle of a " : "", stage ? stage : "");
	fail(connection, &err);
}

static void timer_fired(void *arg)
{
	struct connection *connection = arg;
	uint32_t ms = connection->limits.connect_ms;
	char text[16];

	enter(connection);
	switch (connection->state) {
	case S1_FREE:
		(void)states_take(&connection->state, EVENT_CONNECT, &connection->connect_err);
		try_address(connection);
		break;
	case S2_XPT_WAIT:
		err_set(&connection->connect_err, ETIMEDOUT, "cannot connect: no answer within %s",
			connection_duration(ms, text));
		try_next_address(connection);
		break;
	default:
		silence(connection);
		break;
	}
	leave(connection);
}

/* Send what there is, as far as the socket takes it. */
static void flush(struct connection *connection)
{
	struct err err;

	while (!connection->over && connection->out_sent < connection->out.len) {
		const struct socket_piece piece = { connection->out.data + connection->out_sent,
						    connection->out.len - connection->out_sent };
		ssize_t sent = socket_send(connection->fd, &piece, 1);

		if (sent == -EAGAIN)
			break;
		if (sent < 0) {
			err_sys(&err, (int)-sent, "the connection was lost while sending");
			fail(connection, &err);
			return;
		}
		connection->out_sent += (size_t)sent;
	}
	if (connection->over)
		return;
	if (connection->out_sent == connection->out.len)
		connection->out.len = connection->out_sent = 0;
	loop_change(connection->loop, &connection->watch,
		    LOOP_READ | (connection->out.len > 0 ? LOOP_WRITE : 0u));
}

int connection_request(struct connection *connection, uint8_t bhs[BHS_LEN], const void *data,
		       size_t len, const char *awaited, struct err *err)
{
	session_request(&connection->session, bhs, data, len, &connection->out);
	if (connection->out.failed)
		return err_oom(err);
	connection->awaited = awaited;
	enter(connection);
	if (awaited)
		set_timer(connection, connection->limits.answer_ms);
	if (connection->depth == 1) /* else it goes out with the answers to the same receive */
		flush(connection);
	leave(connection);
	return 0;
}

void connection_rest(struct connection *connection)
{
	connection->awaited = NULL;
	loop_timer_cancel(connection->loop, &connection->timer);
}

void connection_logout(struct connection *connection)
{
	struct err err;

	enter(connection);
	if (session_logout(&connection->session, &connection->state, &connection->out, &err) < 0) {
		fail(connection, &err);
	} else {
		connection->awaited = "Logout Response";
		set_timer(connection, connection->limits.logout_ms);
		if (connection->depth == 1)
			flush(connection);
	}
	leave(connection);
}

static int take_full_feature(struct connection *connection, const struct pdu *pdu, struct err *err)
{
	int rc = session_receive(&connection->session, &connection->state, pdu, &connection->out,
				 err);

	if (rc == SESSION_PDU)
		connection->handler->pdu(connection->arg, pdu);
	else if (rc == SESSION_LOGOUT_ASKED)
		connection_logout(connection);
	else if (rc == SESSION_CLOSED)
		end(connection, 0, err);
	return rc < 0 ? rc : 0;
}

static int take_login(struct connection *connection, const struct pdu *pdu, struct err *err)
{
	int rc = login_receive(&connection->login, pdu, &connection->out, err);
	const struct params *params = &connection->login.params;

	if (rc == LOGIN_REDIRECTED) {
		(void)states_take(&connection->state, EVENT_LOGIN_FAILED, err);
		end(connection, CONNECTION_REDIRECTED, err);
		return 0;
	}
	if (rc != LOGIN_COMPLETE)
		return rc;
	rc = states_take(&connection->state, EVENT_LOGIN_DONE, err);
	if (rc < 0)
		return rc;
	connection->reader.max_data = params->ours[PARAM_MAX_RECV_DATA_SEGMENT_LENGTH];
	session_begin(&connection->session, &connection->login);
	connection->reader.header_digest = connection->session.header_digest;
	connection->reader.data_digest = connection->session.data_digest;
	connection_rest(connection);
	connection->handler->ready(connection->arg);
	return 0;
}

/* Something that is no iSCSI answers: its first bytes read as a header make no sense to anybody. */
static int no_target(const struct connection *connection, const struct pdu *pdu, int rc,
		     struct err *err)
{
	if (rc != -EMSGSIZE || connection->state != S4_IN_LOGIN || connection->login.rounds > 0 ||
	    pdu_opcode(pdu->bhs) == OP_LOGIN_RESPONSE)
		return rc;
	return err_set(err, EPROTO, "what answers there does not speak iSCSI");
}

/* All PDUs of one receive, then one send. */
static void take_pdus(struct connection *connection)
{
	struct err err = { .code = 0 };
	struct pdu pdu;
	int rc;

	while ((rc = pdu_reader_next(&connection->reader, &pdu, &err)) > 0) {
		if (connection->awaited)
			set_timer(connection, connection->state == S6_IN_LOGOUT
						      ? connection->limits.logout_ms
						      : connection->limits.answer_ms);
		rc = connection->state == S4_IN_LOGIN ? take_login(connection, &pdu, &err)
						      : take_full_feature(connection, &pdu, &err);
		if (rc < 0 || connection->over)
			break;
	}
	if (connection->over)
		return;
	rc = no_target(connection, &pdu, rc, &err);
	if (rc < 0)
		fail(connection, &err);
}

static void take_bytes(struct connection *connection)
{
	const char *stage = pdu_reader_stage(&connection->reader);
	const char *awaited = connection->awaited ? connection->awaited : "answer";
	struct err err;
	uint8_t *space;
	size_t len;
	ssize_t got;

	if (pdu_reader_space(&connection->reader, &space, &len, &err) < 0) {
		fail(connection, &err);
		return;
	}
	got = socket_receive(connection->fd, space, len);
	if (got == -EAGAIN)
		return;
	if (got <= 0) {
		if (got == 0 && stage)
			err_set(&err, ECONNRESET,
				"the target closed the connection in the middle of a %s", stage);
		else if (got == 0)
			err_set(&err, ECONNRESET,
				"the target closed the connection while the %s was awaited",
				awaited);
		else
			err_sys(&err, (int)-got, "the connection was lost while the %s was awaited",
				awaited);
		fail(connection, &err);
		return;
	}
	pdu_reader_received(&connection->reader, (size_t)got);
	take_pdus(connection);
}

static void connected(struct connection *connection)
{
	struct err err;
	int rc = socket_connected(connection->fd);

	if (rc < 0) {
		err_sys(&connection->connect_err, -rc, "cannot connect");
		try_next_address(connection);
		return;
	}
	connection->connect_us = loop_clock_us() - connection->connect_began;
	(void)states_take(&connection->state, EVENT_CONNECTED, &err);
	connection->awaited = "Login Response";
	set_timer(connection, connection->limits.answer_ms);
	rc = login_start(&connection->login, connection->config, &connection->params,
			 &connection->out, &err);
	if (rc < 0)
		fail(connection, &err);
	else
		flush(connection);
}

static void socket_ready(void *arg, unsigned int events)
{
	struct connection *connection = arg;

	enter(connection);
	if (connection->state == S2_XPT_WAIT) {
		connected(connection);
	} else {
		if (events & LOOP_READ)
			take_bytes(connection);
		if (!connection->over)
			flush(connection);
	}
	leave(connection);
}

struct connection *connection_open(struct loop *loop, const struct socket_address *addresses,
				   size_t count, const struct login_config *config,
				   const struct params *params,
				   const struct connection_limits *limits,
				   const struct connection_handler *handler, void *arg,
				   struct err *err)
{
	struct connection *connection = calloc(1, sizeof(*connection));

	if (!connection) {
		err_oom(err);
		return NULL;
	}
	*connection = (struct connection){
		.loop = loop,
		.limits = *limits,
		.handler = handler,
		.arg = arg,
		.state = S1_FREE,
		.address_count = count,
		.fd = -1,
		.watch = { .ready = socket_ready, .arg = connection },
		.timer = { .fire = timer_fired, .arg = connection },
		.config = config,
		.params = *params,
		.out.secret = true,
	};
	if (limits->connect_ms == 0)
		connection->limits.connect_ms = CONNECT_MS;
	if (limits->answer_ms == 0)
		connection->limits.answer_ms = ANSWER_MS;
	if (limits->logout_ms == 0)
		connection->limits.logout_ms = LOGOUT_MS;
	pdu_reader_init(&connection->reader, PDU_LOGIN_DATA_MAX);
	connection->addresses = calloc(count, sizeof(*addresses));
	if (!connection->addresses || loop_timer_set(loop, &connection->timer, 0, err) < 0) {
		err_oom(err);
		connection_free(connection);
		return NULL;
	}
	memcpy(connection->addresses, addresses, count * sizeof(*addresses));
	return connection;
}
