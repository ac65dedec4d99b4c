/* SPDX-License-Identifier: MIT */
#include "documents/rule_lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "documents/rule.h"
#include "err.h"

const char *rule_line_end(const char *at, const char *end)
{
	const char *next = memchr(at, '\n', (size_t)(end - at));

	return next ? next + 1 : end;
}

void rule_comment(struct buf *out, const char *text, size_t len, const char *why)
{
	const char *at = text, *end = text + len, *next = rule_line_end(text, end);
	bool crlf = next - text >= 2 && next[-1] == '\n' && next[-2] == '\r';

	buf_addf(out, RULE_MARK "%s%s", why, crlf ? "\r\n" : "\n");
	for (; at < end; at = next) {
		next = rule_line_end(at, end);
		buf_adds(out, "# ");
		buf_add(out, at, (size_t)(next - at));
	}
}

static bool harm_of(const struct document *doc, const struct rule_line *rule,
		    struct rule_harm *harm)
{
	struct lint lint = { .line = rule->line };
	const struct rule_line *first;

	if (!rule->relevant || !rule_judge(doc, rule, &lint) || !lint.harm)
		return false;
	first = rule_lost_condition(doc, rule);
	first = first && first->end == rule->start ? first : rule;
	*harm = (struct rule_harm){ first->start, rule->end, rule->line, lint.harm };
	return true;
}

bool rule_next_harm(const struct document *doc, size_t *i, struct rule_harm *harm)
{
	struct rule_harm more;

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
	struct rule_harm harm;
	size_t from = 0;
	int count = 0, rc;

	for (size_t i = 0; rule_next_harm(doc, &i, &harm); count++) {
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
