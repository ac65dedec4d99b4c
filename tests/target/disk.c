/* SPDX-License-Identifier: MIT */
/* The volume of a Volume Gateway (SBC-3). */
#include "device.h"

#include "scsi.h"

const struct device_type device_disk = {
	.type = 0x00,
	.versions = { 0x00a0, 0x0960, 0x0460, 0x04c0 }, /* SAM-5, iSCSI, SPC-4, SBC-3 */
	.ops = {
		SCSI_COMMON_OPS,
		[SCSI_TEST_UNIT_READY] = { .name = "test-unit-ready", .run = scsi_ready },
	},
};
