/* SPDX-License-Identifier: MIT */
/* Negotiation: whatever a peer sends in whatever stage, what is in force stays in its range. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "err.h"
#include "iscsi/params.h"

static void set_up(struct params *params, uint8_t flags)
{
	struct err err;

	params_init(params, flags & 4 ? PARAMS_TARGET : PARAMS_INITIATOR);
	params_set(params, PARAM_MAX_BURST_LENGTH, 1048576, &err);
	params_set(params, PARAM_FIRST_BURST_LENGTH, 262144, &err);
	params_set(params, PARAM_INITIAL_R2T, flags >> 3 & 1, &err);
	params_set(params, PARAM_IMMEDIATE_DATA, flags >> 4 & 1, &err);
	params_set(params, PARAM_SESSION_TYPE, flags >> 5 & 1, &err);
	params_set_list(params, PARAM_HEADER_DIGEST, "CRC32C,None", &err);
	params_set_list(params, PARAM_AUTH_METHOD, flags & 64 ? "CHAP" : "CHAP,None", &err);
}

static void check_values(const struct params *params)
{
	for (unsigned int i = 0; i < PARAM_COUNT; i++) {
		const struct param_def *def = &param_defs[i];

		if (def->kind == PARAM_TEXT)
			continue;
		if (params->value[i] != def->fallback &&
		    (params->value[i] < def->min || params->value[i] > def->max))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(buf_done) struct buf out = { .data = NULL };
	struct text_iter it;
	struct text_pair pair;
	struct params params;
	enum param key;
	struct err err;
	size_t max;

	if (size < 1)
		return 0;
	it = (struct text_iter){ (const char *)data + 1, size - 1 };
	set_up(&params, data[0]);
	if (data[0] & 128)
		params_offer_wanted(&params, &out);
	max = out.len + 16 * size + 64;
	while (text_next(&it, &pair, &err) > 0) {
		int rc = params_receive(&params, (enum login_stage)(data[0] & 3), &pair, &out, &key,
					&err);

		if (rc < 0)
			break;
		if (rc == PARAMS_STRANGER ? key != PARAM_UNKNOWN : key >= PARAM_COUNT)
			abort();
	}
	params_settle(&params, &out);
	check_values(&params);
	if (params.value[PARAM_FIRST_BURST_LENGTH] > params.value[PARAM_MAX_BURST_LENGTH])
		abort();
	/* What goes out is well formed, and no more than a multiple of what came in. */
	if (out.failed || out.len > max)
		abort();
	it = (struct text_iter){ out.data, out.len };
	while (out.len > 0 && it.left > 0)
		if (text_next(&it, &pair, &err) < 0)
			abort();
	return 0;
}
