/* SPDX-License-Identifier: MIT */
/*
 * One SCSI command that reads: its PDUs, checked against the standard (RFC
 * 7143, 11.3, 11.4, 11.7).
 */
#ifndef SGW_ISCSI_READ_TASK_H
#define SGW_ISCSI_READ_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "iscsi/pdu.h"
#include "iscsi/cdb.h"

struct err;

enum { READ_TASK_DATA_MAX = 4096 };

struct read_task {
	uint32_t tag;
	uint32_t expected; /* bytes */
	uint32_t received;
	uint32_t data_sn;
	uint8_t data[READ_TASK_DATA_MAX];

	/* Once it is over. */
	uint8_t status; /* CDB_GOOD … */
	bool has_sense;
	struct cdb_sense sense; /* with CDB_CHECK_CONDITION */
};

/* Fill in a request that expects so many bytes (0 … READ_TASK_DATA_MAX) of the unit lun. */
void read_task_begin(struct read_task *task, uint32_t tag, const uint8_t lun[8],
		     const uint8_t cdb[CDB_LEN], uint32_t expected, uint8_t bhs[BHS_LEN])
	__attribute__((nonnull));

/*
 * Take a PDU of the full feature phase. 0: more is to come; 1: it is over, and
 * status says how it went; -EPROTO where the session must be ended: data that
 * nobody expected or out of order, another task's, CHECK CONDITION without
 * sense data, a target failure.
 */
int read_task_receive(struct read_task *task, const struct pdu *pdu, struct err *err)
	__attribute__((nonnull));

#endif
