/* SPDX-License-Identifier: MIT */
#include "diff.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "err.h"
#include "escape.h"

enum edit { EDIT_KEEP = ' ', EDIT_REMOVE = '-', EDIT_ADD = '+' };

enum {
	CONTEXT = 3,
	MIDDLE_MAX =
		4096, /* lines between common head and tail; more are shown as replaced whole */
};

struct line {
	const char *text;
	size_t len; /* with its newline */
};

static int split_lines(const char *text, struct line **out, size_t *count)
{
	size_t n = 0;

	for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n')
		n++;
	*out = calloc(n + 1, sizeof(**out));
	*count = n;
	if (!*out)
		return -1;
	for (size_t i = 0; i < n; i++) {
		size_t len = strcspn(text, "\n");

		(*out)[i] = (struct line){ text, len + (text[len] == '\n') };
		text += (*out)[i].len;
	}
	return 0;
}

static bool same_line(const struct line *a, const struct line *b)
{
	return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

/* Longest common subsequence of every pair of tails: (n + 1) * (m + 1) lengths. */
static uint16_t *lcs_table(const struct line *a, size_t n, const struct line *b, size_t m)
{
	uint16_t *lcs = calloc((n + 1) * (m + 1), sizeof(*lcs));

	for (size_t i = n; lcs && i-- > 0;) {
		uint16_t *row = lcs + i * (m + 1), *below = row + m + 1;

		for (size_t j = m; j-- > 0;) {
			if (same_line(&a[i], &b[j]))
				row[j] = below[j + 1] + 1;
			else
				row[j] = below[j] > row[j + 1] ? below[j] : row[j + 1];
		}
	}
	return lcs;
}

/* Write the edits that make the lines of b out of those of a; returns where they end. */
static char *edits_of_middle(char *edits, const struct line *a, size_t n, const struct line *b,
			     size_t m, const uint16_t *lcs)
{
	size_t i = 0, j = 0;

	while (i < n || j < m) {
		if (i < n && j < m && same_line(&a[i], &b[j])) {
			*edits++ = EDIT_KEEP;
			i++, j++;
		} else if (i < n &&
			   (j == m || lcs[(i + 1) * (m + 1) + j] >= lcs[i * (m + 1) + j + 1])) {
			*edits++ = EDIT_REMOVE;
			i++;
		} else {
			*edits++ = EDIT_ADD;
			j++;
		}
	}
	return edits;
}

/* One char an edit, ended by NUL; the caller frees it. NULL: out of memory. */
static char *edits_find(const struct line *a, size_t a_len, const struct line *b, size_t b_len)
{
	size_t head = 0, tail = 0, n, m;
	CLEANUP(free_ptr) uint16_t *lcs = NULL;
	char *edits = malloc(a_len + b_len + 1), *end = edits;

	while (head < a_len && head < b_len && same_line(&a[head], &b[head]))
		head++;
	while (tail < a_len - head && tail < b_len - head &&
	       same_line(&a[a_len - 1 - tail], &b[b_len - 1 - tail]))
		tail++;
	n = a_len - head - tail;
	m = b_len - head - tail;
	if (!edits)
		return NULL;
	memset(end, EDIT_KEEP, head);
	end += head;
	if (n > MIDDLE_MAX || m > MIDDLE_MAX) {
		memset(end, EDIT_REMOVE, n);
		memset(end + n, EDIT_ADD, m);
		end += n + m;
	} else {
		lcs = lcs_table(a + head, n, b + head, m);
		if (!lcs) {
			free(edits);
			return NULL;
		}
		end = edits_of_middle(end, a + head, n, b + head, m, lcs);
	}
	memset(end, EDIT_KEEP, tail);
	end[tail] = '\0';
	return edits;
}

/* Byte for byte, so that patch(1) takes it; but nothing that would drive a terminal. */
static void print_bytes(const char *text, size_t len, FILE *out)
{
	for (size_t i = 0, step; i < len; i += step) {
		const unsigned char byte = (unsigned char)text[i];
		unsigned int code = byte;
		bool raw;

		step = utf8_char(text + i, len - i, &code);
		if (step == 0) { /* another code, such as Latin-1: its letters may pass */
			step = 1;
			code = byte;
		}
		raw = escape_is_plain(code) || code == '\t' || (code == '\r' && i + 1 == len);
		if (raw)
			fwrite(text + i, 1, step, out);
		for (size_t k = 0; !raw && k < step; k++)
			fprintf(out, "\\x%02x", (unsigned char)text[i + k]);
	}
}

/* NULL: the file is not there. */
static void print_name(const char *mark, char side, const char *path, FILE *out)
{
	fputs(mark, out);
	if (path) {
		fputc(side, out);
		print_bytes(path, strlen(path), out);
	} else {
		fputs("/dev/null", out);
	}
	fputc('\n', out);
}

static void print_line(char edit, const struct line *line,
		       size_t (*shown)(const char *line, size_t len), FILE *out)
{
	bool newline = line->len > 0 && line->text[line->len - 1] == '\n';
	size_t len = line->len - newline, visible = shown ? shown(line->text, len) : len;

	fputc(edit, out);
	print_bytes(line->text, visible, out);
	fprintf(out, "%s\n", visible < len ? "********" : "");
	if (!newline)
		fprintf(out, "\\ No newline at end of file\n");
}

/* One hunk from edit `from` on; returns where the next may start. */
static size_t print_hunk(const char *edits, size_t from, size_t *a_at, size_t *b_at,
			 const struct line *a, const struct line *b,
			 size_t (*shown)(const char *line, size_t len), FILE *out)
{
	size_t end = from, kept = 0, a_count = 0, b_count = 0, start;
	size_t context = from < CONTEXT ? from : CONTEXT;

	/* Two changes with at most twice the context between them share a hunk. */
	for (; edits[end] && kept <= 2 * CONTEXT; end++)
		kept = edits[end] == EDIT_KEEP ? kept + 1 : 0;
	if (kept > CONTEXT)
		end -= kept - CONTEXT;
	start = from - context;
	for (size_t i = start; i < end; i++) {
		a_count += edits[i] != EDIT_ADD;
		b_count += edits[i] != EDIT_REMOVE;
	}
	*a_at -= context;
	*b_at -= context;
	fprintf(out, "@@ -%zu,%zu +%zu,%zu @@\n", *a_at + (a_count > 0), a_count,
		*b_at + (b_count > 0), b_count);
	for (size_t i = start; i < end; i++) {
		print_line(edits[i], edits[i] == EDIT_ADD ? &b[*b_at] : &a[*a_at], shown, out);
		*a_at += edits[i] != EDIT_ADD;
		*b_at += edits[i] != EDIT_REMOVE;
	}
	return end;
}

int diff_print(const char *path, const char *before, const char *after,
	       size_t (*shown)(const char *line, size_t len), FILE *out, struct err *err)
{
	CLEANUP(free_ptr) struct line *a = NULL, *b = NULL;
	CLEANUP(free_ptr) char *edits = NULL;
	size_t a_len = 0, b_len = 0, a_at = 0, b_at = 0, i = 0;

	if (split_lines(before ? before : "", &a, &a_len) < 0 ||
	    split_lines(after ? after : "", &b, &b_len) < 0)
		return err_oom(err);
	edits = edits_find(a, a_len, b, b_len);
	if (!edits)
		return err_oom(err);
	print_name("--- ", 'a', before ? path : NULL, out);
	print_name("+++ ", 'b', after ? path : NULL, out);
	while (edits[i]) {
		if (edits[i] != EDIT_KEEP) {
			i = print_hunk(edits, i, &a_at, &b_at, a, b, shown, out);
			continue;
		}
		a_at++, b_at++, i++;
	}
	return 0;
}
