/* SPDX-License-Identifier: MIT */
#include "engine/merge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "documents/document.h"
#include "err.h"
#include "os/memory.h"

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

/* What one document says: copies, since its own texts last until the next change alone. */
struct value {
	char *key, *text;
};

struct values {
	struct value *items;
	size_t count;
};

static void values_done(struct values *values)
{
	while (values->count > 0) {
		struct value *value = &values->items[--values->count];

		if (value->text)
			memory_wipe(value->text, strlen(value->text));
		free(value->text);
		free(value->key);
	}
	free(values->items);
}

static int collect(const char *key, const char *value, unsigned line, void *ctx)
{
	struct values *values = ctx;
	struct value *added;

	(void)line;
	if (!ARRAY_ROOM(values->items, values->count))
		return -1;
	added = &values->items[values->count++];
	*added = (struct value){ strdup(key), strdup(value) };
	return added->key && added->text ? 0 : -1;
}

static int compare_keys(const void *a, const void *b)
{
	const struct value *one = a, *other = b;

	return strcmp(one->key, other->key);
}

/* The document's values, sorted by key. */
static int read_values(const struct document_type *type, const struct document *doc,
		       struct values *values, struct err *err)
{
	if (type->each(doc, collect, values) != 0)
		return err_oom(err);
	if (values->count > 0)
		qsort(values->items, values->count, sizeof(*values->items), compare_keys);
	return 0;
}

static int read_image(const struct document_type *type, const struct image *image,
		      struct values *values, struct err *err)
{
	struct document *doc = NULL;
	int rc = type->parse(&doc, image->bytes, image->len, err);

	if (rc < 0)
		return rc;
	rc = read_values(type, doc, values, err);
	type->free(doc);
	return rc;
}

/* NULL is a key that is not set. */
static bool same_value(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* The value where the next one is key's, which is stepped over; else NULL. */
static const char *take_value(const struct values *values, size_t *next, const char *key)
{
	while (*next < values->count && strcmp(values->items[*next].key, key) < 0)
		++*next;
	if (*next == values->count || strcmp(values->items[*next].key, key) != 0)
		return NULL;
	return values->items[(*next)++].text;
}

/* The key that comes first in either; NULL at the end of both. */
static const char *next_key(const struct values *a, size_t i, const struct values *b, size_t j)
{
	const char *one = i < a->count ? a->items[i].key : NULL;
	const char *other = j < b->count ? b->items[j].key : NULL;

	if (!one || !other)
		return one ? one : other;
	return strcmp(one, other) <= 0 ? one : other;
}

/* The keys that the change had set and that are not as before: to go back, or others'. */
struct differences {
	struct document_setting *settings; /* value NULL: to be unset; result -1: others' */
	size_t count;
};

static void differences_done(struct differences *differences)
{
	free(differences->settings);
}

static int compare_all(const struct values *before, const struct values *after,
		       const struct values *now, struct differences *out)
{
	size_t i = 0, j = 0, k = 0;
	const char *key;

	out->settings = calloc(before->count + after->count + 1, sizeof(*out->settings));
	if (!out->settings)
		return -ENOMEM;
	while ((key = next_key(before, i, after, j))) {
		const char *was = take_value(before, &i, key), *ours = take_value(after, &j, key);
		const char *is = take_value(now, &k, key);

		if (same_value(was, ours) || same_value(is, was))
			continue;
		out->settings[out->count++] = (struct document_setting){
			.key = key, .value = was, .result = same_value(is, ours) ? 0 : -1
		};
	}
	return 0;
}

/* What no document of this kind may hold stays as it is: the former text had it by hand. */
static int take_back(const struct document_type *type, struct document *doc,
		     struct differences *all, struct err *err)
{
	CLEANUP(free_ptr) struct document_setting *set = calloc(all->count + 1, sizeof(*set));
	size_t count = 0, next = 0;
	struct err why = { 0 };
	int rc = 0;

	if (!set)
		return err_oom(err);
	for (size_t i = 0; i < all->count; i++)
		if (all->settings[i].result == 0 && all->settings[i].value)
			set[count++] = all->settings[i];
	if (type->set_all)
		rc = type->set_all(doc, set, count, err);
	else
		for (size_t i = 0; i < count; i++)
			set[i].result = type->set(doc, set[i].key, set[i].value, &why);
	for (size_t i = 0; rc == 0 && i < all->count; i++) {
		struct document_setting *one = &all->settings[i];

		if (one->result == 0)
			one->result =
				one->value ? set[next++].result : type->unset(doc, one->key, &why);
	}
	return rc;
}

/* 1 where the text changed. */
static int merge_values(const struct document_type *type, struct document *doc,
			struct differences *all, merge_fn *fn, void *ctx, struct err *err)
{
	int changed = 0, rc = take_back(type, doc, all, err);

	for (size_t i = 0; rc == 0 && i < all->count; i++) {
		rc = fn(all->settings[i].key, all->settings[i].result >= 0, ctx, err);
		changed |= all->settings[i].result > 0;
	}
	return rc < 0 ? rc : changed;
}

int merge(const struct document_type *type, const struct image *before, const struct image *after,
	  const struct image *now, struct buf *out, merge_fn *fn, void *ctx, struct err *err)
{
	CLEANUP(values_done) struct values was = { 0 }, ours = { 0 }, is = { 0 };
	CLEANUP(differences_done) struct differences all = { 0 };
	struct document *doc = NULL;
	int rc;

	rc = read_image(type, before, &was, err);
	if (rc == 0)
		rc = read_image(type, after, &ours, err);
	if (rc == 0)
		rc = type->parse(&doc, now->bytes, now->len, err);
	if (rc == 0)
		rc = read_values(type, doc, &is, err);
	if (rc == 0 && compare_all(&was, &ours, &is, &all) < 0)
		rc = err_oom(err);
	if (rc == 0)
		rc = merge_values(type, doc, &all, fn, ctx, err);
	if (rc > 0)
		rc = type->write(doc, out, err) < 0 ? -err->code : 1;
	if (doc)
		type->free(doc);
	return rc;
}
