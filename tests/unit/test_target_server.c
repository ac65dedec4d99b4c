/* SPDX-License-Identifier: MIT */
/* sgw-target's sockets: initiators that do not read, that leave, and what others see of it. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../target/gateway.h"
#include "../target/options.h"
#include "../target/server.h"
#include "buf.h"
#include "err.h"
#include "iscsi/bytes.h"
#include "iscsi/pdu.h"

enum { ECHO_LEN = 200000, ECHOES = 600 };

static pid_t child;
static uint16_t port;
static bool impatient; /* it drops who does not read, after a moment */
static rlim_t files; /* it may have open; 0: as many as we do */

/* The target, in a process of its own; its port comes by a pipe. */
static void run_target(int ready)
{
	static const struct portal_option where = { .host = "127.0.0.1" };
	const char *unused;
	struct err err;
	struct gateway *gateway = gateway_new(&err);
	struct server *server;
	int rc;

	if (files > 0)
		setrlimit(RLIMIT_NOFILE, &(struct rlimit){ files, files });
	gateway->limits.wait_ms[WAIT_LINGER] =
		3600 * 1000; /* a refusal's FIN does not wait for it */
	if (impatient) {
		gateway->limits.wait_ms[WAIT_QUIET] = 100;
		gateway->limits.wait_ms[WAIT_IDLE] = 2000;
		gateway->limits.wait_ms[WAIT_PDU] = 2000; /* it may be blocked with half of one */
	}
	if (persona_add_volume(&gateway->targets, "v", PERSONA_VOLUME_SIZE, &err) < 0 ||
	    gateway_prepare(gateway, &unused, &err) < 0)
		_exit(1);
	server = server_new(gateway, &err);
	if (!server || server_listen(server, &where, &err) < 0)
		_exit(1);
	port = socket_address_port(&gateway->portals[0].address);
	if (server_on_quit(server, &err) < 0)
		_exit(1);
	if (write(ready, &port, sizeof(port)) != (ssize_t)sizeof(port))
		_exit(1);
	rc = server_run(server, &err);
	server_free(server);
	gateway_free(gateway);
	_exit(rc == 0 ? 0 : 1);
}

static int start(void **state)
{
	int ready[2];

	(void)state;
	if (pipe(ready) < 0)
		return -1;
	child = fork();
	if (child == 0)
		run_target(ready[1]);
	close(ready[1]);
	if (read(ready[0], &port, sizeof(port)) != (ssize_t)sizeof(port))
		return -1;
	close(ready[0]);
	return 0;
}

static int stop(void **state)
{
	int status = 0;

	(void)state;
	impatient = false;
	files = 0;
	kill(child, SIGTERM);
	waitpid(child, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static int connect_target(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	const struct timeval patience = { .tv_sec = 20 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void send_all(int fd, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);

		assert_true(sent > 0);
		bytes += sent;
		len -= (size_t)sent;
	}
}

static void read_all(int fd, uint8_t *bytes, size_t len)
{
	while (len > 0) {
		ssize_t got = recv(fd, bytes, len, 0);

		assert_true(got > 0);
		bytes += got;
		len -= (size_t)got;
	}
}

static void log_in(int fd, uint8_t isid)
{
	static const char text[] = "InitiatorName=iqn.2026-01.com.example:host\0"
				   "TargetName=iqn.1997-05.com.amazon:v\0"
				   "MaxRecvDataSegmentLength=262144";
	uint8_t pdu[BHS_LEN + 256] = { 0x43, 0x87 }, data[8192];

	put_be24(pdu + BHS_DATA_LEN, sizeof(text));
	pdu[LOGIN_ISID] = 0x80;
	pdu[LOGIN_ISID + 5] = isid;
	memcpy(pdu + BHS_LEN, text, sizeof(text));
	send_all(fd, pdu, BHS_LEN + ((sizeof(text) + 3) & ~(size_t)3));
	read_all(fd, pdu, BHS_LEN);
	assert_int_equal(get_be16(pdu + LOGIN_STATUS), 0);
	read_all(fd, data, (get_be24(pdu + BHS_DATA_LEN) + 3) & ~3u);
}

static void make_nop(uint8_t *pdu, uint32_t number, size_t len)
{
	memset(pdu, (int)number, BHS_LEN + len);
	memset(pdu, 0, BHS_LEN);
	pdu[BHS_FLAGS] = FLAG_FINAL;
	put_be24(pdu + BHS_DATA_LEN, (uint32_t)len);
	put_be32(pdu + BHS_ITT, number);
	put_be32(pdu + BHS_TTT, TAG_NONE);
	put_be32(pdu + BHS_CMD_SN, number);
}

static void check_echo(const uint8_t *pdu, uint32_t number, size_t len)
{
	assert_int_equal(pdu[BHS_OPCODE], OP_NOP_IN);
	assert_int_equal(get_be32(pdu + BHS_ITT), number);
	assert_int_equal(get_be24(pdu + BHS_DATA_LEN), len);
	for (size_t i = 0; i < len; i++)
		if (pdu[BHS_LEN + i] != (uint8_t)number)
			fail_msg("byte %zu of echo %u", i, number);
}

/* Pages the target holds in memory, in KiB. */
static long resident(void)
{
	char path[64], text[128] = "";
	long pages = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)child);
	file = fopen(path, "r");
	if (file && fgets(text, sizeof(text), file))
		pages = strtol(strchr(text, ' '), NULL, 10);
	if (file)
		fclose(file);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Processor time of the target, in ticks. */
static unsigned long busy(void)
{
	char path[64], text[512] = "";
	unsigned long user = 0, system = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)child);
	file = fopen(path, "r");
	if (!file || !fgets(text, sizeof(text), file) ||
	    sscanf(strrchr(text, ')'), ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
		   &user, &system) != 2)
		fail_msg("cannot read %s", path);
	if (file)
		fclose(file);
	return user + system;
}

/*
 * Send echoes until the target, which cannot get rid of its answers, takes no
 * more, for `wait` ms. How many were sent whole; *at: bytes of the next one.
 */
static uint32_t fill(int fd, uint8_t *pdu, size_t *at, int wait)
{
	unsigned long before;
	uint32_t sent = 0;

	*at = 0;
	make_nop(pdu, 0, ECHO_LEN);
	for (;;) {
		struct pollfd writable = { .fd = fd, .events = POLLOUT };
		ssize_t some;

		before = busy();
		if (sent == ECHOES || poll(&writable, 1, wait) == 0)
			break;
		some = send(fd, pdu + *at, BHS_LEN + ECHO_LEN - *at, MSG_DONTWAIT | MSG_NOSIGNAL);
		assert_true(some > 0 || errno == EAGAIN);
		*at += some > 0 ? (size_t)some : 0;
		if (*at == BHS_LEN + ECHO_LEN) {
			make_nop(pdu, ++sent, ECHO_LEN);
			*at = 0;
		}
	}
	/* It waits for the socket, and does not ask it again and again. */
	assert_in_range(busy() - before, 0, (unsigned long)sysconf(_SC_CLK_TCK) / 10);
	assert_in_range(sent, 1, ECHOES - 1);
	return sent;
}

/*
 * More answers than sockets hold (tcp_rmem goes to 32 MB) are not read: others
 * are served, memory stays flat, and not a byte is lost.
 */
static void test_who_does_not_read_holds_nobody_up(void **state)
{
	static uint8_t pdu[BHS_LEN + ECHO_LEN], answer[BHS_LEN + ECHO_LEN];
	int slow = connect_target(), other;
	uint32_t sent, got = 0;
	size_t at;

	(void)state;
	log_in(slow, 1);
	sent = fill(slow, pdu, &at, 300);
	assert_in_range(resident(), 1, 64 * 1024);

	other = connect_target();
	log_in(other, 2);
	make_nop(answer, 0, 4);
	send_all(other, answer, BHS_LEN + 4);
	read_all(other, answer, BHS_LEN + 4);
	check_echo(answer, 0, 4);
	close(other);

	/* All that was sent whole comes back, in order. */
	for (; got < sent; got++) {
		read_all(slow, answer, sizeof(answer));
		check_echo(answer, got, ECHO_LEN);
	}
	send_all(slow, pdu + at, sizeof(pdu) - at);
	read_all(slow, answer, sizeof(answer));
	check_echo(answer, got, ECHO_LEN);
	close(slow);
}

/*
 * Who never reads is dropped; what had come by then is whole, and no ping
 * stands in the middle of it.
 */
static void test_who_never_reads_is_dropped(void **state)
{
	static uint8_t pdu[BHS_LEN + ECHO_LEN], answer[BHS_LEN + ECHO_LEN];
	struct pollfd hung_up;
	int slow = connect_target();
	size_t at, have = 0;
	uint32_t got = 0;

	(void)state;
	log_in(slow, 1);
	fill(slow, pdu, &at, 500); /* if it was merely slow it would ping instead */
	hung_up = (struct pollfd){ .fd = slow, .events = 0 };
	assert_int_equal(poll(&hung_up, 1, 20000), 1); /* the reset of what it sent in vain */
	for (;;) {
		ssize_t some = recv(slow, answer + have, sizeof(answer) - have, 0);

		if (some <= 0)
			break;
		have += (size_t)some;
		if (have == sizeof(answer)) {
			check_echo(answer, got++, ECHO_LEN);
			have = 0;
		}
	}
	close(slow);
}

/*
 * A login that is refused is answered before the connection ends, though more
 * was sent than is read.
 */
static void test_a_refusal_arrives(void **state)
{
	uint8_t pdu[BHS_LEN + 65536] = { 0x43, 0x87 };
	int fd = connect_target();

	(void)state;
	put_be24(pdu + BHS_DATA_LEN, 65536);
	send_all(fd, pdu, sizeof(pdu));
	read_all(fd, pdu, BHS_LEN);
	assert_int_equal(pdu[BHS_OPCODE], OP_LOGIN_RESPONSE);
	assert_int_equal(get_be16(pdu + LOGIN_STATUS), 0x0200);
	assert_int_equal(recv(fd, pdu, 1, 0), 0);
	close(fd);
}

/* Peers that leave at any point of a login, one after the other. */
static void test_peers_leave(void **state)
{
	uint8_t pdu[BHS_LEN];

	(void)state;
	for (int i = 0; i < 200; i++) {
		const struct linger at_once = { .l_onoff = 1 };
		int fd = connect_target();

		memset(pdu, 0, sizeof(pdu));
		pdu[0] = 0x43;
		send_all(fd, pdu, (size_t)i % sizeof(pdu));
		if (i % 2)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		close(fd);
	}
	for (uint8_t i = 1; i < 100; i++) {
		int fd = connect_target();

		log_in(fd, i % 3); /* some take the place of others */
		close(fd);
	}
}

/*
 * More connections than it may have files: the others wait, it stays calm, and
 * they come in time.
 */
static void test_who_has_no_socket_for_all_serves_the_others(void **state)
{
	int fds[60], last;
	unsigned long before;
	uint8_t pdu[BHS_LEN];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fds[i] = connect_target();
	last = connect_target();
	before = busy();
	assert_int_equal(poll(&(struct pollfd){ .fd = last, .events = POLLIN }, 1, 500), 0);
	assert_in_range(busy() - before, 0, (unsigned long)sysconf(_SC_CLK_TCK) / 10);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		close(fds[i]);
	memset(pdu, 0, sizeof(pdu)); /* no login: it is closed */
	send_all(last, pdu, sizeof(pdu));
	while (recv(last, pdu, sizeof(pdu), 0) > 0)
		;
	close(last);
}

static int start_short_of_files(void **state)
{
	files = 32;
	return start(state);
}

static int start_impatient(void **state)
{
	impatient = true;
	return start(state);
}

#define TEST(test, begin) cmocka_unit_test_setup_teardown(test, begin, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_who_does_not_read_holds_nobody_up, start),
		TEST(test_a_refusal_arrives, start),
		TEST(test_peers_leave, start),
		TEST(test_who_never_reads_is_dropped, start_impatient),
		TEST(test_who_has_no_socket_for_all_serves_the_others, start_short_of_files),
	};

	return cmocka_run_group_tests_name("target_server", tests, NULL, NULL);
}
