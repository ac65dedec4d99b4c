/* SPDX-License-Identifier: MIT */
#include "fault_rule.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "err.h"
#include "fault_actions.h"
#include "fault_words.h"
#include "number.h"
#include "persona.h"

#define SCSI_POINT "scsi."

static int keep(char **out, const char *text, struct err *err)
{
	free(*out);
	*out = strdup(text);
	return *out ? 0 : err_oom(err);
}

/* Names are compared in lower case, as logins do. */
static int keep_name(char **out, const char *name, struct err *err)
{
	if (keep(out, name, err) < 0)
		return -err->code;
	target_name_fold(name, strlen(name), *out);
	return 0;
}

/* Whether any device has a command of that name. */
static bool is_command(const char *name)
{
	static const struct device_type *const types[] = { &device_disk, &device_tape,
							   &device_changer };

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		for (int op = 0; op < 256; op++)
			if (types[i]->ops[op].name && strcmp(types[i]->ops[op].name, name) == 0)
				return true;
	return false;
}

static int parse_event(struct rule *rule, const char *word, struct err *err)
{
	CLEANUP(buf_done) struct buf known = { 0 };

	if (strncmp(word, SCSI_POINT, strlen(SCSI_POINT)) == 0) {
		rule->event = EVENT_COMMAND;
		if (!is_command(word + strlen(SCSI_POINT)))
			return err_set(err, EINVAL,
				       "'%.64s' is no command of a device here: scsi.read, "
				       "scsi.write, scsi.inquiry, scsi.read-capacity ...",
				       word);
		return keep(&rule->op, word + strlen(SCSI_POINT), err);
	}
	for (unsigned int i = 0; i < EVENT_COUNT; i++) {
		if (!event_defs[i].point)
			continue;
		rule->event = (enum event)i;
		if (strcmp(event_defs[i].point, word) == 0)
			return 0;
		buf_addf(&known, "%s%s", known.len > 0 ? ", " : "", event_defs[i].point);
	}
	return err_set(err, EINVAL, "'%.64s' is no event: %s, scsi.read, scsi.write ...", word,
		       buf_text(&known));
}

static int set_target(struct rule *rule, const char *value, struct err *err)
{
	if (!event_defs[rule->event].targeted)
		return err_set(err, EINVAL, "%s is about no target", event_defs[rule->event].point);
	return keep_name(&rule->target, value, err);
}

static int set_initiator(struct rule *rule, const char *value, struct err *err)
{
	if (rule->event == EVENT_CONNECT || rule->event == EVENT_LOGIN_REQUEST)
		return err_set(err, EINVAL, "who %s is not known yet",
			       rule->event == EVENT_CONNECT ? "connects" : "logs in");
	return keep_name(&rule->initiator, value, err);
}

static int set_nth(struct rule *rule, const char *value, struct err *err)
{
	return parse_u64(value, 1, UINT32_MAX, &rule->nth, err);
}

static int set_count(struct rule *rule, const char *value, struct err *err)
{
	return parse_u64(value, 1, UINT32_MAX, &rule->count, err);
}

static const struct condition {
	const char *name;
	int (*set)(struct rule *rule, const char *value, struct err *err);
} conditions[] = {
	{ "target", set_target },
	{ "initiator", set_initiator },
	{ "nth", set_nth },
	{ "count", set_count },
};

/* given: bits, of the conditions so far. */
static int parse_condition(struct rule *rule, const char *word, unsigned int *given,
			   struct err *err)
{
	size_t name_len = strcspn(word, "=");

	for (size_t i = 0; i < ARRAY_LEN(conditions); i++) {
		const char *name = conditions[i].name;

		if (strlen(name) != name_len || strncmp(name, word, name_len) != 0)
			continue;
		if (word[name_len] == '\0' || word[name_len + 1] == '\0')
			return err_set(err, EINVAL, "%s has no value: %s=...", name, name);
		if (*given & 1u << i)
			return err_set(err, EINVAL, "%s is given twice", name);
		*given |= 1u << i;
		return conditions[i].set(rule, word + name_len + 1, err);
	}
	return err_set(err, EINVAL,
		       "'%.64s' is no condition: target=NAME, initiator=NAME, nth=N, count=N",
		       word);
}

/* All before the ':' of "on". */
static int parse_on(struct rule *rule, struct fault_cursor *cursor, struct err *err)
{
	char word[FAULT_WORD_MAX];
	unsigned int given = 0;
	int rc = fault_head_word(cursor, word, err);

	if (rc == 0)
		return err_set(err, EINVAL, "an event is missing: on login: ...");
	if (rc > 0)
		rc = parse_event(rule, word, err);
	while (rc == 0) {
		rc = fault_head_word(cursor, word, err);
		if (rc <= 0)
			break;
		rc = parse_condition(rule, word, &given, err);
		if (rule->target && rule->target_column == 0)
			rule->target_column = fault_column(cursor);
	}
	if (rule->count == 0)
		rule->count = rule->nth > 0 ? 1 : UINT64_MAX;
	if (rule->nth == 0)
		rule->nth = 1;
	return rc;
}

static int parse_at(struct rule *rule, struct fault_cursor *cursor, struct err *err)
{
	char word[FAULT_WORD_MAX];
	int rc = fault_head_word(cursor, word, err);

	if (rc == 0)
		return err_set(err, EINVAL, "a time is missing: at 5s: ...");
	if (rc > 0)
		rc = fault_time_parse(word, 0, &rule->at_ms, err);
	if (rc == 0)
		rc = fault_head_word(cursor, word, err);
	if (rc > 0)
		return err_set(err, EINVAL, "'%.64s' stands between the time and its ':'", word);
	return rc;
}

/* Whether the action can be had where the rule wants it. */
static int check_place(const struct rule *rule, struct err *err)
{
	CLEANUP(buf_done) struct buf places = { 0 };
	const struct fault_action *action = rule->action;

	if (rule->when != RULE_ON && action->places & PLACE_ANY_TIME)
		return 0;
	if (rule->when == RULE_ON && action->places & PLACE_EVENT(rule->event))
		return 0;
	for (unsigned int i = 0; i < EVENT_COUNT; i++)
		if (event_defs[i].point && action->places & PLACE_EVENT(i))
			buf_addf(&places, "%son %s", places.len > 0 ? ", " : "",
				 event_defs[i].point);
	if (action->places & PLACE_ANY_TIME)
		buf_addf(&places, "%sat a time", places.len > 0 ? ", " : "");
	return err_set(err, EINVAL, "%s cannot be had there: %s", action->name, buf_text(&places));
}

static int parse_action(struct rule *rule, struct fault_cursor *cursor, struct err *err)
{
	CLEANUP(buf_done) struct buf known = { 0 };
	char word[FAULT_WORD_MAX];
	int rc = fault_next_word(cursor, word, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < fault_action_count && !rule->action; i++) {
		if (strcmp(fault_actions[i].name, word) == 0)
			rule->action = &fault_actions[i];
		buf_addf(&known, "%s%s", i > 0 ? ", " : "", fault_actions[i].name);
	}
	if (word[0] == '\0')
		return err_set(err, EINVAL, "an action is missing: %s", buf_text(&known));
	if (!rule->action)
		return err_set(err, EINVAL, "'%.64s' is no action: %s%s", word,
			       rule->when == RULE_NOW ? "on EVENT: ..., at TIME: ..., status, "
						      : "",
			       buf_text(&known));
	rc = check_place(rule, err);
	if (rc < 0)
		return rc;
	return fault_argument_parse(rule->action, cursor, &rule->args, err);
}

static int parse(struct rule *rule, struct fault_cursor *cursor, struct err *err)
{
	char word[FAULT_WORD_MAX];
	const char *start = cursor->p;
	int rc = fault_next_word(cursor, word, err);

	if (rc == 0 && strcmp(word, "on") == 0) {
		rule->when = RULE_ON;
		rc = parse_on(rule, cursor, err);
	} else if (rc == 0 && strcmp(word, "at") == 0) {
		rule->when = RULE_AT;
		rc = parse_at(rule, cursor, err);
	} else {
		rule->when = RULE_NOW;
		cursor->p = start;
	}
	if (rc < 0)
		return rc;
	fault_skip_blanks(cursor);
	rc = parse_action(rule, cursor, err);
	if (rc < 0)
		return rc;
	fault_skip_blanks(cursor);
	if (*cursor->p == '\0' || *cursor->p == '#')
		return 0;
	return err_set(err, EINVAL, "'%.64s' is too much", cursor->p);
}

/* Put the column before what went wrong. */
static int add_column(const struct fault_cursor *cursor, struct err *err)
{
	char reason[ERR_REASON_MAX];

	memcpy(reason, err->reason, sizeof(reason));
	return err_set(err, err->code, "column %zu: %s", fault_column(cursor), reason);
}

int rule_parse(const char *line, struct rule **out, struct err *err)
{
	struct fault_cursor cursor = { .line = line, .p = line };
	struct rule *rule;
	size_t len;

	*out = NULL;
	fault_skip_blanks(&cursor);
	if (*cursor.p == '\0' || *cursor.p == '#')
		return 0;
	len = strlen(cursor.p);
	while (fault_is_blank(cursor.p[len - 1]))
		len--;
	rule = calloc(1, sizeof(*rule));
	if (!rule)
		return err_oom(err);
	rule->text = strndup(cursor.p, len);
	if (!rule->text) {
		rule_free(rule);
		return err_oom(err);
	}
	if (parse(rule, &cursor, err) < 0) {
		rule_free(rule);
		return err->code == ENOMEM ? -ENOMEM : add_column(&cursor, err);
	}
	*out = rule;
	return 1;
}

void rule_free(struct rule *rule)
{
	if (!rule)
		return;
	free(rule->text);
	free(rule->op);
	free(rule->target);
	free(rule->initiator);
	buf_done(&rule->args.text);
	free(rule);
}

bool rule_is_live(const struct rule *rule)
{
	if (rule->when == RULE_ON)
		return rule->met < rule->nth - 1 + rule->count || rule->count == UINT64_MAX;
	return rule->struck == 0;
}
