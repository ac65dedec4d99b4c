/* SPDX-License-Identifier: MIT */
/* The answer to SendTargets: cut anywhere it gives the same list, of names that can be used. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "iscsi/name.h"
#include "iscsi/targets.h"

static int read_all(struct targets *targets, const uint8_t *data, size_t size, size_t step)
{
	struct portal asked;
	struct err err;
	int rc = portal_parse("192.0.2.1", &asked, &err);

	for (size_t at = 0; rc == 0 && at < size; at += step)
		rc = targets_feed(targets, data + at, size - at < step ? size - at : step, &err);
	return rc < 0 ? rc : targets_end(targets, &asked, ADDRESS_PRIVATE, &err);
}

static void check(const struct targets *a, const struct targets *b)
{
	struct err err;

	if (a->count != b->count || a->refused != b->refused || !buf_equal(&a->notes, &b->notes))
		abort();
	for (size_t i = 0; i < a->count; i++) {
		const struct target *target = &a->list[i];

		if (strcmp(target->name, b->list[i].name) != 0 ||
		    target->portal_count != b->list[i].portal_count || target->portal_count == 0 ||
		    name_check(target->name, strlen(target->name), &err) < 0)
			abort();
		for (size_t k = 0; k < i && k < 100; k++)
			if (strcmp(target->name, a->list[k].name) == 0)
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct targets whole = { .list = NULL }, cut = { .list = NULL };
	int rc;

	if (size < 1)
		return 0;
	rc = read_all(&whole, data + 1, size - 1, SIZE_MAX / 2);
	if (rc != read_all(&cut, data + 1, size - 1, (size_t)data[0] + 1))
		abort();
	if (rc == 0)
		check(&whole, &cut);
	targets_done(&whole);
	targets_done(&cut);
	return 0;
}
