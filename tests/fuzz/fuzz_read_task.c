/* SPDX-License-Identifier: MIT */
/* What a target answers to a command: nothing is kept that was not asked for. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "iscsi/bytes.h"
#include "iscsi/read_task.h"

enum { TAG = 7, EXPECTED = 255 };

static void read_all(const struct read_task *task)
{
	char text[CDB_SENSE_TEXT_MAX];
	struct cdb_identity identity;
	uint64_t blocks;
	uint32_t size;

	(void)cdb_identity_parse(task->data, task->received, &identity);
	(void)cdb_capacity_10_parse(task->data, task->received, &blocks, &size);
	(void)cdb_capacity_16_parse(task->data, task->received, &blocks, &size);
	if (task->has_sense)
		cdb_sense_text(&task->sense, text);
	if (!cdb_status_name(task->status))
		abort();
}

/* A header, a length in one byte, so many data; and so on. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t lun[8], cdb[CDB_LEN];
	static struct read_task task;
	uint8_t bhs[BHS_LEN];
	struct err err;
	int rc = 0;

	read_task_begin(&task, TAG, lun, cdb, EXPECTED, bhs);
	memset(task.data, 0xa5, sizeof(task.data));
	while (rc == 0 && size > BHS_LEN) {
		size_t len =
			data[BHS_LEN] < size - BHS_LEN - 1 ? data[BHS_LEN] : size - BHS_LEN - 1;
		struct pdu pdu = { .bhs = bhs, .data = data + BHS_LEN + 1, .data_len = len };

		memcpy(bhs, data, BHS_LEN);
		put_be32(bhs + BHS_ITT, TAG);
		rc = read_task_receive(&task, &pdu, &err);
		data += BHS_LEN + 1 + len;
		size -= BHS_LEN + 1 + len;
	}
	if (task.received > EXPECTED || task.data[EXPECTED] != 0xa5)
		abort();
	if (rc == 1)
		read_all(&task);
	return 0;
}
