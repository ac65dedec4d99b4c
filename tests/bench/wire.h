/* SPDX-License-Identifier: MIT */
/*
 * The least initiator there can be: what it asks for goes out in one gathered
 * send, what it gets is looked at header by header and thrown away.
 */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "iscsi/pdu.h"

enum {
	WIRE_PIECES = 1024, /* of one send: what the kernel takes */
	WIRE_RECEIVE = 256 * 1024,
	WIRE_LENGTH =
		262144, /* bursts and segments that are offered: those of Linux and libiscsi */
};

struct wire {
	int fd;
	uint32_t cmd_sn, exp_stat_sn, max_cmd_sn;
	/* What was agreed. */
	uint32_t max_send, first_burst, max_burst; /* bytes */
	bool immediate_data;

	/* Gathered for the next send. */
	struct iovec pieces[WIRE_PIECES];
	size_t piece_count;
	uint8_t headers[WIRE_PIECES][BHS_LEN];
	size_t header_count;

	/* The PDU that is being received. */
	uint8_t bhs[BHS_LEN];
	size_t held; /* of the header */
	size_t left; /* of what follows it */
	uint8_t data[512]; /* the beginning of what follows it */
	uint8_t received[WIRE_RECEIVE];
};

/* Connect and log in to a disk: iscsi://ADDRESS:PORT/TARGET/LUN. Returns the LUN. */
int wire_open(struct wire *wire, const char *url) __attribute__((nonnull));
/* Log out and close. */
void wire_close(struct wire *wire) __attribute__((nonnull));

/* A header to be filled in, all zero but for its opcode and flags; it goes with the next send. */
uint8_t *wire_add(struct wire *wire, uint8_t opcode, uint8_t flags) __attribute__((nonnull));
/*
 * Data of the header that was added last, a multiple of 4; the bytes are looked
 * at when they are sent.
 */
void wire_add_data(struct wire *wire, uint8_t *bhs, const void *bytes, size_t len)
	__attribute__((nonnull));
/* Send all that was gathered. */
void wire_flush(struct wire *wire) __attribute__((nonnull));
/* Receive once, and call take for each PDU that is complete then, its header in wire->bhs. */
void wire_receive(struct wire *wire, void (*take)(struct wire *wire, void *arg), void *arg)
	__attribute__((nonnull(1, 2)));

#endif
