/* SPDX-License-Identifier: MIT */
/*
 * What each apply did: /var/lib/sgw-init/journal/ID/, enough to undo it. An
 * entry is a directory: intent.json and images, then marks (empty files) for
 * how far it came. It appears whole, under its name, or not at all.
 */
#ifndef SGW_JOURNAL_H
#define SGW_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/tx.h"

struct entry;

enum entry_state {
	ENTRY_APPLIED,
	ENTRY_HALF_APPLIED, /* intent without its done mark: the next apply or undo rolls back */
	ENTRY_HALF_UNDONE, /* the next apply or undo finishes it */
	ENTRY_UNDONE,
	ENTRY_UNREADABLE,
};

struct journal_entry {
	char id[TX_ID_MAX];
	char command[256]; /* "apply 10.0.0.1", never a secret */
	int64_t time; /* seconds since 1970 */
	enum entry_state state;
	size_t file_count;
	size_t live_count; /* live values */
	bool goes_on; /* half applied; what came before it in the same apply stands by itself */
	char problem[256]; /* of an unreadable one */
};

/* All entries, oldest first; none where the journal is missing. Free with free(). */
int journal_list(const struct paths *paths, struct journal_entry **entries, size_t *count,
		 struct err *err);

/* The rest is for tx and undo. */

/*
 * Ids and how far each came, by its marks alone (never ENTRY_UNREADABLE),
 * oldest first. Free with free().
 */
struct journal_state {
	char id[TX_ID_MAX];
	enum entry_state state;
};
int journal_states(const struct paths *paths, struct journal_state **states, size_t *count,
		   struct err *err);

/* An error of journal_load() that lies in the entry, and not in the reading of it. */
bool journal_damaged(int error);

/*
 * Whole, with its images; -EINVAL where it is damaged, -ENOENT. entry_done()
 * ends it in any case.
 */
int journal_load(const struct paths *paths, const char *id, struct entry *entry, struct err *err);
/* The same without its images. */
int journal_load_intent(const struct paths *paths, const char *id, struct entry *entry,
			struct err *err);

/* Names in an entry's directory. */
#define JOURNAL_INTENT "intent.json"
#define JOURNAL_IMAGES "images"
#define JOURNAL_FORMER "former" /* an entry that it took in, on its way out */
const char *journal_mark_name(enum entry_state state);

/* The journal's directory, -ENOENT where it is missing and not to be made. */
int journal_open(const struct paths *paths, bool make, struct err *err);

/* err_at() with the entry's directory, or, where file is not empty, a file in it. */
int journal_at(const struct paths *paths, const char *id, const char *file, struct err *err);

/* Ids are time stamps, "20261122T150101Z" or with "-02" to "-99" behind: they sort by age. */
bool journal_id_valid(const char *id);
/* The id that follows newest (may be NULL) and is no older than now. */
void journal_id_next(char id[TX_ID_MAX], const char *newest, int64_t now);

#endif
