/* SPDX-License-Identifier: MIT */
#include "engine/knob.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "err.h"
#include "number.h"

/*
 * A disk's timeout is kept in ticks, of which a second has up to 1000; with 0
 * every command would time out at once.
 */
static const struct knob knobs[] = {
	{ PLACE_SESSION, "recovery_tmo", 0, INT32_MAX, "off" },
	{ PLACE_DEVICE, "timeout", 1, INT32_MAX / 1000, NULL },
};

const struct knob *knob_find(enum place_kind kind, const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(knobs); i++) {
		if (knobs[i].kind == kind && strcmp(knobs[i].key, key) == 0)
			return &knobs[i];
	}
	return NULL;
}

int knob_check(const struct knob *knob, const char *value, struct err *err)
{
	struct err ignored = { 0 };
	uint32_t number = 0;
	char shown[16] = "";

	if (knob->word && strcmp(value, knob->word) == 0)
		return 0;
	if (parse_u32(value, knob->min, knob->max, &number, &ignored) == 0) {
		snprintf(shown, sizeof(shown), "%u", number);
		if (strcmp(value, shown) == 0)
			return 0;
	}
	return err_set(err, EINVAL, "'%s' is no value for %s: seconds from %u to %u%s%s", value,
		       knob->key, knob->min, knob->max, knob->word ? ", or " : "",
		       knob->word ? knob->word : "");
}
