/* SPDX-License-Identifier: MIT */
/* What undoing an entry means for each of its files as they are now. Writes nothing. */
#ifndef SGW_RESTORE_H
#define SGW_RESTORE_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "engine/entry.h"
#include "engine/replace.h"
#include "engine/undo.h"
#include "host/sessions.h"

struct restore_live;

struct restore {
	struct replacement_set set; /* what to write */
	struct buf *edited; /* new bytes of files that others edited, by the entry's index */
	size_t edited_count;
	struct undo_step *steps; /* what to tell */
	size_t step_count;
	struct restore_live *live; /* what restore_live_plan() found */
	size_t live_count;
	unsigned live_tries; /* how often restore_live_write() was called */
};

/* What runs by records that the entry made. */
struct restore_running {
	struct sessions sessions;
	bool unknown; /* they cannot be read: it may be any of them */
};

/*
 * own: what the entry's last commit wrote, without what its former did.
 * running: a record by which a session may run is left rather than removed;
 * NULL: all go. entry is used for as long as the plan is, running is not.
 * restore_done() also after an error.
 */
int restore_plan(struct restore *restore, const struct paths *paths, const struct entry *entry,
		 bool own, const struct restore_running *running, struct err *err);
/* path is used, key and note are copied. */
int restore_add_step(struct restore *restore, enum undo_action action, const char *path,
		     const char *key, const char *note, struct err *err);
/* How many steps are of that kind. */
size_t restore_count(const struct restore *restore, enum undo_action action);
void restore_done(struct restore *restore);

#endif
