/* SPDX-License-Identifier: MIT */
#include "scsi.h"

#include <string.h>

#include "connection.h"
#include "gateway.h"
#include "iscsi/bytes.h"
#include "iscsi/status.h"

enum {
	AHS_EXTENDED_CDB = 1,
	AHS_BIDI_READ_LENGTH = 2,
	SENSE_CURRENT = 0x70, /* fixed format, current error */
};

/* The additional header segments: known types, lengths that add up (11.2.2). */
static bool ahs_fits(const struct pdu *pdu, bool *bidi)
{
	size_t at = 0;

	while (at < pdu->ahs_len) {
		size_t len = get_be16(pdu->ahs + at);
		uint8_t type = pdu->ahs[at + 2] & 0x3f;
		size_t whole = (3 + len + 3) & ~(size_t)3;

		if (len == 0 || whole > pdu->ahs_len - at)
			return false;
		if (type == AHS_BIDI_READ_LENGTH)
			*bidi = true;
		else if (type != AHS_EXTENDED_CDB)
			return false;
		at += whole;
	}
	return true;
}

uint8_t scsi_check(const struct connection *connection, const struct pdu *pdu)
{
	uint8_t flags = pdu->bhs[BHS_FLAGS];
	uint32_t expected = get_be32(pdu->bhs + COMMAND_EXPECTED_LENGTH);
	bool bidi = false;

	(void)connection;
	if (!ahs_fits(pdu, &bidi))
		return REJECT_INVALID_FIELD;
	if (!(flags & COMMAND_WRITE) && (!(flags & FLAG_FINAL) || pdu->data_len > 0))
		return REJECT_INVALID_FIELD;
	if (!(flags & (COMMAND_WRITE | COMMAND_READ)) && expected > 0)
		return REJECT_INVALID_FIELD;
	if ((flags & COMMAND_WRITE) && (flags & COMMAND_READ) && !bidi)
		return REJECT_INVALID_FIELD;
	return 0;
}

bool lun_is_zero(const uint8_t *lun)
{
	static const uint8_t flat[8] = { 0x40 };
	static const uint8_t peripheral[8] = { 0 };

	return memcmp(lun, peripheral, 8) == 0 || memcmp(lun, flat, 8) == 0;
}

void sense_fill(uint8_t out[SENSE_LEN], enum sense sense)
{
	memset(out, 0, SENSE_LEN);
	out[0] = SENSE_CURRENT;
	out[2] = (uint8_t)(sense >> 16);
	out[7] = SENSE_LEN - 8;
	out[12] = (uint8_t)(sense >> 8);
	out[13] = (uint8_t)sense;
}

void task_fail(struct task *task, enum sense sense)
{
	task->status = STATUS_CHECK_CONDITION;
	task->data_len = 0;
	sense_fill(task->sense, sense);
}

void task_fail_field(struct task *task, unsigned int byte)
{
	task_fail(task, SENSE_INVALID_FIELD);
	/* Sense key specific: valid, in the CDB, which byte (SPC-4, 4.5.2.4.2). */
	task->sense[15] = 0xc0;
	put_be16(task->sense + 16, (uint16_t)byte);
}

void task_answer(struct task *task, const void *data, size_t len, size_t allocated,
		 enum data_place place)
{
	task->data = data;
	task->data_len = (uint32_t)(len < allocated ? len : allocated);
	task->place = place;
}

/* O and U with their count (11.4.5): what was there against what was expected. */
static void put_residual(const struct task *task, uint32_t moved, uint8_t *bhs, size_t count_at)
{
	if (task->data_len > moved) {
		bhs[BHS_FLAGS] |= RESIDUAL_OVERFLOW;
		put_be32(bhs + count_at, task->data_len - moved);
	} else if (task->expected > moved) {
		bhs[BHS_FLAGS] |= RESIDUAL_UNDERFLOW;
		put_be32(bhs + count_at, task->expected - moved);
	}
}

/* A transfer to the initiator, on its way. */
struct transfer {
	uint32_t total;
	uint32_t offset;
	uint32_t burst; /* what the sequence may still take */
	uint32_t data_sn;
};

/* The next Data-In PDU (11.7); the last one brings the status where that is GOOD. */
static void send_data_in(struct task *task, struct transfer *transfer)
{
	struct connection *connection = task->connection;
	uint32_t left = transfer->total - transfer->offset, len = left;
	uint32_t most = connection->max_send & ~UINT32_C(3);
	bool last, final;
	uint8_t *bhs;

	if (transfer->burst == 0)
		transfer->burst = connection->session->value[PARAM_MAX_BURST_LENGTH] & ~UINT32_C(3);
	if (len > most)
		len = most;
	if (len > transfer->burst)
		len = transfer->burst;
	transfer->burst -= len;
	last = len == left;
	final = last || transfer->burst == 0;

	bhs = connection_answer(connection, OP_DATA_IN, final ? FLAG_FINAL : 0);
	put_be32(bhs + BHS_ITT, task->tag);
	put_be32(bhs + BHS_TTT, TAG_NONE);
	if (last) {
		bhs[BHS_FLAGS] |= DATA_STATUS_PRESENT;
		bhs[DATA_STATUS] = task->status;
		put_residual(task, transfer->total, bhs, DATA_RESIDUAL);
	}
	connection_number(connection, bhs, last);
	put_be32(bhs + DATA_SN, transfer->data_sn++);
	put_be32(bhs + DATA_OFFSET, transfer->offset);
	connection_send(connection, bhs, task->data + transfer->offset, len, task->place);
	transfer->offset += len;
}

static void send_response(struct task *task)
{
	struct connection *connection = task->connection;
	uint8_t *bhs = connection_answer(connection, OP_SCSI_RESPONSE, FLAG_FINAL);
	uint8_t sense[2 + SENSE_LEN];

	bhs[RESPONSE_STATUS] = task->status;
	put_be32(bhs + BHS_ITT, task->tag);
	connection_number(connection, bhs, true);
	put_residual(task, 0, bhs, RESPONSE_RESIDUAL);
	if (task->status != STATUS_CHECK_CONDITION) {
		connection_send(connection, bhs, NULL, 0, DATA_SCRATCH);
		return;
	}
	put_be16(sense, SENSE_LEN);
	memcpy(sense + 2, task->sense, SENSE_LEN);
	connection_send(connection, bhs, sense, sizeof(sense), DATA_SCRATCH);
}

void task_send(struct task *task)
{
	struct transfer transfer = { 0 };

	if (task->read)
		transfer.total = task->data_len < task->expected ? task->data_len : task->expected;
	if (transfer.total == 0) {
		send_response(task);
		return;
	}
	while (transfer.offset < transfer.total)
		send_data_in(task, &transfer);
}

static void run(struct task *task)
{
	struct session *session = task->connection->session;
	const struct scsi_op *op = &session->target->device.type->ops[task->cdb[0]];

	if (!task->device && !op->needs_no_unit) {
		task_fail(task, SENSE_NO_UNIT);
	} else if (session->attention != SENSE_NONE && !op->passes_attention) {
		task_fail(task, session->attention);
		session->attention = SENSE_NONE;
	} else if (!op->run) {
		task_fail(task, SENSE_INVALID_OPCODE);
	} else {
		op->run(task);
	}
}

void scsi_run(struct connection *connection, const struct pdu *pdu)
{
	struct task task;

	/* Not the scratch: it is written before it is read. */
	memset(&task, 0, offsetof(struct task, scratch));
	task.connection = connection;
	task.cdb = pdu->bhs + COMMAND_CDB;
	task.tag = get_be32(pdu->bhs + BHS_ITT);
	task.expected = get_be32(pdu->bhs + COMMAND_EXPECTED_LENGTH);
	task.read = (pdu->bhs[BHS_FLAGS] & COMMAND_READ) != 0;
	if (lun_is_zero(pdu->bhs + BHS_LUN))
		task.device = &connection->session->target->device;
	run(&task);
	task_send(&task);
}

void scsi_ready(struct task *task)
{
	task->status = STATUS_GOOD;
}

void scsi_request_sense(struct task *task)
{
	struct session *session = task->connection->session;

	/* DESC: sense data in the descriptor format, which is not kept here. */
	if (task->cdb[1] & 1) {
		task_fail_field(task, 1);
		return;
	}
	if (!task->device) {
		sense_fill(task->scratch, SENSE_NO_UNIT);
	} else {
		sense_fill(task->scratch, session->attention);
		session->attention = SENSE_NONE;
	}
	task_answer(task, task->scratch, SENSE_LEN, task->cdb[4], DATA_SCRATCH);
}

void scsi_report_luns(struct task *task)
{
	/* SELECT REPORT 0 and 2: LUN 0; 1: well known units alone, of which there are none. */
	static const uint8_t luns[16] = { [3] = 8 };
	static const uint8_t none[8] = { 0 };
	uint32_t allocated = get_be32(task->cdb + 6);

	if (task->cdb[2] > 2)
		task_fail_field(task, 2);
	else if (allocated < 16)
		task_fail_field(task, 6);
	else if (task->cdb[2] == 1)
		task_answer(task, none, sizeof(none), allocated, DATA_LASTING);
	else
		task_answer(task, luns, sizeof(luns), allocated, DATA_LASTING);
}
