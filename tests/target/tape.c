/* SPDX-License-Identifier: MIT */
/* A drive of a Tape Gateway (SSC-3). */
#include "device.h"

#include "scsi.h"

/* No cartridge has been loaded. */
static void test_unit_ready(struct task *task)
{
	task_fail(task, SENSE_NO_MEDIUM);
}

const struct device_type device_tape = {
	.type = 0x01,
	.removable = true,
	.versions = { 0x00a0, 0x0960, 0x0460, 0x0400 }, /* SAM-5, iSCSI, SPC-4, SSC-3 */
	.ops = {
		SCSI_COMMON_OPS,
		[SCSI_TEST_UNIT_READY] = { .name = "test-unit-ready", .run = test_unit_ready, .usage = { 0x00, 0, 0, 0, 0, 0x04 } },
	},
};
