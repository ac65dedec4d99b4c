/* SPDX-License-Identifier: MIT */
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "iscsi/bytes.h"
#include "iscsi/text.h"
#include "err.h"
#include "meter.h"

enum { LOGIN_STEPS = 8, TIMEOUT = 20 /* seconds of silence */ };

uint8_t *wire_add(struct wire *wire, uint8_t opcode, uint8_t flags)
{
	uint8_t *bhs;

	if (wire->piece_count + 2 > WIRE_PIECES)
		wire_flush(wire);
	bhs = wire->headers[wire->header_count++];
	memset(bhs, 0, BHS_LEN);
	bhs[BHS_OPCODE] = opcode;
	bhs[BHS_FLAGS] = flags;
	put_be32(bhs + BHS_EXP_STAT_SN, wire->exp_stat_sn);
	wire->pieces[wire->piece_count++] = (struct iovec){ bhs, BHS_LEN };
	return bhs;
}

void wire_add_data(struct wire *wire, uint8_t *bhs, const void *bytes, size_t len)
{
	put_be24(bhs + BHS_DATA_LEN, (uint32_t)len);
	if (len > 0)
		wire->pieces[wire->piece_count++] = (struct iovec){ (void *)(uintptr_t)bytes, len };
}

void wire_flush(struct wire *wire)
{
	struct msghdr message = { .msg_iov = wire->pieces, .msg_iovlen = wire->piece_count };
	size_t all = 0;
	ssize_t sent = 0;

	for (size_t i = 0; i < wire->piece_count; i++)
		all += wire->pieces[i].iov_len;
	/* The socket blocks: all of it goes, or the server has gone. */
	if (wire->piece_count == 1)
		sent = send(wire->fd, wire->pieces[0].iov_base, all, MSG_NOSIGNAL);
	else if (all > 0)
		sent = sendmsg(wire->fd, &message, MSG_NOSIGNAL);
	if (sent != (ssize_t)all)
		die("sending failed: %s", strerror(errno));
	wire->piece_count = wire->header_count = 0;
}

/* Its numbers, and then the caller. */
static void take_pdu(struct wire *wire, void (*take)(struct wire *wire, void *arg), void *arg)
{
	uint8_t opcode = pdu_opcode(wire->bhs);
	bool status = opcode != OP_DATA_IN || (wire->bhs[BHS_FLAGS] & DATA_STATUS_PRESENT);

	wire->max_cmd_sn = get_be32(wire->bhs + BHS_MAX_CMD_SN);
	if (opcode == OP_REJECT || opcode == OP_ASYNC)
		die("the server rejects something or is about to go");
	if (opcode == OP_NOP_IN)
		return; /* no load is so slow that a ping waits for its answer */
	if (status && opcode != OP_R2T)
		wire->exp_stat_sn = get_be32(wire->bhs + BHS_STAT_SN) + 1;
	take(wire, arg);
}

void wire_receive(struct wire *wire, void (*take)(struct wire *wire, void *arg), void *arg)
{
	ssize_t got = recv(wire->fd, wire->received, sizeof(wire->received), 0);
	const uint8_t *at = wire->received, *end = at + got;

	if (got <= 0)
		die("receiving failed: %s", got == 0 ? "the server has closed" : strerror(errno));
	while (at < end) {
		size_t some = (size_t)(end - at);

		if (wire->held < BHS_LEN) {
			if (some > BHS_LEN - wire->held)
				some = BHS_LEN - wire->held;
			memcpy(wire->bhs + wire->held, at, some);
			wire->held += some;
			if (wire->held == BHS_LEN)
				wire->left = (size_t)wire->bhs[BHS_AHS_LEN] * 4 +
					     ((get_be24(wire->bhs + BHS_DATA_LEN) + 3u) & ~3u);
		} else {
			size_t whole = (get_be24(wire->bhs + BHS_DATA_LEN) + 3u) & ~3u;

			if (some > wire->left)
				some = wire->left;
			if (whole <= sizeof(wire->data))
				memcpy(wire->data + (whole - wire->left), at, some);
			wire->left -= some;
		}
		at += some;
		if (wire->held == BHS_LEN && wire->left == 0) {
			wire->held = 0;
			take_pdu(wire, take, arg);
		}
	}
}

/* ---- Logging in and out ---- */

static void note(struct wire *wire, void *arg)
{
	(void)wire;
	*(bool *)arg = true;
}

/* Send what was gathered and wait for one PDU. */
static void exchange(struct wire *wire, uint8_t opcode)
{
	bool here = false;

	wire_flush(wire);
	while (!here)
		wire_receive(wire, note, &here);
	if (pdu_opcode(wire->bhs) != opcode)
		die("opcode %#x came where %#x was due", pdu_opcode(wire->bhs), opcode);
}

static void take_keys(struct wire *wire)
{
	struct text_iter it = { (const char *)wire->data, get_be24(wire->bhs + BHS_DATA_LEN) };
	struct text_pair pair;
	struct err err;
	int rc;

	if (it.left > sizeof(wire->data))
		die("%zu bytes of login text are too much", it.left);
	while ((rc = text_next(&it, &pair, &err)) > 0) {
		if (strcmp(pair.key, "MaxRecvDataSegmentLength") == 0)
			wire->max_send = (uint32_t)number(pair.value, 512, 1 << 24);
		else if (strcmp(pair.key, "FirstBurstLength") == 0)
			wire->first_burst = (uint32_t)number(pair.value, 512, 1 << 24);
		else if (strcmp(pair.key, "MaxBurstLength") == 0)
			wire->max_burst = (uint32_t)number(pair.value, 512, 1 << 24);
		else if (strcmp(pair.key, "ImmediateData") == 0)
			wire->immediate_data = strcmp(pair.value, "Yes") == 0;
	}
	if (rc < 0)
		die("the login text: %s", err.reason);
}

/* From the operational stage right into the full feature phase; nobody has to prove anything. */
static void log_in(struct wire *wire, const char *target)
{
	char text[1024];
	int len = snprintf(text, sizeof(text),
			   "InitiatorName=iqn.2026-11.com.example:bench%cTargetName=%s%c"
			   "SessionType=Normal%cHeaderDigest=None%cDataDigest=None%c"
			   "InitialR2T=Yes%cImmediateData=Yes%cMaxRecvDataSegmentLength=%d%c"
			   "MaxBurstLength=%d%cFirstBurstLength=%d%cMaxOutstandingR2T=1%c"
			   "MaxConnections=1%cErrorRecoveryLevel=0%c",
			   0, target, 0, 0, 0, 0, 0, 0, WIRE_LENGTH, 0, WIRE_LENGTH, 0, WIRE_LENGTH,
			   0, 0, 0, 0);
	size_t whole = ((size_t)len + 3) & ~(size_t)3;
	uint8_t transit = LOGIN_TRANSIT | STAGE_OPERATIONAL << LOGIN_CSG_SHIFT | STAGE_FULL_FEATURE;

	if (len < 0 || whole > sizeof(text))
		die("%s is too long", target);
	memset(text + len, 0, whole - (size_t)len);
	for (int step = 0; step < LOGIN_STEPS; step++) {
		uint8_t *bhs = wire_add(wire, OP_LOGIN_REQUEST | OPCODE_IMMEDIATE, transit);

		memcpy(bhs + LOGIN_ISID, "\x80\0\0\0\0", ISID_LEN);
		put_be32(bhs + BHS_CMD_SN, wire->cmd_sn);
		if (step == 0) {
			wire_add_data(wire, bhs, text, whole);
			put_be24(bhs + BHS_DATA_LEN, (uint32_t)len);
		}
		exchange(wire, OP_LOGIN_RESPONSE);
		if (get_be16(wire->bhs + LOGIN_STATUS) != 0)
			die("the login is refused with status %04x",
			    get_be16(wire->bhs + LOGIN_STATUS));
		take_keys(wire);
		if (wire->bhs[BHS_FLAGS] & LOGIN_TRANSIT)
			return;
	}
	die("the login does not end");
}

/* Whatever a new session has to be told first (unit attentions), it is told now. */
static void wait_until_ready(struct wire *wire, int lun)
{
	for (int tries = 0; tries < LOGIN_STEPS; tries++) {
		uint8_t *bhs = wire_add(wire, OP_SCSI_COMMAND, FLAG_FINAL);

		bhs[BHS_LUN + 1] = (uint8_t)lun;
		put_be32(bhs + BHS_CMD_SN, wire->cmd_sn++);
		exchange(wire, OP_SCSI_RESPONSE);
		if (wire->bhs[RESPONSE_STATUS] == 0)
			return;
	}
	die("the disk does not get ready");
}

int wire_open(struct wire *wire, const char *url)
{
	struct timeval patience = { .tv_sec = TIMEOUT };
	char host[64], target[256];
	unsigned int port, lun;
	struct sockaddr_in to = { .sin_family = AF_INET };
	int on = 1;

	if (sscanf(url, "iscsi://%63[0-9.]:%u/%255[^/]/%u", host, &port, target, &lun) != 4 ||
	    inet_pton(AF_INET, host, &to.sin_addr) != 1 || port > 65535 || lun > 255)
		die("%s: not iscsi://ADDRESS:PORT/TARGET/LUN", url);
	to.sin_port = htons((uint16_t)port);
	wire->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (wire->fd < 0 || setsockopt(wire->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
	    setsockopt(wire->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    setsockopt(wire->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
	    connect(wire->fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		die("%s: %s", url, strerror(errno));
	wire->cmd_sn = 1;
	wire->max_send = 8192;
	wire->first_burst = wire->max_burst = WIRE_LENGTH;
	wire->immediate_data = true;
	log_in(wire, target);
	wait_until_ready(wire, (int)lun);
	return (int)lun;
}

void wire_close(struct wire *wire)
{
	uint8_t *bhs = wire_add(wire, OP_LOGOUT_REQUEST | OPCODE_IMMEDIATE, FLAG_FINAL);

	put_be32(bhs + BHS_CMD_SN, wire->cmd_sn);
	exchange(wire, OP_LOGOUT_RESPONSE);
	close(wire->fd);
}
