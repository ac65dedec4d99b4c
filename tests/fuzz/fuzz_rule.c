/* SPDX-License-Identifier: MIT */
/*
 * Any bytes: what parses is read, linted and edited. What was set is read
 * back, to set it again changes nothing, and any rule can be commented out.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "documents/document.h"
#include "documents/rule.h"
#include "err.h"

static const struct document_type *const type = &document_rule;

static void check(int holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "broken: %s\n", what);
		abort();
	}
}

static int disable_it(const struct lint *lint, void *ctx)
{
	check(lint->line > 0 && lint->text[0] != '\0', "a lint has a line and a text");
	*(unsigned *)ctx = lint->line;
	return 1;
}

static int check_value(const char *key, const char *value, unsigned line, void *ctx)
{
	unsigned where;

	check(strcmp(type->get(ctx, key, &where), value) == 0, "each and get agree");
	check(where == line && line > 0, "on the line too");
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

/* Comment out what lint complains of until it is content. */
static void disable_all(struct document *doc)
{
	struct err err = { 0 };
	unsigned line = 0, last = 0;

	while (type->lint(doc, NULL, disable_it, &line) != 0) {
		check(line > last, "what was commented out is not complained of again");
		check(rule_disable(doc, line, &err) == 1, "lint names a rule");
		last = line;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct document *doc = NULL, *again;
	struct err err = { 0 };
	const char *value;

	if (type->parse(&doc, (const char *)data, size, &err) < 0) {
		check(err.reason[0] != '\0', "a refusal has a reason");
		return 0;
	}
	type->each(doc, check_value, doc);
	again = reparse(doc);
	disable_all(again);
	type->free(again);
	check(type->set(doc, "timeout", "600", &err) >= 0, "it can be set");
	check(type->set(doc, "timeout", "600", &err) == 0, "twice changes nothing");
	again = reparse(doc);
	value = type->get(again, "timeout", NULL);
	check(value && strcmp(value, "600") == 0, "what was set is read");
	check(type->unset(again, "timeout", &err) == 1, "unset takes it away");
	check(type->get(again, "timeout", NULL) == NULL, "it is gone");
	type->free(again);
	type->free(doc);
	return 0;
}
