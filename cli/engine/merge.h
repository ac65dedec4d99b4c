/* SPDX-License-Identifier: MIT */
/* Take the values of one change back out of a document that others edited since. No I/O. */
#ifndef SGW_MERGE_H
#define SGW_MERGE_H

#include <stdbool.h>

#include "buf.h"
#include "engine/entry.h"

struct err;
struct document_type;

/* A key whose value the change had set: it went back, or others changed it and it was left. */
typedef int merge_fn(const char *key, bool restored, void *ctx, struct err *err);

/*
 * Of the keys that differ between before and after, give those that now still
 * holds as in after their value of before. 1 with the new text in out, 0 where
 * nothing is to change, negative errno where one of the three cannot be read
 * or fn fails. out may then hold secrets: mark it so.
 */
int merge(const struct document_type *type, const struct image *before, const struct image *after,
	  const struct image *now, struct buf *out, merge_fn *fn, void *ctx, struct err *err);

/* The type of that name, as the journal keeps it; NULL where there is none. */
const struct document_type *merge_type(const char *name);

#endif
