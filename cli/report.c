/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "buf.h"
#include "err.h"
#include "escape.h"

enum { GAP = 2 }; /* blanks between two columns */

/* Columns of a terminal that a text takes: one a code point is near enough. */
static size_t text_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void add_cell(struct table *table, const char *text)
{
	size_t len = strlen(text);
	char *shown = malloc(4 * len + 1);

	if (!shown || !ARRAY_ROOM(table->cells, table->count)) {
		free(shown);
		table->failed = 1;
		return;
	}
	if (table->plain)
		memcpy(shown, text, len + 1);
	else
		escape_text(text, len, shown, 4 * len + 1);
	table->cells[table->count++] = shown;
}

void table_init(struct table *table, const char *const *titles)
{
	*table = (struct table){ 0 };
	for (; titles[table->columns]; table->columns++)
		add_cell(table, titles[table->columns]);
}

void table_row(struct table *table, ...)
{
	va_list args;
	const char *text;

	va_start(args, table);
	while ((text = va_arg(args, const char *)))
		add_cell(table, text);
	va_end(args);
}

size_t table_rows(const struct table *table)
{
	return table->columns ? table->count / table->columns - 1 : 0;
}

/* The widths of the columns; 0 for one that is empty beneath its title. */
static void measure(const struct table *table, size_t columns, size_t widths[TABLE_COLUMNS])
{
	for (size_t i = table->columns; i < table->count; i++) {
		size_t width = text_width(table->cells[i]);

		if (width > widths[i % table->columns])
			widths[i % table->columns] = width;
	}
	for (size_t i = 0; i < columns; i++) {
		size_t width = text_width(table->cells[i]);

		if (widths[i] > 0 && width > widths[i])
			widths[i] = width;
	}
}

/* Blanks are owed to the next cell that holds something: none end a line. */
static void print_row(char *const *cells, size_t columns, const size_t widths[TABLE_COLUMNS],
		      FILE *out)
{
	size_t owed = 0;

	for (size_t i = 0; i < columns; i++) {
		size_t width = text_width(cells[i]);

		if (widths[i] == 0)
			continue;
		if (width > 0) {
			fprintf(out, "%*s%s", (int)owed, "", cells[i]);
			owed = 0;
		}
		owed += widths[i] - width + GAP;
	}
	fputc('\n', out);
}

int table_print(const struct table *table, FILE *out, struct err *err)
{
	size_t columns = table->columns - table->notes, widths[TABLE_COLUMNS] = { 0 };

	if (table->failed)
		return err_oom(err);
	if (table_rows(table) == 0)
		return 0;
	measure(table, columns, widths);
	for (size_t i = 0; i < table->count; i += table->columns) {
		const char *note = table->notes && i > 0 ? table->cells[i + columns] : "";

		print_row(table->cells + i, columns, widths, out);
		if (note[0] != '\0')
			fprintf(out, "%*s%s\n", (int)widths[0] + GAP, "", note);
	}
	return 0;
}

int report_flush(struct err *err, const char *done, ...)
{
	char text[ERR_REASON_MAX];
	va_list args;

	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	va_start(args, done);
	vsnprintf(text, sizeof(text), done, args);
	va_end(args);
	err_set(err, EIO, "cannot be written (%s), but %s", strerror(errno), text);
	return err_at(err, "standard output");
}

void table_done(struct table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i]);
	free(table->cells);
}

void size_text(uint64_t bytes, char *out, size_t size)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double count = (double)bytes;
	size_t i = 0;

	for (; count >= 1024 && i + 1 < ARRAY_LEN(units); i++)
		count /= 1024;
	snprintf(out, size, count < 10 && i > 0 ? "%.1f %s" : "%.0f %s", count, units[i]);
}

json_t *json_document(const char *name)
{
	return json_pack("{s:o, s:n}", "schema", json_sprintf("sgw-init/%s/1", name), "ok");
}

json_t *json_error(const char *text)
{
	return json_pack("{s:o}", "text", json_text(text));
}

json_t *json_text_or_null(const char *text)
{
	return text && text[0] != '\0' ? json_text(text) : json_null();
}

/*
 * Of this process, as standard output is: a second document would make that no
 * JSON. main() alone asks, of a command that has failed, and the flag is here
 * since carrying it down to each print and up again says no more than this.
 */
static bool printed;

bool json_printed(void)
{
	return printed;
}

int json_print(json_t *document, bool ok, FILE *out, struct err *err)
{
	/* It keeps its place, ahead of what the command has to say. */
	int rc = json_object_set_new(document, "ok", json_boolean(ok)) == 0
			 ? json_dumpf(document, out, JSON_INDENT(2) | JSON_REAL_PRECISION(6))
			 : -1;

	printed |= out == stdout;
	json_decref(document);
	fputc('\n', out);
	/* What the stream refused is told when it is closed. */
	return rc < 0 && !ferror(out) ? err_oom(err) : 0;
}

json_t *json_text(const char *text)
{
	json_t *string = json_string(text);
	size_t size = 4 * strlen(text) + 1;

	if (!string) {
		CLEANUP(free_ptr) char *shown = malloc(size);

		if (shown) {
			escape_text(text, strlen(text), shown, size);
			string = json_string(shown);
		}
	}
	return string;
}
