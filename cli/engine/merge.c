/* SPDX-License-Identifier: MIT */
#include "engine/merge.h"

#include <stdlib.h>
#include <string.h>

#include "documents/document.h"
#include "err.h"

static const struct document_type *const types[] = {
	&document_open_iscsi,
	&document_rule,
	&document_other_rules,
};

const struct document_type *merge_type(const char *name)
{
	size_t i;

	for (i = 0; name && i < ARRAY_LEN(types); i++)
		if (strcmp(types[i]->name, name) == 0)
			return types[i];
	return NULL;
}

struct keys {
	char **names;
	size_t count;
};

static void keys_done(struct keys *keys)
{
	while (keys->count > 0)
		free(keys->names[--keys->count]);
	free(keys->names);
}

static int collect_key(const char *key, const char *value, unsigned line, void *ctx)
{
	struct keys *keys = ctx;
	char **more = reallocarray(keys->names, keys->count + 1, sizeof(*more));

	(void)value;
	(void)line;
	if (!more)
		return -1;
	keys->names = more;
	more[keys->count] = strdup(key);
	return more[keys->count] ? (keys->count++, 0) : -1;
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* NULL is a key that is not set. */
static bool same_value(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

struct documents {
	const struct document_type *type;
	struct document *before, *after, *now;
};

static void documents_done(struct documents *docs)
{
	if (docs->before)
		docs->type->free(docs->before);
	if (docs->after)
		docs->type->free(docs->after);
	if (docs->now)
		docs->type->free(docs->now);
}

/* 1 where the text changed. */
static int merge_key(struct documents *docs, const char *key, merge_fn *fn, void *ctx,
		     struct err *err)
{
	const char *before = docs->type->get(docs->before, key, NULL);
	const char *after = docs->type->get(docs->after, key, NULL);
	const char *now = docs->type->get(docs->now, key, NULL);
	int changed = 0, ret;

	if (same_value(before, after) || same_value(now, before))
		return 0;
	if (!same_value(now, after))
		return fn(key, false, ctx, err);
	changed = before ? docs->type->set(docs->now, key, before, err)
			 : docs->type->unset(docs->now, key, err);
	/* What no document of this kind may hold stays as it is: the former text had it by hand. */
	ret = fn(key, changed >= 0, ctx, err);
	return ret < 0 ? ret : changed > 0;
}

int merge(const struct document_type *type, const struct image *before, const struct image *after,
	  const struct image *now, struct buf *out, merge_fn *fn, void *ctx, struct err *err)
{
	CLEANUP(documents_done) struct documents docs = { .type = type };
	CLEANUP(keys_done) struct keys keys = { 0 };
	int changed = 0, ret;
	size_t i;

	ret = type->parse(&docs.before, before->bytes, before->len, err);
	if (ret >= 0)
		ret = type->parse(&docs.after, after->bytes, after->len, err);
	if (ret >= 0)
		ret = type->parse(&docs.now, now->bytes, now->len, err);
	if (ret < 0)
		return ret;
	if (type->each(docs.before, collect_key, &keys) != 0 ||
	    type->each(docs.after, collect_key, &keys) != 0)
		return err_oom(err);
	if (keys.count > 0)
		qsort(keys.names, keys.count, sizeof(*keys.names), compare_keys);
	for (i = 0; i < keys.count; i++) {
		if (i > 0 && strcmp(keys.names[i - 1], keys.names[i]) == 0)
			continue;
		ret = merge_key(&docs, keys.names[i], fn, ctx, err);
		if (ret < 0)
			return ret;
		changed |= ret;
	}
	return changed ? type->write(docs.now, out, err) < 0 ? -err->code : 1 : 0;
}
