/* SPDX-License-Identifier: MIT */
/*
 * The changes that would mend the findings, laid into the documents of a
 * survey, and the files that come of them. CHAP is one more source of changes.
 */
#ifndef SGW_PLAN_H
#define SGW_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "engine/compare.h"
#include "engine/tx.h"

struct err;
struct survey;

struct change {
	const struct place *place;
	char *key; /* NULL: the whole file, new */
	char *before; /* NULL: not set */
	char *after;
	bool secret; /* its values are never shown */
};

struct plan {
	struct change *changes; /* of files */
	size_t change_count;
	struct change *live; /* of live values: knob_set() makes them once the files are written */
	size_t live_count;
	struct tx_live *lives; /* the same for tx_live(); points into the survey and the plan */
	struct tx_file *files; /* what tx_commit() takes; points into the survey and the plan */
	struct buf *after; /* one a file */
	size_t file_count;
};

/*
 * A change for every finding of a file or a live value that is not as wanted,
 * and one for every new record, made by editing the places' documents.
 */
int plan_make(struct plan *plan, struct survey *survey, const struct findings *findings,
	      struct err *err);

/* One more change: set the key of a document place; nothing where it holds already. */
int plan_set(struct plan *plan, struct place *place, const char *key, const char *value,
	     bool secret, struct err *err);

/* One more change: leave the key unset; nothing where it is. */
int plan_unset(struct plan *plan, struct place *place, const char *key, bool secret,
	       struct err *err);

/* Write the edited documents out into files and after; what came out unchanged is no file. */
int plan_finish(struct plan *plan, struct survey *survey, struct err *err);
void plan_done(struct plan *plan);

#endif
