/* SPDX-License-Identifier: MIT */
#include "documents/rule_lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "documents/rule.h"
#include "err.h"
#include "number.h"

#define MARK "# sgw-init: commented out: "
#define STANDS "in effect" /* what a harmful rule's text has for a value */

static const char *end_of_line(const char *at, const char *end)
{
	const char *next = memchr(at, '\n', (size_t)(end - at));

	return next ? next + 1 : end;
}

static void comment_lines(struct buf *out, const char *text, size_t len)
{
	const char *at = text, *end = text + len, *next;

	for (; at < end; at = next) {
		next = end_of_line(at, end);
		buf_adds(out, "# ");
		buf_add(out, at, (size_t)(next - at));
	}
}

void rule_comment(struct buf *out, const char *text, size_t len, const char *why)
{
	const char *end = end_of_line(text, text + len);
	bool crlf = end - text >= 2 && end[-1] == '\n' && end[-2] == '\r';

	buf_addf(out, MARK "%s%s", why, crlf ? "\r\n" : "\n");
	comment_lines(out, text, len);
}

/* A rule that does harm, and the condition that it lost. */
struct harm {
	uint32_t start, end; /* in the text */
	unsigned line;
	const char *why;
};

static bool harm_of(const struct document *doc, const struct rule_line *rule, struct harm *harm)
{
	struct lint lint = { .line = rule->line };
	const struct rule_line *first;

	if (!rule->relevant || !rule_judge(doc, rule, &lint) || !lint.harm)
		return false;
	first = rule_lost_condition(doc, rule);
	first = first && first->end == rule->start ? first : rule;
	*harm = (struct harm){ first->start, rule->end, rule->line, lint.harm };
	return true;
}

/* The next of them from rule *i on, which is stepped over. */
static bool next_harm(const struct document *doc, size_t *i, struct harm *harm)
{
	struct harm more;

	while (*i < doc->rule_count && !harm_of(doc, &doc->rules[*i], harm))
		++*i;
	if (*i == doc->rule_count)
		return false;
	/* A condition that does harm by itself goes with what follows it. */
	while (++*i < doc->rule_count && harm_of(doc, &doc->rules[*i], &more) &&
	       more.start < harm->end) {
		harm->end = more.end;
		harm->line = more.line;
		harm->why = more.why;
	}
	return true;
}

/* One time through the file. */
static int mend_once(struct document *doc, struct err *err)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	struct harm harm;
	size_t from = 0;
	int count = 0, rc;

	for (size_t i = 0; next_harm(doc, &i, &harm); count++) {
		buf_add(&text, doc->text.data + from, harm.start - from);
		rule_comment(&text, doc->text.data + harm.start, harm.end - harm.start, harm.why);
		from = harm.end;
	}
	rc = count > 0 ? rules_replace(doc, 0, from, &text, err) : 0;
	return rc < 0 ? rc : count;
}

/* A second time finds what was out of reach behind a GOTO that is a comment now. */
int rule_mend(struct document *doc, struct err *err)
{
	int count = 0, rc;

	do {
		rc = mend_once(doc, err);
		count += rc > 0 ? rc : 0;
	} while (rc > 0);
	return rc < 0 ? rc : count;
}

/*
 * A key is the rule's text without its last newline. Where the file has the
 * text several times, each of them is a key: what follows the text in those
 * behind the first no rule ends with, and it sorts by number.
 */
#define AGAIN "\n# occurrence "
#define AGAIN_DIGITS 7

static bool has_text(const struct document *doc, const struct harm *harm, const char *text,
		     size_t len)
{
	size_t own = harm->end - harm->start;

	if (own > 0 && doc->text.data[harm->end - 1] == '\n')
		own--;
	return own == len && memcmp(doc->text.data + harm->start, text, len) == 0;
}

/* The length of the key's text; *number: which of those with that text it is, from 1. */
static size_t split_key(const char *key, uint32_t *number)
{
	const size_t len = strlen(key), tail = strlen(AGAIN) + AGAIN_DIGITS;
	struct err ignored = { 0 };

	*number = 1;
	if (len > tail && strncmp(key + len - tail, AGAIN, strlen(AGAIN)) == 0 &&
	    parse_u32(key + len - AGAIN_DIGITS, 2, UINT32_MAX, number, &ignored) == 0)
		return len - tail;
	return len;
}

const char *rule_text_get(const struct document *doc, const char *key, unsigned *line)
{
	uint32_t number;
	const size_t len = split_key(key, &number);
	struct harm harm;

	for (size_t i = 0; next_harm(doc, &i, &harm);) {
		if (!has_text(doc, &harm, key, len) || --number > 0)
			continue;
		if (line)
			*line = harm.line;
		return STANDS;
	}
	if (line)
		*line = 0;
	return NULL;
}

/* The rules that do harm, in order. */
struct harms {
	struct harm *items;
	size_t count;
};

static void harms_done(struct harms *harms)
{
	free(harms->items);
}

static int list_harms(const struct document *doc, struct harms *harms)
{
	harms->items = calloc(doc->rule_count + 1, sizeof(*harms->items));
	if (!harms->items)
		return -ENOMEM;
	for (size_t i = 0; next_harm(doc, &i, &harms->items[harms->count]);)
		harms->count++;
	return 0;
}

static void add_key(const struct document *doc, const struct harms *harms, size_t i,
		    struct buf *key)
{
	const struct harm *harm = &harms->items[i];
	unsigned number = 1;

	buf_add(key, doc->text.data + harm->start, harm->end - harm->start);
	if (key->len > 0 && key->data[key->len - 1] == '\n')
		key->data[--key->len] = '\0';
	for (size_t j = 0; j < i; j++)
		number += has_text(doc, &harms->items[j], buf_text(key), key->len);
	if (number > 1)
		buf_addf(key, AGAIN "%0*u", AGAIN_DIGITS, number);
}

int rule_text_each(const struct document *doc,
		   int (*fn)(const char *key, const char *value, unsigned line, void *ctx),
		   void *ctx)
{
	CLEANUP(harms_done) struct harms harms = { 0 };
	int rc = list_harms(doc, &harms);

	for (size_t i = 0; rc == 0 && i < harms.count; i++) {
		CLEANUP(buf_done) struct buf key = { 0 };

		add_key(doc, &harms, i, &key);
		rc = key.failed ? -ENOMEM : fn(buf_text(&key), STANDS, harms.items[i].line, ctx);
	}
	return rc;
}

/* The mark's line that ends where the comment begins, or NULL. */
static const char *mark_above(const char *text, const char *at)
{
	const char *line = at;

	if (at == text)
		return NULL;
	for (line--; line > text && line[-1] != '\n';)
		line--;
	return strncmp(line, MARK, strlen(MARK)) == 0 ? line : NULL;
}

/* Take a comment of it away, where that still stands as rule_comment() wrote it. */
int rule_text_set(struct document *doc, const char *key, struct err *err)
{
	CLEANUP(buf_done) struct buf comment = { 0 }, rule = { 0 };
	const char *text, *at, *mark = NULL;
	uint32_t number;

	if (rule_text_get(doc, key, NULL))
		return 0;
	buf_add(&rule, key, split_key(key, &number));
	buf_adds(&rule, "\n");
	comment_lines(&comment, buf_text(&rule), rule.len);
	if (comment.failed || rule.failed)
		return err_oom(err);
	text = buf_text(&doc->text);
	for (at = strstr(text, buf_text(&comment)); at; at = strstr(at + 1, buf_text(&comment))) {
		mark = mark_above(text, at);
		if (mark)
			break;
	}
	if (!mark)
		return err_set(err, ENOENT, "the comment that this rule became is gone");
	return rules_replace(doc, (size_t)(mark - text), (size_t)(at - text) + comment.len, &rule,
			     err) < 0
		       ? -err->code
		       : 1;
}
