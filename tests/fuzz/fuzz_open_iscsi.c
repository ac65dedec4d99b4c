/* SPDX-License-Identifier: MIT */
/*
 * Any bytes: what parses is read, linted and edited. What was set is read
 * back, other keys keep their value, and to set it again changes nothing.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "documents/document.h"
#include "documents/open_iscsi.h"
#include "err.h"

static const struct document_type *const type = &document_open_iscsi;

static const struct {
	const char *key, *value;
} settings[] = {
	{ "node.session.timeo.replacement_timeout", "600" },
	{ "node.conn[0].timeo.noop_out_interval", "60" },
	{ "node.session.auth.authmethod", "CHAP" },
	{ "node.session.auth.password", "secret # of sixteen" },
	{ "node.new", "=1" },
};

static const char *const keys[] = { "node.session.timeo.replacement_timeout", NULL };

static void check(int holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "broken: %s\n", what);
		abort();
	}
}

static int count_lint(const struct lint *lint, void *ctx)
{
	(void)ctx;
	check(lint->line > 0 && lint->text[0] != '\0', "a lint has a line and a text");
	return 0;
}

struct compare {
	const struct document *before, *after;
	const char *changed;
};

static int compare_value(const char *key, const char *value, unsigned line, void *ctx)
{
	const struct compare *compare = ctx;
	const char *before = type->get(compare->before, key, NULL);

	(void)line;
	if (strcmp(key, compare->changed) != 0)
		check(before && strcmp(before, value) == 0, "other keys keep their value");
	return 0;
}

static int find_value(const char *key, const char *value, unsigned line, void *ctx)
{
	const struct compare *compare = ctx;

	(void)value;
	(void)line;
	if (strcmp(key, compare->changed) != 0)
		check(type->get(compare->after, key, NULL) != NULL, "no other key vanishes");
	return 0;
}

static struct document *reparse(const struct document *doc)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	struct document *again = NULL;
	struct err err = { 0 };

	check(type->write(doc, &text, &err) == 0, "it can be written");
	check(type->parse(&again, buf_text(&text), text.len, &err) == 0, "it can be read again");
	return again;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data, *value;
	struct document *doc = NULL, *original = NULL, *again;
	struct err err = { 0 };
	unsigned pick = size > 0 ? data[0] % ARRAY_LEN(settings) : 0;
	const char *key = settings[pick].key;
	/* A final newline that was missing brings the last line into effect, whatever its key. */
	bool newline = size == 0 || bytes[size - 1] == '\n';

	if (type->parse(&doc, bytes, size, &err) < 0) {
		check(err.reason[0] != '\0', "a refusal has a reason");
		return 0;
	}
	check(type->parse(&original, bytes, size, &err) == 0, "it parses twice");
	check(type->lint(doc, keys, count_lint, NULL) == 0, "lint runs through");
	if (type->set(doc, key, settings[pick].value, &err) >= 0) {
		struct compare compare = { original, doc, key };

		value = type->get(doc, key, NULL);
		check(value && strcmp(value, settings[pick].value) == 0, "what was set is read");
		check(type->set(doc, key, settings[pick].value, &err) == 0,
		      "twice changes nothing");
		if (newline)
			type->each(doc, compare_value, &compare);
		type->each(original, find_value, &compare);
		again = reparse(doc);
		value = type->get(again, key, NULL);
		check(value && strcmp(value, settings[pick].value) == 0,
		      "it is read from the file");
		type->free(again);
		check(type->unset(doc, key, &err) == 1, "unset takes it away");
		check(type->get(doc, key, NULL) == NULL, "it is gone");
		again = reparse(doc);
		type->free(again);
	}
	type->free(original);
	type->free(doc);
	return 0;
}
