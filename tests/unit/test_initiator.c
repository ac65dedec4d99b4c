/* SPDX-License-Identifier: MIT */
/* Discovery against targets on loopback that do what a script says, in the same loop. */
#include "iscsi/initiator.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "iscsi/bytes.h"
#include "iscsi/pdu.h"
#include "iscsi/session.h"
#include "iscsi/status.h"
#include "os/loop.h"

enum { CONNECTIONS_MAX = 16 };

/* What a fake target does. All zero is a good one with one target. */
struct script {
	const char *raw; /* sent on connect instead of anything else */
	size_t raw_len; /* 0: strlen */
	bool silent; /* never answers */
	bool close_on_accept, reset_on_request;
	int close_after; /* PDUs received, then the connection is closed; 0: never */
	int cut_answer; /* bytes of the first answer sent, then closed; 0: all */
	bool stall_after_cut; /* … or kept open */
	uint16_t status; /* of the login */
	const char *redirect; /* addresses separated by ';'; "@N" is fake target N */
	bool header_digest;
	const char *answer; /* to SendTargets: pairs separated by ';' */
	size_t part; /* bytes of a part; 0: all in one */
	bool continued; /* parts have C */
	bool ping; /* a ping before each part */
	bool shut; /* the window is shut after the login, and opened by a NOP-In */
	uint8_t text_flags; /* overwrites F and C of the first part */
	bool no_ttt; /* parts go on without a tag */
	bool wrong_itt;
	bool endless_empty, endless; /* F=0 for ever, with nothing or with names */
	uint8_t instead; /* this opcode instead of a Text Response */
	uint8_t async; /* Asynchronous Message with this event before the answer */
	int logout; /* response code; -1: never, -2: closes */
};

struct fake_connection {
	struct fake *fake;
	int fd;
	struct loop_watch watch;
	struct pdu_reader reader;
	struct buf out;
	size_t sent;
	int pdus, answers;
	size_t answer_at;
	unsigned int names;
	uint32_t stat_sn;
	bool closing, digest_next;
	int pongs;
};

struct fake {
	struct world *world;
	struct script script;
	int listener;
	struct loop_watch watch;
	struct portal portal;
	struct buf answer;
	struct fake_connection connections[CONNECTIONS_MAX];
	int accepted, open, open_max, logouts, pongs;
};

struct world {
	struct loop *loop;
	struct fake fakes[8];
	size_t count;
	struct discovery_result results[64];
	size_t result_count;
	char order[64]; /* numbers of the results as they came, as letters */
};

static void fake_end(struct fake_connection *c, void (*how)(int fd))
{
	if (c->fd < 0)
		return;
	loop_remove(c->fake->world->loop, &c->watch);
	how(c->fd);
	c->fd = -1;
	c->fake->open--;
	c->fake->pongs += c->pongs;
	pdu_reader_done(&c->reader);
	buf_done(&c->out);
}

static void fake_close(struct fake_connection *c)
{
	fake_end(c, socket_close);
}

static void fake_flush(struct fake_connection *c)
{
	const struct script *script = &c->fake->script;

	if (script->cut_answer > 0 && c->out.len > (size_t)script->cut_answer) {
		c->out.len = (size_t)script->cut_answer;
		c->closing = !script->stall_after_cut;
	}
	while (c->sent < c->out.len) {
		struct socket_piece piece = { c->out.data + c->sent, c->out.len - c->sent };
		ssize_t n = socket_send(c->fd, &piece, 1);

		if (n == -EAGAIN)
			break;
		if (n < 0) {
			fake_close(c);
			return;
		}
		c->sent += (size_t)n;
	}
	if (c->sent == c->out.len && !script->cut_answer)
		c->sent = c->out.len = 0;
	if (c->sent == c->out.len && c->closing) {
		fake_close(c);
		return;
	}
	loop_change(c->fake->world->loop, &c->watch,
		    LOOP_READ | (c->sent < c->out.len ? LOOP_WRITE : 0u));
}

static void reply(struct fake_connection *c, uint8_t opcode, uint8_t flags, const struct pdu *to,
		  const void *data, size_t len, void (*more)(struct fake_connection *, uint8_t *))
{
	uint8_t bhs[BHS_LEN] = { opcode, flags };
	uint32_t cmd_sn = get_be32(to->bhs + BHS_CMD_SN);
	bool immediate = to->bhs[0] & OPCODE_IMMEDIATE;

	memcpy(bhs + BHS_ITT, to->bhs + BHS_ITT, 4);
	put_be32(bhs + BHS_TTT, TAG_NONE);
	put_be32(bhs + BHS_STAT_SN, c->stat_sn++);
	put_be32(bhs + BHS_EXP_CMD_SN, cmd_sn + !immediate);
	put_be32(bhs + BHS_MAX_CMD_SN, cmd_sn + !immediate + 3);
	if (more)
		more(c, bhs);
	pdu_append(&c->out, bhs, data, len, c->reader.header_digest, false);
}

static void no_tags(struct fake_connection *c, uint8_t *bhs)
{
	(void)c;
	put_be32(bhs + BHS_ITT, TAG_NONE);
}

static void ping_tag(struct fake_connection *c, uint8_t *bhs)
{
	no_tags(c, bhs);
	put_be32(bhs + BHS_TTT, 0xabcd0000u + (uint32_t)c->answers);
	put_be32(bhs + BHS_STAT_SN, --c->stat_sn);
}

static void async_event(struct fake_connection *c, uint8_t *bhs)
{
	no_tags(c, bhs);
	bhs[ASYNC_EVENT] = c->fake->script.async;
	put_be16(bhs + ASYNC_PARAMETER2, 5);
}

static void login_fields(struct fake_connection *c, uint8_t *bhs)
{
	put_be16(bhs + LOGIN_TSIH, 1);
	put_be16(bhs + LOGIN_STATUS, c->fake->script.status);
	put_be32(bhs + BHS_TTT, 0);
	if (c->fake->script.shut && (bhs[BHS_FLAGS] & LOGIN_NSG) == STAGE_FULL_FEATURE)
		put_be32(bhs + BHS_MAX_CMD_SN, get_be32(bhs + BHS_EXP_CMD_SN) - 1);
}

static void fake_login(struct fake_connection *c, const struct pdu *pdu)
{
	const struct script *script = &c->fake->script;
	bool operational = pdu->bhs[BHS_FLAGS] & LOGIN_CSG;
	uint8_t flags = operational ? 0x87 : 0x81;
	CLEANUP(buf_done) struct buf text = { .data = NULL };
	size_t at = c->out.len;

	for (const char *p = script->redirect; p && *p != '\0'; p += *p == ';') {
		size_t len = strcspn(p, ";");
		char address[PORTAL_TEXT_MAX];

		if (*p == '@')
			portal_text(&c->fake->world->fakes[p[1] - '0'].portal, address);
		else
			snprintf(address, sizeof(address), "%.*s", (int)len, p);
		text_add(&text, "TargetAddress", address);
		p += len;
	}
	if (script->status == 0) {
		if (!operational)
			text_add(&text, "AuthMethod", "None");
		else if (script->header_digest)
			text_add(&text, "HeaderDigest", "CRC32C");
	}
	reply(c, OP_LOGIN_RESPONSE, script->status ? 0 : flags, pdu, buf_text(&text), text.len,
	      login_fields);
	memcpy(c->out.data + at + LOGIN_ISID, pdu->bhs + LOGIN_ISID, ISID_LEN);
	if (script->status)
		c->closing = true;
	c->digest_next = operational && script->header_digest;
}

static void part_fields(struct fake_connection *c, uint8_t *bhs)
{
	const struct script *script = &c->fake->script;

	bhs[BHS_LUN] = 0x77;
	if (!(bhs[BHS_FLAGS] & FLAG_FINAL) && !script->no_ttt)
		put_be32(bhs + BHS_TTT, 0x1000u + (uint32_t)c->answers);
	else if (bhs[BHS_FLAGS] & FLAG_FINAL)
		put_be32(bhs + BHS_TTT, 0x55); /* to be ignored (I-TXT-2) */
	if (script->wrong_itt)
		bhs[BHS_ITT] ^= 1;
}

static void fake_text(struct fake_connection *c, const struct pdu *pdu)
{
	const struct script *script = &c->fake->script;
	const struct buf *answer = &c->fake->answer;
	size_t left = answer->len - c->answer_at;
	size_t len = script->part && left > script->part ? script->part : left;
	uint8_t flags = len == left ? FLAG_FINAL : script->continued ? FLAG_CONTINUE : 0;
	const char *data = buf_text(answer) + c->answer_at;
	char name[64];

	if (c->answers == 0) {
		if (pdu->data_len != 16 || memcmp(pdu->data, "SendTargets=All", 16) != 0)
			fail_msg("asked for '%.*s'", (int)pdu->data_len, (const char *)pdu->data);
	} else if (pdu->data_len != 0 || pdu->bhs[BHS_LUN] != 0x77 ||
		   get_be32(pdu->bhs + BHS_TTT) != 0x1000u + (uint32_t)c->answers - 1) {
		fail_msg("part %d was asked for with other tags", c->answers);
	}
	assert_int_equal(pdu->bhs[BHS_FLAGS], FLAG_FINAL);
	if (script->ping)
		reply(c, OP_NOP_IN, FLAG_FINAL, pdu, NULL, 0, ping_tag);
	if (script->async)
		reply(c, OP_ASYNC, FLAG_FINAL, pdu, NULL, 0, async_event);
	if (script->text_flags)
		flags = script->text_flags & 0xc0;
	if (script->endless || script->endless_empty) {
		flags = 0;
		len = (size_t)snprintf(name, sizeof(name), "TargetName=iqn.2001-04.com.example:%u",
				       c->names++) +
		      1;
		data = name;
		if (script->endless_empty)
			len = 0;
	}
	c->answer_at += script->endless || script->endless_empty ? 0 : len;
	reply(c, script->instead ? script->instead : OP_TEXT_RESPONSE, flags, pdu, data, len,
	      part_fields);
	c->answers++;
}

static void logout_fields(struct fake_connection *c, uint8_t *bhs)
{
	bhs[RESPONSE_CODE] = (uint8_t)c->fake->script.logout;
}

static void open_window(struct fake_connection *c, uint8_t *bhs)
{
	no_tags(c, bhs);
	put_be32(bhs + BHS_STAT_SN, --c->stat_sn);
}

static void fake_pdu(struct fake_connection *c, const struct pdu *pdu)
{
	const struct script *script = &c->fake->script;

	switch (pdu_opcode(pdu->bhs)) {
	case OP_LOGIN_REQUEST:
		fake_login(c, pdu);
		if (script->shut && (pdu->bhs[BHS_FLAGS] & LOGIN_CSG))
			reply(c, OP_NOP_IN, FLAG_FINAL, pdu, NULL, 0, open_window);
		break;
	case OP_TEXT_REQUEST:
		fake_text(c, pdu);
		break;
	case OP_LOGOUT_REQUEST:
		c->fake->logouts++;
		if (script->logout == -2)
			c->closing = true;
		else if (script->logout >= 0)
			reply(c, OP_LOGOUT_RESPONSE, FLAG_FINAL, pdu, NULL, 0, logout_fields);
		break;
	case OP_NOP_OUT:
		c->pongs += get_be32(pdu->bhs + BHS_TTT) >> 16 == 0xabcd &&
			    get_be32(pdu->bhs + BHS_ITT) == TAG_NONE &&
			    pdu->bhs[0] == (OP_NOP_OUT | OPCODE_IMMEDIATE);
		break;
	default:
		fail_msg("opcode 0x%02x", pdu->bhs[0]);
	}
}

static void fake_ready(void *arg, unsigned int events)
{
	struct fake_connection *c = arg;
	const struct script *script = &c->fake->script;
	struct err err;
	struct pdu pdu;
	uint8_t *space;
	size_t len;
	ssize_t got;
	int rc;

	if (!(events & LOOP_READ)) {
		fake_flush(c);
		return;
	}
	assert_int_equal(pdu_reader_space(&c->reader, &space, &len, &err), 0);
	got = socket_receive(c->fd, space, len);
	if (got <= 0) {
		fake_close(c);
		return;
	}
	pdu_reader_received(&c->reader, (size_t)got);
	while ((rc = pdu_reader_next(&c->reader, &pdu, &err)) > 0) {
		c->pdus++;
		if (script->close_after > 0 && c->pdus >= script->close_after) {
			fake_close(c);
			return;
		}
		if (script->reset_on_request) {
			fake_end(c, socket_reset);
			return;
		}
		if (!script->silent && !script->raw)
			fake_pdu(c, &pdu);
		if (c->digest_next)
			c->reader.header_digest = true;
	}
	if (rc < 0)
		fail_msg("the target cannot read us: %s", err.reason);
	fake_flush(c);
}

static void fake_accept(void *arg, unsigned int events)
{
	struct fake *fake = arg;
	struct fake_connection *c = &fake->connections[fake->accepted];
	struct socket_address peer;
	struct err err;
	int fd = socket_accept(fake->listener, &peer);

	(void)events;
	if (fd < 0)
		return;
	assert_true(fake->accepted < CONNECTIONS_MAX);
	fake->accepted++;
	if (++fake->open > fake->open_max)
		fake->open_max = fake->open;
	*c = (struct fake_connection){
		.fake = fake,
		.fd = fd,
		.watch = { .ready = fake_ready, .arg = c },
		.stat_sn = 1000,
	};
	pdu_reader_init(&c->reader, 8192);
	assert_int_equal(loop_add(fake->world->loop, &c->watch, fd, LOOP_READ, &err), 0);
	if (fake->script.close_on_accept) {
		fake_close(c);
		return;
	}
	if (fake->script.raw)
		buf_add(&c->out, fake->script.raw,
			fake->script.raw_len ? fake->script.raw_len : strlen(fake->script.raw));
	fake_flush(c);
}

static struct fake *add_fake(struct world *world, const struct script *script)
{
	struct fake *fake = &world->fakes[world->count++];
	struct socket_address any, local;
	char text[SOCKET_TEXT_MAX];
	struct err err;

	*fake = (struct fake){ .world = world, .script = *script };
	for (int i = 0; i < CONNECTIONS_MAX; i++)
		fake->connections[i].fd = -1;
	if (script->answer && script->answer[0] != '\0') {
		buf_add(&fake->answer, script->answer, strlen(script->answer) + 1);
		for (size_t i = 0; i < fake->answer.len; i++)
			if (fake->answer.data[i] == ';')
				fake->answer.data[i] = '\0';
	} else if (!script->answer) {
		static const char one[] = "TargetName=iqn.1997-05.com.amazon:one\0"
					  "TargetAddress=127.0.0.1:3260,1";

		buf_add(&fake->answer, one, sizeof(one));
	}
	assert_int_equal(socket_address_parse("127.0.0.1", 0, &any), 0);
	fake->listener = socket_listen(&any, 64, &err);
	assert_true(fake->listener >= 0);
	assert_int_equal(socket_local(fake->listener, &local), 0);
	socket_address_text(&local, text);
	assert_int_equal(portal_parse(text, &fake->portal, &err), 0);
	fake->watch = (struct loop_watch){ .ready = fake_accept, .arg = fake };
	assert_int_equal(loop_add(world->loop, &fake->watch, fake->listener, LOOP_READ, &err), 0);
	return fake;
}

static void start_world(struct world *world)
{
	struct err err;

	memset(world, 0, sizeof(*world));
	world->loop = loop_new(&err);
	assert_non_null(world->loop);
}

static void stop_world(struct world *world)
{
	for (size_t i = 0; i < world->count; i++) {
		struct fake *fake = &world->fakes[i];

		for (int k = 0; k < fake->accepted; k++)
			fake_close(&fake->connections[k]);
		loop_remove(world->loop, &fake->watch);
		socket_close(fake->listener);
		buf_done(&fake->answer);
	}
	for (size_t i = 0; i < world->result_count; i++)
		discovery_result_done(&world->results[i]);
	loop_free(world->loop);
}

static void found(void *arg, struct discovery_result *result)
{
	struct world *world = arg;

	assert_true(world->result_count < ARRAY_LEN(world->results));
	world->order[world->result_count] = (char)('a' + result->number);
	world->results[world->result_count++] = *result;
	memset(result, 0, sizeof(*result));
}

static void idle(void *arg)
{
	loop_stop(((struct world *)arg)->loop);
}

static struct discovery_options quick(void)
{
	return (struct discovery_options){
		.initiator_name = "iqn.2001-04.com.example:host",
		.connect_ms = 300,
		.answer_ms = 150,
		.total_ms = 2000,
	};
}

/* Ask the portals, and wait for all results. */
static void discover(struct world *world, const struct discovery_options *options,
		     const struct portal *portals, size_t count)
{
	struct err err;
	struct discovery *discovery = discovery_new(world->loop, options, found, idle, world, &err);

	assert_non_null(discovery);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(discovery_add(discovery, &portals[i], &err), 0);
	assert_int_equal(loop_run(world->loop, &err), 0);
	discovery_free(discovery);
}

/* What a target may do to us; I-TXT, I-NET, I-FFP, I-END, I-STAT, I-RED of the conformance list. */
static const struct row {
	const char *id;
	struct script script;
	int rc;
	enum discovery_stage stage;
	size_t targets;
	const char *part; /* of the error, or of the notes */
} rows[] = {
#define NAME "TargetName=iqn.1997-05.com.amazon:"
	{ "a good target", { 0 }, 0, DISCOVERY_LOGOUT, 1, "" },
	{ "I-TXT-4", { .answer = "" }, 0, DISCOVERY_LOGOUT, 0, "" },
	{ "I-TXT-4", { .answer = NAME "a" }, 0, DISCOVERY_LOGOUT, 1, "" },
	{ "I-TXT-1", { .part = 1 }, 0, DISCOVERY_LOGOUT, 1, "" },
	{ "I-TXT-1", { .part = 7, .continued = true }, 0, DISCOVERY_LOGOUT, 1, "" },
	{ "I-TXT-3", { .part = 7, .no_ttt = true }, -EPROTO, DISCOVERY_TEXT, 0, "without a tag" },
	{ "I-TXT-3", { .wrong_itt = true }, -EPROTO, DISCOVERY_TEXT, 0, "another task" },
	{ "I-TXT-3", { .text_flags = 0xc0 }, -EPROTO, DISCOVERY_TEXT, 0, "the last and goes on" },
	{ "I-TXT-3", { .endless_empty = true }, -EPROTO, DISCOVERY_TEXT, 0, "nothing in it" },
	{ "I-TXT-3", { .endless = true }, -EMSGSIZE, DISCOVERY_TEXT, 0, "longer than 20000 bytes" },
	{ "I-TXT-5",
	  { .answer = "TargetAddress=1.2.3.4:3260,1;" NAME "a" },
	  -EPROTO,
	  DISCOVERY_TEXT,
	  0,
	  "before any name" },
	{ "I-TXT-5", { .answer = NAME "a;Foo=bar" }, 0, DISCOVERY_LOGOUT, 1, "Foo=bar is unknown" },
	{ "I-TXT-5", { .answer = NAME "a;Foo" }, -EPROTO, DISCOVERY_TEXT, 0, "has no '='" },
	{ "I-TXT-5", { .answer = "SendTargets=Reject" }, -EPROTO, DISCOVERY_TEXT, 0, "'Reject'" },
	{ "I-NAME-1",
	  { .answer = NAME "a;TargetName=../x;TargetAddress=1.2.3.4,1;" NAME "b" },
	  0,
	  DISCOVERY_LOGOUT,
	  2,
	  "name '../x'" },
	{ "I-FFP-1", { .ping = true, .part = 20 }, 0, DISCOVERY_LOGOUT, 1, "" },
	{ "I-FFP-2",
	  { .async = ASYNC_LOGOUT_REQUESTED },
	  -ECONNRESET,
	  DISCOVERY_TEXT,
	  0,
	  "asked for a logout" },
	{ "I-FFP-2",
	  { .async = ASYNC_CONNECTION_DROPS },
	  -ECONNRESET,
	  DISCOVERY_TEXT,
	  0,
	  "drops the connection (reconnect after 5 s)" },
	{ "I-FFP-2", { .async = ASYNC_NEGOTIATE }, 0, DISCOVERY_LOGOUT, 1, "" },
	{ "I-FFP-2", { .async = ASYNC_FAST_ABORT }, -EPROTO, DISCOVERY_TEXT, 0, "not agreed" },
	{ "I-FFP-2", { .async = ASYNC_VENDOR }, 0, DISCOVERY_LOGOUT, 1, "" },
	{ "I-FFP-3", { .shut = true }, 0, DISCOVERY_LOGOUT, 1, "" },
	{ "digests", { .header_digest = true }, 0, DISCOVERY_LOGOUT, 1, "" },
	{ "Reject", { .instead = OP_REJECT }, -EPROTO, DISCOVERY_TEXT, 0, "rejected a request" },
	{ "SCSI", { .instead = OP_SCSI_RESPONSE }, -EPROTO, DISCOVERY_TEXT, 0, "a SCSI Response" },
	{ "ours",
	  { .instead = OP_DATA_OUT },
	  -EPROTO,
	  DISCOVERY_TEXT,
	  0,
	  "Data-Out, which cannot" },
	{ "I-END-1", { .logout = 1 }, 0, DISCOVERY_LOGOUT, 1, "was not found" },
	{ "I-END-1", { .logout = 3 }, 0, DISCOVERY_LOGOUT, 1, "cleanup failed" },
	{ "I-END-1", { .logout = -1 }, 0, DISCOVERY_LOGOUT, 1, "no Logout Response within 1 s" },
	{ "I-END-1", { .logout = -2 }, 0, DISCOVERY_LOGOUT, 1, "closed the connection" },
	{ "I-NET-1",
	  { .silent = true },
	  -ETIMEDOUT,
	  DISCOVERY_LOGIN,
	  0,
	  "no Login Response within 150 ms" },
	{ "I-NET-1", { .close_on_accept = true }, -ECONNRESET, DISCOVERY_LOGIN, 0, "" },
	{ "I-NET-1",
	  { .close_after = 1 },
	  -ECONNRESET,
	  DISCOVERY_LOGIN,
	  0,
	  "closed the connection while the Login Response was awaited" },
	{ "I-NET-1", { .close_after = 2 }, -ECONNRESET, DISCOVERY_LOGIN, 0, "Login Response" },
	{ "I-NET-1",
	  { .close_after = 3 },
	  -ECONNRESET,
	  DISCOVERY_TEXT,
	  0,
	  "while the answer to SendTargets was awaited" },
	{ "I-NET-1",
	  { .cut_answer = 20 },
	  -ECONNRESET,
	  DISCOVERY_LOGIN,
	  0,
	  "in the middle of a header" },
	{ "I-NET-1",
	  { .cut_answer = 50 },
	  -ECONNRESET,
	  DISCOVERY_LOGIN,
	  0,
	  "in the middle of a data segment" },
	{ "I-NET-1",
	  { .cut_answer = 20, .stall_after_cut = true },
	  -ETIMEDOUT,
	  DISCOVERY_LOGIN,
	  0,
	  "stopped in the middle of a header" },
	{ "garbage",
	  { .raw = "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nConnection: close\r\n" },
	  -EPROTO,
	  DISCOVERY_LOGIN,
	  0,
	  "does not speak iSCSI" },
	{ "garbage",
	  { .raw = "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n" },
	  -ETIMEDOUT,
	  DISCOVERY_LOGIN,
	  0,
	  "stopped in the middle of a header" },
	{ "garbage",
	  { .raw = "\0\0\0", .raw_len = 48 },
	  -EPROTO,
	  DISCOVERY_LOGIN,
	  0,
	  "instead of a Login Response" },
	{ "I-STAT-1", { .status = 0x0201 }, -EACCES, DISCOVERY_LOGIN, 0, "demands CHAP" },
	{ "I-STAT-1", { .status = 0x0302 }, -EBUSY, DISCOVERY_LOGIN, 0, "out of resources" },
	{ "I-RED-1",
	  { .status = 0x0101, .redirect = "@0" },
	  -ELOOP,
	  DISCOVERY_LOGIN,
	  0,
	  "in a circle" },
	{ "I-RED-1",
	  { .status = 0x0101, .redirect = "127.0.0.1:1;127.0.0.1:2" },
	  -ECONNREFUSED,
	  DISCOVERY_CONNECT,
	  0,
	  "Connection refused" },
	{ "I-RED-1", { .status = 0x0101 }, -EPROTO, DISCOVERY_LOGIN, 0, "does not say where" },
};

static void test_what_targets_do(void **state)
{
	static const char zeros[48];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct discovery_options options = quick();
		const struct row *row = &rows[i];
		struct script script = row->script;
		const struct discovery_result *result;
		static struct world world;
		char place[PORTAL_TEXT_MAX];

		if (script.raw_len)
			script.raw = zeros;
		options.max_bytes = 20000;
		start_world(&world);
		add_fake(&world, &script);
		discover(&world, &options, &world.fakes[0].portal, 1);
		assert_int_equal(world.result_count, 1);
		result = &world.results[0];
		if (result->rc != row->rc || result->targets.count != row->targets ||
		    result->stage != row->stage)
			fail_msg("row %zu, %s: %d in %s, %zu targets: %s", i, row->id, result->rc,
				 discovery_stage_name(result->stage), result->targets.count,
				 result->err.reason);
		if (result->rc < 0) {
			portal_text(&result->asked, place);
			if (strncmp(result->err.place, place, strlen(place)) != 0)
				fail_msg("row %zu, %s: at '%s'", i, row->id, result->err.place);
		}
		if (row->part[0] != '\0' && !strstr(result->err.reason, row->part) &&
		    !strstr(buf_text(&result->notes), row->part) &&
		    !strstr(buf_text(&result->targets.notes), row->part))
			fail_msg("row %zu, %s: '%s', '%s', '%s'", i, row->id, result->err.reason,
				 buf_text(&result->notes), buf_text(&result->targets.notes));
		if (row->rc == 0 && row->script.logout >= 0)
			assert_int_equal(world.fakes[0].logouts, 1);
		stop_world(&world);
	}
}

static void test_pings_are_answered(void **state)
{
	const struct script script = { .ping = true, .part = 20 };
	const struct discovery_options options = quick();
	static struct world world;

	(void)state;
	start_world(&world);
	add_fake(&world, &script);
	discover(&world, &options, &world.fakes[0].portal, 1);
	assert_int_equal(world.results[0].rc, 0);
	for (int i = 0; i < CONNECTIONS_MAX; i++)
		fake_close(&world.fakes[0].connections[i]);
	assert_int_equal(world.fakes[0].pongs, 4);
	stop_world(&world);
}

/* I-RED-1: tried in order, over several hops; 0102 is reported as lasting. */
static void test_redirections_are_followed(void **state)
{
	const struct script first = { .status = 0x0102, .redirect = "@1" };
	const struct script second = { .status = 0x0101, .redirect = "127.0.0.1:1;@2" };
	const struct script good = { 0 };
	const struct script lost = { .status = 0x0101, .redirect = "127.0.0.1:1" };
	const struct discovery_options options = quick();
	struct portal asked[2];
	static struct world world;

	(void)state;
	start_world(&world);
	asked[0] = add_fake(&world, &first)->portal;
	add_fake(&world, &second);
	add_fake(&world, &good);
	asked[1] = add_fake(&world, &lost)->portal;
	discover(&world, &options, asked, 2);
	for (int i = 0; i < 2; i++) {
		const struct discovery_result *result = &world.results[i];

		assert_true(portal_equal(&result->asked, &asked[result->number]));
		if (result->number == 0) {
			assert_int_equal(result->rc, 0);
			assert_true(result->moved_for_good);
			assert_true(portal_equal(&result->answered, &world.fakes[2].portal));
			assert_int_equal(result->targets.count, 1);
		} else {
			assert_int_equal(result->rc, -ECONNREFUSED);
			assert_non_null(strstr(result->err.place, ", redirected to 127.0.0.1:1"));
		}
	}
	stop_world(&world);
}

/* However willing, nobody is sent on for ever. */
static void test_redirections_have_an_end(void **state)
{
	static const char *const next[] = { "@1", "@2", "@3", "@4", "@5", "@6" };
	const struct discovery_options options = quick();
	static struct world world;

	(void)state;
	start_world(&world);
	for (size_t i = 0; i < ARRAY_LEN(next); i++)
		add_fake(&world, &(struct script){ .status = 0x0101, .redirect = next[i] });
	add_fake(&world, &(struct script){ 0 });
	discover(&world, &options, &world.fakes[0].portal, 1);
	assert_int_equal(world.results[0].rc, -ELOOP);
	assert_string_equal(world.results[0].err.reason,
			    "login failed: redirected more than 4 times");
	assert_int_equal(world.fakes[4].accepted, 1);
	assert_int_equal(world.fakes[5].accepted, 0);
	stop_world(&world);
}

/* A host that drops what is sent to it: here, one whose queue of connections is full. */
static void test_black_holes_cost_the_connect_timeout(void **state)
{
	struct discovery_options options = quick();
	struct socket_address any, local;
	struct discovery_result result;
	char text[SOCKET_TEXT_MAX];
	struct portal portal;
	struct err err;
	int listener, fillers[4];
	uint64_t began;

	(void)state;
	assert_int_equal(socket_address_parse("127.0.0.1", 0, &any), 0);
	listener = socket_listen(&any, 0, &err);
	assert_true(listener >= 0);
	assert_int_equal(socket_local(listener, &local), 0);
	socket_address_text(&local, text);
	assert_int_equal(portal_parse(text, &portal, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(fillers); i++)
		fillers[i] = socket_connect(&local, &err);
	options.connect_ms = 100;
	began = loop_clock_us();
	assert_int_equal(discovery_run(&portal, 1, &options, &result, &err), 0);
	assert_int_equal(result.rc, -ETIMEDOUT);
	assert_int_equal(result.stage, DISCOVERY_CONNECT);
	assert_string_equal(result.err.reason, "cannot connect: no answer within 100 ms");
	assert_true(loop_clock_us() - began >= 100000);
	discovery_result_done(&result);
	for (size_t i = 0; i < ARRAY_LEN(fillers); i++)
		socket_close(fillers[i]);
	socket_close(listener);
}

/* One deadline stands over all, whatever the target does in between. */
static void test_the_whole_has_a_deadline(void **state)
{
	struct discovery_options options = quick();
	static struct world world;

	(void)state;
	start_world(&world);
	add_fake(&world, &(struct script){ .silent = true });
	options.answer_ms = 5000;
	options.total_ms = 100;
	discover(&world, &options, &world.fakes[0].portal, 1);
	assert_int_equal(world.results[0].rc, -ETIMEDOUT);
	assert_string_equal(world.results[0].err.reason,
			    "login did not come to an end within 100 ms in all");
	stop_world(&world);
}

static void test_a_discovery_can_be_given_up(void **state)
{
	struct discovery_options options = quick();
	struct discovery *discovery;
	static struct world world;
	struct loop_timer stop;
	struct portal unknown;
	struct err err;

	(void)state;
	start_world(&world);
	add_fake(&world, &(struct script){ .silent = true });
	assert_int_equal(portal_parse("no-such-host.invalid", &unknown, &err), 0);
	options.answer_ms = 5000;
	discovery = discovery_new(world.loop, &options, found, idle, &world, &err);
	assert_int_equal(discovery_add(discovery, &world.fakes[0].portal, &err), 0);
	assert_int_equal(discovery_add(discovery, &unknown, &err), 0);
	stop = (struct loop_timer){ .fire = idle, .arg = &world };
	assert_int_equal(loop_timer_set(world.loop, &stop, 30, &err), 0);
	assert_int_equal(loop_run(world.loop, &err), 0);
	assert_int_equal(world.fakes[0].accepted, 1);
	discovery_free(discovery);
	stop_world(&world);
}

/* Nobody listens, the host is unknown: each says so, and delays nobody (I-NET-1). */
static void test_many_portals_at_once(void **state)
{
	const struct script good = { 0 }, silent = { .silent = true };
	struct discovery_options options = quick();
	struct portal portals[12];
	static struct world world;
	struct err err;
	uint64_t began;

	(void)state;
	start_world(&world);
	portals[0] = add_fake(&world, &silent)->portal;
	assert_int_equal(portal_parse("no-such-host.invalid:3260", &portals[1], &err), 0);
	assert_int_equal(portal_parse("127.0.0.1:1", &portals[2], &err), 0);
	portals[3] = add_fake(&world, &good)->portal;
	assert_int_equal(portal_parse("localhost:1", &portals[4], &err), 0);
	for (size_t i = 5; i < ARRAY_LEN(portals); i++)
		portals[i] = portals[3];
	options.max_in_flight = 3;
	options.answer_ms = 300;
	began = loop_clock_us();
	discover(&world, &options, portals, ARRAY_LEN(portals));
	assert_true(loop_clock_us() - began < 5000000);
	assert_int_equal(world.result_count, ARRAY_LEN(portals));
	assert_true(world.fakes[1].open_max <= 3);
	/* The silent one was asked first and comes last. */
	assert_int_equal(world.order[ARRAY_LEN(portals) - 1], 'a');
	for (size_t i = 0; i < world.result_count; i++) {
		const struct discovery_result *result = &world.results[i];

		switch (result->number) {
		case 0:
			assert_int_equal(result->rc, -ETIMEDOUT);
			break;
		case 1:
			assert_int_equal(result->stage, DISCOVERY_RESOLVE);
			assert_non_null(strstr(result->err.reason, "no-such-host.invalid"));
			break;
		case 2:
		case 4:
			assert_int_equal(result->stage, DISCOVERY_CONNECT);
			assert_int_equal(result->rc, -ECONNREFUSED);
			assert_string_equal(result->err.reason,
					    "cannot connect: Connection refused");
			break;
		default:
			assert_int_equal(result->rc, 0);
			assert_true(result->connect_us > 0);
		}
	}
	stop_world(&world);
}

/* Ten thousand targets, in many parts: linear, and each there. */
static void test_ten_thousand_targets(void **state)
{
	struct discovery_options options = quick();
	struct script script = { .part = 8192 };
	CLEANUP(buf_done) struct buf answer = { .data = NULL };
	const struct discovery_result *result;
	static struct world world;

	(void)state;
	for (int i = 0; i < 10000; i++)
		buf_addf(&answer, "%s" NAME "volume-%05d;TargetAddress=127.0.0.1:3260,1",
			 i ? ";" : "", i);
	script.answer = answer.data;
	options.answer_ms = options.total_ms = 20000;
	start_world(&world);
	add_fake(&world, &script);
	discover(&world, &options, &world.fakes[0].portal, 1);
	result = &world.results[0];
	assert_int_equal(result->rc, 0);
	assert_int_equal(result->targets.count, 10000);
	assert_string_equal(result->targets.list[9999].name, "iqn.1997-05.com.amazon:volume-09999");
	assert_int_equal(result->targets.list[9999].portal_count, 1);
	assert_int_equal(result->targets.list[9999].portals[0].tag, 1);
	stop_world(&world);
}

/* The portals of one answer, as a list of lines. */
static void list_targets(const struct targets *targets, struct buf *out)
{
	for (size_t i = 0; i < targets->count; i++) {
		buf_adds(out, strrchr(targets->list[i].name, ':') + 1);
		for (size_t k = 0; k < targets->list[i].portal_count; k++) {
			char text[PORTAL_TEXT_MAX];

			portal_text_tag(&targets->list[i].portals[k], text);
			buf_addf(out, " %s", text);
		}
		buf_adds(out, ";");
	}
}

static void test_answers_become_lists(void **state)
{
	static const struct {
		const char *id, *answer, *want;
		size_t refused;
		const char *note;
	} answers[] = {
		{ "plain", NAME "a;TargetAddress=10.0.0.1:3260,1", "a 10.0.0.1:3260,1;", 0, "" },
		{ "I-TXT-6", NAME "a;TargetAddress=10.0.0.1:3260,1;TargetAddress=10.0.0.2,2",
		  "a 10.0.0.1:3260,1 10.0.0.2:3260,2;", 0, "" },
		{ "I-TXT-6",
		  NAME "a;TargetAddress=10.0.0.1,1;" NAME "b;" NAME
		       "a;TargetAddress=10.0.0.1:3260,1;TargetAddress=[::1:2],1",
		  "a 10.0.0.1:3260,1 [::1:2]:3260,1;b 192.168.1.9:3260;", 0, "" },
		{ "I-ADDR-1", NAME "a;TargetAddress=10.0.0.1;TargetAddress=gw.example:7",
		  "a 10.0.0.1:3260 gw.example:7;", 0, "2 addresses have no portal group tag" },
		{ "I-ADDR-2",
		  NAME "a;TargetAddress=10.0.0.1:0,1;" NAME "b;TargetAddress=10.0.0.2,1",
		  "b 10.0.0.2:3260,1;", 1, "a has no address that can be used" },
		{ "I-ADDR-2", NAME "a;TargetAddress=10.0.0.1:0,1;TargetAddress=10.0.0.2,1",
		  "a 10.0.0.2:3260,1;", 0, "address left out: port 0" },
		{ "I-ADDR-2", NAME "a;TargetAddress=[fe80::1%eth0],1", "a [fe80::1]:3260,1;", 0,
		  "zone" },
		{ "I-ADDR-3",
		  NAME "a;TargetAddress=[0:0:0:0:0:FFFF:0a00:0001],1;"
		       "TargetAddress=10.0.0.1:3260,1",
		  "a 10.0.0.1:3260,1;", 0, "" },
		{ "I-ADDR-4", NAME "a;TargetAddress=0.0.0.0,1", "a 0.0.0.0:3260,1;", 0,
		  "the unspecified address" },
		{ "I-ADDR-4", NAME "a;TargetAddress=127.0.0.1,1", "a 127.0.0.1:3260,1;", 0,
		  "a loopback address" },
		{ "I-ADDR-4", NAME "a;TargetAddress=224.0.0.1,1", "a 224.0.0.1:3260,1;", 0,
		  "a multicast address" },
		{ "I-NAME-1", "TargetName=iqn.x\nEVIL=1;TargetAddress=10.0.0.1,1;" NAME "b",
		  "b 192.168.1.9:3260;", 1, "iqn.x\\x0aEVIL=1" },
		{ "I-NAME-1", NAME "Upper", "Upper 192.168.1.9:3260;", 0, "does not allow" },
		{ "nothing", "", "", 0, "" },
	};
	struct portal asked;
	struct err err;

	(void)state;
	assert_int_equal(portal_parse("192.168.1.9,5", &asked, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(answers); i++)
		for (size_t step = 1; step < 400; step = step * 3 + 1) {
			CLEANUP(buf_done) struct buf text = { .data = NULL };
			CLEANUP(buf_done) struct buf got = { .data = NULL };
			struct targets targets = { .list = NULL };

			if (answers[i].answer[0] != '\0')
				buf_add(&text, answers[i].answer, strlen(answers[i].answer) + 1);
			for (size_t k = 0; k < text.len; k++)
				if (text.data[k] == ';')
					text.data[k] = '\0';
			for (size_t at = 0; at < text.len; at += step)
				assert_int_equal(
					targets_feed(&targets, text.data + at,
						     text.len - at < step ? text.len - at : step,
						     &err),
					0);
			assert_int_equal(targets_end(&targets, &asked, ADDRESS_PRIVATE, &err), 0);
			list_targets(&targets, &got);
			if (strcmp(buf_text(&got), answers[i].want) != 0 ||
			    targets.refused != answers[i].refused ||
			    !strstr(buf_text(&targets.notes), answers[i].note))
				fail_msg("%s by %zu: '%s', %zu refused, '%s'", answers[i].id, step,
					 buf_text(&got), targets.refused, buf_text(&targets.notes));
			targets_done(&targets);
		}
}

static void test_hostile_answers_are_bounded(void **state)
{
	struct targets targets = { .list = NULL };
	struct portal asked;
	struct err err;
	char text[200];
	size_t lines = 0;

	(void)state;
	assert_int_equal(portal_parse("192.168.1.9", &asked, &err), 0);
	/* Remarks and addresses of one target have an end. */
	for (int i = 0; i < 1000; i++) {
		int len = snprintf(text, sizeof(text), "Key%d=1", i);

		assert_int_equal(targets_feed(&targets, text, (size_t)len + 1, &err), 0);
	}
	assert_int_equal(targets_feed(&targets, NAME "a", sizeof(NAME "a"), &err), 0);
	for (int i = 0; i < 1000; i++) {
		int len = snprintf(text, sizeof(text), "TargetAddress=10.0.%d.%d,1", i / 256,
				   i % 256);

		assert_int_equal(targets_feed(&targets, text, (size_t)len + 1, &err), 0);
	}
	assert_int_equal(targets_end(&targets, &asked, ADDRESS_PRIVATE, &err), 0);
	assert_int_equal(targets.list[0].portal_count, TARGETS_ADDRESSES_MAX);
	for (const char *p = buf_text(&targets.notes); *p != '\0'; p++)
		lines += *p == '\n';
	assert_true(lines <= TARGETS_NOTES_MAX + 2);
	targets_done(&targets);

	/* A pair without end is given up. */
	memset(text, 'x', sizeof(text));
	for (int i = 0; i < 1000; i++)
		if (targets_feed(&targets, text, sizeof(text), &err) < 0)
			break;
	assert_int_equal(err.code, EPROTO);
	targets_done(&targets);
	assert_int_equal(targets_feed(&targets, "TargetName=x", 5, &err), 0);
	assert_int_equal(targets_end(&targets, &asked, ADDRESS_PRIVATE, &err), -EPROTO);
	targets_done(&targets);
}

static void test_one_call_for_all(void **state)
{
	const struct discovery_options options = quick();
	struct discovery_result results[2];
	struct portal portals[2];
	struct err err;

	(void)state;
	assert_int_equal(portal_parse("127.0.0.1:1", &portals[0], &err), 0);
	assert_int_equal(portal_parse("127.0.0.1:2", &portals[1], &err), 0);
	assert_int_equal(discovery_run(portals, 2, &options, results, &err), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(results[i].rc, -ECONNREFUSED);
		assert_true(portal_equal(&results[i].asked, &portals[i]));
		discovery_result_done(&results[i]);
	}
	assert_int_equal(discovery_run(portals, 0, &options, results, &err), 0);
}

/* Numbers and the window, without a socket (4.2.2; I-FFP-3). */
static void test_numbers_of_a_session(void **state)
{
	struct session session = {
		.cmd_sn = 5, .exp_stat_sn = 10, .exp_cmd_sn = 5, .max_cmd_sn = 4
	};
	enum connection_state at = S5_LOGGED_IN;
	CLEANUP(buf_done) struct buf out = { .data = NULL };
	uint8_t request[BHS_LEN] = { OP_TEXT_REQUEST, FLAG_FINAL };
	uint8_t bhs[BHS_LEN] = { OP_NOP_IN, FLAG_FINAL };
	struct pdu pdu = { .bhs = bhs };
	struct err err;

	(void)state;
	session_request(&session, request, "A=1", 4, &out);
	session_request(&session, request, "B=2", 4, &out);
	assert_int_equal(out.len, 0);

	put_be32(bhs + BHS_ITT, TAG_NONE);
	put_be32(bhs + BHS_TTT, TAG_NONE);
	put_be32(bhs + BHS_STAT_SN, 99);
	/* MaxCmdSN below ExpCmdSN - 1: both are ignored. */
	put_be32(bhs + BHS_EXP_CMD_SN, 9);
	put_be32(bhs + BHS_MAX_CMD_SN, 7);
	assert_int_equal(session_receive(&session, &at, &pdu, &out, &err), SESSION_SERVED);
	assert_int_equal(out.len, 0);
	assert_int_equal(session.exp_cmd_sn, 5);

	put_be32(bhs + BHS_EXP_CMD_SN, 5);
	put_be32(bhs + BHS_MAX_CMD_SN, 5);
	assert_int_equal(session_receive(&session, &at, &pdu, &out, &err), SESSION_SERVED);
	assert_int_equal(out.len, BHS_LEN + 4);
	assert_int_equal(get_be32((uint8_t *)out.data + BHS_CMD_SN), 5);
	assert_int_equal(get_be32((uint8_t *)out.data + BHS_EXP_STAT_SN), 10);
	put_be32(bhs + BHS_MAX_CMD_SN, 6);
	assert_int_equal(session_receive(&session, &at, &pdu, &out, &err), SESSION_SERVED);
	assert_int_equal(out.len, 2 * (BHS_LEN + 4));
	assert_memory_equal(out.data + 2 * BHS_LEN + 4, "B=2", 4);
	/* The window does not move back. */
	put_be32(bhs + BHS_MAX_CMD_SN, 4);
	assert_int_equal(session_receive(&session, &at, &pdu, &out, &err), SESSION_SERVED);
	assert_int_equal(session.max_cmd_sn, 6);

	/* An answer uses up its StatSN, a wrong data digest ends it all. */
	bhs[BHS_OPCODE] = OP_TEXT_RESPONSE;
	assert_int_equal(session_receive(&session, &at, &pdu, &out, &err), SESSION_PDU);
	assert_int_equal(session.exp_stat_sn, 100);
	pdu.data_digest_bad = true;
	assert_int_equal(session_receive(&session, &at, &pdu, &out, &err), -EBADMSG);
	session_done(&session);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_of_a_session),
		cmocka_unit_test(test_answers_become_lists),
		cmocka_unit_test(test_hostile_answers_are_bounded),
		cmocka_unit_test(test_what_targets_do),
		cmocka_unit_test(test_pings_are_answered),
		cmocka_unit_test(test_redirections_are_followed),
		cmocka_unit_test(test_redirections_have_an_end),
		cmocka_unit_test(test_black_holes_cost_the_connect_timeout),
		cmocka_unit_test(test_the_whole_has_a_deadline),
		cmocka_unit_test(test_a_discovery_can_be_given_up),
		cmocka_unit_test(test_many_portals_at_once),
		cmocka_unit_test(test_ten_thousand_targets),
		cmocka_unit_test(test_one_call_for_all),
	};

	return cmocka_run_group_tests_name("initiator", tests, NULL, NULL);
}
