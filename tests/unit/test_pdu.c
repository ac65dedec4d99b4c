/* SPDX-License-Identifier: MIT */
#include "iscsi/pdu.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"
#include "err.h"
#include "iscsi/bytes.h"
#include "iscsi/status.h"

/* A PDU with an opcode, AHS, data of a counting pattern, and the digests asked for. */
static void add_pdu(struct buf *out, uint8_t opcode, size_t ahs_len, size_t data_len,
		    bool header_digest, bool data_digest)
{
	uint8_t head[PDU_HEAD_MAX] = { [BHS_OPCODE] = opcode, [BHS_FLAGS] = FLAG_FINAL };
	uint8_t *data = malloc(data_len + 1), tail[PDU_TAIL_MAX];

	memset(head + BHS_LEN, 0xa5, ahs_len);
	for (size_t i = 0; i < data_len; i++)
		data[i] = (uint8_t)i;
	buf_add(out, head, pdu_seal_head(head, ahs_len, (uint32_t)data_len, header_digest));
	buf_add(out, data, data_len);
	buf_add(out, tail, pdu_seal_tail(tail, data, data_len, data_digest));
	free(data);
}

/* Feed bytes in pieces of `step`; note each PDU as "opcode:ahs:data[!] ", an error as its text. */
static void read_all(struct pdu_reader *reader, const struct buf *in, size_t step, char *out,
		     size_t size)
{
	size_t at = 0, used = 0;
	struct err err = { .code = 0 };
	struct pdu pdu;
	int rc = 0;

	while (at < in->len && rc >= 0) {
		uint8_t *space;
		size_t len;

		assert_int_equal(pdu_reader_space(reader, &space, &len, &err), 0);
		assert_true(len > 0);
		len = len < step ? len : step;
		len = len < in->len - at ? len : in->len - at;
		memcpy(space, in->data + at, len);
		at += len;
		pdu_reader_received(reader, len);
		while ((rc = pdu_reader_next(reader, &pdu, &err)) > 0) {
			for (size_t i = 0; i < pdu.data_len; i++)
				if (pdu.data[i] != (uint8_t)i && !pdu.data_digest_bad)
					fail_msg("byte %zu of the data is wrong", i);
			used += (size_t)snprintf(out + used, size - used, "%02x:%zu:%zu%s ",
						 pdu_opcode(pdu.bhs), pdu.ahs_len, pdu.data_len,
						 pdu.data_digest_bad ? "!" : "");
		}
	}
	if (rc < 0)
		snprintf(out + used, size - used, "%s: %s", rc == -EMSGSIZE ? "length" : "digest",
			 err.reason);
}

/* Whatever the pieces in which it arrives, a stream gives the same PDUs. */
static void test_pieces_make_no_difference(void **state)
{
	static const size_t steps[] = { 1, 2, 3, 7, 47, 48, 49, 100, 1000, 4096, 100000 };

	(void)state;
	for (int digests = 0; digests < 4; digests++)
		for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
			bool header = digests & 1, data = digests & 2;
			struct pdu_reader reader;
			char got[256] = "";
			CLEANUP(buf_done) struct buf in = { .data = NULL };

			pdu_reader_init(&reader, 20000);
			reader.header_digest = header;
			reader.data_digest = data;
			add_pdu(&in, OP_NOP_OUT | OPCODE_IMMEDIATE, 0, 0, header, data);
			add_pdu(&in, OP_SCSI_COMMAND, 16, 5, header, data);
			add_pdu(&in, OP_DATA_OUT, 0, 20000, header, data);
			add_pdu(&in, OP_SCSI_COMMAND, PDU_AHS_MAX, 1, header, data);
			add_pdu(&in, OP_TEXT_REQUEST, 0, 4, header, data);
			read_all(&reader, &in, steps[i], got, sizeof(got));
			assert_string_equal(got, "00:0:0 01:16:5 05:0:20000 01:1020:1 04:0:4 ");
			assert_null(pdu_reader_stage(&reader));
			pdu_reader_done(&reader);
		}
}

static void test_damage(void **state)
{
	/* One byte of the second PDU (offset from its start) is flipped. */
	static const struct {
		const char *name;
		size_t data_len, offset;
		uint8_t flip;
		const char *want; /* what begins the note */
	} rows[] = {
		{ "opcode", 10, 0, 1, "00:0:0 digest: " },
		{ "data length below the bound", 10, 6, 1, "00:0:0 digest: " },
		{ "header digest", 10, 50, 0x80, "00:0:0 digest: " },
		{ "first byte of data", 10, 52, 1, "00:0:0 05:0:10! 20:0:0 " },
		{ "padding", 10, 62, 1, "00:0:0 05:0:10! 20:0:0 " },
		{ "data digest", 10, 67, 1, "00:0:0 05:0:10! 20:0:0 " },
		{ "nothing", 10, 67, 0, "00:0:0 05:0:10 20:0:0 " },
		{ "no data", 0, 51, 0, "00:0:0 05:0:0 20:0:0 " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct pdu_reader reader;
		char got[256] = "";
		CLEANUP(buf_done) struct buf in = { .data = NULL };
		size_t start;

		pdu_reader_init(&reader, 1000);
		reader.header_digest = reader.data_digest = true;
		add_pdu(&in, OP_NOP_OUT, 0, 0, true, true);
		start = in.len;
		add_pdu(&in, OP_DATA_OUT, 0, rows[i].data_len, true, true);
		in.data[start + rows[i].offset] ^= (char)rows[i].flip;
		add_pdu(&in, OP_NOP_IN, 0, 0, true, true);
		read_all(&reader, &in, 61, got, sizeof(got));
		if (strncmp(got, rows[i].want, strlen(rows[i].want)) != 0)
			fail_msg("%s: '%s'", rows[i].name, got);
		pdu_reader_done(&reader);
	}
}

/* A segment that is too long is refused on its header alone, and nothing is allocated for it. */
static void test_length_is_bounded(void **state)
{
	struct pdu_reader reader;
	uint8_t head[BHS_LEN] = { OP_TEXT_RESPONSE };
	struct err err;
	struct pdu pdu;
	uint8_t *space;
	size_t len;

	(void)state;
	pdu_reader_init(&reader, 8192);
	assert_int_equal(pdu_reader_space(&reader, &space, &len, &err), 0);
	pdu_seal_head(head, 0, 0xffffff, false);
	memcpy(space, head, BHS_LEN);
	pdu_reader_received(&reader, BHS_LEN - 1);
	assert_int_equal(pdu_reader_next(&reader, &pdu, &err), 0);
	assert_string_equal(pdu_reader_stage(&reader), "header");
	pdu_reader_received(&reader, 1);
	assert_int_equal(pdu_reader_next(&reader, &pdu, &err), -EMSGSIZE);
	assert_string_equal(err.reason,
			    "Text Response announces 16777215 bytes of data (8192 allowed)");
	assert_memory_equal(pdu.bhs, head, BHS_LEN);
	assert_int_equal(pdu_reader_next(&reader, &pdu, &err), -EMSGSIZE);
	assert_true(reader.size < 8192);
	pdu_reader_done(&reader);
}

/* A reader grows to the PDU it has to hold, and no further. */
static void test_memory_is_bounded(void **state)
{
	struct pdu_reader reader;
	CLEANUP(buf_done) struct buf in = { .data = NULL };
	char got[4096] = "";

	(void)state;
	pdu_reader_init(&reader, 262144);
	for (int i = 0; i < 20; i++)
		add_pdu(&in, OP_DATA_OUT, 0, 262144, false, false);
	read_all(&reader, &in, SIZE_MAX, got, sizeof(got));
	assert_int_equal(strlen(got), 20 * strlen("05:0:262144 "));
	assert_true(reader.size <= 262144 + PDU_HEAD_MAX + PDU_TAIL_MAX + 65536);
	pdu_reader_rest(&reader);
	assert_int_equal(reader.size, 0);
	assert_null(reader.buf);
	pdu_reader_done(&reader);
}

/* Digests come into force between two PDUs, also when both are here already (13.1). */
static void test_digests_switch_between_pdus(void **state)
{
	struct pdu_reader reader;
	CLEANUP(buf_done) struct buf in = { .data = NULL };
	struct err err;
	struct pdu pdu;
	uint8_t *space;
	size_t len;

	(void)state;
	pdu_reader_init(&reader, 8192);
	add_pdu(&in, OP_LOGIN_REQUEST, 0, 9, false, false);
	add_pdu(&in, OP_NOP_OUT, 0, 9, true, true);
	assert_int_equal(pdu_reader_space(&reader, &space, &len, &err), 0);
	assert_true(len >= in.len);
	memcpy(space, in.data, in.len);
	pdu_reader_received(&reader, in.len);
	assert_int_equal(pdu_reader_next(&reader, &pdu, &err), 1);
	assert_int_equal(pdu_opcode(pdu.bhs), OP_LOGIN_REQUEST);
	reader.header_digest = reader.data_digest = true;
	assert_int_equal(pdu_reader_next(&reader, &pdu, &err), 1);
	assert_int_equal(pdu_opcode(pdu.bhs), OP_NOP_OUT);
	assert_false(pdu.data_digest_bad);
	assert_int_equal(pdu_reader_next(&reader, &pdu, &err), 0);
	pdu_reader_done(&reader);
}

static void test_sealing(void **state)
{
	uint8_t tail[PDU_TAIL_MAX], whole[PDU_TAIL_MAX], bhs[BHS_LEN] = { OP_NOP_IN };
	CLEANUP(buf_done) struct buf out = { .data = NULL };
	uint32_t pieces;

	(void)state;
	for (size_t len = 0; len < 9; len++) {
		size_t want = (4 - len % 4) % 4;

		assert_int_equal(pdu_seal_tail(tail, "abcdefgh", len, false), want);
		assert_int_equal(pdu_seal_tail(tail, "abcdefgh", len, true),
				 len == 0 ? 0 : want + DIGEST_LEN);
	}
	pdu_seal_tail(whole, "abcde", 5, true);
	pieces = digest_update(digest_update(DIGEST_START, "ab", 2), "cde", 3);
	assert_int_equal(pdu_seal_tail_pieces(tail, 5, true, pieces), 7);
	assert_memory_equal(tail, whole, 7);

	pdu_append(&out, bhs, "abcde", 5, false, false);
	assert_int_equal(out.len, BHS_LEN + 8);
	assert_int_equal(get_be24(bhs + BHS_DATA_LEN), 5);
	assert_memory_equal(out.data + BHS_LEN, "abcde\0\0", 8);
}

static void test_serial_numbers(void **state)
{
	static const struct {
		uint32_t a, b;
		bool before, before_or_equal;
	} rows[] = {
		{ 0, 1, true, true },
		{ 1, 0, false, false },
		{ 5, 5, false, true },
		{ 0xffffffff, 0, true, true },
		{ 0, 0xffffffff, false, false },
		{ 0xfffffff0, 0x10, true, true },
		{ 0, 0x7fffffff, true, true },
		{ 0, 0x80000001, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (serial_before(rows[i].a, rows[i].b) != rows[i].before ||
		    serial_before_or_equal(rows[i].a, rows[i].b) != rows[i].before_or_equal)
			fail_msg("%08x, %08x", rows[i].a, rows[i].b);
}

static void test_fields_are_big_endian(void **state)
{
	const uint8_t want[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	uint8_t got[8];

	(void)state;
	put_be64(got, UINT64_C(0x0102030405060708));
	assert_memory_equal(got, want, 8);
	assert_true(get_be64(want) == UINT64_C(0x0102030405060708));
	assert_int_equal(get_be16(want), 0x0102);
	assert_int_equal(get_be24(want), 0x010203);
	assert_int_equal(get_be32(want), 0x01020304);
	put_be24(got, 0xffaabbcc);
	assert_int_equal(get_be24(got), 0xaabbcc);
}

/* Each code has words of its own, and says who has to act (11.13.5). */
static void test_words(void **state)
{
	static const struct {
		uint16_t code;
		enum status_fault fault;
		const char *part;
	} rows[] = {
		{ 0x0000, FAULT_NONE, "success" },
		{ 0x0101, FAULT_REDIRECT, "for now" },
		{ 0x0102, FAULT_REDIRECT, "for good" },
		{ 0x0201, FAULT_INITIATOR, "proof" },
		{ 0x0202, FAULT_INITIATOR, "does not admit" },
		{ 0x020b, FAULT_INITIATOR, "no login request" },
		{ 0x020c, FAULT_INITIATOR, "does not know" },
		{ 0x0302, FAULT_TARGET, "resources" },
		{ 0x03ff, FAULT_TARGET, "does not know" },
		{ 0x0400, FAULT_UNKNOWN, "does not know" },
		{ 0xffff, FAULT_UNKNOWN, "does not know" },
		{ 0x0001, FAULT_UNKNOWN, "does not know" },
	};
	char name[16];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct status_words *words = status_of_login(rows[i].code);

		if (words->fault != rows[i].fault || !strstr(words->words, rows[i].part))
			fail_msg("%04x: %d, %s", rows[i].code, words->fault, words->words);
	}
	assert_string_equal(status_of_reject(0x09), "invalid PDU field");
	assert_string_equal(pdu_opcode_name(OP_LOGIN_RESPONSE, name), "Login Response");
	assert_string_equal(pdu_opcode_name(0x2a, name), "opcode 0x2a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces_make_no_difference),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_length_is_bounded),
		cmocka_unit_test(test_memory_is_bounded),
		cmocka_unit_test(test_digests_switch_between_pdus),
		cmocka_unit_test(test_sealing),
		cmocka_unit_test(test_serial_numbers),
		cmocka_unit_test(test_fields_are_big_endian),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests_name("pdu", tests, NULL, NULL);
}
