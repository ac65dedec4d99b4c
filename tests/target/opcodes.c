/* SPDX-License-Identifier: MIT */
/* REPORT SUPPORTED OPERATION CODES (SPC-4, 6.29), out of the table that runs them. */
#include "scsi.h"

#include <string.h>

#include "connection.h"
#include "iscsi/bytes.h"
#include "persona.h"
#include "session.h"

enum {
	TIMEOUTS = 0x80, /* RCTD */
	OPTIONS = 0x07,
	ALL = 0,
	ONE = 1, /* one opcode, which has no service actions */
	ONE_ACTION = 2,
	ONE_EITHER = 3,

	DESCRIPTOR = 8,
	TIMEOUTS_LEN = 12,
	HAS_TIMEOUTS = 0x02, /* CTDP in a descriptor */
	HAS_ACTION = 0x01, /* SERVACTV */
	ONE_HAS_TIMEOUTS = 0x80, /* CTDP in the answer for one */
	NOT_SUPPORTED = 1,
	SUPPORTED = 3, /* as the standard has it */
};

size_t scsi_cdb_len(uint8_t opcode)
{
	static const uint8_t by_group[8] = { 6, 10, 10, 0, 16, 12, 16, 16 };

	return by_group[opcode >> 5];
}

/* No nominal and no recommended timeout. */
static size_t put_timeouts(uint8_t *out)
{
	memset(out, 0, TIMEOUTS_LEN);
	put_be16(out, TIMEOUTS_LEN - 2);
	return TIMEOUTS_LEN;
}

static size_t report_all(const struct scsi_op *ops, bool timeouts, uint8_t *out)
{
	size_t len = 4;

	for (int i = 0; i < 256; i++) {
		if (!ops[i].run || ops[i].usage[0] != i)
			continue;
		memset(out + len, 0, DESCRIPTOR);
		out[len] = (uint8_t)i;
		put_be16(out + len + 2, ops[i].has_action ? ops[i].usage[1] : 0);
		out[len + 5] = (uint8_t)((timeouts ? HAS_TIMEOUTS : 0) |
					 (ops[i].has_action ? HAS_ACTION : 0));
		put_be16(out + len + 6, (uint16_t)scsi_cdb_len((uint8_t)i));
		len += DESCRIPTOR;
		if (timeouts)
			len += put_timeouts(out + len);
	}
	put_be32(out, (uint32_t)(len - 4));
	return len;
}

static size_t report_one(const struct scsi_op *op, bool known, bool timeouts, uint8_t *out)
{
	size_t len = 4, cdb_len = known ? scsi_cdb_len(op->usage[0]) : 0;

	memset(out, 0, 4);
	out[1] = known ? SUPPORTED : NOT_SUPPORTED;
	if (!known)
		return len;
	put_be16(out + 2, (uint16_t)cdb_len);
	memcpy(out + len, op->usage, cdb_len);
	len += cdb_len;
	if (timeouts) {
		out[1] |= ONE_HAS_TIMEOUTS;
		len += put_timeouts(out + len);
	}
	return len;
}

void scsi_report_opcodes(struct task *task)
{
	const struct scsi_op *ops = task->connection->session->target->device.type->ops;
	const struct scsi_op *op = &ops[task->cdb[3]];
	uint8_t option = task->cdb[2] & OPTIONS;
	bool timeouts = task->cdb[2] & TIMEOUTS, action_fits, known;
	size_t len;

	/*
	 * Whether it has service actions must be as the option has it, unless
	 * it is unknown anyway.
	 */
	if (option > ONE_EITHER || (op->run && ((option == ONE && op->has_action) ||
						(option == ONE_ACTION && !op->has_action)))) {
		task_fail_field(task, 2);
		return;
	}
	action_fits = get_be16(task->cdb + 4) == (op->has_action ? op->usage[1] : 0);
	known = op->run && (option == ONE || action_fits);
	len = option == ALL ? report_all(ops, timeouts, task->scratch)
			    : report_one(op, known, timeouts, task->scratch);
	task_answer(task, task->scratch, len, get_be32(task->cdb + 6), DATA_SCRATCH);
}
