/* SPDX-License-Identifier: MIT */
/* A probe of targets on loopback that do what a row says, in the same loop. */
#include "iscsi/probe.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "iscsi/bytes.h"
#include "iscsi/pdu.h"
#include "os/loop.h"
#include "os/sockets.h"

enum {
	ATTENTION = 0x100, /* not a status: CHECK CONDITION with a unit attention */
	DROP = 0x101, /* closes the connection instead */
	MUTE = 0x102, /* does not answer */
	WILD = 0x103, /* data past the buffer */
	ANSWERS_MAX = 12,
};

/* What the target does. All zero is a good one with one disk. */
struct row {
	const char *what;
	int capacity[ANSWERS_MAX]; /* answers to READ CAPACITY in turn, after that GOOD */
	bool no_luns; /* REPORT LUNS fails */
	bool mute_ping;
	int logout; /* response; -1: closes; -2: never answers */
	bool redirect; /* the first login, to itself */
	bool always; /* … and each one */

	/* What is told of it. */
	int rc;
	enum probe_stage stage;
	const char *reason; /* a part of it */
	const char *problem; /* of the unit */
	const char *note;
	int asked; /* READ CAPACITY that came; 0: any */
};

struct fake {
	const struct row *row;
	struct loop *loop;
	int listener, fd;
	struct loop_watch accepting, receiving;
	struct pdu_reader reader;
	struct buf out;
	struct portal portal;
	uint32_t stat_sn;
	int logins, asked, logouts;

	struct probe_result result;
	bool over;
};

static void hang_up(struct fake *fake)
{
	if (fake->fd < 0)
		return;
	loop_remove(fake->loop, &fake->receiving);
	socket_close(fake->fd);
	pdu_reader_done(&fake->reader);
	fake->fd = -1;
}

static void answer(struct fake *fake, uint8_t *bhs, const struct pdu *to, const void *data,
		   size_t len)
{
	uint32_t cmd_sn = get_be32(to->bhs + BHS_CMD_SN);

	put_be32(bhs + BHS_ITT, get_be32(to->bhs + BHS_ITT));
	put_be32(bhs + BHS_STAT_SN, fake->stat_sn++);
	put_be32(bhs + BHS_EXP_CMD_SN, cmd_sn + !(to->bhs[BHS_OPCODE] & OPCODE_IMMEDIATE));
	put_be32(bhs + BHS_MAX_CMD_SN, cmd_sn + 8);
	pdu_append(&fake->out, bhs, data, len, false, false);
}

static void log_in(struct fake *fake, const struct pdu *to)
{
	uint8_t bhs[BHS_LEN] = { OP_LOGIN_RESPONSE, to->bhs[BHS_FLAGS] };
	bool security = (to->bhs[BHS_FLAGS] & LOGIN_CSG) == 0;
	char text[PORTAL_TEXT_MAX], pair[PORTAL_TEXT_MAX + 32];

	memcpy(bhs + LOGIN_ISID, to->bhs + LOGIN_ISID, ISID_LEN);
	if (security && (fake->row->always || (fake->row->redirect && fake->logins++ == 0))) {
		bhs[BHS_FLAGS] = 0;
		put_be16(bhs + LOGIN_STATUS, 0x0101);
		portal_text(&fake->portal, text);
		snprintf(pair, sizeof(pair), "TargetAddress=%s", text);
		answer(fake, bhs, to, pair, strlen(pair) + 1);
		return;
	}
	if (!security)
		put_be16(bhs + LOGIN_TSIH, 1);
	answer(fake, bhs, to, "AuthMethod=None", security ? sizeof("AuthMethod=None") : 0);
}

static void send_status(struct fake *fake, const struct pdu *to, int status)
{
	static const char attention[] = "\0\22\x70\0\6\0\0\0\0\12\0\0\0\0\x29\0\0\0\0\0";
	uint8_t bhs[BHS_LEN] = { OP_SCSI_RESPONSE, FLAG_FINAL };

	bhs[RESPONSE_STATUS] = status == ATTENTION ? CDB_CHECK_CONDITION : (uint8_t)status;
	answer(fake, bhs, to, attention, status == ATTENTION ? sizeof(attention) - 1 : 0);
}

static void send_data(struct fake *fake, const struct pdu *to, const void *data, size_t len)
{
	uint8_t bhs[BHS_LEN] = { OP_DATA_IN, FLAG_FINAL | DATA_STATUS_PRESENT };

	put_be32(bhs + BHS_TTT, TAG_NONE);
	answer(fake, bhs, to, data, len);
}

static void run_command(struct fake *fake, const struct pdu *to)
{
	static const uint8_t luns[16] = { [3] = 8 };
	uint8_t data[64] = { 0, 0, 0, 9, 0, 0, 2, 0 };
	int what;

	switch (to->bhs[COMMAND_CDB]) {
	case 0xa0:
		if (fake->row->no_luns)
			send_status(fake, to, CDB_RESERVATION_CONFLICT);
		else
			send_data(fake, to, luns, sizeof(luns));
		return;
	case 0x12:
		memset(data, ' ', sizeof(data));
		data[0] = 0;
		send_data(fake, to, data, CDB_INQUIRY_LEN);
		return;
	default:
		break;
	}
	what = fake->asked < ANSWERS_MAX ? fake->row->capacity[fake->asked] : CDB_GOOD;
	fake->asked++;
	if (what == CDB_GOOD)
		send_data(fake, to, data, CDB_CAPACITY_10_LEN);
	else if (what == WILD)
		send_data(fake, to, data, sizeof(data));
	else if (what == DROP)
		hang_up(fake);
	else if (what != MUTE)
		send_status(fake, to, what);
}

static void log_out(struct fake *fake, const struct pdu *to)
{
	uint8_t bhs[BHS_LEN] = { OP_LOGOUT_RESPONSE, FLAG_FINAL, (uint8_t)fake->row->logout };

	fake->logouts++;
	if (fake->row->logout == -1)
		hang_up(fake);
	else if (fake->row->logout >= 0)
		answer(fake, bhs, to, NULL, 0);
}

static void take(struct fake *fake, const struct pdu *pdu)
{
	uint8_t ping[BHS_LEN] = { OP_NOP_IN, FLAG_FINAL };

	switch (pdu_opcode(pdu->bhs)) {
	case OP_LOGIN_REQUEST:
		log_in(fake, pdu);
		break;
	case OP_NOP_OUT:
		put_be32(ping + BHS_TTT, TAG_NONE);
		if (!fake->row->mute_ping)
			answer(fake, ping, pdu, NULL, 0);
		break;
	case OP_SCSI_COMMAND:
		run_command(fake, pdu);
		break;
	case OP_LOGOUT_REQUEST:
		log_out(fake, pdu);
		break;
	default:
		fail_msg("opcode 0x%02x", pdu_opcode(pdu->bhs));
	}
}

static void receive(void *arg, unsigned int events)
{
	struct fake *fake = arg;
	struct socket_piece piece;
	struct err err;
	struct pdu pdu;
	uint8_t *space;
	ssize_t got;
	size_t len;

	(void)events;
	assert_int_equal(pdu_reader_space(&fake->reader, &space, &len, &err), 0);
	got = socket_receive(fake->fd, space, len);
	if (got == -EAGAIN)
		return;
	if (got <= 0) {
		hang_up(fake);
		return;
	}
	pdu_reader_received(&fake->reader, (size_t)got);
	while (fake->fd >= 0 && pdu_reader_next(&fake->reader, &pdu, &err) > 0)
		take(fake, &pdu);
	piece = (struct socket_piece){ fake->out.data, fake->out.len };
	if (fake->fd >= 0 && fake->out.len > 0)
		assert_int_equal(socket_send(fake->fd, &piece, 1), fake->out.len);
	fake->out.len = 0;
}

static void take_connection(void *arg, unsigned int events)
{
	struct fake *fake = arg;
	struct socket_address peer;
	struct err err;
	int fd = socket_accept(fake->listener, &peer);

	(void)events;
	if (fd < 0)
		return;
	hang_up(fake);
	fake->fd = fd;
	pdu_reader_init(&fake->reader, 65536);
	fake->receiving = (struct loop_watch){ .ready = receive, .arg = fake };
	assert_int_equal(loop_add(fake->loop, &fake->receiving, fd, LOOP_READ, &err), 0);
}

static void done(void *arg, struct probe_result *result)
{
	struct fake *fake = arg;

	assert_false(fake->over);
	fake->over = true;
	fake->result = *result;
	*result = (struct probe_result){ 0 };
	loop_stop(fake->loop);
}

static void probe_one(struct fake *fake)
{
	struct probe_config config = {
		.login = { .initiator_name = "iqn.2000-01.com.example:host",
			   .target_name = "iqn.2000-01.com.example:target",
			   .portal_group_tag = PORTAL_NO_TAG },
		.answer_ms = 200,
	};
	struct socket_address address;
	struct params params;
	struct err err;

	fake->loop = loop_new(&err);
	fake->fd = -1;
	assert_int_equal(socket_address_parse("127.0.0.1", 0, &address), 0);
	fake->listener = socket_listen(&address, 8, &err);
	assert_true(fake->listener >= 0);
	assert_int_equal(socket_local(fake->listener, &address), 0);
	assert_int_equal(portal_parse("127.0.0.1", &fake->portal, &err), 0);
	fake->portal.port = socket_address_port(&address);
	fake->accepting = (struct loop_watch){ .ready = take_connection, .arg = fake };
	assert_int_equal(loop_add(fake->loop, &fake->accepting, fake->listener, LOOP_READ, &err),
			 0);

	params_init(&params, PARAMS_INITIATOR);
	config.portal = fake->portal;
	config.params = &params;
	assert_non_null(probe_start(fake->loop, &config, done, fake, &err));
	assert_int_equal(loop_run(fake->loop, &err), 0);

	hang_up(fake);
	loop_remove(fake->loop, &fake->accepting);
	socket_close(fake->listener);
	loop_free(fake->loop);
	buf_done(&fake->out);
}

static const struct row rows[] = {
	{ .what = "a good one", .stage = PROBE_LOGOUT, .asked = 1 },
	{ .what = "three unit attentions",
	  .capacity = { ATTENTION, ATTENTION, ATTENTION },
	  .stage = PROBE_LOGOUT,
	  .asked = 4 },
	{ .what = "unit attentions without end",
	  .capacity = { ATTENTION, ATTENTION, ATTENTION, ATTENTION, ATTENTION, ATTENTION, ATTENTION,
			ATTENTION, ATTENTION, ATTENTION, ATTENTION, ATTENTION },
	  .stage = PROBE_LOGOUT,
	  .problem = "READ CAPACITY(10): CHECK CONDITION, UNIT ATTENTION, 29/00",
	  .asked = 9 },
	{ .what = "busy, then not",
	  .capacity = { CDB_BUSY, CDB_TASK_SET_FULL },
	  .stage = PROBE_LOGOUT,
	  .asked = 3 },
	{ .what = "busy for ever",
	  .capacity = { CDB_BUSY, CDB_BUSY, CDB_BUSY, CDB_BUSY, CDB_BUSY },
	  .stage = PROBE_LOGOUT,
	  .problem = "BUSY",
	  .asked = 4 },
	{ .what = "reserved by another host",
	  .capacity = { CDB_RESERVATION_CONFLICT },
	  .stage = PROBE_LOGOUT,
	  .problem = "RESERVATION CONFLICT",
	  .asked = 1 },
	{ .what = "REPORT LUNS fails",
	  .no_luns = true,
	  .stage = PROBE_LOGOUT,
	  .note = "only logical unit 0",
	  .asked = 1 },
	{ .what = "data past the buffer",
	  .capacity = { WILD },
	  .rc = -EPROTO,
	  .stage = PROBE_COMMANDS,
	  .reason = "READ CAPACITY(10) failed: data nobody asked for" },
	{ .what = "the connection drops",
	  .capacity = { DROP },
	  .rc = -ECONNRESET,
	  .stage = PROBE_COMMANDS,
	  .reason = "while the answer to READ CAPACITY(10) was awaited" },
	{ .what = "a command is not answered",
	  .capacity = { MUTE },
	  .rc = -ETIMEDOUT,
	  .stage = PROBE_COMMANDS,
	  .reason = "no answer to READ CAPACITY(10) within 200 ms" },
	{ .what = "NOP-Out is not answered",
	  .mute_ping = true,
	  .rc = -ETIMEDOUT,
	  .stage = PROBE_COMMANDS,
	  .reason = "no answer to NOP-Out within 200 ms" },
	{ .what = "an odd logout",
	  .logout = 1,
	  .stage = PROBE_LOGOUT,
	  .note = "answered the logout with 1" },
	{ .what = "it closes at the logout",
	  .logout = -1,
	  .stage = PROBE_LOGOUT,
	  .note = "closed" },
	{ .what = "no answer to the logout",
	  .logout = -2,
	  .stage = PROBE_LOGOUT,
	  .note = "no Logout Response" },
	{ .what = "a redirection",
	  .redirect = true,
	  .stage = PROBE_LOGOUT,
	  .note = "redirected to" },
	{ .what = "redirections without end",
	  .always = true,
	  .rc = -ELOOP,
	  .stage = PROBE_LOGIN,
	  .reason = "redirected more than" },
};

static void what_targets_do(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		struct fake fake = { .row = row };
		const struct probe_result *result = &fake.result;

		print_message("row: %s\n", row->what);
		probe_one(&fake);
		print_message("     %s %s\n", result->err.reason, buf_text(&result->notes));
		assert_int_equal(result->rc, row->rc);
		assert_int_equal(result->stage, row->stage);
		assert_int_equal(fake.logouts, row->stage == PROBE_LOGOUT);
		if (row->reason)
			assert_non_null(strstr(result->err.reason, row->reason));
		if (row->note)
			assert_non_null(strstr(buf_text(&result->notes), row->note));
		if (row->asked)
			assert_int_equal(fake.asked, row->asked);
		if (row->stage == PROBE_LOGOUT) {
			const struct probe_unit *unit = &result->units[0];

			assert_int_equal(result->unit_count, 1);
			assert_true(unit->blocks == (row->problem ? 0 : 10));
			assert_int_equal(unit->problem[0] != '\0', row->problem != NULL);
			if (row->problem)
				assert_non_null(strstr(unit->problem, row->problem));
			assert_true(result->ping_us > 0 && result->login_us > 0);
		}
		probe_result_done(&fake.result);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_targets_do),
	};
	struct err err;

	if (sockets_start(&err) < 0)
		return 1;
	return cmocka_run_group_tests_name("probe", tests, NULL, NULL);
}
