/* SPDX-License-Identifier: MIT */
/*
 * Any bytes: what parses is read, linted and edited. What was set is read
 * back, to set it again changes nothing, and what does harm can be commented out.
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

static int check_lint(const struct lint *lint, void *ctx)
{
	check(lint->line > 0 && lint->text[0] != '\0', "a lint has a line and a text");
	*(unsigned *)ctx += lint->harm != NULL;
	return 0;
}

static int check_value(const char *key, const char *value, unsigned line, void *ctx)
{
	unsigned where;

	check(strcmp(type->get(ctx, key, &where), value) == 0, "each and get agree");
	/* The same rule may stand there twice. */
	check(where > 0 && where <= line, "on the line too");
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

static int put_back(const char *key, const char *value, unsigned line, void *ctx)
{
	struct err err = { 0 };

	(void)line;
	/* What a jump guards in one text it may not in the other: that it fails is fine. */
	document_other_rules.set(ctx, key, value, &err);
	return 0;
}

/* Comment out what lint gives a harm, which then it gives no more; and take it back. */
static void mend(const struct document *before, struct document *doc)
{
	unsigned harmful = 0, left = 0;
	struct err err = { 0 };

	type->lint(doc, NULL, check_lint, &harmful);
	check((rule_mend(doc, &err) > 0) == (harmful > 0), "what does harm is mended");
	type->lint(doc, NULL, check_lint, &left);
	check(left == 0, "what was commented out is not complained of again");
	document_other_rules.each(before, put_back, doc);
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
	mend(doc, again);
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
