/* SPDX-License-Identifier: MIT */
/* The volume of a Volume Gateway (SBC-3). */
#include "device.h"

#include <string.h>

#include "iscsi/bytes.h"
#include "persona.h"
#include "scsi.h"

enum {
	READ_CAPACITY_10 = 0x25,
	SERVICE_ACTION_IN_16 = 0x9e,
	READ_CAPACITY_16 = 0x10, /* its service action */
	CAPACITY_16_LEN = 32,
	PMI = 0x01, /* partial medium indicator: without it the address is zero */
};

static uint64_t last_block(const struct task *task)
{
	return task->device->size / DISK_BLOCK - 1;
}

static void read_capacity_10(struct task *task)
{
	uint64_t last = last_block(task);

	if (!(task->cdb[8] & PMI) && get_be32(task->cdb + 2) != 0) {
		task_fail_field(task, 2);
		return;
	}
	put_be32(task->scratch, last < UINT32_MAX ? (uint32_t)last : UINT32_MAX);
	put_be32(task->scratch + 4, DISK_BLOCK);
	task_answer(task, task->scratch, 8, 8, DATA_SCRATCH);
}

static void service_action_in(struct task *task)
{
	if ((task->cdb[1] & 0x1f) != READ_CAPACITY_16) {
		task_fail_field(task, 1);
		return;
	}
	if (!(task->cdb[14] & PMI) && get_be64(task->cdb + 2) != 0) {
		task_fail_field(task, 2);
		return;
	}
	memset(task->scratch, 0, CAPACITY_16_LEN);
	put_be64(task->scratch, last_block(task));
	put_be32(task->scratch + 8, DISK_BLOCK);
	task_answer(task, task->scratch, CAPACITY_16_LEN, get_be32(task->cdb + 10), DATA_SCRATCH);
}

const struct device_type device_disk = {
	.type = 0x00,
	.versions = { 0x00a0, 0x0960, 0x0460, 0x04c0 }, /* SAM-5, iSCSI, SPC-4, SBC-3 */
	.ops = {
		SCSI_COMMON_OPS,
		[SCSI_TEST_UNIT_READY] = { .name = "test-unit-ready", .run = scsi_ready },
		[READ_CAPACITY_10] = { .name = "read-capacity", .run = read_capacity_10 },
		[SERVICE_ACTION_IN_16] = { .name = "read-capacity", .run = service_action_in },
	},
};
