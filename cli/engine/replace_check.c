/* SPDX-License-Identifier: MIT */
#include "engine/replace.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "array.h"
#include "err.h"
#include "host/obstacles.h"
#include "host/paths.h"
#include "host/record_traces.h"

enum { BLOCK = 4096 };

/* The nearest directory above path that is there. */
static char *existing_parent(const struct dirs *missing, const char *path)
{
	char *parent = dir_of(path);

	while (parent && dirs_hold(missing, parent)) {
		char *up = dir_of(parent);

		free(parent);
		parent = up;
	}
	return parent;
}

/* What a directory that holds the file, or will hold what is made for it, has against that. */
static int check_dir(const struct replacement_set *set, const struct replacement *change, int dir,
		     struct err *err)
{
	int root, rc;

	rc = obstacle_dir(dir, err);
	if (rc < 0 || !change->database || dirs_hold(&set->dirs, change->database))
		return rc;
	root = dir_open(set->paths, change->database, err);
	if (root < 0)
		return root;
	rc = obstacle_between(root, dir, err);
	close(root);
	return rc;
}

/* The same where directories are missing, which it notes. */
static int check_missing(struct replacement_set *set, const struct replacement *change,
			 struct err *err)
{
	CLEANUP(free_ptr) char *parent = dir_of(change->real);
	CLEANUP(free_ptr) char *base = NULL;
	int dir, rc;

	if (!parent)
		return err_oom(err);
	rc = dirs_missing(&set->dirs, set->paths, parent, err);
	if (rc == 0 && change->database)
		rc = dirs_missing(&set->dirs, set->paths, change->database, err);
	if (rc < 0)
		return rc;
	if (!dirs_hold(&set->dirs, parent)) {
		/* Its own directory is there: then it is a link into one that is not. */
		err_set(err, ENOENT, "this is a link into a directory that is missing");
		return paths_at(set->paths, change->real, err);
	}
	base = existing_parent(&set->dirs, change->real);
	if (!base)
		return err_oom(err);
	dir = dir_open(set->paths, base, err);
	if (dir < 0)
		return dir;
	rc = check_dir(set, change, dir, err);
	close(dir);
	return rc < 0 ? paths_at(set->paths, base, err) : 0;
}

/* The same of what goes with a record. */
static int check_traces(const struct replacement_set *set, const struct replacement *change,
			struct err *err)
{
	int rc = 0;

	if (change->link)
		rc = record_link_check(set->paths, change->link, change->path, err);
	return rc < 0 ? rc : record_dirs_check(set->paths, change->real, err);
}

int replace_add(struct replacement_set *set, struct replacement *change, struct found *now,
		struct err *err)
{
	CLEANUP(free_ptr) char *parent = NULL;
	int rc;

	if (!ARRAY_ROOM(set->changes, set->count)) {
		attributes_done(&change->attributes);
		return err_oom(err);
	}
	change->real = TAKE_PTR(now->real);
	change->exists = now->exists;
	change->st = now->st;
	set->changes[set->count++] = *change;
	if (now->spot.dirfd < 0)
		return change->after.exists ? check_missing(set, change, err) : 0;
	if (now->exists) {
		rc = obstacle_file(&now->spot, err);
		if (rc < 0)
			return paths_at(set->paths, change->real, err);
	}
	rc = check_dir(set, change, now->spot.dirfd, err);
	if (rc == 0)
		return change->retire ? check_traces(set, change, err) : 0;
	parent = dir_of(change->real);
	return parent ? paths_at(set->paths, parent, err) : err_oom(err);
}

static int compare_reals(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Two names that end in one file: the second change would undo the first. */
static int check_twice(const struct replacement_set *set, struct err *err)
{
	CLEANUP(free_ptr) const char **reals = calloc(set->count + 1, sizeof(*reals));
	size_t i;

	if (!reals)
		return err_oom(err);
	for (i = 0; i < set->count; i++)
		reals[i] = set->changes[i].real;
	qsort(reals, set->count, sizeof(*reals), compare_reals);
	for (i = 1; i < set->count; i++)
		if (strcmp(reals[i - 1], reals[i]) == 0) {
			err_set(err, EINVAL, "two changes of this one file, by different names");
			return paths_at(set->paths, reals[i], err);
		}
	return 0;
}

/*
 * Where the new bytes go at first: few directories, and the space that all of
 * them take together is an upper bound for each file system.
 */
static int check_room(const struct replacement_set *set, struct err *err)
{
	struct dirs checked = { 0 };
	uint64_t bytes = 0;
	size_t i;
	int rc = 0;

	for (i = 0; i < set->count; i++)
		bytes += (set->changes[i].after.len / BLOCK + 1) * BLOCK;
	for (i = 0; rc == 0 && i < set->count; i++) {
		const struct replacement *change = &set->changes[i];
		CLEANUP(free_ptr)
		char *parent = change->database ? strdup(change->database) : dir_of(change->real);
		int dir;

		if (!parent)
			rc = err_oom(err);
		if (!parent || dirs_hold(&checked, parent) || dirs_hold(&set->dirs, parent))
			continue;
		dir = dir_open(set->paths, parent, err);
		rc = dir < 0 ? dir : obstacle_room(dir, bytes, err);
		if (dir >= 0)
			close(dir);
		rc = rc < 0 ? paths_at(set->paths, parent, err) : dirs_add(&checked, parent, err);
	}
	dirs_done(&checked);
	return rc;
}

int replace_check(const struct replacement_set *set, struct err *err)
{
	int rc = check_twice(set, err);

	return rc < 0 ? rc : check_room(set, err);
}
