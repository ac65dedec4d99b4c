/* SPDX-License-Identifier: MIT */
/* sgw-target frozen, with real sockets in a loop whose clock the test turns. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../target/gateway.h"
#include "../target/options.h"
#include "../target/server.h"
#include "buf.h"
#include "err.h"
#include "iscsi/bytes.h"
#include "iscsi/pdu.h"
#include "os/loop.h"
#include "os/sockets.h"

enum {
	WATCHES = 8,
	PATIENCE = 20000, /* ms for what is on its way */
	HOUR = 3600 * 1000,
	LOGIN_TIME = 15000, /* the deadlines of what is tested here */
	PDU_TIME = 30000,
};

/* ---- os/loop.h, with a clock that stands still unless it is turned ---- */

struct loop {
	uint64_t now;
	struct timers timers;
	struct loop_watch *watches[WATCHES];
	bool stop;
};

struct loop *loop_new(struct err *err)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		err_oom(err);
	else
		loop->now = 1000;
	return loop;
}

void loop_free(struct loop *loop)
{
	timers_done(&loop->timers);
	free(loop);
}

int loop_add(struct loop *loop, struct loop_watch *watch, int fd, unsigned int events,
	     struct err *err)
{
	(void)err;
	watch->fd = fd;
	watch->events = events;
	for (watch->slot = 0; loop->watches[watch->slot]; watch->slot++)
		assert_in_range(watch->slot, 0, WATCHES - 2);
	loop->watches[watch->slot] = watch;
	return 0;
}

void loop_change(struct loop *loop, struct loop_watch *watch, unsigned int events)
{
	(void)loop;
	watch->events = events;
}

void loop_remove(struct loop *loop, struct loop_watch *watch)
{
	loop->watches[watch->slot] = NULL;
}

int loop_timer_set(struct loop *loop, struct loop_timer *timer, uint64_t delay_ms, struct err *err)
{
	return timers_set(&loop->timers, timer, loop->now + delay_ms) < 0 ? err_oom(err) : 0;
}

void loop_timer_cancel(struct loop *loop, struct loop_timer *timer)
{
	timers_cancel(&loop->timers, timer);
}

uint64_t loop_now(const struct loop *loop)
{
	return loop->now;
}

uint64_t loop_clock_us(void)
{
	return 0;
}

int loop_on_quit(struct loop *loop, void (*quit)(void *arg), void *arg, struct err *err)
{
	(void)loop, (void)quit, (void)arg, (void)err;
	return 0;
}

int loop_run(struct loop *loop, struct err *err)
{
	(void)loop, (void)err;
	return 0;
}

void loop_stop(struct loop *loop)
{
	loop->stop = true;
}

/* Serve one socket that is ready; it is waited for. */
static void serve(struct loop *loop)
{
	struct pollfd fds[WATCHES];

	for (size_t i = 0; i < WATCHES; i++) {
		const struct loop_watch *watch = loop->watches[i];

		fds[i] = (struct pollfd){
			.fd = watch && watch->events ? watch->fd : -1,
			.events = watch && watch->events == LOOP_WRITE ? POLLOUT : POLLIN,
		};
	}
	assert_true(poll(fds, WATCHES, PATIENCE) > 0);
	for (size_t i = 0; i < WATCHES; i++) {
		struct loop_watch *watch = loop->watches[i];

		if (fds[i].revents == 0)
			continue;
		watch->ready(watch->arg, watch->events);
		return;
	}
}

/* Turn the clock on, and let fire what is due on the way. */
static void pass(struct loop *loop, uint64_t ms)
{
	uint64_t end = loop->now + ms;

	for (;;) {
		const struct loop_timer *first = timers_first(&loop->timers);

		if (first && first->due <= loop->now)
			timers_fire(&loop->timers, loop->now, &loop->stop);
		else if (first && first->due <= end)
			loop->now = first->due;
		else
			break;
	}
	loop->now = end;
}

/* ---- A gateway, and somebody who connects ---- */

struct test {
	struct gateway *gateway;
	struct server *server;
	struct loop *loop;
};

static int start(void **state)
{
	static const struct portal_option where = { .host = "127.0.0.1" };
	static struct test test;
	const char *unused;
	struct err err;

	test.gateway = gateway_new(&err);
	test.gateway->limits.wait_ms[WAIT_LOGIN] = LOGIN_TIME;
	test.gateway->limits.wait_ms[WAIT_PDU] = PDU_TIME;
	if (persona_add_volume(&test.gateway->targets, "v", PERSONA_VOLUME_SIZE, &err) < 0 ||
	    gateway_prepare(test.gateway, &unused, &err) < 0)
		return -1;
	test.server = server_new(test.gateway, &err);
	if (!test.server || server_listen(test.server, &where, &err) < 0)
		return -1;
	test.loop = server_loop(test.server);
	*state = &test;
	return 0;
}

static int stop(void **state)
{
	struct test *test = *state;

	server_free(test->server);
	gateway_free(test->gateway);
	return 0;
}

static void send_bytes(struct test *test, int fd, const void *bytes, size_t len)
{
	const struct socket_piece piece = { bytes, len };

	assert_int_equal(socket_send(fd, &piece, 1), len);
	serve(test->loop);
}

static int connect_target(struct test *test)
{
	struct err err;
	int fd = socket_connect(&test->gateway->portals[0].address, &err);

	assert_true(fd >= 0);
	serve(test->loop);
	assert_int_equal(test->gateway->connection_count, 1);
	return fd;
}

/* What came is a PDU with this operation code, and maybe data. */
static void expect(int fd, uint8_t opcode)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	uint8_t bytes[4096];

	assert_int_equal(poll(&ready, 1, PATIENCE), 1);
	assert_true(socket_receive(fd, bytes, sizeof(bytes)) >= BHS_LEN);
	assert_int_equal(bytes[BHS_OPCODE], opcode);
}

static void log_in(struct test *test, int fd)
{
	static const char text[] = "InitiatorName=iqn.2026-01.com.example:host\0"
				   "TargetName=iqn.1997-05.com.amazon:v";
	uint8_t pdu[BHS_LEN + ((sizeof(text) + 3) & ~(size_t)3)] = { 0x43, 0x87 };

	put_be24(pdu + BHS_DATA_LEN, sizeof(text));
	pdu[LOGIN_ISID] = 0x80;
	memcpy(pdu + BHS_LEN, text, sizeof(text));
	send_bytes(test, fd, pdu, sizeof(pdu));
	expect(fd, OP_LOGIN_RESPONSE);
}

/* The connection has this much time left, to the millisecond. */
static void expect_left(struct test *test, uint64_t ms)
{
	pass(test->loop, ms - 1);
	assert_int_equal(test->gateway->connection_count, 1);
	pass(test->loop, 1);
	assert_int_equal(test->gateway->connection_count, 0);
}

static void freeze(struct test *test, uint64_t ms)
{
	server_freeze(test->server, ms);
	assert_true(server_is_frozen(test->server));
}

/* ---- Tests ---- */

/* However long the freeze was, what was left of the deadline is left. */
static void test_the_deadline_of_a_login_waits_for_the_thaw(void **state)
{
	struct test *test = *state;
	int fd = connect_target(test);

	pass(test->loop, 10000);
	freeze(test, HOUR);
	pass(test->loop, HOUR);
	assert_false(server_is_frozen(test->server));
	expect_left(test, LOGIN_TIME - 10000);
	socket_close(fd);
}

static void test_the_deadline_of_half_a_pdu_waits_for_the_thaw(void **state)
{
	struct test *test = *state;
	int fd = connect_target(test);

	log_in(test, fd);
	send_bytes(test, fd, "\x40\x80", 2);
	pass(test->loop, 1000);
	freeze(test, HOUR);
	pass(test->loop, HOUR);
	expect_left(test, PDU_TIME - 1000);
	socket_close(fd);
}

/* It began with the first of them and ends with the last. */
static void test_a_freeze_in_a_freeze_is_one(void **state)
{
	struct test *test = *state;
	int fd = connect_target(test);

	pass(test->loop, 1000);
	freeze(test, 10000);
	pass(test->loop, 5000);
	freeze(test, 20000);
	pass(test->loop, 19999);
	assert_true(server_is_frozen(test->server));
	pass(test->loop, 1);
	assert_false(server_is_frozen(test->server));
	expect_left(test, LOGIN_TIME - 1000);
	socket_close(fd);
}

/* Who is told to go on at once has waited so long and no longer. */
static void test_a_freeze_that_is_ended_early_waited_so_long(void **state)
{
	struct test *test = *state;
	int fd = connect_target(test);

	freeze(test, HOUR);
	pass(test->loop, 5000);
	server_resume(test->server);
	assert_false(server_is_frozen(test->server));
	expect_left(test, LOGIN_TIME);
	socket_close(fd);
}

/* A freeze of many pings' time: nobody is pinged or dropped, and what was sent is answered. */
static void test_a_session_outlives_a_freeze(void **state)
{
	uint8_t nop[BHS_LEN] = { OPCODE_IMMEDIATE | OP_NOP_OUT, FLAG_FINAL };
	const struct socket_piece piece = { nop, sizeof(nop) };
	struct test *test = *state;
	int fd = connect_target(test);

	log_in(test, fd);
	freeze(test, HOUR);
	put_be32(nop + BHS_TTT, TAG_NONE);
	assert_int_equal(socket_send(fd, &piece, 1), sizeof(nop));
	pass(test->loop, HOUR);
	assert_int_equal(test->gateway->connection_count, 1);
	serve(test->loop);
	expect(fd, OP_NOP_IN);
	socket_close(fd);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_deadline_of_a_login_waits_for_the_thaw),
		TEST(test_the_deadline_of_half_a_pdu_waits_for_the_thaw),
		TEST(test_a_freeze_in_a_freeze_is_one),
		TEST(test_a_freeze_that_is_ended_early_waited_so_long),
		TEST(test_a_session_outlives_a_freeze),
	};

	return cmocka_run_group_tests_name("target_outage", tests, NULL, NULL);
}
