/* SPDX-License-Identifier: MIT */
#include "documents/rule.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "documents/document.h"
#include "documents/rule_lines.h"
#include "err.h"
#include "number.h"
#include "templates.h"

#define PLACEHOLDER "@timeout@"

static int check_timeout(const char *value, struct err *err)
{
	uint32_t seconds;
	int rc = parse_u32(value, 1, RULE_TIMEOUT_MAX, &seconds, err);

	if (rc < 0)
		return rc;
	return value[0] != '0' ? 0 : err_set(err, EINVAL, "timeout \"%s\": a leading zero", value);
}

/* Append text with the value in its placeholder. */
static int fill_in(const char *text, size_t len, const char *value, struct buf *out,
		   struct err *err)
{
	const char *at = strstr(text, PLACEHOLDER);

	if (!at || (size_t)(at - text) > len)
		return err_set(err, EINVAL, "the rule's template lacks %s", PLACEHOLDER);
	buf_add(out, text, (size_t)(at - text));
	buf_adds(out, value);
	at += strlen(PLACEHOLDER);
	buf_add(out, at, len - (size_t)(at - text));
	return out->failed ? err_oom(err) : 0;
}

static const struct template *find_template(struct err *err)
{
	const struct template *template = template_find("60-sgw-init.rules");

	if (!template)
		err_set(err, ENOENT, "the udev rule's template is not built in");
	return template;
}

int rule_render(const char *timeout, struct buf *out, struct err *err)
{
	const struct template *template = find_template(err);
	int rc = template ? check_timeout(timeout, err) : -ENOENT;

	if (rc < 0)
		return rc;
	return fill_in((const char *)template->data, template->len, timeout, out, err);
}

static void doc_free(struct document *doc)
{
	if (!doc)
		return;
	rules_done(doc);
	buf_done(&doc->text);
	free(doc);
}

static void free_doc(struct document **doc)
{
	doc_free(*doc);
}

static int doc_parse(struct document **out, const char *bytes, size_t len, struct err *err)
{
	CLEANUP(free_doc) struct document *doc = NULL;
	int rc = document_check_text(bytes, len, err);

	if (rc < 0)
		return rc;
	doc = calloc(1, sizeof(*doc));
	if (!doc)
		return err_oom(err);
	buf_add(&doc->text, bytes, len);
	rc = doc->text.failed ? err_oom(err) : rules_index(doc, err);
	if (rc < 0)
		return rc;
	*out = TAKE_PTR(doc);
	return 0;
}

static const char *doc_get(const struct document *doc, const char *key, unsigned *line)
{
	const struct rule_line *rule = doc->winner;

	if (strcmp(key, RULE_KEY_TIMEOUT) != 0)
		return rule_text_get(doc, key, line);
	if (line)
		*line = rule ? rule->line : 0;
	return rule ? doc->value : NULL;
}

static int doc_each(const struct document *doc,
		    int (*fn)(const char *key, const char *value, unsigned line, void *ctx),
		    void *ctx)
{
	int rc = doc->winner ? fn(RULE_KEY_TIMEOUT, doc->value, doc->winner->line, ctx) : 0;

	return rc == 0 ? rule_text_each(doc, fn, ctx) : rc;
}

int rules_replace(struct document *doc, size_t start, size_t end, const struct buf *with,
		  struct err *err)
{
	struct document changed = { 0 };
	int rc;

	buf_add(&changed.text, doc->text.data, start);
	buf_add(&changed.text, buf_text(with), with->len);
	buf_add(&changed.text, doc->text.data + end, doc->text.len - end);
	if (changed.text.len > 0 && buf_text(&changed.text)[changed.text.len - 1] != '\n')
		buf_add(&changed.text, "\n", 1);
	rc = with->failed || changed.text.failed ? err_oom(err) : rules_index(&changed, err);
	if (rc == 0) {
		struct document old = *doc;

		*doc = changed;
		changed = old;
	}
	rules_done(&changed);
	buf_done(&changed.text);
	return rc;
}

static int disable(struct document *doc, const struct rule_line *rule, const char *why,
		   struct err *err)
{
	CLEANUP(buf_done) struct buf text = { 0 };

	rule_comment(&text, doc->text.data + rule->start, rule->end - rule->start, why);
	return rules_replace(doc, rule->start, rule->end, &text, err);
}

/* The last rule like our own: on one line, by ATTR{timeout}, for a gateway's disk alone. */
static const struct rule_line *find_own(const struct document *doc)
{
	for (size_t i = doc->rule_count; i-- > 0;) {
		const struct rule_line *rule = &doc->rules[i];

		if (rule->one_line && rule_timeout_token(doc, rule) &&
		    rule_hits(doc, rule, DEVICE_GATEWAY) && !rule_hits(doc, rule, DEVICE_DISK))
			return rule;
	}
	return NULL;
}

/* Our rule's line out of the template, at the end. */
static int append_rule(struct document *doc, const char *value, struct err *err)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	const struct template *template = find_template(err);
	const char *data, *line;
	int rc = 0;

	if (!template)
		return -ENOENT;
	/* What udev ignores now would take our line for its own. */
	if (doc->rule_count > 0 && doc->rules[doc->rule_count - 1].unfinished)
		rc = disable(doc, &doc->rules[doc->rule_count - 1],
			     "the line that it promises was missing", err);
	if (rc < 0)
		return rc;
	data = (const char *)template->data;
	line = strstr(data, "\nACTION==");
	if (!line)
		return err_set(err, EINVAL, "the rule's template holds no rule");
	line++;
	if (doc->text.len > 0 && doc->text.data[doc->text.len - 1] != '\n')
		buf_add(&text, "\n", 1);
	rc = fill_in(line, template->len - (size_t)(line - data), value, &text, err);
	return rc < 0 ? rc : rules_replace(doc, doc->text.len, doc->text.len, &text, err);
}

/* What else gives the gateway's disks another timeout is commented out, one rule after another. */
static int win(struct document *doc, const char *value, struct err *err)
{
	int rc = 0;

	while (rc == 0 && doc->winner && (!value || strcmp(doc->value, value) != 0))
		rc = disable(doc, doc->winner, "it gave a gateway's disks another timeout", err);
	return rc;
}

static int doc_set(struct document *doc, const char *key, const char *value, struct err *err)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	const struct rule_line *own;
	int rc;

	if (strcmp(key, RULE_KEY_TIMEOUT) != 0)
		return rule_text_set(doc, key, err);
	rc = check_timeout(value, err);
	if (rc < 0 || (doc->winner && strcmp(doc->value, value) == 0))
		return rc;
	own = find_own(doc);
	if (own) {
		const struct rule_token *token = rule_timeout_token(doc, own);

		buf_adds(&text, value);
		rc = rules_replace(doc, own->start + token->at, own->start + token->at + token->len,
				   &text, err);
	} else if (doc->text.len == 0) {
		rc = rule_render(value, &text, err);
		rc = rc < 0 ? rc : rules_replace(doc, 0, 0, &text, err);
	} else {
		rc = append_rule(doc, value, err);
	}
	if (rc == 0)
		rc = win(doc, value, err);
	return rc < 0 ? rc : 1;
}

static int doc_set_all(struct document *doc, struct document_setting *settings, size_t count,
		       struct err *err)
{
	struct err why = { 0 };
	int rc = rule_text_set_all(doc, settings, count, err);

	for (size_t i = 0; rc == 0 && i < count; i++) {
		if (strcmp(settings[i].key, RULE_KEY_TIMEOUT) == 0)
			settings[i].result = doc_set(doc, settings[i].key, settings[i].value, &why);
	}
	return rc;
}

/* Our own rules go; those of others that hit the gateway's disks are commented out. */
static int doc_unset(struct document *doc, const char *key, struct err *err)
{
	static const struct buf nothing = { 0 };
	const struct rule_line *own;
	int rc = 0;

	if (strcmp(key, RULE_KEY_TIMEOUT) != 0 || !doc->winner)
		return 0;
	while (rc == 0 && (own = find_own(doc)) != NULL)
		rc = rules_replace(doc, own->start, own->end, &nothing, err);
	if (rc == 0)
		rc = win(doc, NULL, err);
	return rc < 0 ? rc : 1;
}

static int doc_write(const struct document *doc, struct buf *out, struct err *err)
{
	buf_add(out, doc->text.data, doc->text.len);
	return out->failed ? err_oom(err) : 0;
}

bool rule_outcome(const struct document *doc, struct rule_outcome *out)
{
	if (!doc->winner)
		return false;
	*out = (struct rule_outcome){ doc->value, doc->winner->line, doc->turn };
	return true;
}

bool rule_outcome_wins(const struct rule_outcome *one, const char *path,
		       const struct rule_outcome *other, const char *other_path)
{
	if (one->turn != other->turn)
		return one->turn > other->turn;
	return strcmp(strrchr(path, '/'), strrchr(other_path, '/')) > 0;
}

bool rule_concerns(const struct document *doc)
{
	for (size_t i = 0; i < doc->rule_count; i++) {
		if (doc->rules[i].relevant)
			return true;
	}
	return false;
}

/* Rules of others: what does harm there becomes a comment, and nothing is ever added. */
static int other_set(struct document *doc, const char *key, const char *value, struct err *err)
{
	(void)value; /* there is only one */
	return rule_text_set(doc, key, err);
}

static int other_unset(struct document *doc, const char *key, struct err *err)
{
	(void)doc;
	return err_set(err, EINVAL, "the rule \"%s\" is none of ours", key);
}

const struct document_type document_other_rules = {
	.name = "udev rules of others",
	.parse = doc_parse,
	.get = rule_text_get,
	.set = other_set,
	.set_all = rule_text_set_all,
	.unset = other_unset,
	.each = rule_text_each,
	.lint = rule_lint,
	.write = doc_write,
	.free = doc_free,
};

const struct document_type document_rule = {
	.name = "udev rule",
	.parse = doc_parse,
	.get = doc_get,
	.set = doc_set,
	.set_all = doc_set_all,
	.unset = doc_unset,
	.each = doc_each,
	.lint = rule_lint,
	.write = doc_write,
	.free = doc_free,
};
