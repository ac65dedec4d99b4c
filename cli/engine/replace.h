/* SPDX-License-Identifier: MIT */
/*
 * Replace, make and remove a set of files: looked at, checked before the first
 * write, then temps, renames, syncs. What it did half is for the caller's
 * journal to mend.
 */
#ifndef SGW_REPLACE_H
#define SGW_REPLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "buf.h"
#include "engine/entry.h"
#include "host/attributes.h"
#include "host/dirs.h"

struct err;
struct paths;

/* One file as it is to be. */
struct change {
	const char *real; /* without links */
	const char *database; /* its database root, NULL: no record */
	size_t number; /* names its temp; unlike the others' */
	bool exists; /* as it was looked at; then st tells which file it was */
	struct stat st;
	struct image after;
	struct attributes attributes; /* after's, owned */
};

struct change_set {
	const struct paths *paths;
	const char *id; /* names the temps */
	struct change *changes;
	size_t count;
	struct dirs
		dirs; /* found missing by the check, then made: 0700 below a database, else 0755 */
	bool touched; /* a file was renamed or removed */
};

/* Whatever can be known before the first write, and the missing directories. Writes nothing. */
int replace_check(struct change_set *set, struct err *err);

/*
 * Write it. Records change under the database's lock, which is held for the
 * renames alone; a file that is no longer as it was looked at is -ESTALE.
 * Temps are gone also after an error; what was renamed stays (set->touched).
 */
int replace_write(struct change_set *set, struct err *err);

/* Remove the temp that a killed run may have left for a file. */
int replace_remove_temp(const struct paths *paths, const char *id, const char *real,
			const char *database, size_t number, struct err *err);

void change_set_done(struct change_set *set);

#endif
