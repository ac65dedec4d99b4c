/* SPDX-License-Identifier: MIT */
#include "expect.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "err.h"
#include "events.h"
#include "iscsi/params.h"
#include "number.h"
#include "transcript.h"

enum { KEY_LEN = 63, VALUE_LEN = 255 };

/* Which order of actual against wanted an operator accepts. */
enum { LESS = 1, EQUAL = 2, GREATER = 4 };

static const struct operator
{
	const char *sign;
	unsigned int accepts;
}
operators[] = {
	/* The longer of two that begin alike comes first. */
	{ "!=", LESS | GREATER }, { "<=", LESS | EQUAL }, { ">=", EQUAL | GREATER }, { "<", LESS },
	{ ">", GREATER },	  { "=", EQUAL },
};

/* What an expectation looks at. */
enum subject {
	SUBJECT_PARAM, /* number is the enum param */
	SUBJECT_CHAP,
	SUBJECT_INITIATOR,
	SUBJECT_TARGET,
	SUBJECT_COUNTER, /* number is the enum event */
};

struct expectations {
	struct expectations *next;
	enum subject subject;
	unsigned int number;
	bool numeric;
	const struct operator* operator;
	uint64_t wanted;
	char wanted_text[VALUE_LEN + 1];
	char key[KEY_LEN + 1];

	uint64_t held; /* logins that were held to it */
	uint64_t broken; /* … and broke it */
	/* The first of those. */
	uint32_t connection;
	char actual[VALUE_LEN + 1];
	char who[2 * VALUE_LEN];
};

/* Find out what KEY is; false where it is nothing. */
static bool find_subject(struct expectations *it)
{
	static const struct word {
		const char *key;
		enum subject subject;
	} words[] = {
		{ "CHAP", SUBJECT_CHAP },
		{ "InitiatorName", SUBJECT_INITIATOR },
		{ "TargetName", SUBJECT_TARGET },
	};
	enum param param = param_find(it->key);

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		it->subject = words[i].subject;
		if (strcmp(words[i].key, it->key) == 0)
			return true;
	}
	it->subject = SUBJECT_COUNTER;
	it->numeric = true;
	for (it->number = 0; it->number < EVENT_COUNT; it->number++)
		if (event_defs[it->number].counter &&
		    strcmp(event_defs[it->number].counter, it->key) == 0)
			return true;
	it->subject = SUBJECT_PARAM;
	it->number = param;
	if (param == PARAM_UNKNOWN || param_defs[param].kind == PARAM_TEXT ||
	    !(param_defs[param].stages & 1 << STAGE_OPERATIONAL))
		return false;
	it->numeric = param_defs[param].kind == PARAM_NUMBER;
	return true;
}

/* A word that the key can never have is a slip, not an expectation. */
static bool is_value(const struct expectations *it)
{
	static const char *const chap[] = { "none", "one-way", "mutual", NULL };
	static const char *const yes_no[] = { "Yes", "No", NULL };
	const char *const *words = NULL;

	if (it->subject == SUBJECT_CHAP)
		words = chap;
	else if (it->subject == SUBJECT_PARAM && param_defs[it->number].kind == PARAM_BOOL)
		words = yes_no;
	else if (it->subject == SUBJECT_PARAM && param_defs[it->number].kind == PARAM_LIST)
		words = param_defs[it->number].choices;
	if (!words)
		return it->wanted_text[0] != '\0';
	for (; *words; words++)
		if (strcmp(*words, it->wanted_text) == 0)
			return true;
	return false;
}

static int parse(struct expectations *it, const char *text, struct err *err)
{
	size_t key_len = strcspn(text, "!<>=");
	const char *rest = text + key_len;

	for (size_t i = 0; i < ARRAY_LEN(operators) && !it->operator; i++)
		if (strncmp(rest, operators[i].sign, strlen(operators[i].sign)) == 0)
			it->operator= & operators[i];
	if (key_len == 0 || key_len > KEY_LEN || !it->operator)
		return err_set(err, EINVAL,
			       "'%s' is no expectation: KEY=VALUE, !=, <, <=, >, >=", text);
	memcpy(it->key, text, key_len);
	rest += strlen(it->operator->sign);
	if (strlen(rest) > VALUE_LEN)
		return err_set(err, EINVAL, "'%s' has too long a value", text);
	memcpy(it->wanted_text, rest, strlen(rest));
	if (!find_subject(it))
		return err_set(err, EINVAL,
			       "'%s' is nothing that can be expected; see sgw-target(8)", it->key);
	if (it->numeric)
		return parse_size(rest, 0, UINT64_MAX, &it->wanted, err);
	if (it->operator->accepts != EQUAL && it->operator->accepts !=(LESS | GREATER))
		return err_set(err, EINVAL, "%s is no number: compare it by = or !=", it->key);
	if (!is_value(it))
		return err_set(err, EINVAL, "%s is never '%s'", it->key, rest);
	return 0;
}

int expectations_add(struct expectations **list, const char *text, struct err *err)
{
	struct expectations *it = calloc(1, sizeof(*it));
	int rc;

	if (!it)
		return err_oom(err);
	rc = parse(it, text, err);
	if (rc < 0) {
		free(it);
		return rc;
	}
	while (*list)
		list = &(*list)->next;
	*list = it;
	return 0;
}

void expectations_free(struct expectations *list)
{
	while (list) {
		struct expectations *next = list->next;

		free(list);
		list = next;
	}
}

static bool accepts(const struct expectations *it, uint64_t number, const char *text)
{
	unsigned int order;

	if (it->numeric)
		order = number < it->wanted ? LESS : number > it->wanted ? GREATER : EQUAL;
	else
		order = strcmp(text, it->wanted_text) == 0 ? EQUAL : LESS;
	return it->operator->accepts & order;
}

/* What a login has of the subject, as text; of a number the number, too. */
static const char *actual_value(const struct expectations *it, const struct login_facts *facts,
				char digits[24], uint64_t *number)
{
	const struct param_def *def;

	switch (it->subject) {
	case SUBJECT_CHAP:
		return facts->chap;
	case SUBJECT_INITIATOR:
		return facts->initiator;
	case SUBJECT_TARGET:
		return facts->target;
	case SUBJECT_PARAM:
	case SUBJECT_COUNTER:
		break;
	}
	def = &param_defs[it->number];
	*number = facts->value[it->number];
	if (def->kind == PARAM_BOOL)
		return *number ? "Yes" : "No";
	if (def->kind == PARAM_LIST)
		return def->choices[*number];
	snprintf(digits, 24, "%" PRIu64, *number);
	return digits;
}

void expectations_login(struct expectations *list, uint32_t connection,
			const struct login_facts *facts)
{
	for (struct expectations *it = list; it; it = it->next) {
		char digits[24];
		uint64_t number = 0;
		const char *actual;

		if (it->subject == SUBJECT_COUNTER)
			continue;
		actual = actual_value(it, facts, digits, &number);
		it->held++;
		if (accepts(it, number, actual) || it->broken++ > 0)
			continue;
		it->connection = connection;
		snprintf(it->actual, sizeof(it->actual), "%s", actual);
		snprintf(it->who, sizeof(it->who), "%s to %.*s", facts->initiator,
			 (int)facts->target_len, facts->target);
	}
}

/* A sentence about a broken expectation, or false where it held. */
static bool sentence(const struct expectations *it, const struct events *events, struct buf *out)
{
	const char *sign = it->operator->sign;

	if (it->subject == SUBJECT_COUNTER) {
		uint64_t count = events->count[it->number];

		if (accepts(it, count, ""))
			return false;
		buf_addf(out, "expected %s%s%s: there were %" PRIu64, it->key, sign,
			 it->wanted_text, count);
	} else if (it->broken > 0) {
		buf_addf(out, "expected %s%s%s: it was %s in the login of connection %u, %s",
			 it->key, sign, it->wanted_text, it->actual, it->connection, it->who);
		if (it->broken > 1)
			buf_addf(out, " (and in %" PRIu64 " more)", it->broken - 1);
	} else if (it->held == 0) {
		buf_addf(out, "expected %s%s%s: nobody logged in to a target", it->key, sign,
			 it->wanted_text);
	} else {
		return false;
	}
	return true;
}

unsigned int expectations_broken(const struct expectations *list, const struct events *events,
				 void (*tell)(void *arg, const char *text), void *arg)
{
	unsigned int broken = 0;

	for (const struct expectations *it = list; it; it = it->next) {
		CLEANUP(buf_done) struct buf text = { 0 };

		if (!sentence(it, events, &text))
			continue;
		broken++;
		tell(arg, buf_text(&text));
	}
	return broken;
}
