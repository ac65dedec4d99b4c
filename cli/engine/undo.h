/* SPDX-License-Identifier: MIT */
/*
 * Take an apply back. A file nobody touched since gets its former bytes; in
 * one that others edited, only our values that still stand go back to what
 * they were, and the rest is told. Recovery of a half-done apply is the same
 * with an entry that lacks its done mark; a half-done undo is finished. Live
 * values go back as far as they can: a session may be another by now.
 */
#ifndef SGW_UNDO_H
#define SGW_UNDO_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;
struct paths;
struct tx;

enum undo_action {
	UNDO_RESTORED, /* former bytes are back */
	UNDO_REMOVED, /* absent again, as it was */
	UNDO_EDITED, /* others edited it: our value of one key went back */
	UNDO_KEPT, /* others changed this key, or changed or use this file: left, and told */
	UNDO_GONE, /* a live value whose session or device is no more */
};

struct undo_step {
	const char *entry; /* its id */
	enum undo_action action;
	const char *path; /* of a live value the directory in /sys, or whose it was */
	const char *key; /* NULL: the whole file */
	const char *note; /* for UNDO_KEPT and UNDO_GONE why; else NULL. Never a secret's value */
};

/* What the caller of an undo has a say in; each may be NULL. */
struct undo_calls {
	/*
	 * Asked before a file that the entry created is removed: non-zero with
	 * *err set stops the undo before anything is written.
	 */
	int (*veto)(const char *path, void *ctx, struct err *err);
	/*
	 * Files of udev rules are back: have udevd read them, and where live values
	 * are to follow, wait until it is through with what it began before that.
	 * Called again, at most six times an attempt, after live values were written,
	 * to see whether they stand. False: in vain, do not call again.
	 */
	bool (*rules_back)(bool live_follows, void *ctx);
	void (*tell)(const struct undo_step *step, void *ctx);
	void *ctx;
};

/*
 * Undo entry id, or the newest applied one where id is NULL (-ENOENT where
 * there is none, or id is unknown; -EALREADY where it was undone before;
 * -EINVAL where a newer entry that touched the same file still stands: undo
 * that one first).
 */
int undo_entry(struct tx *tx, const char *id, const struct undo_calls *calls, struct err *err);

/*
 * The same steps without taking them: needs no lock and writes nothing. An
 * entry that was cut off is the newest of all, since the next run takes it
 * back first.
 */
int undo_show(const struct paths *paths, const char *id, const struct undo_calls *calls,
	      struct err *err);

/*
 * The rest is for tx. Roll back what a killed run left half applied, finish
 * what it left half undone (records by which a session may run by now stay),
 * remove its temps and locks. A sentence for each is added to *told (may be
 * NULL). An entry that cannot be read is told, not touched.
 */
int undo_recover(const struct paths *paths, struct buf *told, struct err *err);

/* Roll back one entry that has no done mark, and drop it from the journal. *kept: values left. */
int undo_roll_back(const struct paths *paths, const char *id, size_t *kept, struct err *err);

#endif
