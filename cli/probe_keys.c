/* SPDX-License-Identifier: MIT */
#include "probe_keys.h"

#include <stdio.h>

#include "err.h"

/* The keys that are shown, in the order of their weight for a gateway. */
static const struct key_row {
	enum param key;
	const char *conf; /* where a profile has it; NULL: nowhere */
	const char *digests; /* what is offered of a list */
	uint32_t offer; /* where no profile says */
} keys[] = {
	{ PARAM_FIRST_BURST_LENGTH, "node.session.iscsi.FirstBurstLength", NULL, 262144 },
	{ PARAM_MAX_BURST_LENGTH, "node.session.iscsi.MaxBurstLength", NULL, 16776192 },
	{ PARAM_MAX_RECV_DATA_SEGMENT_LENGTH, "node.conn[0].iscsi.MaxRecvDataSegmentLength", NULL,
	  262144 },
	{ PARAM_INITIAL_R2T, NULL, NULL, 0 },
	{ PARAM_IMMEDIATE_DATA, NULL, NULL, 1 },
	{ PARAM_MAX_OUTSTANDING_R2T, NULL, NULL, 1 },
	{ PARAM_HEADER_DIGEST, NULL, "None,CRC32C", 0 },
	{ PARAM_DATA_DIGEST, NULL, "None,CRC32C", 0 },
	{ PARAM_ERROR_RECOVERY_LEVEL, NULL, NULL, 0 },
	{ PARAM_MAX_CONNECTIONS, NULL, NULL, 1 },
	{ PARAM_DATA_PDU_IN_ORDER, NULL, NULL, 1 },
	{ PARAM_DATA_SEQUENCE_IN_ORDER, NULL, NULL, 1 },
	{ PARAM_DEFAULT_TIME2WAIT, NULL, NULL, 2 },
	{ PARAM_DEFAULT_TIME2RETAIN, NULL, NULL, 0 },
};

_Static_assert(ARRAY_LEN(keys) + 1 <= PROBE_KEYS_MAX, "a line for every key");

void probe_offers(struct params *offers, const struct profile *profile)
{
	struct err err;

	params_init(offers, PARAMS_INITIATOR);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const struct key_row *row = &keys[i];
		const struct setting_place *place = NULL;
		const struct setting *setting =
			row->conf ? profile_find(profile, PLACE_ISCSID_CONF, row->conf, &place)
				  : NULL;
		uint32_t value = setting ? setting_wanted(setting, place, NULL) : row->offer;

		/*
		 * What a host would offer; a value that iSCSI does not have
		 * stays at its default.
		 */
		if (row->digests)
			(void)params_set_list(offers, row->key, row->digests, &err);
		else
			(void)params_set(offers, row->key, value, &err);
	}
}

static const struct profile *profile_of(const struct wanted *wanted, const char *target)
{
	enum gateway_kind kind = gateway_kind(target);

	return &wanted->profiles[kind == GATEWAY_OTHER ? GATEWAY_VOLUME : kind];
}

static void fill_line(struct probe_key *line, const struct key_row *row,
		      const struct params *params, const struct setting *setting, bool to_target)
{
	const char *key = param_defs[row->key].key;
	bool declared = row->key == PARAM_MAX_RECV_DATA_SEGMENT_LENGTH;
	uint32_t agreed = declared && !to_target ? params->ours[row->key] : params->value[row->key];
	char text[16];

	*line = (struct probe_key){
		.number = param_defs[row->key].kind == PARAM_NUMBER,
		.declared = declared,
		.to_target = to_target,
		.below = setting && agreed < setting->value,
	};
	snprintf(line->name, sizeof(line->name), "%s%s", key,
		 !declared   ? ""
		 : to_target ? ", the target's"
			     : ", this host's");
	if (row->digests)
		snprintf(line->offered, PROBE_KEY_TEXT_MAX, "%s", row->digests);
	else if (!to_target)
		snprintf(line->offered, PROBE_KEY_TEXT_MAX, "%s",
			 param_text(row->key, params->ours[row->key], text));
	snprintf(line->agreed, PROBE_KEY_TEXT_MAX, "%s", param_text(row->key, agreed, text));
	if (setting)
		snprintf(line->wanted, PROBE_KEY_TEXT_MAX, "%u", setting->value);
}

size_t probe_keys(struct probe_key lines[PROBE_KEYS_MAX], const struct probed *probed,
		  const struct wanted *wanted)
{
	const struct params *params = &probed->result.params;
	const struct profile *profile = profile_of(wanted, probed->target);
	const struct setting_place *place;
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const struct key_row *row = &keys[i];
		const struct setting *setting =
			row->conf ? profile_find(profile, PLACE_ISCSID_CONF, row->conf, &place)
				  : NULL;

		fill_line(&lines[count++], row, params, setting, false);
		if (row->key == PARAM_MAX_RECV_DATA_SEGMENT_LENGTH)
			fill_line(&lines[count++], row, params, NULL, true);
	}
	return count;
}

bool probe_same_keys(const struct probed *a, const struct probed *b)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		enum param key = keys[i].key;

		if (a->result.params.value[key] != b->result.params.value[key] ||
		    a->result.params.ours[key] != b->result.params.ours[key])
			return false;
	}
	return gateway_kind(a->target) == gateway_kind(b->target);
}
