/* SPDX-License-Identifier: MIT */
#include "iscsi/read_task.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"
#include "err.h"
#include "iscsi/bytes.h"

enum { TAG = 7, EXPECTED = 64, STEPS = 3 };

/* One PDU of a target; its data are len bytes of that value. */
struct step {
	uint8_t opcode, flags;
	uint32_t sn, offset, len;
	uint8_t status, response; /* response: of a SCSI Response */
	uint32_t tag; /* 0: the right one */
	const char *sense; /* the data, as they are */
	size_t sense_len;
};

#define DATA(bits, ...)                                          \
	{                                                        \
		.opcode = OP_DATA_IN, .flags = bits, __VA_ARGS__ \
	}
#define ANSWER(bits, ...)                                              \
	{                                                              \
		.opcode = OP_SCSI_RESPONSE, .flags = bits, __VA_ARGS__ \
	}
#define FINAL FLAG_FINAL
#define STATUS (FLAG_FINAL | DATA_STATUS_PRESENT)

static const char not_ready[] = "\0\22\x70\0\2\0\0\0\0\12\0\0\0\0\x3a\0\0\0\0\0";
static const char attention[] = "\0\10\x72\6\x29\1\0\0\0\0";

static const struct row {
	const char *what;
	struct step steps[STEPS];
	int rc; /* of the last step */
	uint8_t status, key;
	uint32_t received;
} rows[] = {
	{ "data with status", { DATA(STATUS, .len = 64) }, 1, CDB_GOOD, 0, 64 },
	{ "two parts",
	  { DATA(0, .len = 32), DATA(STATUS, .sn = 1, .offset = 32, .len = 32) },
	  1,
	  CDB_GOOD,
	  0,
	  64 },
	{ "data, then the response",
	  { DATA(FINAL, .len = 36), ANSWER(FINAL | RESIDUAL_UNDERFLOW, .len = 0) },
	  1,
	  CDB_GOOD,
	  0,
	  36 },
	{ "no data at all", { ANSWER(FINAL, .len = 0) }, 1, CDB_GOOD, 0, 0 },
	{ "BUSY", { ANSWER(FINAL, .status = CDB_BUSY) }, 1, CDB_BUSY, 0, 0 },
	{ "not ready",
	  { ANSWER(FINAL, .status = CDB_CHECK_CONDITION, .sense = not_ready,
		   .sense_len = sizeof(not_ready) - 1) },
	  1,
	  CDB_CHECK_CONDITION,
	  2,
	  0 },
	{ "a unit attention in descriptor format",
	  { ANSWER(FINAL, .status = CDB_CHECK_CONDITION, .sense = attention,
		   .sense_len = sizeof(attention) - 1) },
	  1,
	  CDB_CHECK_CONDITION,
	  6,
	  0 },
	{ "more is to come", { DATA(0, .len = 32) }, 0, CDB_GOOD, 0, 32 },
	{ "CHECK CONDITION without sense",
	  { ANSWER(FINAL, .status = CDB_CHECK_CONDITION) },
	  -EPROTO,
	  0,
	  0,
	  0 },
	{ "sense that is shorter than it says",
	  { ANSWER(FINAL, .status = CDB_CHECK_CONDITION, .sense = "\377\377\x70", .sense_len = 3) },
	  -EPROTO,
	  0,
	  0,
	  0 },
	{ "a target failure", { ANSWER(FINAL, .response = 1) }, -EPROTO, 0, 0, 0 },
	{ "overflow and underflow",
	  { ANSWER(FINAL | RESIDUAL_OVERFLOW | RESIDUAL_UNDERFLOW, .len = 0) },
	  -EPROTO,
	  0,
	  0,
	  0 },
	{ "a gap in DataSN",
	  { DATA(0, .len = 8), DATA(STATUS, .sn = 2, .offset = 8, .len = 8) },
	  -EPROTO,
	  0,
	  0,
	  0 },
	{ "DataSN twice",
	  { DATA(0, .len = 8), DATA(STATUS, .sn = 0, .offset = 8, .len = 8) },
	  -EPROTO,
	  0,
	  0,
	  0 },
	{ "a gap in the data",
	  { DATA(0, .len = 8), DATA(STATUS, .sn = 1, .offset = 12, .len = 8) },
	  -EPROTO,
	  0,
	  0,
	  0 },
	{ "data past the buffer", { DATA(STATUS, .len = 65) }, -EPROTO, 0, 0, 0 },
	{ "an offset past the buffer",
	  { DATA(STATUS, .offset = 0xfffffff0, .len = 32) },
	  -EPROTO,
	  0,
	  0,
	  0 },
	{ "status without F", { DATA(DATA_STATUS_PRESENT, .len = 8) }, -EPROTO, 0, 0, 0 },
	{ "CHECK CONDITION with data",
	  { DATA(STATUS, .len = 8, .status = CDB_CHECK_CONDITION) },
	  -EPROTO,
	  0,
	  0,
	  0 },
	{ "another task's", { DATA(STATUS, .len = 8, .tag = 9) }, -EPROTO, 0, 0, 0 },
	{ "an R2T for a read", { { .opcode = OP_R2T, .flags = FINAL } }, -EPROTO, 0, 0, 0 },
	{ "a Text Response", { { .opcode = OP_TEXT_RESPONSE, .flags = FINAL } }, -EPROTO, 0, 0, 0 },
};

static int take(struct read_task *task, const struct step *step, struct err *err)
{
	uint8_t bhs[BHS_LEN] = { step->opcode, step->flags }, data[128];
	struct pdu pdu = { .bhs = bhs, .data = data, .data_len = step->len };

	memset(data, 'd', sizeof(data));
	put_be32(bhs + BHS_ITT, step->tag ? step->tag : TAG);
	if (step->opcode == OP_DATA_IN) {
		bhs[DATA_STATUS] = step->status;
		put_be32(bhs + DATA_SN, step->sn);
		put_be32(bhs + DATA_OFFSET, step->offset);
	} else {
		bhs[RESPONSE_CODE] = step->response;
		bhs[RESPONSE_STATUS] = step->status;
		pdu.data = (const uint8_t *)step->sense;
		pdu.data_len = step->sense_len;
	}
	return read_task_receive(task, &pdu, err);
}

static void answers_are_checked(void **state)
{
	static const uint8_t lun[8], cdb[CDB_LEN];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		struct err err = { 0 };
		struct read_task task;
		uint8_t bhs[BHS_LEN];
		int rc = 0;

		print_message("row: %s\n", row->what);
		memset(&task, 0xa5, sizeof(task));
		read_task_begin(&task, TAG, lun, cdb, EXPECTED, bhs);
		assert_int_equal(bhs[BHS_FLAGS], FLAG_FINAL | COMMAND_READ | 1);
		assert_int_equal(get_be32(bhs + COMMAND_EXPECTED_LENGTH), EXPECTED);
		for (size_t n = 0; n < STEPS && row->steps[n].opcode; n++) {
			assert_int_equal(rc, 0);
			rc = take(&task, &row->steps[n], &err);
		}
		assert_int_equal(rc, row->rc);
		assert_int_equal(task.data[EXPECTED], 0xa5);
		if (rc < 0) {
			assert_true(err.reason[0] != '\0');
			continue;
		}
		assert_int_equal(task.status, row->status);
		assert_int_equal(task.received, row->received);
		if (row->key)
			assert_int_equal(task.sense.key, row->key);
	}
}

static void sense_is_read_in_both_formats(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *text; /* NULL: none */
	} table[] = {
		{ "\x70\0\2\0\0\0\0\12\0\0\0\0\x3a\1\0\0\0\0", 18, "NOT READY, 3a/01" },
		{ "\xf0\0\3\0\0\0\0\12\0\0\0\0\x11\0\0\0\0\0", 18, "MEDIUM ERROR, 11/00" },
		{ "\x70\0\5", 3, "ILLEGAL REQUEST, 00/00" },
		{ "\x70\0\5\0\0\0\0\0\0\0\0\0\x20\1\0\0\0\0", 18, "ILLEGAL REQUEST, 00/00" },
		{ "\x72\6\x29\1\0\0\0\0", 8, "UNIT ATTENTION, 29/01" },
		{ "\x73\6\x29\1", 4, "UNIT ATTENTION, 29/01" },
		{ "\x72\6\x29", 3, NULL },
		{ "\x70\0", 2, NULL },
		{ "\0\0\0\0\0\0\0\0", 8, NULL },
		{ "", 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		char text[CDB_SENSE_TEXT_MAX];
		struct cdb_sense sense;
		bool good = cdb_sense_parse((const uint8_t *)table[i].bytes, table[i].len, &sense);

		print_message("row: %zu\n", i);
		assert_int_equal(good, table[i].text != NULL);
		if (!good)
			continue;
		cdb_sense_text(&sense, text);
		assert_string_equal(text, table[i].text);
	}
}

static void identities_and_capacities_are_read(void **state)
{
	uint8_t bytes[CDB_INQUIRY_LEN] = { 0x21 };
	struct cdb_identity identity;
	uint64_t blocks = 1;
	uint32_t size = 0;

	(void)state;
	memcpy(bytes + 8, "IBM     ULT3580-TD5     D2A0", 28);
	assert_false(cdb_identity_parse(bytes, CDB_INQUIRY_LEN - 1, &identity));
	assert_true(cdb_identity_parse(bytes, CDB_INQUIRY_LEN, &identity));
	assert_int_equal(identity.qualifier, 1);
	assert_string_equal(cdb_type_name(identity.type), "tape");
	assert_string_equal(identity.vendor, "IBM");
	assert_string_equal(identity.product, "ULT3580-TD5");
	assert_string_equal(identity.revision, "D2A0");
	memset(bytes + 8, 0, 28);
	assert_true(cdb_identity_parse(bytes, CDB_INQUIRY_LEN, &identity));
	assert_string_equal(identity.product, "");
	assert_string_equal(cdb_type_name(0x1e), "unknown");

	assert_true(cdb_capacity_10_parse((const uint8_t *)"\377\377\377\377\0\0\2\0", 8, &blocks,
					  &size));
	assert_true(blocks == 0);
	assert_true(cdb_capacity_10_parse((const uint8_t *)"\377\377\377\376\0\0\2\0", 8, &blocks,
					  &size));
	assert_true(blocks == UINT32_MAX && size == 512);
	assert_false(cdb_capacity_10_parse(bytes, 7, &blocks, &size));
	assert_true(cdb_capacity_16_parse((const uint8_t *)"\0\0\0\1\0\0\0\0\0\0\x10\0", 12,
					  &blocks, &size));
	assert_true(blocks == (UINT64_C(1) << 32) + 1 && size == 4096);
	assert_false(cdb_capacity_16_parse(bytes, 11, &blocks, &size));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_checked),
		cmocka_unit_test(sense_is_read_in_both_formats),
		cmocka_unit_test(identities_and_capacities_are_read),
	};

	return cmocka_run_group_tests_name("read_task", tests, NULL, NULL);
}
