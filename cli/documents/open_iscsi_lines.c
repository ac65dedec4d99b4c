/* SPDX-License-Identifier: MIT */
#include "documents/open_iscsi_lines.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "documents/open_iscsi.h"
#include "err.h"
#include "os/memory.h"

#define BOM "\xef\xbb\xbf"

bool blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

bool key_char(char c)
{
	return c > ' ' && c <= '~' && c != '=';
}

static bool starts(const char *p, const char *end, const char *word)
{
	size_t len = strlen(word);

	return (size_t)(end - p) >= len && memcmp(p, word, len) == 0;
}

/* What follows '#': the record's end mark, a default that can be uncommented, or prose. */
static void read_comment(struct line *line, const char *text, const char *p, const char *end)
{
	const char *key;

	if (starts(p, end, "# END RECORD")) {
		line->form = LINE_END;
		return;
	}
	while (p < end && (*p == '#' || blank(*p)))
		p++;
	for (key = p; p < end && key_char(*p);)
		p++;
	if (p == key || p - key > OPEN_ISCSI_KEY_MAX)
		return;
	line->key = (uint32_t)(key - text);
	line->key_len = (uint8_t)(p - key);
	while (p < end && blank(*p))
		p++;
	if (p < end && *p == '=')
		line->form = LINE_DEFAULT;
}

/*
 * One line as idbm's reader splits it. The key ends at a blank or '='; that
 * byte, whichever it was, and the blanks behind it are skipped, and only then
 * must there be a '='. Hence "k=v" is ignored and "k==v" is not.
 */
static int read_assignment(struct line *line, const char *text, const char *p, const char *end,
			   struct err *err)
{
	const char *key = p;
	bool equals;

	while (p < end && !blank(*p) && *p != '=')
		p++;
	if (p - key > OPEN_ISCSI_KEY_MAX)
		return err_set(
			err, EINVAL,
			"a key of %td bytes, where open-iscsi reads %d and its older versions "
			"crash (CVE-2026-18724); shorten or remove the line",
			p - key, OPEN_ISCSI_KEY_MAX);
	line->key = (uint32_t)(key - text);
	line->key_len = (uint8_t)(p - key);
	line->form = LINE_NO_VALUE;
	if (p == end)
		return 0;
	equals = *p++ == '=';
	while (p < end && blank(*p))
		p++;
	if (p < end && *p != '=') {
		line->form = equals ? LINE_NO_BLANK : LINE_NO_EQUALS;
		return 0;
	}
	p += p < end;
	while (p < end && blank(*p))
		p++;
	if (p == end)
		return 0;
	if (end - p > OPEN_ISCSI_VALUE_MAX)
		return err_set(
			err, EINVAL,
			"a value of %td bytes, where open-iscsi reads %d and its older versions "
			"crash (CVE-2026-18724); shorten or remove the line",
			end - p, OPEN_ISCSI_VALUE_MAX);
	line->value = (uint32_t)(p - text);
	line->value_len = (uint8_t)(end - p);
	line->form = LINE_VALUE;
	return 0;
}

static int read_line(struct line *line, const char *text, struct err *err)
{
	const char *p = text + line->start, *end = p + line->len;
	bool bom = line->start == 0 && starts(p, end, BOM);
	int r = 0;

	if (line->len > OPEN_ISCSI_LINE_MAX)
		return err_set(err, EINVAL,
			       "%" PRIu32
			       " bytes, where open-iscsi reads %d and takes the rest for "
			       "another line, even out of a comment; shorten the line",
			       line->len, OPEN_ISCSI_LINE_MAX);
	if (bom)
		p += strlen(BOM);
	while (p < end && blank(*p))
		p++;
	while (end > p && blank(end[-1]))
		end--;
	if (p == end || starts(p, end, "iscsid."))
		return 0;
	if (*p == '#')
		read_comment(line, text, p, end);
	else
		r = read_assignment(line, text, p, end, err);
	if (r < 0)
		return r;
	/* Prose, or the first part of a pair. What is whole but for its newline can be mended. */
	if (!line->newline && (line->form == LINE_NOTHING || line->form == LINE_NO_VALUE ||
			       line->form == LINE_NO_EQUALS))
		return err_set(
			err, EINVAL,
			"the file ends within this line, as if it had been cut off; complete "
			"the line and end it, or remove it");
	if (line->form < LINE_VALUE)
		return 0;
	if (bom)
		line->form = LINE_BOM;
	else if (!line->newline && line->form == LINE_VALUE)
		line->form = LINE_NO_NEWLINE;
	return 0;
}

/* Keep the value as the reader takes it where get() finds it. */
static void keep_value(struct document *doc, struct line *line)
{
	const char *text = doc->text.data + line->value;
	char *to = doc->values + line->start;
	const struct open_iscsi_key *key = line->known < 0 ? NULL : &open_iscsi_keys[line->known];

	if (key && key->kind == OPEN_ISCSI_OPTION &&
	    !open_iscsi_accepts(key, text, line->value_len)) {
		line->form = LINE_BAD_OPTION;
	} else if (key && key->kind == OPEN_ISCSI_NUMBER) {
		/* "-2147483648" fits: even "node.tpgt =1" and its newline are longer. */
		snprintf(to, line->len + 1, "%" PRId32, open_iscsi_number(text, line->value_len));
	} else {
		memcpy(to, text, line->value_len);
		to[line->value_len] = '\0';
	}
}

/* The slot of a key: that of its line in effect, or a free one. */
static uint32_t *slot_find(const struct document *doc, const char *key, size_t len)
{
	uint32_t hash = 2166136261u, at;
	const struct line *line;
	size_t i;

	for (i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)key[i]) * 16777619u;
	for (at = hash & doc->slot_mask; doc->slots[at]; at = (at + 1) & doc->slot_mask) {
		line = &doc->lines[doc->slots[at] - 1];
		if (line->key_len == len && memcmp(line_key(doc, line), key, len) == 0)
			break;
	}
	return &doc->slots[at];
}

const struct line *lines_find(const struct document *doc, const char *key, size_t key_len)
{
	uint32_t slot = *slot_find(doc, key, key_len);

	return slot ? &doc->lines[slot - 1] : NULL;
}

/* Later lines win: fill from the end, and what finds its key taken is overridden. */
static void choose_winners(struct document *doc)
{
	struct line *line;
	uint32_t *slot;
	size_t i;

	for (i = doc->line_count; i-- > 0;) {
		line = &doc->lines[i];
		if (line->form != LINE_VALUE)
			continue;
		slot = slot_find(doc, line_key(doc, line), line->key_len);
		if (!*slot)
			*slot = (uint32_t)i + 1;
		line->winner = *slot - 1;
	}
}

static size_t count_lines(const char *text, size_t len)
{
	const char *at, *end = text + len;
	size_t count = 0;

	for (at = text; at && at < end; count++) {
		at = memchr(at, '\n', (size_t)(end - at));
		at = at ? at + 1 : NULL;
	}
	return count;
}

void lines_done(struct document *doc)
{
	if (doc->values)
		memory_wipe(doc->values, doc->values_size);
	free(doc->values);
	free(doc->lines);
	free(doc->slots);
	doc->values = NULL;
	doc->lines = NULL;
	doc->slots = NULL;
	doc->line_count = 0;
}

static int lines_allocate(struct document *doc, struct err *err)
{
	const size_t count = count_lines(doc->text.data, doc->text.len);
	size_t slots = 4;

	while (slots < 2 * count)
		slots *= 2;
	lines_done(doc);
	doc->values_size = doc->text.len + 1;
	doc->slot_mask = (uint32_t)slots - 1;
	doc->lines = calloc(count + 1, sizeof(*doc->lines));
	doc->slots = calloc(slots, sizeof(*doc->slots));
	doc->values = malloc(doc->values_size);
	if (!doc->lines || !doc->slots || !doc->values)
		return err_oom(err);
	doc->line_count = count;
	return 0;
}

static int name_line(struct err *err, size_t number)
{
	char reason[ERR_REASON_MAX];

	snprintf(reason, sizeof(reason), "%s", err->reason);
	return err_set(err, err->code, "line %zu: %s", number, reason);
}

int lines_index(struct document *doc, struct err *err)
{
	const char *text = doc->text.data, *end = text + doc->text.len, *at = text, *eol;
	struct line *line;
	size_t i, known = 0;
	int r;

	r = lines_allocate(doc, err);
	if (r < 0)
		return r;
	for (i = 0; i < doc->line_count; i++, at = eol + 1) {
		line = &doc->lines[i];
		eol = memchr(at, '\n', (size_t)(end - at));
		line->newline = eol != NULL;
		if (!eol)
			eol = end;
		line->start = (uint32_t)(at - text);
		line->len = (uint32_t)(eol - at);
		line->known = -1;
		r = read_line(line, text, err);
		if (r < 0)
			return name_line(err, i + 1);
		if (line->key_len > 0)
			line->known = (int16_t)open_iscsi_key_index(line_key(doc, line),
								    line->key_len, known);
		if (line->known >= 0)
			known = (size_t)line->known + 1;
		if (line->form == LINE_VALUE)
			keep_value(doc, line);
	}
	choose_winners(doc);
	return 0;
}

bool line_assigns(const struct document *doc, const struct line *line, const char *key,
		  size_t key_len)
{
	return line->form >= LINE_VALUE && line->key_len == key_len &&
	       memcmp(line_key(doc, line), key, key_len) == 0;
}
