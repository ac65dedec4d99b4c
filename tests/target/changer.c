/* SPDX-License-Identifier: MIT */
/* The medium changer of a Tape Gateway (SMC-3). */
#include "device.h"

#include "scsi.h"

const struct device_type device_changer = {
	.type = 0x08,
	.removable = true,
	.versions = { 0x00a0, 0x0960, 0x0460, 0x0480 }, /* SAM-5, iSCSI, SPC-4, SMC-3 */
	.ops = {
		SCSI_COMMON_OPS,
		[SCSI_TEST_UNIT_READY] = { .name = "test-unit-ready", .run = scsi_ready, .usage = { 0x00, 0, 0, 0, 0, 0x04 } },
	},
};
