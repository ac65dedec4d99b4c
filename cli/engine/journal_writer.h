/* SPDX-License-Identifier: MIT */
/* Write the journal: entries, the marks of how far they came, their end. Under tx's lock. */
#ifndef SGW_JOURNAL_WRITER_H
#define SGW_JOURNAL_WRITER_H

#include "engine/journal.h"

/* Give entry an id and write it, synced. The journal's directory is made where it is missing. */
int journal_write(const struct paths *paths, struct entry *entry, struct err *err);

/*
 * What would stop journal_write(): rights, room, an entry that could not be
 * read again. Gives entry an id; makes the journal's directory where it is
 * missing, and writes nothing.
 */
int journal_check(const struct paths *paths, struct entry *entry, struct err *err);

/*
 * Make the mark of that state (ENTRY_APPLIED, ENTRY_HALF_UNDONE, ENTRY_UNDONE),
 * synced; where it fails, the mark is gone again.
 */
int journal_set_mark(const struct paths *paths, const char *id, enum entry_state state,
		     struct err *err);
/* Take the mark of an undo that changed nothing away again. */
int journal_clear_mark(const struct paths *paths, const char *id, enum entry_state state,
		       struct err *err);

/*
 * Make the mark ENTRY_APPLIED of an entry that goes on from former, and remove
 * that one: at any moment either former stands and id does not, or id alone.
 */
int journal_take_in(const struct paths *paths, const char *id, const char *former, struct err *err);

/* Remove an entry that was rolled back. */
int journal_drop(const struct paths *paths, const char *id, struct err *err);
/* Remove what a killed run left of entries that were being written or dropped. */
int journal_sweep(const struct paths *paths, struct err *err);

#endif
