/* SPDX-License-Identifier: MIT */
#include "iscsi/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"
#include "err.h"

#define KEY_63 "K23456789012345678901234567890123456789012345678901234567890123"

/* RFC 7143, 6.1; L-KEY-15 of the conformance list. */
static void test_pairs(void **state)
{
	static const struct {
		const char *segment;
		size_t len;
		const char
			*want; /* pairs as "key|value;", an error as '!' and a part of its text */
	} rows[] = {
#define SEGMENT(text) text, sizeof(text) - 1
		{ SEGMENT(""), "" },
		{ SEGMENT("\0\0\0"), "" },
		{ SEGMENT("A=1\0"), "A|1;" },
		{ SEGMENT("A=1\0B=2\0"), "A|1;B|2;" },
		{ SEGMENT("A=1\0\0\0B=2\0\0"), "A|1;B|2;" },
		{ SEGMENT("A=\0"), "A|;" },
		{ SEGMENT("A=b=c\0"), "A|b=c;" },
		{ SEGMENT("A==\0"), "A|=;" },
		{ SEGMENT(KEY_63 "=x\0"), KEY_63 "|x;" },
		{ SEGMENT("A=1\0" KEY_63 "4=x\0"), "A|1;!text key of 64 bytes" },
		{ SEGMENT("A=1"), "!ends inside a pair" },
		{ SEGMENT("A=1\0B"), "A|1;!ends inside a pair" },
		{ SEGMENT("=x\0"), "!text key of 0 bytes" },
		{ SEGMENT("AB\0"), "!'AB' has no '='" },
		{ SEGMENT("AB\0C=1\0"), "!'AB' has no '='" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct text_iter it = { rows[i].segment, rows[i].len };
		struct text_pair pair;
		struct err err = { .code = 0 };
		char got[512] = "";
		size_t used = 0;
		int rc;

		while ((rc = text_next(&it, &pair, &err)) > 0) {
			assert_int_equal(strlen(pair.value), pair.value_len);
			used += (size_t)snprintf(got + used, sizeof(got) - used, "%s|%s;", pair.key,
						 pair.value);
		}
		if (rc < 0) {
			const char *want = strchr(rows[i].want, '!');

			if (!want ||
			    strncmp(got, rows[i].want, (size_t)(want - rows[i].want)) != 0 ||
			    !strstr(err.reason, want + 1) || rc != -EPROTO)
				fail_msg("row %zu: %s %d %s", i, got, rc, err.reason);
		} else if (strcmp(got, rows[i].want) != 0) {
			fail_msg("row %zu: %s", i, got);
		}
	}
}

/* L-KEY-12: decimal without leading zeros, or hexadecimal; nothing else, and nothing wraps. */
static void test_numbers(void **state)
{
	static const struct {
		const char *text;
		uint64_t min, max;
		int rc;
		uint64_t value;
	} rows[] = {
		{ "0", 0, 10, 0, 0 },
		{ "512", 512, 16777215, 0, 512 },
		{ "0x200", 512, 16777215, 0, 512 },
		{ "0X200", 512, 16777215, 0, 512 },
		{ "0x00000200", 512, 16777215, 0, 512 },
		{ "0xFf", 0, 255, 0, 255 },
		{ "18446744073709551615", 0, UINT64_MAX, 0, UINT64_MAX },
		{ "0xffffffffffffffff", 0, UINT64_MAX, 0, UINT64_MAX },
		{ "18446744073709551616", 0, UINT64_MAX, -ERANGE, 0 },
		{ "0x10000000000000000", 0, UINT64_MAX, -ERANGE, 0 },
		{ "4294967808", 512, 16777215, -ERANGE, 0 },
		{ "511", 512, 16777215, -ERANGE, 0 },
		{ "16777216", 512, 16777215, -ERANGE, 0 },
		{ "0512", 0, 9999, -EINVAL, 0 },
		{ "00", 0, 9999, -EINVAL, 0 },
		{ "+512", 0, 9999, -EINVAL, 0 },
		{ "-1", 0, UINT64_MAX, -EINVAL, 0 },
		{ "512 ", 0, 9999, -EINVAL, 0 },
		{ " 512", 0, 9999, -EINVAL, 0 },
		{ "", 0, 9999, -EINVAL, 0 },
		{ "0x", 0, 9999, -EINVAL, 0 },
		{ "0b101", 0, 9999, -EINVAL, 0 },
		{ "1e3", 0, 9999, -EINVAL, 0 },
		{ "0x1g", 0, 9999, -EINVAL, 0 },
		{ "512~1024", 0, 9999, -EINVAL, 0 },
		{ "a", 0, 9999, -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err;
		uint64_t value = 0;
		int rc = text_number(rows[i].text, rows[i].min, rows[i].max, &value, &err);

		if (rc != rows[i].rc || (rc == 0 && value != rows[i].value))
			fail_msg("'%s': %d, %llu", rows[i].text, rc, (unsigned long long)value);
	}
}

/* C-R-1, C-R-2, C-R-3 of the conformance list. */
static void test_binary_values(void **state)
{
	static const struct {
		const char *text;
		int rc;
		const char *bytes;
		size_t len;
	} rows[] = {
		{ "0x00ff10", 0, "\x00\xff\x10", 3 },
		{ "0X00FF10", 0, "\x00\xff\x10", 3 },
		{ "0xfF", 0, "\xff", 1 },
		{ "0x0ff10", 0, "\x00\xff\x10", 3 },
		{ "0xf", 0, "\x0f", 1 },
		{ "0x0102030405060708", 0, "\1\2\3\4\5\6\7\10", 8 },
		{ "0x010203040506070809", -EMSGSIZE, NULL, 0 },
		{ "0x102030405060708", 0, "\1\2\3\4\5\6\7\10", 8 },
		{ "0x", -EINVAL, NULL, 0 },
		{ "0xgg", -EINVAL, NULL, 0 },
		{ "0x12 ", -EINVAL, NULL, 0 },
		{ "0bAP8Q", 0, "\x00\xff\x10", 3 },
		{ "0BAP8Q", 0, "\x00\xff\x10", 3 },
		{ "0bAP8=", 0, "\x00\xff", 2 },
		{ "0bAA==", 0, "\x00", 1 },
		{ "0b/+//", 0, "\xff\xef\xff", 3 },
		{ "0bAQIDBAUGBwg=", 0, "\1\2\3\4\5\6\7\10", 8 },
		{ "0bAQIDBAUGBwgJ", -EMSGSIZE, NULL, 0 },
		{ "0b", -EINVAL, NULL, 0 },
		{ "0bAP8", -EINVAL, NULL, 0 },
		{ "0bAP9=", -EINVAL, NULL, 0 },
		{ "0bA===", -EINVAL, NULL, 0 },
		{ "0b====", -EINVAL, NULL, 0 },
		{ "0bA=8Q", -EINVAL, NULL, 0 },
		{ "0bAP8*", -EINVAL, NULL, 0 },
		{ "0bAP8=AP8=", -EINVAL, NULL, 0 },
		{ "123", -EINVAL, NULL, 0 },
		{ "", -EINVAL, NULL, 0 },
		{ "0", -EINVAL, NULL, 0 },
		{ "00ff", -EINVAL, NULL, 0 },
		{ "secret", -EINVAL, NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t bytes[8 + 1];
		struct err err;
		size_t len = 0;
		int rc;

		bytes[8] = 0x5a; /* nothing is written behind the size */
		rc = text_binary(rows[i].text, bytes, 8, &len, &err);
		if (rc != rows[i].rc || bytes[8] != 0x5a ||
		    (rc == 0 && (len != rows[i].len || memcmp(bytes, rows[i].bytes, len) != 0)))
			fail_msg("'%s': %d, %zu bytes", rows[i].text, rc, len);
		if (rc != 0 && rows[i].text[0] != '\0' && rows[i].text[1] != '\0' &&
		    strstr(err.reason, rows[i].text))
			fail_msg("the value is in the message: %s", err.reason);
	}
}

static void test_lists(void **state)
{
	static const struct {
		const char *list, *want;
	} rows[] = {
		{ "a", "a;" }, { "a,b,c", "a;b;c;" }, { "", ";" }, { "a,", "a;;" }, { ",", ";;" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *rest = rows[i].list, *item;
		char got[32] = "";
		size_t len, used = 0;

		while (text_list_next(&rest, &item, &len))
			used += (size_t)snprintf(got + used, sizeof(got) - used, "%.*s;", (int)len,
						 item);
		assert_string_equal(got, rows[i].want);
	}
}

static void test_writing(void **state)
{
	CLEANUP(buf_done) struct buf out = { .data = NULL };
	CLEANUP(buf_done) struct buf full = { .data = NULL };
	char long_value[300];

	(void)state;
	text_add(&out, "A", "b");
	text_addf(&out, "N", "%d", 7);
	text_add_binary(&out, "C", "\x00\xfe", 2);
	assert_int_equal(out.len, 4 + 4 + 9);
	assert_memory_equal(out.data, "A=b\0N=7\0C=0x00fe\0", out.len);

	memset(long_value, 'x', sizeof(long_value));
	long_value[sizeof(long_value) - 1] = '\0';
	text_addf(&full, "A", "%s", long_value);
	assert_true(full.failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs),	      cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_binary_values), cmocka_unit_test(test_lists),
		cmocka_unit_test(test_writing),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
