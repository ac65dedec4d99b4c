/* SPDX-License-Identifier: MIT */
/*
 * The few SCSI commands of an initiator's probe, and what targets answer, in
 * words (SPC-4, SBC-3).
 */
#ifndef SGW_ISCSI_CDB_H
#define SGW_ISCSI_CDB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iscsi/pdu.h"

/* Status of a command (SAM-5). */
enum {
	CDB_GOOD = 0x00,
	CDB_CHECK_CONDITION = 0x02,
	CDB_BUSY = 0x08,
	CDB_RESERVATION_CONFLICT = 0x18,
	CDB_TASK_SET_FULL = 0x28,
};
/* "BUSY" …; never NULL. */
const char *cdb_status_name(uint8_t status);

enum {
	CDB_KEY_NOT_READY = 0x2,
	CDB_KEY_UNIT_ATTENTION = 0x6,
};

/* What sense data says, whichever of its two formats it has. */
struct cdb_sense {
	uint8_t key, asc, ascq;
};
/* False where the bytes are no sense data. */
bool cdb_sense_parse(const uint8_t *bytes, size_t len, struct cdb_sense *out);
/* "NOT READY, 3a/00" into out. */
enum { CDB_SENSE_TEXT_MAX = 64 };
void cdb_sense_text(const struct cdb_sense *sense, char out[CDB_SENSE_TEXT_MAX]);

/* CDBs; len is the allocation length. */
void cdb_report_luns(uint8_t cdb[CDB_LEN], uint32_t len);
void cdb_inquiry(uint8_t cdb[CDB_LEN], uint16_t len);
void cdb_read_capacity_10(uint8_t cdb[CDB_LEN]);
void cdb_read_capacity_16(uint8_t cdb[CDB_LEN], uint32_t len);

enum {
	CDB_INQUIRY_LEN = 36, /* what every target has to tell */
	CDB_CAPACITY_10_LEN = 8,
	CDB_CAPACITY_16_LEN = 32,
	CDB_TYPE_DISK = 0x00,
	CDB_TYPE_TAPE = 0x01,
	CDB_TYPE_CHANGER = 0x08,
};

/* Standard INQUIRY data (SPC-4, 6.6.2); texts without the blanks at their ends. */
struct cdb_identity {
	uint8_t qualifier; /* 0: a device is there */
	uint8_t type;
	char vendor[8 + 1], product[16 + 1], revision[4 + 1]; /* bytes of the target: escape them */
};
/* False where it is too short. */
bool cdb_identity_parse(const uint8_t *bytes, size_t len, struct cdb_identity *out);
/* "disk", "tape", "changer" …; never NULL. */
const char *cdb_type_name(uint8_t type);

/* The number of blocks; false where it is too short. READ CAPACITY(10): 0 says ask with (16). */
bool cdb_capacity_10_parse(const uint8_t *bytes, size_t len, uint64_t *blocks, uint32_t *size);
bool cdb_capacity_16_parse(const uint8_t *bytes, size_t len, uint64_t *blocks, uint32_t *size);

#endif
