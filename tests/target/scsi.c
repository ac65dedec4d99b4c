/* SPDX-License-Identifier: MIT */
#include "scsi.h"

#include <stdlib.h>
#include <string.h>

#include "connection.h"
#include "gateway.h"
#include "iscsi/bytes.h"
#include "iscsi/status.h"
#include "task_pool.h"
#include "transfer.h"

enum {
	AHS_EXTENDED_CDB = 1,
	AHS_BIDI_READ_LENGTH = 2,
	SENSE_CURRENT = 0x70, /* fixed format, current error */
	SENSE_VALID = 0x80, /* INFORMATION is */
	SENSE_KEY_MEDIUM = 3,
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
	task->data_len = len < allocated ? len : allocated;
	task->place = place;
}

void task_information(struct task *task, uint64_t information)
{
	if (information > UINT32_MAX)
		return; /* VALID=0: fixed format has four bytes */
	task->sense[0] |= SENSE_VALID;
	put_be32(task->sense + 3, (uint32_t)information);
}

void task_receive(struct task *task, uint64_t len,
		  void (*take)(struct task *task, uint32_t offset, const uint8_t *bytes,
			       size_t len),
		  void (*done)(struct task *task))
{
	task->takes = len;
	task->take = take;
	task->done = done;
}

static void take_list(struct task *task, uint32_t offset, const uint8_t *bytes, size_t len)
{
	memcpy(task->list + offset, bytes, len);
}

void task_receive_list(struct task *task, uint16_t len, void (*done)(struct task *task))
{
	task->list = calloc(1, len + (size_t)1);
	if (!task->list)
		task_fail(task, SENSE_INTERNAL);
	else
		task_receive(task, len, take_list, done);
}

/* Whether the opcode is known, with the service action that the command has. */
static bool is_known(struct task *task, const struct scsi_op *op)
{
	if (!op->run) {
		task_fail(task, SENSE_INVALID_OPCODE);
		return false;
	}
	if (op->has_action && (task->cdb[1] & 0x1f) != op->usage[1]) {
		task_fail_field(task, 1);
		return false;
	}
	return true;
}

static void run(struct task *task)
{
	struct session *session = task->connection->session;
	const struct scsi_op *op = &session->target->device.type->ops[task->cdb[0]];

	if (!task->device && !op->needs_no_unit) {
		task_fail(task, SENSE_NO_UNIT);
	} else if (__builtin_expect(session->attentions != 0, 0) && !op->passes_attention) {
		task_fail(task, session_take_attention(session));
	} else if (is_known(task, op)) {
		op->run(task);
	}
}

/* What the rules want of a command. Returns whether it ends with that instead of being run. */
static bool be_struck(struct task *task, struct struck *struck)
{
	const struct device_type *type = task->connection->session->target->device.type;
	uint64_t address;

	task->stall_ms = struck->stall_ms;
	if (struck->scsi_status == STATUS_CHECK_CONDITION)
		task_fail(task, struck->sense);
	/* A medium error tells the first block (SPC-4, 4.5.3). */
	if (struck->sense >> 16 == SENSE_KEY_MEDIUM && type->find_address &&
	    type->find_address(task->cdb, &address))
		task_information(task, address);
	task->status = struck->scsi_status;
	return struck->scsi_status != STATUS_GOOD;
}

void scsi_run(struct connection *connection, const struct pdu *pdu)
{
	struct session *session = connection->session;
	uint8_t flags = pdu->bhs[BHS_FLAGS];
	struct task task = {
		.connection = connection,
		.tag = get_be32(pdu->bhs + BHS_ITT),
		.expected = get_be32(pdu->bhs + COMMAND_EXPECTED_LENGTH),
		.read = (flags & COMMAND_READ) != 0,
		.write = (flags & COMMAND_WRITE) != 0,
		.numbered = connection->counted,
		.scratch = connection->gateway->scratch,
	};
	struct struck *struck = &connection->gateway->events.struck;
	uint8_t refused = task_pool_check(session, task.tag, task.numbered);
	bool fails = false;

	if (refused != 0) {
		connection_reject(connection, pdu->bhs, refused);
		return;
	}
	memcpy(task.cdb, pdu->bhs + COMMAND_CDB, CDB_LEN);
	memcpy(task.lun, pdu->bhs + BHS_LUN, sizeof(task.lun));
	if (lun_is_zero(task.lun))
		task.device = &session->target->device;
	if (__builtin_expect(struck->command, 0))
		fails = be_struck(&task, struck);
	if (!fails)
		run(&task);
	transfer_begin(&task, pdu);
}

void scsi_ready(struct task *task)
{
	task->status = STATUS_GOOD;
}

void scsi_request_sense(struct task *task)
{
	/* DESC: sense data in the descriptor format, which is not kept here. */
	if (task->cdb[1] & 1) {
		task_fail_field(task, 1);
		return;
	}
	sense_fill(task->scratch, task->device ? session_take_attention(task->connection->session)
					       : SENSE_NO_UNIT);
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
