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
#include "host/found.h"

struct err;
struct paths;

/* One file as it is to be. */
struct replacement {
	char *real; /* without links; owned */
	const char *database; /* its database root, NULL: no record */
	bool retire; /* a record that goes with its link and the directories that it leaves empty */
	const char *link; /* NULL: there is none */
	const char *path; /* the record, as the host names it: what the link leads to */
	size_t number; /* names its temp; unlike the others' */
	bool exists; /* as it was looked at; then st tells which file it was */
	struct stat st;
	struct image after;
	struct attributes attributes; /* after's; owned */
};

struct replacement_set {
	const struct paths *paths;
	const char *id; /* names the temps */
	struct replacement *changes;
	size_t count;
	struct dirs dirs; /* missing, to be made: 0700 below a database, else 0755 */
	bool touched; /* a file was renamed or removed */
};

/*
 * Add a change of the file that was looked at, given its database, number,
 * after and attributes, which are the set's from here on. What stands in its
 * way is told now: a bind mount, an immutable file or directory, rights, a
 * database on two file systems. Missing directories are noted.
 */
int replace_add(struct replacement_set *set, struct replacement *change, struct found *now,
		struct err *err);

/* What concerns all of them: one file twice, room on the disk. Writes nothing. */
int replace_check(const struct replacement_set *set, struct err *err);

/*
 * Whether the database's lock can be had where records are to change, waiting
 * for it as replace_write() does; it is given back.
 */
int replace_check_lock(const struct replacement_set *set, struct err *err);

/*
 * Write it. Records change under the database's lock, which is held for the
 * renames alone; a file that is no longer as it was looked at is -ESTALE.
 * Temps are gone also after an error; what was renamed stays (set->touched).
 */
int replace_write(struct replacement_set *set, struct err *err);

/* Remove the temp that a killed run may have left for a file. */
int replace_remove_temp(const struct paths *paths, const char *id, const char *real,
			const char *database, size_t number, struct err *err);

void change_set_done(struct replacement_set *set);

#endif
