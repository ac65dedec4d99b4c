/* SPDX-License-Identifier: MIT */
/* What open-iscsi would misread in its files, or pass over without a word. */
#include "documents/open_iscsi.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "documents/open_iscsi_lines.h"

struct linter {
	const struct document *doc;
	const char *const *keys;
	bool record;
};

/* Forms that the reader ignores whatever the key. */
static const char *const ignored[LINE_FORMS] = {
	[LINE_NO_BLANK] =
		"open-iscsi ignores this line: a blank is missing before '='; write it as "
		"\"key = value\"",
	[LINE_NO_EQUALS] =
		"open-iscsi ignores this line: there is no '=' behind the key; write it as "
		"\"key = value\"",
	[LINE_NO_VALUE] =
		"open-iscsi ignores this line: no value follows; the default or an earlier "
		"line stays in effect; complete the line, or comment it out",
	[LINE_NO_NEWLINE] =
		"open-iscsi ignores this line: the file ends without a newline; end the line, "
		"or remove it",
	[LINE_BOM] =
		"open-iscsi ignores this line: the file begins with a byte order mark, which it "
		"takes for a part of the key; save the file without it",
};

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool equal_but_case(const char *a, const char *b)
{
	while (*a != '\0' && lower(*a) == lower(*b)) {
		a++;
		b++;
	}
	return *a == *b;
}

/* One byte wrong, missing, too many, or two swapped. */
static bool one_edit_apart(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	if (*a == '\0' || *b == '\0')
		return strlen(a) + strlen(b) == 1;
	return strcmp(a + 1, b + 1) == 0 || strcmp(a, b + 1) == 0 || strcmp(a + 1, b) == 0 ||
	       (a[0] == b[1] && a[1] == b[0] && strcmp(a + 2, b + 2) == 0);
}

/* Right at the end, wrong ahead of it: node.session.timeo.noop_out_interval. */
static bool same_last_part(const char *a, const char *b)
{
	const char *part = strrchr(a, '.'), *other = strrchr(b, '.');

	return part && other && strcmp(part, other) == 0 && strlen(part) > 8;
}

/* The key that an unknown one was meant to be, or NULL; ours come first. */
static const char *meant_key(const struct linter *linter, const char *key)
{
	const char *const *ours;
	size_t i;

	for (ours = linter->keys; ours && *ours; ours++) {
		if (equal_but_case(key, *ours) || one_edit_apart(key, *ours) ||
		    same_last_part(key, *ours))
			return *ours;
	}
	for (i = 0; i < open_iscsi_key_count; i++) {
		if (equal_but_case(key, open_iscsi_keys[i].name) ||
		    one_edit_apart(key, open_iscsi_keys[i].name))
			return open_iscsi_keys[i].name;
	}
	return NULL;
}

static bool is_ours(const struct linter *linter, const char *key)
{
	const char *const *ours;

	for (ours = linter->keys; ours && *ours; ours++) {
		if (strcmp(*ours, key) == 0)
			return true;
	}
	return false;
}

/* A name that no open-iscsi knows: a slip of ours, or of others. lint->key holds it on entry. */
static bool lint_unknown(const struct linter *linter, const struct line *line, struct lint *lint)
{
	const char *meant = meant_key(linter, lint->key);

	if (meant) {
		snprintf(lint->text, sizeof(lint->text),
			 "open-iscsi knows no key \"%s\" and ignores this line; did you mean %s?",
			 lint->key, meant);
		snprintf(lint->key, sizeof(lint->key), "%s", meant);
		lint->ours = is_ours(linter, meant);
		return true;
	}
	/* It may be anything, a secret on a line of its own too. */
	lint->key[0] = '\0';
	if (line->form != LINE_VALUE)
		return false;
	if (!linter->record)
		lint->severity = SEVERITY_INFO;
	snprintf(lint->text, sizeof(lint->text), "%s",
		 linter->record ? "open-iscsi knows no such key, and iscsiadm -m node lists no "
				  "record at all "
				  "while one holds it; remove the line"
				: "open-iscsi 2.1 knows no such key and ignores this line");
	return true;
}

/*
 * Whether nothing but blanks and a "# note" stands behind byte i; the reader of
 * numbers drops it.
 */
static bool note_follows(const char *text, size_t len, size_t i)
{
	const size_t blanks = i;

	while (i < len && blank(text[i]))
		i++;
	return i > blanks && i < len && text[i] == '#';
}

/* A number that is read as another than it seems. Keys of numbers are no secrets. */
static bool lint_number(const char *text, size_t len, struct lint *lint)
{
	const int32_t number = open_iscsi_number(text, len);
	const size_t sign = text[0] == '-' || text[0] == '+';
	const char *why;
	int64_t meant = 0;
	size_t i;

	for (i = sign; i < len && text[i] >= '0' && text[i] <= '9'; i++)
		meant = meant > INT32_MAX ? meant : 10 * meant + (text[i] - '0');
	if (text[0] == '-')
		meant = -meant;
	if (i == sign && text[0] == '=')
		why = "one '=' is too many";
	else if (i == sign && (text[0] == '"' || text[0] == '\''))
		why = "the quotes count as part of the value";
	else if (i == sign)
		why = "it does not begin with a digit";
	else if (i == 1 && text[0] == '0' && len > 1 && lower(text[1]) == 'x')
		why = "hexadecimal numbers are not read";
	else if (i < len && !note_follows(text, len, i))
		why = "what follows the digits is dropped";
	else if (meant != number)
		why = "it does not fit a C int";
	else
		return false;
	snprintf(lint->text, sizeof(lint->text),
		 "open-iscsi reads \"%.*s\" as %" PRId32 ": %s; write plain digits", (int)len, text,
		 number, why);
	return true;
}

/* Quotes and notes belong to a text's value, as they stand. */
static bool lint_text(const char *text, size_t len, struct lint *lint)
{
	const bool secret = open_iscsi_is_secret(lint->key);
	const char *note = memchr(text, '#', len);

	if (len > 1 && (text[0] == '"' || text[0] == '\'') && text[len - 1] == text[0]) {
		snprintf(lint->text, sizeof(lint->text),
			 "the quotes are part of the value; remove them");
	} else if (note && note > text && blank(note[-1])) {
		snprintf(lint->text, sizeof(lint->text),
			 "what follows '#' is part of the value; put notes on a line of their own");
	} else {
		return false;
	}
	if (secret)
		lint->severity = SEVERITY_INFO; /* a secret may well look like that */
	return true;
}

static bool lint_value(const struct document *doc, const struct line *line, struct lint *lint)
{
	const struct open_iscsi_key *key = &open_iscsi_keys[line->known];
	const char *text = doc->text.data + line->value;
	size_t len = line->value_len;
	const char *note = memchr(text, '#', len);

	if (line->form == LINE_BAD_OPTION) {
		snprintf(lint->text, sizeof(lint->text),
			 "open-iscsi ignores this line: \"%.*s\" is none of %s%s", (int)len, text,
			 key->options, note ? "; a note must stand on a line of its own" : "");
		return true;
	}
	switch (key->kind) {
	case OPEN_ISCSI_NUMBER:
		return lint_number(text, len, lint);
	case OPEN_ISCSI_TEXT:
		return lint_text(text, len, lint);
	case OPEN_ISCSI_LIST:
		if (open_iscsi_accepts(key, text, len))
			return false;
		snprintf(lint->text, sizeof(lint->text),
			 "open-iscsi drops what it does not know of \"%.*s\"; it knows %s",
			 (int)len, text, key->options);
		return true;
	case OPEN_ISCSI_OPTION:
		break;
	}
	return false;
}

static bool lint_overridden(const struct document *doc, const struct line *line, struct lint *lint)
{
	const struct line *winner = &doc->lines[line->winner];

	if (line_in_effect(doc, line) ||
	    strcmp(line_value(doc, line), line_value(doc, winner)) == 0)
		return false;
	snprintf(lint->text, sizeof(lint->text),
		 "line %u sets the same key to another value and wins, as the later one",
		 line->winner + 1);
	return true;
}

/* What is worth saying of one line, the gravest thing first. */
static bool lint_line(const struct linter *linter, const struct line *line, struct lint *lint)
{
	const struct document *doc = linter->doc;

	memcpy(lint->key, line_key(doc, line), line->key_len);
	lint->key[line->key_len] = '\0';
	lint->ours = is_ours(linter, lint->key);
	if (line->known < 0 && !lint->ours && lint_unknown(linter, line, lint))
		return true;
	if (ignored[line->form]) {
		snprintf(lint->text, sizeof(lint->text), "%s", ignored[line->form]);
		return true;
	}
	if (line->known >= 0 && lint_value(doc, line, lint))
		return true;
	return line->form == LINE_VALUE && lint_overridden(doc, line, lint);
}

/* iscsiadm writes a record in place: one without its end mark may have lost its tail. */
static bool lint_end(const struct document *doc, struct lint *lint)
{
	static const char begin[] = "# BEGIN RECORD";
	const struct line *line = NULL;
	size_t i;

	for (i = 0; i < doc->line_count; i++) {
		if (doc->lines[i].form == LINE_END)
			return false;
		if (doc->lines[i].len >= strlen(begin) &&
		    memcmp(doc->text.data + doc->lines[i].start, begin, strlen(begin)) == 0)
			line = &doc->lines[i];
	}
	if (!line)
		return false;
	snprintf(
		lint->text, sizeof(lint->text),
		"the record begins here and its end mark is missing: it may have been cut off, and "
		"what it lacks reads as open-iscsi's default");
	lint->line = (unsigned)(line - doc->lines) + 1;
	return true;
}

int open_iscsi_lint(const struct document *doc, const char *const *keys, lint_fn *fn, void *ctx)
{
	const struct linter linter = {
		.doc = doc,
		.keys = keys,
		.record = lines_find(doc, "node.name", strlen("node.name")) != NULL,
	};
	struct lint lint;
	size_t i;
	int r;

	for (i = 0; i < doc->line_count; i++) {
		if (doc->lines[i].form < LINE_VALUE)
			continue;
		lint = (struct lint){ .line = (unsigned)i + 1, .severity = SEVERITY_WARNING };
		r = lint_line(&linter, &doc->lines[i], &lint) ? fn(&lint, ctx) : 0;
		if (r != 0)
			return r;
	}
	lint = (struct lint){ .severity = SEVERITY_WARNING };
	return lint_end(doc, &lint) ? fn(&lint, ctx) : 0;
}
