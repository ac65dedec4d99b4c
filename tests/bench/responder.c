/* SPDX-License-Identifier: MIT */
/*
 * responder READY_FILE: the yardstick. It looks like a disk of 1 TiB to libiscsi and does nothing:
 * each SCSI command gets a prebuilt answer out of its header alone, what is written is thrown away,
 * and all PDUs of one receive are handled before one gathered send. What it does is what the client
 * and the kernel can take. It listens on a free port of 127.0.0.1, which READY_FILE tells, and
 * trusts its client: it is no target.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "iscsi/bytes.h"
#include "iscsi/pdu.h"

enum {
	RECEIVE = 256 * 1024,
	SEND_BUFFER = 1024 * 1024, /* the system's 4 MiB are out of the caches when they are read */
	PIECES = 1024, /* of one send: what the kernel takes */
	DATA_MOST = 262144, /* of one PDU, and of one burst: what libiscsi allows */
	WINDOW = 128, /* commands at a time */
	EVENTS = 64,
	BUSY_FROM = 512, /* bytes of a command that is no question about the disk */
	READ_CAPACITY_10 = 0x25,
	SERVICE_ACTION_IN_16 = 0x9e,
	REPORT_LUNS = 0xa0,
};

struct peer {
	int fd;
	uint32_t stat_sn, exp_cmd_sn;
	/* A PDU whose header is here: its data is thrown away, and then it is answered. */
	uint8_t bhs[BHS_LEN];
	size_t held; /* of the header */
	size_t left; /* of what follows it */
	bool busy; /* it reads or writes */
};

/* One for all of a thread: each receive is answered before the next. */
static _Thread_local uint8_t received[RECEIVE];
static _Thread_local uint8_t headers[PIECES][BHS_LEN];
static _Thread_local struct iovec pieces[PIECES];
static _Thread_local size_t piece_count, header_count;
/* The first header of a send with the data of all reads behind it: an answer alone is one piece. */
static _Thread_local struct {
	uint8_t bhs[BHS_LEN];
	uint8_t data[DATA_MOST];
} first;

static void die(const char *what)
{
	fprintf(stderr, "responder: %s: %s\n", what, strerror(errno));
	exit(1);
}

static bool flush(struct peer *peer)
{
	struct msghdr message = { .msg_iov = pieces, .msg_iovlen = piece_count };
	bool alone = piece_count == 1;
	size_t all = 0;

	for (size_t i = 0; i < piece_count; i++)
		all += pieces[i].iov_len;
	piece_count = header_count = 0;
	/* The socket blocks: all of it goes, or the peer has gone. */
	if (alone)
		return send(peer->fd, pieces[0].iov_base, all, MSG_NOSIGNAL) == (ssize_t)all;
	return all == 0 || sendmsg(peer->fd, &message, MSG_NOSIGNAL) == (ssize_t)all;
}

static void add(const void *bytes, size_t len)
{
	if (piece_count == 1 && bytes == first.data && pieces[0].iov_len == BHS_LEN) {
		pieces[0].iov_len += len;
		return;
	}
	pieces[piece_count++] = (struct iovec){ (void *)(uintptr_t)bytes, len };
}

/* A header with what all answers have; status: it uses up a StatSN. */
static uint8_t *answer(struct peer *peer, enum pdu_opcode opcode, uint8_t flags, bool status)
{
	uint8_t *bhs = header_count++ == 0 ? first.bhs : headers[header_count - 1];

	memset(bhs, 0, BHS_LEN);
	bhs[BHS_OPCODE] = (uint8_t)opcode;
	bhs[BHS_FLAGS] = flags;
	memcpy(bhs + BHS_ITT, peer->bhs + BHS_ITT, 4);
	put_be32(bhs + BHS_TTT, TAG_NONE);
	put_be32(bhs + BHS_STAT_SN, peer->stat_sn);
	put_be32(bhs + BHS_EXP_CMD_SN, peer->exp_cmd_sn);
	put_be32(bhs + BHS_MAX_CMD_SN, peer->exp_cmd_sn + WINDOW - 1);
	if (status)
		peer->stat_sn++;
	add(bhs, BHS_LEN);
	return bhs;
}

/* A text answer: pairs with their NULs, padded. */
static void add_text(uint8_t *bhs, const char *text, size_t len)
{
	put_be24(bhs + BHS_DATA_LEN, (uint32_t)len);
	add(text, len);
	add(headers[0], -len & 3); /* never used: first.bhs stands for it */
}

/* Whatever stage the client asks for, it gets. */
static void login(struct peer *peer)
{
	static const char security[] = "AuthMethod=None\0TargetPortalGroupTag=1";
	static const char operational[] =
		"HeaderDigest=None\0DataDigest=None\0InitialR2T=Yes\0ImmediateData=Yes\0"
		"MaxRecvDataSegmentLength=262144\0MaxBurstLength=262144\0"
		"FirstBurstLength=262144\0MaxOutstandingR2T=1\0MaxConnections=1\0"
		"DataPDUInOrder=Yes\0DataSequenceInOrder=Yes\0ErrorRecoveryLevel=0\0"
		"DefaultTime2Wait=2\0DefaultTime2Retain=0";
	uint8_t flags = peer->bhs[BHS_FLAGS];
	uint8_t *bhs = answer(peer, OP_LOGIN_RESPONSE, flags, true);

	memcpy(bhs + LOGIN_ISID, peer->bhs + LOGIN_ISID, ISID_LEN);
	put_be32(bhs + BHS_TTT, 0); /* reserved here */
	if ((flags & LOGIN_NSG) == STAGE_FULL_FEATURE)
		put_be16(bhs + LOGIN_TSIH, 1);
	if ((flags & LOGIN_CSG) >> LOGIN_CSG_SHIFT == STAGE_SECURITY)
		add_text(bhs, security, sizeof(security));
	else
		add_text(bhs, operational, sizeof(operational));
}

/* Data-In by the length that the client expects, the status in the last PDU. */
static bool read_data(struct peer *peer, const uint8_t *bytes, uint32_t there)
{
	uint32_t expected = get_be32(peer->bhs + COMMAND_EXPECTED_LENGTH);
	uint32_t total = there < expected ? there : expected, offset = 0;

	for (uint32_t sn = 0; offset < total; sn++) {
		uint32_t len = total - offset < DATA_MOST ? total - offset : DATA_MOST;
		bool last = offset + len == total;
		uint8_t *bhs = answer(peer, OP_DATA_IN, FLAG_FINAL, last);

		if (last)
			bhs[BHS_FLAGS] |= DATA_STATUS_PRESENT;
		if (last && total < expected) {
			bhs[BHS_FLAGS] |= RESIDUAL_UNDERFLOW;
			put_be32(bhs + DATA_RESIDUAL, expected - total);
		}
		put_be24(bhs + BHS_DATA_LEN, len);
		put_be32(bhs + DATA_SN, sn);
		put_be32(bhs + DATA_OFFSET, offset);
		add(bytes, len);
		offset += len;
		if (piece_count + 8 > PIECES && !flush(peer))
			return false;
	}
	return true;
}

/* Ask for the next burst; the tag says how much is to be asked for after it. */
static void ask(struct peer *peer, uint32_t sn, uint32_t offset, uint32_t left)
{
	uint32_t len = left < DATA_MOST ? left : DATA_MOST;
	uint8_t *bhs = answer(peer, OP_R2T, FLAG_FINAL, false);

	put_be32(bhs + BHS_TTT, left - len);
	put_be32(bhs + R2T_SN, sn);
	put_be32(bhs + R2T_OFFSET, offset);
	put_be32(bhs + R2T_LENGTH, len);
}

static bool command(struct peer *peer)
{
	static const uint8_t capacity_10[8] = { 0x7f, 0xff, 0xff, 0xff, [6] = 0x02 };
	static const uint8_t capacity_16[32] = { [4] = 0x7f, 0xff, 0xff, 0xff, [10] = 0x02 };
	static const uint8_t luns[16] = { [3] = 8 };
	uint32_t expected = get_be32(peer->bhs + COMMAND_EXPECTED_LENGTH);
	uint32_t here = get_be24(peer->bhs + BHS_DATA_LEN);

	peer->busy = expected >= BUSY_FROM;
	if (peer->bhs[BHS_FLAGS] & COMMAND_READ) {
		switch (peer->bhs[COMMAND_CDB]) {
		case READ_CAPACITY_10:
			return read_data(peer, capacity_10, sizeof(capacity_10));
		case SERVICE_ACTION_IN_16:
			return read_data(peer, capacity_16, sizeof(capacity_16));
		case REPORT_LUNS:
			return read_data(peer, luns, sizeof(luns));
		default:
			return read_data(peer, first.data, UINT32_MAX);
		}
	}
	if ((peer->bhs[BHS_FLAGS] & COMMAND_WRITE) && here < expected)
		ask(peer, 0, here, expected - here);
	else
		answer(peer, OP_SCSI_RESPONSE, FLAG_FINAL, true);
	return true;
}

static void data_out(struct peer *peer)
{
	uint32_t left = get_be32(peer->bhs + BHS_TTT);
	uint32_t end = get_be32(peer->bhs + DATA_OFFSET) + get_be24(peer->bhs + BHS_DATA_LEN);

	if (!(peer->bhs[BHS_FLAGS] & FLAG_FINAL))
		return;
	if (left > 0)
		ask(peer, end / DATA_MOST - 1, end, left);
	else
		answer(peer, OP_SCSI_RESPONSE, FLAG_FINAL, true);
}

/* Answer the PDU that is all here. Returns false where the connection is over. */
static bool serve(struct peer *peer)
{
	uint8_t opcode = pdu_opcode(peer->bhs);

	if (opcode == OP_LOGIN_REQUEST)
		peer->exp_cmd_sn = get_be32(peer->bhs + BHS_CMD_SN);
	else if (opcode != OP_DATA_OUT && !(peer->bhs[BHS_OPCODE] & OPCODE_IMMEDIATE))
		peer->exp_cmd_sn = get_be32(peer->bhs + BHS_CMD_SN) + 1;
	if (piece_count + 8 > PIECES && !flush(peer))
		return false;
	switch (opcode) {
	case OP_LOGIN_REQUEST:
		login(peer);
		return true;
	case OP_SCSI_COMMAND:
		return command(peer);
	case OP_DATA_OUT:
		data_out(peer);
		return true;
	case OP_NOP_OUT:
		if (get_be32(peer->bhs + BHS_ITT) != TAG_NONE)
			answer(peer, OP_NOP_IN, FLAG_FINAL, true);
		return true;
	case OP_LOGOUT_REQUEST:
		answer(peer, OP_LOGOUT_RESPONSE, FLAG_FINAL, true);
		return true;
	default:
		return false;
	}
}

/* One receive, and one send for all of it. */
static bool turn(struct peer *peer, int flags)
{
	ssize_t got = recv(peer->fd, received, sizeof(received), flags);
	const uint8_t *at = received, *end = received + got;

	if (got < 0)
		return errno == EAGAIN || errno == EINTR;
	if (got == 0)
		return false;
	while (at < end) {
		size_t some = (size_t)(end - at);

		if (peer->held < BHS_LEN) {
			if (some > BHS_LEN - peer->held)
				some = BHS_LEN - peer->held;
			memcpy(peer->bhs + peer->held, at, some);
			peer->held += some;
			if (peer->held == BHS_LEN)
				peer->left = (size_t)peer->bhs[BHS_AHS_LEN] * 4 +
					     ((get_be24(peer->bhs + BHS_DATA_LEN) + 3u) & ~3u);
		} else {
			if (some > peer->left)
				some = peer->left;
			peer->left -= some;
		}
		at += some;
		if (peer->held < BHS_LEN || peer->left > 0)
			continue;
		peer->held = 0;
		if (!serve(peer))
			return false;
	}
	return flush(peer);
}

static void end(struct peer *peer)
{
	piece_count = header_count = 0;
	close(peer->fd);
	free(peer);
}

/* Who reads or writes has a thread that waits for nobody else: one system call less a turn. */
static void *serve_alone(void *arg)
{
	struct peer *peer = arg;

	while (turn(peer, 0))
		;
	end(peer);
	return NULL;
}

static void part(int epoll, struct peer *peer)
{
	pthread_t thread;

	if (epoll_ctl(epoll, EPOLL_CTL_DEL, peer->fd, NULL) < 0 ||
	    pthread_create(&thread, NULL, serve_alone, peer) != 0 || pthread_detach(thread) != 0)
		die("a thread");
}

static void welcome(int epoll, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), on = 1, buffer = SEND_BUFFER;
	struct peer *peer = calloc(1, sizeof(*peer));
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = peer };

	if (fd < 0 || !peer)
		die("accept");
	peer->fd = fd;
	peer->stat_sn = 1;
	/* Root alone may; without it only long reads suffer. */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof(buffer));
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		die("a connection");
}

static int begin(const char *ready_file)
{
	struct sockaddr_in here = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(here);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct rlimit files;
	char temp[4096];
	FILE *ready;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	if (fd < 0 || bind(fd, (struct sockaddr *)&here, sizeof(here)) < 0 ||
	    listen(fd, 4096) < 0 || getsockname(fd, (struct sockaddr *)&here, &len) < 0)
		die("listen");
	snprintf(temp, sizeof(temp), "%s.new", ready_file);
	ready = fopen(temp, "w");
	if (!ready || fprintf(ready, "127.0.0.1:%d\n", ntohs(here.sin_port)) < 0 ||
	    fclose(ready) != 0 || rename(temp, ready_file) < 0)
		die(ready_file);
	return fd;
}

int main(int argc, char **argv)
{
	struct epoll_event events[EVENTS] = { { .events = EPOLLIN } };
	int epoll = epoll_create1(EPOLL_CLOEXEC), listener;

	if (argc != 2) {
		fprintf(stderr, "usage: responder READY_FILE\n");
		return 2;
	}
	listener = begin(argv[1]);
	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, events) < 0)
		die("epoll");
	for (;;) {
		int count = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < count; i++) {
			struct peer *peer = events[i].data.ptr;

			if (!peer)
				welcome(epoll, listener);
			else if (!turn(peer, MSG_DONTWAIT))
				end(peer);
			else if (peer->busy)
				part(epoll, peer);
		}
	}
}
