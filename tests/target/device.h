/* SPDX-License-Identifier: MIT */
/* The types of device: which SCSI commands each knows, and how each calls itself. */
#ifndef SGW_TARGET_DEVICE_H
#define SGW_TARGET_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

struct task;

struct scsi_op {
	const char *name; /* "inquiry"; NULL: not known to this type, 5/20/00 */
	void (*run)(struct task *task); /* fills in the task's answer */
	bool passes_attention; /* runs in spite of a unit attention (SAM-5, 5.14) */
	bool needs_no_unit; /* runs at a logical unit that is not there */
};

enum { DEVICE_VERSIONS_MAX = 8 };

struct device_type {
	uint8_t type; /* of INQUIRY: 00h disk, 01h tape, 08h changer (SPC-4) */
	bool removable;
	uint16_t versions[DEVICE_VERSIONS_MAX]; /* standards it claims, 0 ends them */
	struct scsi_op ops[256]; /* by operation code */
};

extern const struct device_type device_disk;
extern const struct device_type device_tape;
extern const struct device_type device_changer;

#endif
