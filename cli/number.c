/* SPDX-License-Identifier: MIT */
#include "number.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "err.h"

/* The digits at the head of text; -EINVAL where there are none, -ERANGE past 64 bits. */
static int digits(const char *text, uint64_t *out, const char **end)
{
	uint64_t value = 0;
	const char *p = text;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (value > (UINT64_MAX - (uint64_t)(*p - '0')) / 10)
			return -ERANGE;
		value = value * 10 + (uint64_t)(*p - '0');
	}
	*out = value;
	*end = p;
	return p == text ? -EINVAL : 0;
}

struct suffix {
	const char *text;
	uint64_t factor;
};

static int parse_scaled(const char *text, const struct suffix *suffixes, const char *what,
			uint64_t min, uint64_t max, uint64_t *out, struct err *err)
{
	const struct suffix *s = suffixes;
	const char *end = text;
	uint64_t value = 0;
	int rc = digits(text, &value, &end);

	if (rc == 0) {
		while (s->text && strcmp(s->text, end) != 0)
			s++;
		if (!s->text)
			rc = -EINVAL;
		else if (value > UINT64_MAX / s->factor)
			rc = -ERANGE;
		else
			value *= s->factor;
	}
	if (rc == -EINVAL)
		return err_set(err, EINVAL, "'%.64s' is not %s", text, what);
	if (rc == -ERANGE || value < min || value > max)
		return err_set(err, ERANGE, "%.64s is out of range (%" PRIu64 " to %" PRIu64 ")",
			       text, min, max);
	*out = value;
	return 0;
}

int parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *out, struct err *err)
{
	static const struct suffix none[] = { { "", 1 }, { NULL, 0 } };

	return parse_scaled(text, none, "a whole number", min, max, out, err);
}

int parse_u32(const char *text, uint32_t min, uint32_t max, uint32_t *out, struct err *err)
{
	uint64_t value = 0;
	int rc = parse_u64(text, min, max, &value, err);

	if (rc == 0)
		*out = (uint32_t)value;
	return rc;
}

int parse_size(const char *text, uint64_t min, uint64_t max, uint64_t *out, struct err *err)
{
	static const struct suffix sizes[] = {
		{ "", 1 },
		{ "K", UINT64_C(1) << 10 },
		{ "M", UINT64_C(1) << 20 },
		{ "G", UINT64_C(1) << 30 },
		{ "T", UINT64_C(1) << 40 },
		{ NULL, 0 },
	};

	return parse_scaled(text, sizes, "a size such as 512, 64K, 10M, 1G", min, max, out, err);
}

int parse_duration(const char *text, uint64_t min_ms, uint64_t max_ms, uint64_t *out_ms,
		   struct err *err)
{
	static const struct suffix units[] = {
		{ "", 1000 }, { "s", 1000 }, { "ms", 1 }, { "m", 60000 }, { NULL, 0 }
	};

	return parse_scaled(text, units, "a duration such as 3, 20s, 500ms, 2m", min_ms, max_ms,
			    out_ms, err);
}
