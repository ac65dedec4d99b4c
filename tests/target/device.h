/* SPDX-License-Identifier: MIT */
/* The types of device: which SCSI commands each knows, and how each calls itself. */
#ifndef SGW_TARGET_DEVICE_H
#define SGW_TARGET_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct task;

struct scsi_op {
	const char *name; /* "inquiry"; NULL: not known to this type, 5/20/00 */
	void (*run)(struct task *task); /* fills in the task's answer */
	/*
	 * CDB usage data (SPC-4, 6.29.3): the operation code, then the bits that
	 * are looked at. With has_action byte 1 holds the one service action that
	 * is known; any other is 5/24/00.
	 */
	uint8_t usage[16];
	bool has_action;
	bool passes_attention; /* runs in spite of a unit attention (SAM-5, 5.14) */
	bool needs_no_unit; /* runs at a logical unit that is not there */
};

/* The length of a CDB, by the group of its operation code (SPC-4, 4.2.5.1). */
size_t scsi_cdb_len(uint8_t opcode);

enum { DEVICE_VERSIONS_MAX = 8 };

struct device_type {
	uint8_t type; /* of INQUIRY: 00h disk, 01h tape, 08h changer (SPC-4) */
	bool removable;
	uint16_t versions[DEVICE_VERSIONS_MAX]; /* standards it claims, 0 ends them */
	/* The first block of a command that is about some; false: it is not. NULL: none is. */
	bool (*find_address)(const uint8_t *cdb, uint64_t *address);
	struct scsi_op ops[256]; /* by operation code */
};

extern const struct device_type device_disk;
extern const struct device_type device_tape;
extern const struct device_type device_changer;

#endif
