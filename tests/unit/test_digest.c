/* SPDX-License-Identifier: MIT */
#include "iscsi/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"
#include "os/crc32c.h"

/* RFC 7143, A.4 (RFC 3720, B.4): the digest's four bytes as they go on the wire. */
static void test_rfc_examples(void **state)
{
	static const uint8_t read_command[48] = {
		0x01, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,    0, 0, 0, 0,
		0x14, 0,    0, 0, 0, 0, 4, 0, 0, 0, 0, 0x14, 0, 0, 0, 0x18,
		0x28, 0,    0, 0, 0, 0, 0, 0, 2, 0, 0, 0,    0, 0, 0, 0,
	};
	uint8_t zeros[32] = { 0 }, ones[32], up[32], down[32];
	const struct {
		const char *name;
		const uint8_t *bytes;
		size_t len;
		uint8_t want[DIGEST_LEN];
	} rows[] = {
		{ "32 bytes of 00", zeros, 32, { 0xaa, 0x36, 0x91, 0x8a } },
		{ "32 bytes of ff", ones, 32, { 0x43, 0xab, 0xa8, 0x62 } },
		{ "00 to 1f", up, 32, { 0x4e, 0x79, 0xdd, 0x46 } },
		{ "1f to 00", down, 32, { 0x5c, 0xdb, 0x3f, 0x11 } },
		{ "a READ command", read_command, 48, { 0x56, 0x3a, 0x96, 0xd9 } },
	};

	(void)state;
	memset(ones, 0xff, sizeof(ones));
	for (int i = 0; i < 32; i++) {
		up[i] = (uint8_t)i;
		down[i] = (uint8_t)(31 - i);
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t got[DIGEST_LEN], portable[DIGEST_LEN];

		digest_finish(digest_update(DIGEST_START, rows[i].bytes, rows[i].len), got);
		digest_finish(digest_update_portable(DIGEST_START, rows[i].bytes, rows[i].len),
			      portable);
		if (memcmp(got, rows[i].want, DIGEST_LEN) != 0 ||
		    memcmp(portable, rows[i].want, DIGEST_LEN) != 0)
			fail_msg("%s: %02x%02x%02x%02x", rows[i].name, got[0], got[1], got[2],
				 got[3]);
	}
}

/* The processor's instruction and the tables agree at each length, offset and cut. */
static void test_ways_agree(void **state)
{
	uint8_t bytes[200];
	uint32_t seed = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		seed = seed * 1103515245 + 12345;
		bytes[i] = (uint8_t)(seed >> 16);
	}
	for (size_t start = 0; start < 9; start++)
		for (size_t len = 0; start + len <= sizeof(bytes); len++) {
			uint32_t whole = digest_update_portable(DIGEST_START, bytes + start, len);
			uint32_t cut = digest_update(DIGEST_START, bytes + start, len / 3);

			cut = digest_update(cut, bytes + start + len / 3, len - len / 3);
			if (whole != cut)
				fail_msg("%zu bytes from %zu: %08x, %08x", len, start, whole, cut);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc_examples),
		cmocka_unit_test(test_ways_agree),
	};

	return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
