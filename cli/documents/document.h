/* SPDX-License-Identifier: MIT */
/*
 * A document: bytes in, bytes out, no I/O. What compare, plan and undo see of
 * any configuration format; one const struct document_type a format.
 */
#ifndef SGW_DOCUMENT_H
#define SGW_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "engine/profile.h"

struct err;
struct document;

/* Something wrong or remarkable in the text itself. */
struct lint {
	unsigned line; /* from 1 */
	enum severity severity;
	bool ours; /* it concerns one of the keys passed to lint */
	char key[128]; /* the key it is about, or empty */
	char text[384]; /* one sentence, with the remedy; bytes of the file may be in it: escape */
	const char *harm; /* of a udev rule that apply comments out, why; its text has no remedy */
};

typedef int lint_fn(const struct lint *lint, void *ctx);

/* A key to be set, and what came of it. */
struct document_setting {
	const char *key, *value;
	int result; /* as set returns it */
};

struct document_type {
	const char *name; /* "open-iscsi configuration" */
	/*
	 * Read bytes into *out. What cannot be edited safely (NUL bytes, a line
	 * the format's reader would tear) is -EINVAL with "line N: reason" as
	 * reason; the caller names the file by err_at.
	 */
	int (*parse)(struct document **out, const char *bytes, size_t len, struct err *err);
	/*
	 * The value in effect, as the format's own reader takes it (a number in
	 * plain digits: "600 # note" is "600", "ten" is "0"): NULL where it would
	 * see none. Valid until the next set or unset. *line (may be NULL)
	 * receives its line, 0 where there is none.
	 */
	const char *(*get)(const struct document *doc, const char *key, unsigned *line);
	/*
	 * Make the reader see that value: 0 if it does already, and nothing
	 * changes; 1 if the text changed, negative errno (and the text as it was)
	 * if the key or value cannot be written. The value then stands in one
	 * place: the last in effect, else the last that was meant to be, else
	 * after its commented-out default, else at the end; what else assigns
	 * the key is commented out.
	 */
	int (*set)(struct document *doc, const char *key, const char *value, struct err *err);
	/*
	 * Set many at once, in time that grows with the text and not with its
	 * square. Negative errno only where memory ran out. NULL: there is no
	 * quicker way than one by one.
	 */
	int (*set_all)(struct document *doc, struct document_setting *settings, size_t count,
		       struct err *err);
	/* Make the reader see no such key, by taking its lines away: 0, 1 or negative errno. */
	int (*unset)(struct document *doc, const char *key, struct err *err);
	/* Call fn once for every key in effect, in order; stops at its first non-zero return. */
	int (*each)(const struct document *doc,
		    int (*fn)(const char *key, const char *value, unsigned line, void *ctx),
		    void *ctx);
	/*
	 * Report what the format's reader would misread or ignore. keys (ended
	 * by NULL) are those that matter to us. Stops at fn's first non-zero.
	 */
	int (*lint)(const struct document *doc, const char *const *keys, lint_fn *fn, void *ctx);
	/* Append the text to out. */
	int (*write)(const struct document *doc, struct buf *out, struct err *err);
	void (*free)(struct document *doc);
};

enum { DOCUMENT_SIZE_MAX = 1 << 20 }; /* ours: a larger file is no configuration */

/*
 * What every format's parse asks first: -EFBIG beyond DOCUMENT_SIZE_MAX,
 * -EINVAL for a NUL byte, with its line.
 */
int document_check_text(const char *bytes, size_t len, struct err *err);

extern const struct document_type document_open_iscsi; /* iscsid.conf and node records */
extern const struct document_type document_rule; /* 60-sgw-init.rules */
extern const struct document_type document_other_rules; /* other rules files, for rule_mend() */

#endif
