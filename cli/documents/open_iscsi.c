/* SPDX-License-Identifier: MIT */
#include "documents/open_iscsi.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "documents/document.h"
#include "documents/open_iscsi_lines.h"
#include "err.h"

static void doc_free(struct document *doc)
{
	if (!doc)
		return;
	lines_done(doc);
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
	int r = document_check_text(bytes, len, err);

	if (r < 0)
		return r;
	doc = calloc(1, sizeof(*doc));
	if (!doc)
		return err_oom(err);
	doc->text.secret = true;
	buf_add(&doc->text, bytes, len);
	if (doc->text.failed)
		return err_oom(err);
	r = lines_index(doc, err);
	if (r < 0)
		return r;
	*out = TAKE_PTR(doc);
	return 0;
}

static const char *doc_get(const struct document *doc, const char *key, unsigned *number)
{
	const struct line *line = lines_find(doc, key, strlen(key));

	if (number)
		*number = line ? (unsigned)(line - doc->lines) + 1 : 0;
	return line ? line_value(doc, line) : NULL;
}

static int doc_each(const struct document *doc,
		    int (*fn)(const char *key, const char *value, unsigned line, void *ctx),
		    void *ctx)
{
	char key[OPEN_ISCSI_KEY_MAX + 1];
	const struct line *line;
	size_t i;
	int r;

	for (i = 0; i < doc->line_count; i++) {
		line = &doc->lines[i];
		if (!line_in_effect(doc, line))
			continue;
		memcpy(key, line_key(doc, line), line->key_len);
		key[line->key_len] = '\0';
		r = fn(key, line_value(doc, line), (unsigned)i + 1, ctx);
		if (r != 0)
			return r;
	}
	return 0;
}

static int check_key(const char *key, struct err *err)
{
	const size_t len = strlen(key);
	size_t i;

	if (len == 0 || len > OPEN_ISCSI_KEY_MAX)
		return err_set(err, EINVAL, "a key of %zu bytes (1 to %d allowed)", len,
			       OPEN_ISCSI_KEY_MAX);
	for (i = 0; i < len; i++) {
		if (!key_char(key[i]))
			return err_set(err, EINVAL,
				       "key \"%s\" holds a byte that open-iscsi does "
				       "not take for part of a key",
				       key);
	}
	if (key[0] == '#' || strncmp(key, "iscsid.", strlen("iscsid.")) == 0)
		return err_set(err, EINVAL,
			       "key \"%s\" is not one of idbm's, which alone are written", key);
	return 0;
}

/* A value that its reader takes to the letter. The value may be a secret: it is never shown. */
static int check_value(const char *key, const char *value, struct err *err)
{
	const int known = open_iscsi_key_index(key, strlen(key), 0);
	const size_t len = strlen(value);
	char number[16];
	size_t i;

	if (len == 0 || len > OPEN_ISCSI_VALUE_MAX)
		return err_set(err, EINVAL, "%s: a value of %zu bytes (1 to %d allowed)", key, len,
			       OPEN_ISCSI_VALUE_MAX);
	for (i = 0; i < len; i++) {
		if ((unsigned char)value[i] < ' ' || value[i] == 0x7f)
			return err_set(err, EINVAL,
				       "%s: the value holds a control character at byte %zu", key,
				       i + 1);
	}
	if (blank(value[0]) || blank(value[len - 1]))
		return err_set(err, EINVAL,
			       "%s: the value begins or ends with a blank, which open-iscsi drops",
			       key);
	if (known < 0)
		return 0;
	if (!open_iscsi_accepts(&open_iscsi_keys[known], value, len))
		return err_set(err, EINVAL, "%s: \"%s\" is none of %s", key, value,
			       open_iscsi_keys[known].options);
	snprintf(number, sizeof(number), "%" PRId32, open_iscsi_number(value, len));
	if (open_iscsi_keys[known].kind == OPEN_ISCSI_NUMBER && strcmp(number, value) != 0)
		return err_set(err, EINVAL, "%s: open-iscsi would read \"%s\" as %s", key, value,
			       number);
	return 0;
}

/* One edit of the text: what becomes of each line while it is copied. */
struct edit {
	const char *key;
	size_t key_len;
	const char *value; /* NULL: remove the key's lines in effect */
	const struct line *target; /* it receives the value; NULL: a new line does */
	size_t after; /* new line: index of the line ahead of it, plus one; 0: the first */
	struct buf out;
};

/* The line whose value is replaced: the one in effect, else the last that was meant to be. */
static const struct line *find_target(const struct document *doc, const struct edit *edit)
{
	const struct line *line = lines_find(doc, edit->key, edit->key_len);
	size_t i;

	for (i = doc->line_count; !line && i-- > 0;) {
		if (line_assigns(doc, &doc->lines[i], edit->key, edit->key_len))
			line = &doc->lines[i];
	}
	return line;
}

/*
 * Where a new line goes: after the last commented-out default of its key; in a
 * record after the last of the keys that iscsiadm writes ahead of it, and
 * before the end mark; else at the end.
 */
static size_t find_place(const struct document *doc, const struct edit *edit)
{
	const int known = open_iscsi_key_index(edit->key, edit->key_len, 0);
	const struct line *line;
	size_t i, end = doc->line_count, neighbour = 0;
	int nearest = -1;
	bool record = lines_find(doc, "node.name", strlen("node.name")) != NULL;

	for (i = doc->line_count; i-- > 0;) {
		line = &doc->lines[i];
		if (line->form == LINE_DEFAULT && line->key_len == edit->key_len &&
		    memcmp(line_key(doc, line), edit->key, edit->key_len) == 0)
			return i + 1;
		if (line->form == LINE_END && end == doc->line_count)
			end = i;
		if (line->form == LINE_VALUE && line->known < known && line->known > nearest) {
			nearest = line->known;
			neighbour = i + 1;
		}
	}
	return record && neighbour > 0 ? neighbour : end;
}

/* The line ending in use at a place: that of the line ahead of it, or of the next one. */
static const char *ending(const struct document *doc, size_t after)
{
	const struct line *line;

	if (doc->line_count == 0)
		return "\n";
	line = &doc->lines[after > 0 ? after - 1 : 0];
	if (!line->newline && line > doc->lines)
		line--;
	return line->len > 0 && doc->text.data[line->start + line->len - 1] == '\r' ? "\r\n" : "\n";
}

/*
 * Write the value in place. What is read keeps its spacing, and behind a
 * number its note, which the reader drops; what was ignored becomes
 * "key = value" with its own indentation.
 */
static void write_target(const struct document *doc, struct edit *edit)
{
	const struct line *line = edit->target;
	const char *text = doc->text.data, *start = text + line->start, *end = start + line->len;
	const char *value = text + line->value, *tail;

	if (line->form == LINE_VALUE || line->form == LINE_NO_NEWLINE ||
	    line->form == LINE_BAD_OPTION) {
		buf_add(&edit->out, start, (size_t)(value - start));
		buf_adds(&edit->out, edit->value);
		tail = value + line->value_len;
		if (line->known >= 0 && open_iscsi_keys[line->known].kind == OPEN_ISCSI_NUMBER) {
			const char *note = memchr(value, '#', line->value_len);

			while (note && note > value && blank(note[-1]))
				note--;
			if (note && note > value && *note != '#')
				tail = note;
		}
	} else {
		if (line->form != LINE_BOM)
			buf_add(&edit->out, start, line->key - line->start);
		buf_addf(&edit->out, "%s = %s", edit->key, edit->value);
		for (tail = end; tail > start && blank(tail[-1]);)
			tail--;
	}
	buf_add(&edit->out, tail, (size_t)(end - tail));
}

static void write_new(const struct document *doc, struct edit *edit)
{
	buf_addf(&edit->out, "%s = %s%s", edit->key, edit->value, ending(doc, edit->after));
}

/* Copy the text, changing what must change. The final newline comes back where it was missing. */
static int edit_write(const struct document *doc, struct edit *edit, struct err *err)
{
	const struct line *line;
	size_t i, from;
	bool ours;

	if (edit->value && !edit->target && edit->after == 0)
		write_new(doc, edit);
	for (i = 0; i < doc->line_count; i++) {
		line = &doc->lines[i];
		from = edit->out.len;
		ours = line_assigns(doc, line, edit->key, edit->key_len);
		if (!edit->value && ours && line->form == LINE_VALUE)
			continue;
		if (edit->value && line == edit->target) {
			write_target(doc, edit);
		} else {
			if (edit->value && ours)
				buf_adds(&edit->out, "# ");
			buf_add(&edit->out, doc->text.data + line->start, line->len);
		}
		if (edit->out.len - from > OPEN_ISCSI_LINE_MAX)
			return err_set(
				err, EINVAL,
				"line %zu would grow to %zu bytes, where open-iscsi reads %d; "
				"remove its blanks",
				i + 1, edit->out.len - from, OPEN_ISCSI_LINE_MAX);
		if (line->newline)
			buf_add(&edit->out, "\n", 1);
		else if (edit->value)
			buf_adds(&edit->out, ending(doc, i + 1));
		if (edit->value && !edit->target && edit->after == i + 1)
			write_new(doc, edit);
	}
	return 0;
}

/* Make the edit, and read the text anew; the document stays as it was where that fails. */
static int edit_apply(struct document *doc, struct edit *edit, struct err *err)
{
	struct document changed = { .text.secret = true };
	int r;

	r = edit_write(doc, edit, err);
	if (r == 0 && edit->out.len > DOCUMENT_SIZE_MAX)
		r = err_set(err, EFBIG, "the file would grow to %zu bytes", edit->out.len);
	if (r == 0) {
		buf_add(&edit->out, "", 0);
		changed.text = edit->out;
		edit->out = (struct buf){ 0 };
		r = changed.text.failed ? err_oom(err) : lines_index(&changed, err);
	}
	if (r == 0) {
		struct document old = *doc;

		*doc = changed;
		changed = old;
	}
	lines_done(&changed);
	buf_done(&changed.text);
	buf_done(&edit->out);
	return r < 0 ? r : 1;
}

static int doc_set(struct document *doc, const char *key, const char *value, struct err *err)
{
	struct edit edit = { .key = key, .value = value, .out.secret = true };
	const char *current;
	int r;

	r = check_key(key, err);
	if (r == 0)
		r = check_value(key, value, err);
	if (r < 0)
		return r;
	current = doc_get(doc, key, NULL);
	if (current && strcmp(current, value) == 0)
		return 0;
	edit.key_len = strlen(key);
	edit.target = find_target(doc, &edit);
	if (!edit.target)
		edit.after = find_place(doc, &edit);
	return edit_apply(doc, &edit, err);
}

static int doc_unset(struct document *doc, const char *key, struct err *err)
{
	struct edit edit = { .key = key, .key_len = strlen(key), .out.secret = true };

	if (!doc_get(doc, key, NULL))
		return 0;
	return edit_apply(doc, &edit, err);
}

static int doc_write(const struct document *doc, struct buf *out, struct err *err)
{
	buf_add(out, doc->text.data, doc->text.len);
	return out->failed ? err_oom(err) : 0;
}

const struct document_type document_open_iscsi = {
	.name = "open-iscsi configuration",
	.parse = doc_parse,
	.get = doc_get,
	.set = doc_set,
	.unset = doc_unset,
	.each = doc_each,
	.lint = open_iscsi_lint,
	.write = doc_write,
	.free = doc_free,
};

const char *open_iscsi_database(const char *path)
{
	static const char *const roots[] = { "/etc/iscsi", "/var/lib/iscsi" };

	for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
		size_t len = strlen(roots[i]);

		if (strncmp(path, roots[i], len) == 0 && path[len] == '/')
			return roots[i];
	}
	return NULL;
}
