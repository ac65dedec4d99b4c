/* SPDX-License-Identifier: MIT */
/* What a command prints: aligned tables and JSON documents. */
#ifndef SGW_REPORT_H
#define SGW_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct err;

enum { TABLE_COLUMNS = 8 };

/*
 * A table fills row by row and is printed once, each column as wide as its
 * widest cell; a column in which no row says anything is left out, and
 * so is the heading where there are no rows.
 */
struct table {
	char **cells;
	size_t count;
	size_t columns;
	/* Set after table_init: */
	bool plain; /* the cells hold no bytes of others, print them as they are */
	bool notes; /* the last column has no title of its own: a line beneath its row */
	int failed;
};

/* Whether what was printed so far has arrived; where not, err goes on to say what was done. */
int report_flush(struct err *err, const char *done, ...) __attribute__((format(printf, 2, 3)));

/* titles ends with NULL. */
void table_init(struct table *table, const char *const *titles);
/* One text a column; the texts are copied, and escaped: they may come from a peer. */
void table_row(struct table *table, ...) __attribute__((sentinel));
size_t table_rows(const struct table *table);
int table_print(const struct table *table, FILE *out, struct err *err);
void table_done(struct table *table);

/* Bytes in the largest unit of which there is at least one: "1.5 GiB", "150 GiB". */
void size_text(uint64_t bytes, char *out, size_t size);

/*
 * {"schema": "sgw-init/NAME/1", "ok": …}: add to it and hand it to json_print,
 * which prints it indented, releases it, and fails where memory ran out. A
 * name has one shape: what a command says without a value is null or an empty
 * list, never absent. ok: the command is about to exit with 0.
 */
json_t *json_document(const char *name);
int json_print(json_t *document, bool ok, FILE *out, struct err *err);
/* Whether a document is on standard output. */
bool json_printed(void);
/* What went wrong with one thing of a list: {"text": …}, to which more may be added. */
json_t *json_error(const char *text);
/* null for NULL and for an empty text; else as json_text. */
json_t *json_text_or_null(const char *text);
/* A string that may hold any bytes: what is no UTF-8 comes out escaped. */
json_t *json_text(const char *text);

#endif
