/* SPDX-License-Identifier: MIT */
#include "documents/rule_lines.h"

#include <errno.h>
#include <string.h>

#include "documents/rule.h"
#include "err.h"

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

/* A key is the rule's text without its last newline. */
static size_t key_len(const struct document *doc, const struct harm *harm)
{
	size_t len = harm->end - harm->start;

	return len > 0 && doc->text.data[harm->end - 1] == '\n' ? len - 1 : len;
}

const char *rule_text_get(const struct document *doc, const char *key, unsigned *line)
{
	const size_t len = strlen(key);
	struct harm harm;

	for (size_t i = 0; next_harm(doc, &i, &harm);) {
		if (key_len(doc, &harm) != len ||
		    memcmp(doc->text.data + harm.start, key, len) != 0)
			continue;
		if (line)
			*line = harm.line;
		return STANDS;
	}
	if (line)
		*line = 0;
	return NULL;
}

int rule_text_each(const struct document *doc,
		   int (*fn)(const char *key, const char *value, unsigned line, void *ctx),
		   void *ctx)
{
	struct harm harm;
	int rc = 0;

	for (size_t i = 0; rc == 0 && next_harm(doc, &i, &harm);) {
		CLEANUP(buf_done) struct buf key = { 0 };

		buf_add(&key, doc->text.data + harm.start, key_len(doc, &harm));
		rc = key.failed ? -ENOMEM : fn(buf_text(&key), STANDS, harm.line, ctx);
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

/* Take its comment away, where it still stands as rule_comment() wrote it. */
int rule_text_set(struct document *doc, const char *key, struct err *err)
{
	CLEANUP(buf_done) struct buf comment = { 0 }, rule = { 0 };
	const char *text, *at, *mark = NULL;

	if (rule_text_get(doc, key, NULL))
		return 0;
	buf_addf(&rule, "%s\n", key);
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
