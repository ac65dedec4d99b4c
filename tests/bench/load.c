/* SPDX-License-Identifier: MIT */
/*
 * load read|write BYTES DEPTH SECONDS SPAN URL PID: one session keeps DEPTH
 * commands of BYTES each under way at random places, multiples of BYTES, of the
 * first SPAN bytes of a disk. PID is the server's. Prints JSON: what was done,
 * in how many seconds, and the CPU time of both ends.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iscsi/bytes.h"
#include "iscsi/pdu.h"
#include "meter.h"
#include "wire.h"

enum {
	BLOCK = 512,
	DEPTH_MAX = 128, /* the window of all three */
	BYTES_MAX = 16 * 1024 * 1024,
	READ_16 = 0x88,
	WRITE_16 = 0x8a,
};

struct load {
	struct wire wire;
	int lun;
	bool write;
	uint32_t bytes;
	uint64_t places; /* in the span */
	uint64_t random;
	uint32_t idle[DEPTH_MAX]; /* tags that are free */
	unsigned int idle_count;
	uint64_t done;
	uint8_t *data; /* what is written, always the same */
};

/* xorshift: any order will do, as long as it is the same in each run. */
static uint64_t next_place(struct load *load)
{
	load->random ^= load->random << 13;
	load->random ^= load->random >> 7;
	load->random ^= load->random << 17;
	return load->random % load->places;
}

static uint32_t smallest(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static void begin(struct load *load)
{
	struct wire *wire = &load->wire;
	uint32_t tag = load->idle[--load->idle_count];
	uint8_t *bhs = wire_add(wire, OP_SCSI_COMMAND,
				FLAG_FINAL | (load->write ? COMMAND_WRITE : COMMAND_READ));
	uint8_t *cdb = bhs + COMMAND_CDB;

	bhs[BHS_LUN + 1] = (uint8_t)load->lun;
	put_be32(bhs + BHS_ITT, tag);
	put_be32(bhs + COMMAND_EXPECTED_LENGTH, load->bytes);
	put_be32(bhs + BHS_CMD_SN, wire->cmd_sn++);
	cdb[0] = load->write ? WRITE_16 : READ_16;
	put_be64(cdb + 2, next_place(load) * (load->bytes / BLOCK));
	put_be32(cdb + 10, load->bytes / BLOCK);
	if (load->write && wire->immediate_data)
		wire_add_data(wire, bhs, load->data,
			      smallest(load->bytes, smallest(wire->first_burst, wire->max_send)));
}

/* What an R2T asks for, in PDUs as long as the server takes them. */
static void send_data(struct load *load)
{
	struct wire *wire = &load->wire;
	uint32_t offset = get_be32(wire->bhs + R2T_OFFSET);
	uint32_t left = get_be32(wire->bhs + R2T_LENGTH);

	if (!load->write || offset > load->bytes || left > load->bytes - offset)
		die("an R2T for what is not there");
	for (uint32_t sn = 0; left > 0; sn++) {
		uint32_t len = smallest(left, wire->max_send);
		uint8_t *bhs = wire_add(wire, OP_DATA_OUT, len == left ? FLAG_FINAL : 0);

		memcpy(bhs + BHS_LUN, wire->bhs + BHS_LUN, 8);
		bhs[BHS_LUN + 1] = (uint8_t)load->lun;
		memcpy(bhs + BHS_ITT, wire->bhs + BHS_ITT, 4);
		memcpy(bhs + BHS_TTT, wire->bhs + BHS_TTT, 4);
		put_be32(bhs + DATA_SN, sn);
		put_be32(bhs + DATA_OFFSET, offset);
		wire_add_data(wire, bhs, load->data + offset, len);
		offset += len;
		left -= len;
	}
}

static void take(struct wire *wire, void *arg)
{
	struct load *load = arg;
	uint32_t tag = get_be32(wire->bhs + BHS_ITT);
	uint8_t status = wire->bhs[RESPONSE_STATUS]; /* DATA_STATUS is the same byte */

	switch (pdu_opcode(wire->bhs)) {
	case OP_R2T:
		send_data(load);
		return;
	case OP_DATA_IN:
		if (!(wire->bhs[BHS_FLAGS] & DATA_STATUS_PRESENT))
			return;
		if (get_be32(wire->bhs + DATA_OFFSET) + get_be24(wire->bhs + BHS_DATA_LEN) !=
		    load->bytes)
			die("a command ended before all of its data was here");
		break;
	case OP_SCSI_RESPONSE:
		if (!load->write && status == 0)
			die("a read brought no data");
		break;
	default:
		die("opcode %#x came to a load", pdu_opcode(wire->bhs));
	}
	if (status != 0 || tag >= DEPTH_MAX || load->idle_count == DEPTH_MAX)
		die("a command ended with status %u", status);
	load->idle[load->idle_count++] = tag;
	load->done++;
}

static void run(struct load *load, unsigned int depth, double seconds, struct meter *meter)
{
	struct wire *wire = &load->wire;
	uint64_t done;

	load->idle_count = depth;
	for (uint32_t i = 0; i < depth; i++)
		load->idle[i] = i;
	do {
		while (load->idle_count > 0 &&
		       serial_before_or_equal(wire->cmd_sn, wire->max_cmd_sn))
			begin(load);
		wire_flush(wire);
		wire_receive(wire, take, load);
	} while (meter_elapsed(meter) < seconds || load->done == 0);
	meter_stop(meter);
	done = load->done;
	while (load->idle_count < depth) {
		wire_flush(wire);
		wire_receive(wire, take, load);
	}
	load->done = done; /* what was still under way is not counted */
}

int main(int argc, char **argv)
{
	static struct load load = { .random = 88172645463325252u };
	unsigned int depth;
	struct meter meter;
	double seconds;

	if (argc != 8 || (strcmp(argv[1], "read") != 0 && strcmp(argv[1], "write") != 0)) {
		fprintf(stderr, "usage: load read|write BYTES DEPTH SECONDS SPAN URL PID\n");
		return 2;
	}
	load.write = strcmp(argv[1], "write") == 0;
	load.bytes = (uint32_t)number(argv[2], BLOCK, BYTES_MAX) & ~(uint32_t)(BLOCK - 1);
	depth = (unsigned int)number(argv[3], 1, DEPTH_MAX);
	seconds = seconds_of(argv[4]);
	load.places = number(argv[5], load.bytes, UINT64_MAX) / load.bytes;
	load.data = malloc(load.bytes);
	if (!load.data)
		die("no memory");
	memset(load.data, 0xa5, load.bytes);
	load.lun = wire_open(&load.wire, argv[6]);
	meter_start(&meter, (pid_t)number(argv[7], 1, INT32_MAX));
	run(&load, depth, seconds, &meter);
	printf("{");
	meter_print(&meter, load.done);
	printf("}\n");
	wire_close(&load.wire);
	free(load.data);
	return 0;
}
