/* SPDX-License-Identifier: MIT */
/* What each apply did: /var/lib/sgw-init/journal/ID/, enough to undo it. Read side. */
#ifndef SGW_JOURNAL_H
#define SGW_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "engine/tx.h"

enum entry_state {
	ENTRY_APPLIED,
	ENTRY_HALF_APPLIED, /* intent without its done mark: a crash; the next apply or undo rolls back */
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
	char problem[256]; /* of an unreadable one */
};

/* All entries, oldest first; none where the journal is missing. Free with free(). */
int journal_list(const struct paths *paths, struct journal_entry **entries, size_t *count,
		 struct err *err);

#endif
