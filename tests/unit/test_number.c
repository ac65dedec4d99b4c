/* SPDX-License-Identifier: MIT */
#include "number.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "buf.h"
#include "err.h"

enum kind { U32, U64, SIZE, DURATION };

static const char *const kinds[] = { "u32", "u64", "size", "duration" };

struct row {
	enum kind kind;
	const char *text;
	uint64_t min, max;
	int rc;
	uint64_t value; /* where rc is 0 */
};

static const struct row rows[] = {
	{ U32, "0", 0, 10, 0, 0 },
	{ U32, "10", 0, 10, 0, 10 },
	{ U32, "007", 0, 10, 0, 7 },
	{ U32, "4294967295", 0, UINT32_MAX, 0, UINT32_MAX },
	{ U32, "11", 0, 10, -ERANGE, 0 },
	{ U32, "0", 1, 10, -ERANGE, 0 },
	{ U32, "4294967296", 0, UINT32_MAX, -ERANGE, 0 },
	{ U32, "", 0, 10, -EINVAL, 0 },
	{ U32, " 1", 0, 10, -EINVAL, 0 },
	{ U32, "1 ", 0, 10, -EINVAL, 0 },
	{ U32, "1\n", 0, 10, -EINVAL, 0 },
	{ U32, "+1", 0, 10, -EINVAL, 0 },
	{ U32, "-1", 0, 10, -EINVAL, 0 },
	{ U32, "0x1", 0, 10, -EINVAL, 0 },
	{ U32, "1K", 0, 2000, -EINVAL, 0 },
	{ U32, "ten", 0, 10, -EINVAL, 0 },
	{ U64, "18446744073709551615", 0, UINT64_MAX, 0, UINT64_MAX },
	{ U64, "18446744073709551616", 0, UINT64_MAX, -ERANGE, 0 },
	{ U64, "184467440737095516150", 0, UINT64_MAX, -ERANGE, 0 },
	{ U64, "1.5", 0, 10, -EINVAL, 0 },
	{ SIZE, "512", 0, UINT64_MAX, 0, 512 },
	{ SIZE, "64K", 0, UINT64_MAX, 0, 65536 },
	{ SIZE, "10M", 0, UINT64_MAX, 0, 10485760 },
	{ SIZE, "1G", 0, UINT64_MAX, 0, 1073741824 },
	{ SIZE, "16777215T", 0, UINT64_MAX, 0, UINT64_C(16777215) << 40 },
	{ SIZE, "16777216T", 0, UINT64_MAX, -ERANGE, 0 },
	{ SIZE, "2K", 0, 2047, -ERANGE, 0 },
	{ SIZE, "K", 0, UINT64_MAX, -EINVAL, 0 },
	{ SIZE, "1k", 0, UINT64_MAX, -EINVAL, 0 },
	{ SIZE, "1KB", 0, UINT64_MAX, -EINVAL, 0 },
	{ SIZE, "1 K", 0, UINT64_MAX, -EINVAL, 0 },
	{ DURATION, "3", 0, 60000, 0, 3000 },
	{ DURATION, "20s", 0, 60000, 0, 20000 },
	{ DURATION, "500ms", 0, 60000, 0, 500 },
	{ DURATION, "61s", 0, 60000, -ERANGE, 0 },
	{ DURATION, "99ms", 100, 60000, -ERANGE, 0 },
	{ DURATION, "18446744073709551s", 0, UINT64_MAX, 0, UINT64_C(18446744073709551000) },
	{ DURATION, "18446744073709552s", 0, UINT64_MAX, -ERANGE, 0 },
	{ DURATION, "2m", 0, 120000, 0, 120000 },
	{ DURATION, "2m", 0, 119999, -ERANGE, 0 },
	{ DURATION, "1h", 0, 60000, -EINVAL, 0 },
	{ DURATION, "1mm", 0, 60000, -EINVAL, 0 },
	{ DURATION, "s", 0, 60000, -EINVAL, 0 },
};

static int parse(const struct row *row, uint64_t *out, struct err *err)
{
	uint32_t narrow = (uint32_t)*out;
	int rc;

	switch (row->kind) {
	case U32:
		rc = parse_u32(row->text, (uint32_t)row->min, (uint32_t)row->max, &narrow, err);
		*out = narrow;
		return rc;
	case U64:
		return parse_u64(row->text, row->min, row->max, out, err);
	case SIZE:
		return parse_size(row->text, row->min, row->max, out, err);
	case DURATION:
		return parse_duration(row->text, row->min, row->max, out, err);
	}
	return -1;
}

static void test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		struct err err = { 0 };
		uint64_t untouched = 4711, out = untouched;
		int rc = parse(row, &out, &err);

		if (rc != row->rc || out != (rc == 0 ? row->value : untouched))
			fail_msg("%s '%s': returned %d and %" PRIu64, kinds[row->kind], row->text,
				 rc, out);
		if (err.code != -rc)
			fail_msg("%s '%s': error code %d", kinds[row->kind], row->text, err.code);
	}
}

static void test_messages(void **state)
{
	struct err err = { 0 };
	uint64_t out = 0;

	(void)state;
	parse_size("7X", 0, 1024, &out, &err);
	assert_string_equal(err.reason, "'7X' is not a size such as 512, 64K, 10M, 1G");
	parse_duration("61s", 1000, 60000, &out, &err);
	assert_string_equal(err.reason, "61s is out of range (1000 to 60000)");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_messages),
	};

	return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
