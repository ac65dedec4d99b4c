/* SPDX-License-Identifier: MIT */
/*
 * A commit that goes on from one before it: what both did becomes one entry,
 * so that one apply is one undo however often others wrote between.
 */
#ifndef SGW_AMEND_H
#define SGW_AMEND_H

#include <stddef.h>

#include "buf.h"
#include "engine/entry.h"

struct err;
struct paths;

/* What the amended entry views. All zero at first. */
struct amend {
	struct entry former;
	struct buf *texts; /* one a file that the commit writes; most stay empty */
	size_t count;
};

/*
 * entry holds what the commit is to write: each file as it is now and as it is
 * to be. What it finds of entry id is taken out of the former, so that undo
 * goes back behind both, and kept beside it, for where the commit is rolled
 * back; what else that entry did comes along as files beyond entry->own,
 * directories and live values. entry is used as long as amend is; amend_done()
 * also after an error.
 */
int amend(struct amend *amend, const struct paths *paths, const char *id, struct entry *entry,
	  struct err *err);
void amend_done(struct amend *amend);

#endif
