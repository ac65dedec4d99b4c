/* SPDX-License-Identifier: MIT */
/*
 * The lines of an open-iscsi configuration, each as idbm's reader takes it.
 * Private to documents/open_iscsi*.c.
 */
#ifndef SGW_OPEN_ISCSI_LINES_H
#define SGW_OPEN_ISCSI_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "documents/document.h"

struct err;

enum line_form {
	LINE_NOTHING, /* empty, a comment, or one of iscsid's own, which another parser reads */
	LINE_DEFAULT, /* "#key = value": a commented-out default */
	LINE_END, /* "# END RECORD" */
	LINE_VALUE, /* read; in effect unless a later one is */
	/* Ignored by the reader, although a key stands there. */
	LINE_NO_BLANK, /* "key=value" */
	LINE_NO_EQUALS, /* "key value" */
	LINE_NO_VALUE, /* "key =", "key" */
	LINE_NO_NEWLINE, /* "key = value" at the end of the file */
	LINE_BAD_OPTION, /* a word that this key does not know */
	LINE_BOM, /* the first line behind a byte order mark */
	LINE_FORMS,
};

struct line {
	uint32_t start, len; /* without the newline, with a CR before it */
	uint32_t key, value; /* offsets in the text */
	uint8_t key_len, value_len; /* of those forms that have them */
	uint8_t form;
	bool newline;
	int16_t known; /* index in open_iscsi_keys, or -1 */
	uint32_t winner; /* of a LINE_VALUE: index of the line that overrides it, or its own */
};

struct document {
	struct buf text;
	struct line *lines;
	size_t line_count;
	uint32_t *slots; /* hash of key to the index + 1 of its line in effect */
	uint32_t slot_mask;
	char *values; /* at a line's start offset: its value as the reader takes it */
	size_t values_size;
};

/* Read doc->text anew; what cannot be edited safely is -EINVAL with "line N: reason". */
int lines_index(struct document *doc, struct err *err);
void lines_done(struct document *doc);
/* The line in effect for a key, or NULL. */
const struct line *lines_find(const struct document *doc, const char *key, size_t key_len);

static inline const char *line_key(const struct document *doc, const struct line *line)
{
	return doc->text.data + line->key;
}

static inline const char *line_value(const struct document *doc, const struct line *line)
{
	return doc->values + line->start;
}

static inline bool line_in_effect(const struct document *doc, const struct line *line)
{
	return line->form == LINE_VALUE && line->winner == (uint32_t)(line - doc->lines);
}

/* Of key, and read or meant to be read: anything but a comment. */
bool line_assigns(const struct document *doc, const struct line *line, const char *key,
		  size_t key_len);
/* isspace() of the C locale, as open-iscsi uses it. */
bool blank(char c);
/* A key of ours as the reader splits it: no control character, no blank, no '='. */
bool key_char(char c);

/* documents/open_iscsi_lint.c: document_open_iscsi's lint. */
int open_iscsi_lint(const struct document *doc, const char *const *keys, lint_fn *fn, void *ctx);

#endif
