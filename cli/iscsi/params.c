/* SPDX-License-Identifier: MIT */
#include "iscsi/params.h"

#include <errno.h>
#include <string.h>

#include "buf.h"
#include "err.h"

enum {
	STRANGERS_MAX = 64, /* unknown keys of one negotiation */
	IN_OPERATIONAL = 1 << STAGE_OPERATIONAL,
};

_Static_assert(PARAM_COUNT <= 64, "sets of keys are 64 bits wide");

static uint64_t bit(enum param key)
{
	return UINT64_C(1) << key;
}

void params_init(struct params *params, enum params_role role)
{
	*params = (struct params){ .role = role };
	for (unsigned int i = 0; i < PARAM_COUNT; i++) {
		params->value[i] = params->ours[i] = param_defs[i].fallback;
		if (param_defs[i].kind == PARAM_LIST)
			params->order[i][0] = (uint8_t)(param_defs[i].fallback + 1);
	}
}

void params_restart(struct params *params)
{
	params->received = params->sent = params->open = 0;
	params->strangers = 0;
}

int params_set(struct params *params, enum param key, uint32_t value, struct err *err)
{
	const struct param_def *def = &param_defs[key];

	if (value < def->min || value > def->max)
		return err_set(err, ERANGE, "%s: %u is out of range (%u to %u)", def->key, value,
			       def->min, def->max);
	params->ours[key] = value;
	if (def->kind == PARAM_LIST) {
		memset(params->order[key], 0, PARAM_CHOICES_MAX);
		params->order[key][0] = (uint8_t)(value + 1);
	}
	params->wanted |= bit(key);
	return 0;
}

/* The number of a choice, or -1. */
static int find_choice(const struct param_def *def, const char *text, size_t len)
{
	for (int i = 0; def->choices[i]; i++)
		if (strlen(def->choices[i]) == len && memcmp(def->choices[i], text, len) == 0)
			return i;
	return -1;
}

int params_set_list(struct params *params, enum param key, const char *list, struct err *err)
{
	const struct param_def *def = &param_defs[key];
	uint8_t order[PARAM_CHOICES_MAX] = { 0 };
	const char *item;
	size_t len, used = 0;

	while (text_list_next(&list, &item, &len)) {
		int choice = find_choice(def, item, len);

		if (choice < 0 || memchr(order, choice + 1, used) || used == PARAM_CHOICES_MAX)
			return err_set(err, EINVAL, "%s: '%.*s' is no choice, or stands twice",
				       def->key, (int)len, item);
		order[used++] = (uint8_t)(choice + 1);
	}
	memcpy(params->order[key], order, sizeof(order));
	params->ours[key] = (uint32_t)order[0] - 1;
	params->wanted |= bit(key);
	return 0;
}

static bool we_do(const struct params *params, enum param key, int choice)
{
	return choice >= 0 && memchr(params->order[key], choice + 1, PARAM_CHOICES_MAX) != NULL;
}

static void add_list(const struct params *params, enum param key, struct buf *out)
{
	const struct param_def *def = &param_defs[key];

	buf_adds(out, def->key);
	for (int i = 0; i < PARAM_CHOICES_MAX && params->order[key][i] != 0; i++) {
		buf_adds(out, i == 0 ? "=" : ",");
		buf_adds(out, def->choices[params->order[key][i] - 1]);
	}
	buf_add(out, "", 1);
}

static void add_value(enum param key, uint32_t value, struct buf *out)
{
	char text[16];

	text_add(out, param_defs[key].key, param_text(key, value, text));
}

static bool irrelevant(const struct params *params, const struct param_def *def)
{
	return (def->flags & PARAM_NO_DISCOVERY) &&
	       params->value[PARAM_SESSION_TYPE] == SESSION_DISCOVERY;
}

void params_offer(struct params *params, enum param key, struct buf *out)
{
	const struct param_def *def = &param_defs[key];
	bool declared = def->merge == MERGE_DECLARED;

	if (def->kind == PARAM_TEXT || irrelevant(params, def) || (params->sent & bit(key)) ||
	    (!declared && (params->received & bit(key))))
		return;
	if (def->kind == PARAM_LIST && !declared)
		add_list(params, key, out);
	else
		add_value(key, params->ours[key], out);
	params->sent |= bit(key);
	if (!declared)
		params->open |= bit(key);
	else if (key == PARAM_SESSION_TYPE)
		params->value[key] = params->ours[key];
}

void params_offer_wanted(struct params *params, struct buf *out)
{
	for (unsigned int i = 0; i < PARAM_COUNT; i++)
		if ((params->wanted & bit((enum param)i)) &&
		    (param_defs[i].stages & IN_OPERATIONAL) &&
		    param_defs[i].merge != MERGE_OBSOLETE)
			params_offer(params, (enum param)i, out);
}

/* Parse a value of a bool, number, or single choice. 0, or -EINVAL, -ERANGE. */
static int parse_value(const struct param_def *def, const char *text, uint32_t *out,
		       struct err *err)
{
	uint64_t number = 0;
	int choice;
	int rc;

	switch (def->kind) {
	case PARAM_BOOL:
		if (strcmp(text, "Yes") != 0 && strcmp(text, "No") != 0)
			return err_set(err, EINVAL, "'%.64s' is neither Yes nor No", text);
		*out = text[0] == 'Y';
		return 0;
	case PARAM_NUMBER:
		rc = text_number(text, def->min, def->max, &number, err);
		*out = (uint32_t)number;
		return rc;
	case PARAM_LIST:
		choice = find_choice(def, text, strlen(text));
		if (choice < 0)
			return err_set(err, EINVAL, "'%.64s' is none of its values", text);
		*out = (uint32_t)choice;
		return 0;
	case PARAM_TEXT:
		break;
	}
	return err_set(err, EINVAL, "is text");
}

/* An error of a key carries the key, the value, and what the RFC says about it. */
static int key_error(struct err *err, const struct param_def *def, const char *why)
{
	struct err cause = *err;

	return err_set(err, EPROTO, "%s: %s (RFC 7143, %s)", def->key, why ? why : cause.reason,
		       def->section);
}

static const char *const special_values[] = { "Reject", "Irrelevant", "NotUnderstood" };

static int find_special(const char *value)
{
	for (int i = 0; i < (int)ARRAY_LEN(special_values); i++)
		if (strcmp(value, special_values[i]) == 0)
			return i;
	return -1;
}

static uint32_t merge(const struct param_def *def, uint32_t offered, uint32_t ours)
{
	switch (def->merge) {
	case MERGE_OR:
	case MERGE_MAX:
		return offered > ours ? offered : ours;
	case MERGE_AND:
	case MERGE_MIN:
		return offered < ours ? offered : ours;
	default:
		return offered;
	}
}

/* The peer's declaration: a bad one cannot be answered, so it fails the negotiation (6.3, 7.12). */
static int take_declaration(struct params *params, enum param key, const struct text_pair *pair,
			    struct err *err)
{
	const struct param_def *def = &param_defs[key];
	uint32_t value = 0;

	if (def->kind == PARAM_TEXT) {
		if (pair->value_len < def->min)
			return key_error(err, def, "is empty");
		return PARAMS_DECLARED;
	}
	if (parse_value(def, pair->value, &value, err) < 0)
		return key_error(err, def, NULL);
	params->value[key] = value;
	return PARAMS_DECLARED;
}

static int reject(const struct param_def *def, struct buf *out)
{
	text_add(out, def->key, "Reject");
	return PARAMS_REJECTED;
}

static int answer_list(struct params *params, enum param key, const char *list, struct buf *out)
{
	const struct param_def *def = &param_defs[key];
	const char *item;
	size_t len;

	while (text_list_next(&list, &item, &len)) {
		int choice = find_choice(def, item, len);

		if (we_do(params, key, choice)) {
			params->value[key] = (uint32_t)choice;
			add_value(key, (uint32_t)choice, out);
			return PARAMS_ANSWERED;
		}
	}
	return reject(def, out);
}

static int answer_offer(struct params *params, enum param key, const struct text_pair *pair,
			struct buf *out, struct err *err)
{
	const struct param_def *def = &param_defs[key];
	struct err ignored;
	uint32_t value = 0;

	if (find_special(pair->value) >= 0) {
		err_set(err, EPROTO, "'%s' was offered as a value", pair->value);
		return key_error(err, def, NULL);
	}
	if (irrelevant(params, def)) {
		text_add(out, def->key, "Irrelevant");
		return PARAMS_IRRELEVANT;
	}
	if (def->merge == MERGE_FIRST)
		return answer_list(params, key, pair->value, out);
	if (parse_value(def, pair->value, &value, &ignored) < 0)
		return reject(def, out);
	if (def->merge == MERGE_OBSOLETE) {
		if (def->kind != PARAM_BOOL)
			return reject(def, out);
		text_add(out, def->key, "No");
		return PARAMS_ANSWERED;
	}
	params->value[key] = merge(def, value, params->ours[key]);
	if (key == PARAM_FIRST_BURST_LENGTH)
		params->first_burst_waits = true;
	else
		add_value(key, params->value[key], out);
	return PARAMS_ANSWERED;
}

/* The answer to our offer must be one that the merge rule can give (6.2.1, 6.2.2). */
static int check_answer(struct params *params, enum param key, const struct text_pair *pair,
			struct err *err)
{
	const struct param_def *def = &param_defs[key];
	int special = find_special(pair->value);
	uint32_t value = 0;

	params->open &= ~bit(key);
	if (special >= 0)
		return PARAMS_PEER_REJECTED + special;
	if (parse_value(def, pair->value, &value, err) < 0)
		return key_error(err, def, NULL);
	if (def->merge == MERGE_FIRST ? !we_do(params, key, (int)value)
				      : merge(def, value, params->ours[key]) != value) {
		err_set(err, EPROTO, "'%.64s' is no answer to what was offered", pair->value);
		return key_error(err, def, NULL);
	}
	params->value[key] = value;
	return PARAMS_AGREED;
}

/* What holds for any key before its value is looked at: sender, stage, once, length. */
static int check_place(const struct params *params, enum login_stage stage, enum param key,
		       const struct text_pair *pair, struct err *err)
{
	const struct param_def *def = &param_defs[key];
	unsigned int sender =
		params->role == PARAMS_TARGET ? PARAM_FROM_INITIATOR : PARAM_FROM_TARGET;

	if (!(def->flags & sender))
		return key_error(err, def, "is not for this side to send");
	if (!(def->stages & (1 << stage)))
		return key_error(err, def, "has no place in this stage");
	if (params->joining && (def->flags & PARAM_LEADING_ONLY))
		return key_error(err, def, "belongs to the session's first login");
	if ((params->received & bit(key)) && !(def->flags & PARAM_REPEATS))
		return key_error(err, def, "was sent twice");
	if (pair->value_len > (def->kind == PARAM_TEXT ? def->max : TEXT_VALUE_MAX)) {
		err_set(err, EPROTO, "value of %zu bytes is too long", pair->value_len);
		return key_error(err, def, NULL);
	}
	return 0;
}

static int answer_stranger(struct params *params, const struct text_pair *pair, struct buf *out,
			   struct err *err)
{
	if (pair->value_len > TEXT_VALUE_MAX)
		return err_set(err, EPROTO, "%s: value of %zu bytes (%d allowed; RFC 7143, 6.1)",
			       pair->key, pair->value_len, TEXT_VALUE_MAX);
	if (find_special(pair->value) >= 0)
		return err_set(err, EPROTO, "%s: '%s' answers nothing that was offered", pair->key,
			       pair->value);
	if (++params->strangers > STRANGERS_MAX)
		return err_set(err, EPROTO, "more than %d unknown keys", STRANGERS_MAX);
	text_add(out, pair->key, "NotUnderstood");
	return PARAMS_STRANGER;
}

int params_receive(struct params *params, enum login_stage stage, const struct text_pair *pair,
		   struct buf *out, enum param *key, struct err *err)
{
	int rc;

	*key = param_find(pair->key);
	if (*key == PARAM_UNKNOWN)
		return answer_stranger(params, pair, out, err);
	rc = check_place(params, stage, *key, pair, err);
	if (rc < 0)
		return rc;
	params->received |= bit(*key);
	if (param_defs[*key].merge == MERGE_DECLARED)
		return take_declaration(params, *key, pair, err);
	if (param_defs[*key].merge == MERGE_SECURITY)
		return PARAMS_SECURITY;
	if (params->open & bit(*key))
		return check_answer(params, *key, pair, err);
	return answer_offer(params, *key, pair, out, err);
}

void params_settle(struct params *params, struct buf *out)
{
	if (params->value[PARAM_FIRST_BURST_LENGTH] > params->value[PARAM_MAX_BURST_LENGTH])
		params->value[PARAM_FIRST_BURST_LENGTH] = params->value[PARAM_MAX_BURST_LENGTH];
	if (params->first_burst_waits)
		add_value(PARAM_FIRST_BURST_LENGTH, params->value[PARAM_FIRST_BURST_LENGTH], out);
	params->first_burst_waits = false;
}
