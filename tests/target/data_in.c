/* SPDX-License-Identifier: MIT */
#include "data_in.h"

#include <string.h>

#include "connection.h"
#include "gateway.h"
#include "iscsi/bytes.h"
#include "scsi.h"
#include "session.h"

static uint32_t smaller(uint64_t a, uint32_t b)
{
	return a < b ? (uint32_t)a : b;
}

/* O and U with their count (11.4.5): what was there against what was expected. */
static void put_residual(const struct task *task, uint64_t there, uint32_t moved, uint8_t *bhs,
			 size_t count_at)
{
	if (there > moved) {
		bhs[BHS_FLAGS] |= RESIDUAL_OVERFLOW;
		put_be32(bhs + count_at, smaller(there - moved, UINT32_MAX));
	} else if (task->expected > moved) {
		bhs[BHS_FLAGS] |= RESIDUAL_UNDERFLOW;
		put_be32(bhs + count_at, task->expected - moved);
	}
}

/* The next Data-In PDU (11.7); the last one brings the status, which is GOOD. */
static void send_data_in(struct task *task)
{
	struct connection *connection = task->connection;
	struct data_in *in = &task->in;
	uint32_t left = in->total - in->offset, len = left;
	uint32_t most = connection->max_send & ~UINT32_C(3);
	bool last, final;
	uint8_t *bhs;

	if (in->burst == 0)
		in->burst = connection->session->value[PARAM_MAX_BURST_LENGTH] & ~UINT32_C(3);
	if (len > most)
		len = most;
	if (len > in->burst)
		len = in->burst;
	in->burst -= len;
	last = len == left;
	final = last || in->burst == 0;

	bhs = connection_answer(connection, OP_DATA_IN, final ? FLAG_FINAL : 0);
	put_be32(bhs + BHS_ITT, task->tag);
	put_be32(bhs + BHS_TTT, TAG_NONE);
	if (last) {
		bhs[BHS_FLAGS] |= DATA_STATUS_PRESENT;
		bhs[DATA_STATUS] = task->status;
		put_residual(task, task->data_len, in->total, bhs, DATA_RESIDUAL);
	}
	connection_number(connection, bhs, last);
	put_be32(bhs + DATA_SN, in->data_sn++);
	put_be32(bhs + DATA_OFFSET, in->offset);
	connection_send(connection, bhs, task->data + in->offset, len, task->place);
	in->offset += len;
}

static void send_response(struct task *task)
{
	struct connection *connection = task->connection;
	uint8_t *bhs = connection_answer(connection, OP_SCSI_RESPONSE, FLAG_FINAL);
	uint32_t moved = smaller(task->out.received, task->out.wanted);
	uint8_t sense[2 + SENSE_LEN];

	bhs[RESPONSE_STATUS] = task->status;
	put_be32(bhs + BHS_ITT, task->tag);
	connection_number(connection, bhs, true);
	if (task->status != STATUS_CHECK_CONDITION) {
		put_residual(task, task->data_len + task->takes, moved, bhs, RESPONSE_RESIDUAL);
		connection_send(connection, bhs, NULL, 0, DATA_SCRATCH);
		return;
	}
	put_residual(task, moved, moved, bhs, RESPONSE_RESIDUAL);
	put_be16(sense, SENSE_LEN);
	memcpy(sense + 2, task->sense, SENSE_LEN);
	connection_send(connection, bhs, sense, sizeof(sense), DATA_SCRATCH);
}

bool data_in_go_on(struct task *task)
{
	const struct out *out = &task->connection->gateway->out;

	while (task->in.offset < task->in.total) {
		/* What was made up has gone by the next time; it is short. */
		if (task->place == DATA_LASTING && !out_ready(out))
			return false;
		send_data_in(task);
	}
	return true;
}

bool data_in_answer(struct task *task)
{
	if (task->read && !task->write && task->status == STATUS_GOOD)
		task->in.total = smaller(task->data_len, task->expected);
	if (task->in.total > 0)
		return data_in_go_on(task);
	send_response(task);
	return true;
}
