/* SPDX-License-Identifier: MIT */
/* Text segments and the forms of values: what is read is written back and read the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "err.h"
#include "iscsi/text.h"

static void check_binary(const char *value)
{
	CLEANUP(buf_done) struct buf out = { .data = NULL };
	uint8_t bytes[TEXT_BINARY_MAX], again[TEXT_BINARY_MAX];
	size_t len = 0, again_len = 0;
	struct err err;

	if (text_binary(value, bytes, sizeof(bytes), &len, &err) < 0)
		return;
	if (len == 0 || len > sizeof(bytes))
		abort();
	text_add_binary(&out, "K", bytes, len);
	if (text_binary(out.data + 2, again, sizeof(again), &again_len, &err) < 0 ||
	    again_len != len || memcmp(bytes, again, len) != 0)
		abort();
}

static void check_number(const char *value)
{
	CLEANUP(buf_done) struct buf out = { .data = NULL };
	uint64_t number = 0, again = 0;
	struct err err;

	if (text_number(value, 0, UINT64_MAX, &number, &err) < 0)
		return;
	text_addf(&out, "K", "%llu", (unsigned long long)number);
	if (text_number(out.data + 2, number, number, &again, &err) < 0 || again != number)
		abort();
}

static void check_list(const char *value)
{
	const char *rest = value, *item;
	size_t len, total = 0, count = 0;

	while (text_list_next(&rest, &item, &len)) {
		total += len;
		count++;
	}
	if (total + count - 1 != strlen(value))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text_iter it = { (const char *)data, size };
	struct text_pair pair;
	struct err err;

	while (text_next(&it, &pair, &err) > 0) {
		if (strlen(pair.key) > TEXT_KEY_MAX || strlen(pair.value) != pair.value_len)
			abort();
		check_binary(pair.value);
		check_number(pair.value);
		check_list(pair.value);
	}
	return 0;
}
