/* SPDX-License-Identifier: MIT */
#include "iscsi/cdb.h"

#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "iscsi/bytes.h"

enum {
	OP_INQUIRY = 0x12,
	OP_READ_CAPACITY_10 = 0x25,
	OP_SERVICE_ACTION_IN = 0x9e,
	ACTION_READ_CAPACITY_16 = 0x10,
	OP_REPORT_LUNS = 0xa0,
	SENSE_FIXED = 0x70, /* and 0x71: deferred */
	SENSE_DESCRIPTORS = 0x72, /* and 0x73 */
};

const char *cdb_status_name(uint8_t status)
{
	switch (status) {
	case CDB_GOOD:
		return "GOOD";
	case CDB_CHECK_CONDITION:
		return "CHECK CONDITION";
	case CDB_BUSY:
		return "BUSY";
	case CDB_RESERVATION_CONFLICT:
		return "RESERVATION CONFLICT (another host has it reserved)";
	case CDB_TASK_SET_FULL:
		return "TASK SET FULL";
	default:
		return "a status that the standard does not know";
	}
}

bool cdb_sense_parse(const uint8_t *bytes, size_t len, struct cdb_sense *out)
{
	unsigned int code = len > 0 ? bytes[0] & 0x7e : 0;

	*out = (struct cdb_sense){ 0 };
	if (code == SENSE_FIXED && len >= 3) {
		out->key = bytes[2] & 0x0f;
		/* Additional sense is there as far as the additional length says (SPC-4, 4.5.3). */
		if (len >= 14 && bytes[7] >= 6) {
			out->asc = bytes[12];
			out->ascq = bytes[13];
		}
		return true;
	}
	if (code != SENSE_DESCRIPTORS || len < 4)
		return false;
	out->key = bytes[1] & 0x0f;
	out->asc = bytes[2];
	out->ascq = bytes[3];
	return true;
}

void cdb_sense_text(const struct cdb_sense *sense, char out[CDB_SENSE_TEXT_MAX])
{
	static const char *const keys[] = {
		"NO SENSE",	  "RECOVERED ERROR", "NOT READY",      "MEDIUM ERROR",
		"HARDWARE ERROR", "ILLEGAL REQUEST", "UNIT ATTENTION", "DATA PROTECT",
		"BLANK CHECK",	  "VENDOR SPECIFIC", "COPY ABORTED",   "ABORTED COMMAND",
		"sense key 0x0c", "VOLUME OVERFLOW", "MISCOMPARE",     "COMPLETED",
	};

	snprintf(out, CDB_SENSE_TEXT_MAX, "%s, %02x/%02x", keys[sense->key & 0x0f], sense->asc,
		 sense->ascq);
}

void cdb_report_luns(uint8_t cdb[CDB_LEN], uint32_t len)
{
	memset(cdb, 0, CDB_LEN);
	cdb[0] = OP_REPORT_LUNS;
	put_be32(cdb + 6, len);
}

void cdb_inquiry(uint8_t cdb[CDB_LEN], uint16_t len)
{
	memset(cdb, 0, CDB_LEN);
	cdb[0] = OP_INQUIRY;
	put_be16(cdb + 3, len);
}

void cdb_read_capacity_10(uint8_t cdb[CDB_LEN])
{
	memset(cdb, 0, CDB_LEN);
	cdb[0] = OP_READ_CAPACITY_10;
}

void cdb_read_capacity_16(uint8_t cdb[CDB_LEN], uint32_t len)
{
	memset(cdb, 0, CDB_LEN);
	cdb[0] = OP_SERVICE_ACTION_IN;
	cdb[1] = ACTION_READ_CAPACITY_16;
	put_be32(cdb + 10, len);
}

/* A field of ASCII, which ends in blanks (or, against the standard, NULs). */
static void take_text(const uint8_t *bytes, size_t len, char *out)
{
	while (len > 0 && (bytes[len - 1] == ' ' || bytes[len - 1] == '\0'))
		len--;
	for (size_t i = 0; i < len; i++)
		out[i] = bytes[i] ? (char)bytes[i] : ' ';
	out[len] = '\0';
}

bool cdb_identity_parse(const uint8_t *bytes, size_t len, struct cdb_identity *out)
{
	*out = (struct cdb_identity){ 0 };
	if (len < CDB_INQUIRY_LEN)
		return false;
	out->qualifier = bytes[0] >> 5;
	out->type = bytes[0] & 0x1f;
	take_text(bytes + 8, 8, out->vendor);
	take_text(bytes + 16, 16, out->product);
	take_text(bytes + 32, 4, out->revision);
	return true;
}

const char *cdb_type_name(uint8_t type)
{
	static const char *const names[] = {
		[0x00] = "disk",      [0x01] = "tape",	     [0x02] = "printer",
		[0x03] = "processor", [0x04] = "write once", [0x05] = "CD/DVD",
		[0x07] = "optical",   [0x08] = "changer",    [0x0c] = "controller",
		[0x0d] = "enclosure", [0x0e] = "disk (RBC)", [0x11] = "object storage",
	};

	return type < ARRAY_LEN(names) && names[type] ? names[type] : "unknown";
}

bool cdb_capacity_10_parse(const uint8_t *bytes, size_t len, uint64_t *blocks, uint32_t *size)
{
	uint32_t last;

	if (len < CDB_CAPACITY_10_LEN)
		return false;
	last = get_be32(bytes);
	*blocks = last == UINT32_MAX ? 0 : (uint64_t)last + 1;
	*size = get_be32(bytes + 4);
	return true;
}

bool cdb_capacity_16_parse(const uint8_t *bytes, size_t len, uint64_t *blocks, uint32_t *size)
{
	if (len < 12)
		return false;
	*blocks = get_be64(bytes) + 1;
	*size = get_be32(bytes + 8);
	return true;
}
