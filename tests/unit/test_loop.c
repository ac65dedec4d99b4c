/* SPDX-License-Identifier: MIT */
#include "os/loop.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "buf.h"
#include "err.h"
#include "os/resolve.h"
#include "os/sockets.h"

struct note {
	struct loop *loop;
	struct loop_timer timer;
	char *out;
	char name;
	bool last;
};

static void write_note(void *arg)
{
	struct note *note = arg;
	size_t len = strlen(note->out);

	note->out[len] = note->name;
	note->out[len + 1] = '\0';
	if (note->last)
		loop_stop(note->loop);
}

static void test_timers_fire_in_order(void **state)
{
	struct err err;
	struct loop *loop = loop_new(&err);
	char out[16] = "";
	struct note notes[] = {
		{ .name = 'c' }, { .name = 'a' }, { .name = 'd', .last = true },
		{ .name = 'b' }, { .name = 'x' },
	};
	const uint64_t delays[] = { 3, 0, 9, 1, 2 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(notes); i++) {
		notes[i].loop = loop;
		notes[i].out = out;
		notes[i].timer = (struct loop_timer){ .fire = write_note, .arg = &notes[i] };
		assert_int_equal(loop_timer_set(loop, &notes[i].timer, delays[i], &err), 0);
	}
	loop_timer_cancel(loop, &notes[4].timer);
	loop_timer_cancel(loop, &notes[4].timer);
	assert_int_equal(loop_run(loop, &err), 0);
	assert_string_equal(out, "abcd");
	loop_free(loop);
}

/* A heap against a plain search, over a few thousand sets, resets and cancels. */
static void test_heap_keeps_its_order(void **state)
{
	enum { COUNT = 200 };
	static struct loop_timer all[COUNT];
	struct timers timers = { .heap = NULL };
	uint32_t seed = 7;

	(void)state;
	for (int round = 0; round < 5000; round++) {
		uint64_t least = UINT64_MAX;
		struct loop_timer *first;

		seed = seed * 1103515245 + 12345;
		if (seed >> 16 & 3)
			assert_int_equal(
				timers_set(&timers, &all[(seed >> 18) % COUNT], seed >> 8 & 0xfff),
				0);
		else
			timers_cancel(&timers, &all[(seed >> 18) % COUNT]);
		for (int i = 0; i < COUNT; i++)
			if (all[i].slot != 0 && all[i].due < least)
				least = all[i].due;
		first = timers_first(&timers);
		assert_true(first ? first->due == least : least == UINT64_MAX);
	}
	timers_done(&timers);
}

struct echo {
	struct loop *loop;
	int listener, client, server;
	struct loop_watch listen_watch, client_watch, server_watch;
	char got[64];
	size_t got_len;
	int connected;
};

static void server_ready(void *arg, unsigned int events)
{
	struct echo *echo = arg;
	char bytes[32];
	ssize_t len = socket_receive(echo->server, bytes, sizeof(bytes));

	(void)events;
	if (len > 0) {
		const struct socket_piece pieces[] = { { "<", 1 },
						       { bytes, (size_t)len },
						       { ">", 1 } };

		assert_int_equal(socket_send(echo->server, pieces, 3), len + 2);
	}
	loop_remove(echo->loop, &echo->server_watch);
	socket_finish(echo->server);
}

static void listener_ready(void *arg, unsigned int events)
{
	struct echo *echo = arg;
	struct socket_address peer;
	socklen_t len = sizeof(int);
	struct err err;
	int on = 0;

	(void)events;
	echo->server = socket_accept(echo->listener, &peer);
	assert_true(echo->server >= 0);
	assert_int_equal(getsockopt(echo->server, IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
	assert_int_not_equal(on, 0);
	assert_int_equal(socket_accept(echo->listener, &peer), -EAGAIN);
	echo->server_watch = (struct loop_watch){ .ready = server_ready, .arg = echo };
	assert_int_equal(loop_add(echo->loop, &echo->server_watch, echo->server, LOOP_READ, &err),
			 0);
}

static void client_ready(void *arg, unsigned int events)
{
	struct echo *echo = arg;
	ssize_t len;

	if (events & LOOP_WRITE) {
		echo->connected = socket_connected(echo->client);
		if (echo->connected != 0) {
			loop_stop(echo->loop);
			return;
		}
		assert_int_equal(socket_send(echo->client, &(struct socket_piece){ "hello", 5 }, 1),
				 5);
		loop_change(echo->loop, &echo->client_watch, LOOP_READ);
		return;
	}
	len = socket_receive(echo->client, echo->got + echo->got_len,
			     sizeof(echo->got) - 1 - echo->got_len);
	assert_true(len >= 0);
	echo->got_len += (size_t)len;
	if (len == 0)
		loop_stop(echo->loop);
}

static void start_client(struct echo *echo, const struct socket_address *to)
{
	struct err err;

	echo->connected = 1;
	echo->client = socket_connect(to, &err);
	assert_true(echo->client >= 0);
	echo->client_watch = (struct loop_watch){ .ready = client_ready, .arg = echo };
	assert_int_equal(loop_add(echo->loop, &echo->client_watch, echo->client, LOOP_WRITE, &err),
			 0);
}

static void test_connection_carries_bytes(void **state)
{
	struct err err;
	struct echo echo = { .loop = loop_new(&err), .server = -1 };
	struct socket_address any, local;

	(void)state;
	assert_int_equal(socket_address_parse("127.0.0.1", 0, &any), 0);
	echo.listener = socket_listen(&any, 5, &err);
	assert_true(echo.listener >= 0);
	assert_int_equal(socket_local(echo.listener, &local), 0);
	assert_int_not_equal(socket_address_port(&local), 0);
	echo.listen_watch = (struct loop_watch){ .ready = listener_ready, .arg = &echo };
	assert_int_equal(loop_add(echo.loop, &echo.listen_watch, echo.listener, LOOP_READ, &err),
			 0);
	start_client(&echo, &local);
	assert_int_equal(loop_run(echo.loop, &err), 0);
	assert_int_equal(echo.connected, 0);
	assert_string_equal(echo.got, "<hello>");

	loop_remove(echo.loop, &echo.client_watch);
	loop_remove(echo.loop, &echo.listen_watch);
	socket_close(echo.client);
	socket_close(echo.server);
	socket_close(echo.listener);

	/* Now nobody listens there. */
	start_client(&echo, &local);
	assert_int_equal(loop_run(echo.loop, &err), 0);
	assert_int_equal(echo.connected, -ECONNREFUSED);
	loop_remove(echo.loop, &echo.client_watch);
	socket_reset(echo.client);
	loop_free(echo.loop);
}

static void test_addresses(void **state)
{
	static const struct {
		const char *host;
		const char *text; /* NULL: refused */
	} rows[] = {
		{ "127.0.0.1", "127.0.0.1:3260" },
		{ "::1", "[::1]:3260" },
		{ "2001:DB8:0::7", "[2001:db8::7]:3260" },
		{ "localhost", NULL },
		{ "10.1", NULL },
		{ "0x7f000001", NULL },
		{ "", NULL },
		{ "[::1]", NULL },
		{ "1.2.3.4.5", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct socket_address address;
		char text[SOCKET_TEXT_MAX] = "";
		int rc = socket_address_parse(rows[i].host, 3260, &address);

		if (rc == 0)
			socket_address_text(&address, text);
		if (rows[i].text ? rc != 0 || strcmp(text, rows[i].text) != 0 : rc != -EINVAL)
			fail_msg("'%s': %d, %s", rows[i].host, rc, text);
	}
}

struct lookup {
	struct loop *loop;
	int count;
	char text[SOCKET_TEXT_MAX];
	struct err err;
};

static void looked_up(void *arg, const struct socket_address *addresses, int count,
		      const struct err *err)
{
	struct lookup *lookup = arg;

	lookup->count = count;
	if (count > 0)
		socket_address_text(&addresses[0], lookup->text);
	else
		lookup->err = *err;
	loop_stop(lookup->loop);
}

static void test_names_are_looked_up_aside(void **state)
{
	struct lookup lookup = { .count = 0 };
	struct resolve *given_up;

	(void)state;
	lookup.loop = loop_new(&lookup.err);
	assert_non_null(
		resolve_start(lookup.loop, "localhost", 80, looked_up, &lookup, &lookup.err));
	assert_int_equal(loop_run(lookup.loop, &lookup.err), 0);
	assert_true(lookup.count > 0);
	assert_true(strcmp(lookup.text, "127.0.0.1:80") == 0 ||
		    strcmp(lookup.text, "[::1]:80") == 0);

	assert_non_null(resolve_start(lookup.loop, "no.such.host.invalid", 80, looked_up, &lookup,
				      &lookup.err));
	assert_int_equal(loop_run(lookup.loop, &lookup.err), 0);
	assert_true(lookup.count < 0);
	assert_non_null(strstr(lookup.err.reason, "no.such.host.invalid"));

	given_up = resolve_start(lookup.loop, "localhost", 80, looked_up, &lookup, &lookup.err);
	assert_non_null(given_up);
	resolve_cancel(given_up);
	loop_free(lookup.loop);
}

static void quit_came(void *arg)
{
	loop_stop(arg);
}

static void test_sigterm_comes_through_the_loop(void **state)
{
	struct err err;
	struct loop *loop = loop_new(&err);

	(void)state;
	assert_int_equal(loop_on_quit(loop, quit_came, loop, &err), 0);
	raise(SIGTERM);
	assert_int_equal(loop_run(loop, &err), 0);
	/* Who asks twice gets no other end. */
	raise(SIGTERM);
	raise(SIGINT);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_timers_fire_in_order),
		cmocka_unit_test(test_heap_keeps_its_order),
		cmocka_unit_test(test_connection_carries_bytes),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_names_are_looked_up_aside),
		cmocka_unit_test(test_sigterm_comes_through_the_loop),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
