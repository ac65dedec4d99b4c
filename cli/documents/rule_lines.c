/* SPDX-License-Identifier: MIT */
#include "documents/rule_lines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "err.h"

/* udev's own limit of a rule, its lines joined. */
enum { RULE_LEN_MAX = 16384 };

enum { ATTR_NONE = 1, ATTR_NEEDED = 2, ATTR_EITHER = 3, MATCH = 4, ASSIGN = 8 };

/* What udev 252 knows; of others the whole rule is ignored. */
static const struct {
	const char *key;
	unsigned takes;
} known_keys[] = {
	{ "ACTION", ATTR_NONE | MATCH },
	{ "DEVPATH", ATTR_NONE | MATCH },
	{ "KERNEL", ATTR_NONE | MATCH },
	{ "KERNELS", ATTR_NONE | MATCH },
	{ "SYMLINK", ATTR_NONE | MATCH | ASSIGN },
	{ "NAME", ATTR_NONE | MATCH | ASSIGN },
	{ "ENV", ATTR_NEEDED | MATCH | ASSIGN },
	{ "CONST", ATTR_NEEDED | MATCH },
	{ "TAG", ATTR_NONE | MATCH | ASSIGN },
	{ "TAGS", ATTR_NONE | MATCH },
	{ "SUBSYSTEM", ATTR_NONE | MATCH },
	{ "SUBSYSTEMS", ATTR_NONE | MATCH },
	{ "DRIVER", ATTR_NONE | MATCH },
	{ "DRIVERS", ATTR_NONE | MATCH },
	{ "ATTR", ATTR_NEEDED | MATCH | ASSIGN },
	{ "ATTRS", ATTR_NEEDED | MATCH },
	{ "SYSCTL", ATTR_NEEDED | MATCH | ASSIGN },
	{ "TEST", ATTR_EITHER | MATCH },
	{ "PROGRAM", ATTR_NONE | MATCH | ASSIGN },
	{ "IMPORT", ATTR_NEEDED | MATCH | ASSIGN },
	{ "RESULT", ATTR_NONE | MATCH },
	{ "OPTIONS", ATTR_NONE | ASSIGN },
	{ "OWNER", ATTR_NONE | ASSIGN },
	{ "GROUP", ATTR_NONE | ASSIGN },
	{ "MODE", ATTR_NONE | ASSIGN },
	{ "SECLABEL", ATTR_NEEDED | ASSIGN },
	{ "RUN", ATTR_EITHER | ASSIGN },
	{ "GOTO", ATTR_NONE | ASSIGN },
	{ "LABEL", ATTR_NONE | ASSIGN },
};

static const struct {
	const char *text;
	enum rule_op op;
} ops[] = {
	{ "==", RULE_IS },     { "!=", RULE_IS_NOT },	 { "+=", RULE_ADD },
	{ "-=", RULE_REMOVE }, { ":=", RULE_SET_FINAL }, { "=", RULE_SET },
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static const char *check_key(const struct rule_token *token)
{
	for (size_t i = 0; i < ARRAY_LEN(known_keys); i++) {
		const unsigned takes = known_keys[i].takes;

		if (strcmp(known_keys[i].key, token->key) != 0)
			continue;
		if (!(takes & (token->attr[0] ? ATTR_NEEDED : ATTR_NONE)))
			return token->attr[0] ? "takes no {…}" : "lacks its {…}";
		if (!(takes & (rule_matches(token) ? MATCH : ASSIGN)))
			return rule_matches(token) ? "cannot be compared" : "cannot be assigned";
		return NULL;
	}
	return "is no key of udev's";
}

/* Step over the value at p, whose quotes are gone afterwards; its end, or NULL. */
static char *read_value(struct rule_token *token, char *p, const char *start)
{
	char *to;

	p += *p == 'i' && p[1] == '"'; /* compare whatever the case, in newer versions */
	p += *p == 'e' && p[1] == '"'; /* C escapes; none matters here */
	if (*p != '"')
		return NULL;
	token->at = (size_t)(++p - start);
	token->value = to = p;
	for (; *p != '"'; p++) {
		if (*p == '\0')
			return NULL;
		p += *p == '\\' && p[1] == '"';
		*to++ = *p;
	}
	token->len = (size_t)(p - start) - token->at;
	*to = '\0';
	return p + 1;
}

/*
 * The next `KEY{attr}OP"value"` at *p: 1, 0 at the end, or -1 with the
 * rule's fault. Strings are ended in place, as they are split off.
 */
static int read_token(struct rule_line *rule, struct rule_token *token, char **p, const char *start)
{
	char *at = *p, *key_end, *attr_end = NULL;
	size_t i;

	while (is_blank(*at) || *at == ',')
		at++;
	if (*at == '\0')
		return 0;
	*token = (struct rule_token){ .key = at, .attr = "" };
	rule->fault_key = at;
	while (*at && !is_blank(*at) && !strchr("={", *at) &&
	       !(strchr("+-!:", *at) && at[1] == '='))
		at++;
	key_end = at;
	if (*at == '{') {
		token->attr = ++at;
		at += strcspn(at, "}");
		if (*at == '\0') {
			*key_end = '\0';
			rule->fault = "lacks its '}'";
			return -1;
		}
		attr_end = at++;
	}
	while (is_blank(*at))
		at++;
	for (i = 0; i < ARRAY_LEN(ops) && strncmp(at, ops[i].text, strlen(ops[i].text)) != 0;)
		i++;
	at += i < ARRAY_LEN(ops) ? strlen(ops[i].text) : 0;
	while (i < ARRAY_LEN(ops) && is_blank(*at))
		at++;
	*p = i < ARRAY_LEN(ops) ? read_value(token, at, start) : NULL;
	*key_end = '\0';
	if (attr_end)
		*attr_end = '\0';
	if (!*p) {
		rule->fault = i < ARRAY_LEN(ops) ? "has no value in double quotes"
						 : "is followed by no operator";
		return -1;
	}
	token->op = ops[i].op;
	rule->fault = check_key(token);
	/* Both are conditions, however they are written. */
	if (strcmp(token->key, "PROGRAM") == 0 || strcmp(token->key, "IMPORT") == 0)
		token->op = RULE_IS;
	return rule->fault ? -1 : 1;
}

static int add_token(struct document *doc, const struct rule_token *token, struct err *err)
{
	if (!ARRAY_ROOM(doc->tokens, doc->token_count))
		return err_oom(err);
	doc->tokens[doc->token_count++] = *token;
	return 0;
}

/* What a rule is about, be it read by udev or not. */
static void look_over(struct rule_line *rule, const char *text)
{
	/* As AWS's page prints them: values that the reader is to fill in. */
	static const char *const placeholders[] = { "[timeout]", "[device name]" };

	for (size_t i = 0; i < ARRAY_LEN(placeholders); i++)
		rule->unfilled |= strstr(text, placeholders[i]) != NULL;
	rule->relevant = rule->unfilled || strstr(text, "/timeout") || strstr(text, "{timeout") ||
			 strstr(text, "Storage Gateway");
}

/* Split the joined text of a rule. Of one with a fault udev takes nothing. */
static int split_rule(struct document *doc, struct rule_line *rule, char *text, struct err *err)
{
	struct rule_token token;
	char *p = text;
	int more, rc = 0;

	rule->first = doc->token_count;
	look_over(rule, text);
	if (strlen(text) >= RULE_LEN_MAX) {
		rule->fault = "is too long";
		rule->fault_key = "the rule";
		return 0;
	}
	while (rc == 0 && (more = read_token(rule, &token, &p, text)) > 0)
		rc = add_token(doc, &token, err);
	if (rule->fault)
		doc->token_count = rule->first;
	rule->count = doc->token_count - rule->first;
	return rc;
}

static struct rule_line *add_rule(struct document *doc)
{
	if (!ARRAY_ROOM(doc->rules, doc->rule_count))
		return NULL;
	doc->rules[doc->rule_count] = (struct rule_line){ 0 };
	return &doc->rules[doc->rule_count++];
}

/* Where lines are joined to a rule. */
struct joiner {
	struct rule_line *rule; /* NULL between rules */
	char *start, *to; /* its text in doc->words */
};

/*
 * Take one line. Comments are dropped even between the lines of a rule; a
 * backslash goes on with the next line only where nothing follows it.
 */
static int join_line(struct document *doc, struct joiner *joiner, const char *at, const char *eol,
		     unsigned number, struct err *err)
{
	const char *end = eol > at && eol[-1] == '\r' ? eol - 1 : eol, *p = at;
	bool goes_on = end > at && end[-1] == '\\';

	while (p < end && is_blank(*p))
		p++;
	if ((p < end && *p == '#') || (p == end && !joiner->rule))
		return 0;
	if (!joiner->rule) {
		joiner->rule = add_rule(doc);
		if (!joiner->rule)
			return err_oom(err);
		joiner->rule->line = number;
		joiner->rule->start = (uint32_t)(at - doc->text.data);
		joiner->rule->one_line = !goes_on;
		joiner->start = joiner->to;
		p = at; /* keep offsets as they are in the text */
	}
	memcpy(joiner->to, p, (size_t)(end - p));
	joiner->to += end - p - goes_on;
	joiner->rule->end =
		(uint32_t)(eol - doc->text.data) + (eol < doc->text.data + doc->text.len);
	if (goes_on)
		return 0;
	*joiner->to++ = '\0';
	number = (unsigned)(joiner->rule - doc->rules);
	joiner->rule = NULL;
	return split_rule(doc, &doc->rules[number], joiner->start, err);
}

void rules_done(struct document *doc)
{
	free(doc->rules);
	free(doc->tokens);
	free(doc->words);
	doc->rules = NULL;
	doc->tokens = NULL;
	doc->words = NULL;
	doc->winner = NULL;
	doc->rule_count = 0;
	doc->token_count = 0;
}

/* Programs run after all rules; a block device comes after its scsi_device. */
static unsigned rank(const struct rule_effect *effect)
{
	return 2U * effect->block + effect->shell;
}

static void choose_winner(struct document *doc)
{
	struct rule_effect effect, best = { 0 };

	for (size_t i = 0; i < doc->rule_count; i++) {
		const struct rule_line *rule = &doc->rules[i];

		if (!rule_effect(doc, rule, &effect) || !effect.known ||
		    !rule_hits(doc, rule, effect.block ? DEVICE_GATEWAY_BLOCK : DEVICE_GATEWAY))
			continue;
		if (doc->winner && rank(&effect) < rank(&best))
			continue;
		doc->winner = rule;
		best = effect;
	}
	if (!doc->winner)
		return;
	doc->turn = rank(&best);
	/* What is no number, the kernel takes for 0. */
	if (best.len == 0 || best.len > 9 || strspn(best.value, "0123456789") < best.len)
		snprintf(doc->value, sizeof(doc->value), "0");
	else
		snprintf(doc->value, sizeof(doc->value), "%.*s", (int)best.len, best.value);
}

int rules_index(struct document *doc, struct err *err)
{
	const char *text = doc->text.data, *end = text + doc->text.len, *at, *eol;
	struct joiner joiner = { 0 };
	unsigned number = 1;
	int rc = 0;

	rules_done(doc);
	doc->words = malloc(doc->text.len + 2); /* a NUL for each newline, and the last */
	if (!doc->words)
		return err_oom(err);
	joiner.to = doc->words;
	for (at = text; rc == 0 && at < end; at = eol + 1, number++) {
		eol = memchr(at, '\n', (size_t)(end - at));
		if (!eol)
			eol = end;
		rc = join_line(doc, &joiner, at, eol, number, err);
	}
	if (rc == 0 && joiner.rule) {
		*joiner.to = '\0';
		joiner.rule->unfinished = true;
		joiner.rule->fault = "is missing where a backslash promises it";
		joiner.rule->fault_key = "a further line";
		look_over(joiner.rule, joiner.start);
	}
	if (rc == 0)
		rc = rules_follow_gotos(doc, err);
	if (rc == 0)
		choose_winner(doc);
	return rc;
}
