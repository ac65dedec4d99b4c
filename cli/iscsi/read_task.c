/* SPDX-License-Identifier: MIT */
#include "iscsi/read_task.h"

#include <errno.h>
#include <string.h>

#include "err.h"
#include "iscsi/bytes.h"

enum { ATTRIBUTE_SIMPLE = 1 };

void read_task_begin(struct read_task *task, uint32_t tag, const uint8_t lun[8],
		     const uint8_t cdb[CDB_LEN], uint32_t expected, uint8_t bhs[BHS_LEN])
{
	memset(task, 0, offsetof(struct read_task, data));
	task->status = CDB_GOOD;
	task->has_sense = false;
	task->tag = tag;
	task->expected = expected;
	memset(bhs, 0, BHS_LEN);
	bhs[BHS_OPCODE] = OP_SCSI_COMMAND;
	bhs[BHS_FLAGS] = FLAG_FINAL | ATTRIBUTE_SIMPLE;
	if (expected > 0)
		bhs[BHS_FLAGS] |= COMMAND_READ;
	memcpy(bhs + BHS_LUN, lun, 8);
	put_be32(bhs + BHS_ITT, tag);
	put_be32(bhs + COMMAND_EXPECTED_LENGTH, expected);
	memcpy(bhs + COMMAND_CDB, cdb, CDB_LEN);
}

/* Overflow and underflow exclude one another (11.4.1). */
static int check_residual(const struct pdu *pdu, struct err *err)
{
	uint8_t both = RESIDUAL_OVERFLOW | RESIDUAL_UNDERFLOW;

	if ((pdu->bhs[BHS_FLAGS] & both) == both)
		return err_set(
			err, EPROTO,
			"the target tells overflow and underflow at once (RFC 7143, 11.4.1)");
	return 0;
}

static int take_data(struct read_task *task, const struct pdu *pdu, struct err *err)
{
	uint8_t flags = pdu->bhs[BHS_FLAGS];
	uint32_t offset = get_be32(pdu->bhs + DATA_OFFSET), sn = get_be32(pdu->bhs + DATA_SN);

	if (sn != task->data_sn)
		return err_set(err, EPROTO,
			       "data come out of order: DataSN %u instead of %u (RFC 7143, 7.9)",
			       sn, task->data_sn);
	task->data_sn++;
	if (offset != task->received || pdu->data_len > task->expected - task->received)
		return err_set(err, EPROTO,
			       "data nobody asked for: %zu bytes at %u, of %u bytes, %u are there "
			       "(RFC 7143, 11.7.6)",
			       pdu->data_len, offset, task->expected, task->received);
	if (pdu->data_len > 0)
		memcpy(task->data + offset, pdu->data, pdu->data_len);
	task->received += (uint32_t)pdu->data_len;
	if (!(flags & DATA_STATUS_PRESENT))
		return 0;
	task->status = pdu->bhs[DATA_STATUS];
	if (!(flags & FLAG_FINAL) || task->status == CDB_CHECK_CONDITION)
		return err_set(err, EPROTO,
			       "a status comes with data where it must not (RFC 7143, 11.7.3)");
	return check_residual(pdu, err) < 0 ? -EPROTO : 1;
}

static int take_response(struct read_task *task, const struct pdu *pdu, struct err *err)
{
	if (pdu->bhs[RESPONSE_CODE] != 0)
		return err_set(err, EPROTO, "the target failed the command (response 0x%02x)",
			       pdu->bhs[RESPONSE_CODE]);
	if (check_residual(pdu, err) < 0)
		return -EPROTO;
	task->status = pdu->bhs[RESPONSE_STATUS];
	if (task->status != CDB_CHECK_CONDITION)
		return 1;
	if (pdu->data_len >= 2) {
		size_t len = get_be16(pdu->data);

		if (len > pdu->data_len - 2)
			len = pdu->data_len - 2;
		task->has_sense = cdb_sense_parse(pdu->data + 2, len, &task->sense);
	}
	if (!task->has_sense)
		return err_set(err, EPROTO,
			       "CHECK CONDITION comes without sense data (RFC 7143, 11.4.7)");
	return 1;
}

int read_task_receive(struct read_task *task, const struct pdu *pdu, struct err *err)
{
	uint8_t opcode = pdu_opcode(pdu->bhs);
	char name[16];

	if (opcode != OP_DATA_IN && opcode != OP_SCSI_RESPONSE)
		return err_set(err, EPROTO, "the target sent a %s, which nothing asked for",
			       pdu_opcode_name(opcode, name));
	if (get_be32(pdu->bhs + BHS_ITT) != task->tag)
		return err_set(err, EPROTO, "the target answers another task (0x%08x)",
			       get_be32(pdu->bhs + BHS_ITT));
	return opcode == OP_DATA_IN ? take_data(task, pdu, err) : take_response(task, pdu, err);
}
