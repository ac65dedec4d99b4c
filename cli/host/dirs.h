/* SPDX-License-Identifier: MIT */
/* Directories of the host: open them for syncing, find and make the missing ones. */
#ifndef SGW_DIRS_H
#define SGW_DIRS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct err;
struct paths;

/* A descriptor to read, sync and write in a directory, links followed; negative errno. */
int dir_open(const struct paths *paths, const char *path, struct err *err);

/* The same, made first where it is missing, of that mode; its parents 0755; all synced. */
int dir_open_made(const struct paths *paths, const char *path, mode_t mode, struct err *err);

int dir_sync(const struct paths *paths, const char *path, struct err *err);

/* "/a/b" of "/a/b/c"; "/" of "/c". The caller frees it; NULL where memory ran out. */
char *dir_of(const char *path);

/* A set of directories, parents first. All zero is an empty one. */
struct dirs {
	char **paths;
	size_t count;
};

int dirs_add(struct dirs *dirs, const char *path, struct err *err);
bool dirs_hold(const struct dirs *dirs, const char *path);
void dirs_done(struct dirs *dirs);

/*
 * Add path and those above it that are missing and not listed yet.
 * -ENOTDIR where something else stands in the way, -ENOENT for a link into a
 * directory that is missing itself.
 */
int dirs_missing(struct dirs *dirs, const struct paths *paths, const char *path, struct err *err);
/* Make one whose parent is there; one that is there already will do. */
int dirs_make_one(const struct paths *paths, const char *path, mode_t mode, struct err *err);

enum { DIR_CURSOR_DEPTH = 32 };

/*
 * A directory kept open with those above it, since neighbours in a list are
 * neighbours on disk: for paths without links, for the short time of one pass
 * over such a list. All zero at first.
 */
struct dir_cursor {
	int fds[DIR_CURSOR_DEPTH];
	size_t ends[DIR_CURSOR_DEPTH]; /* length of path at each of them */
	size_t depth;
	char path[PATH_MAX];
};

/* O_PATH of path, or of the directory that path is in; the cursor's own until it moves. */
int dir_cursor_at(struct dir_cursor *cursor, const struct paths *paths, const char *path,
		  struct err *err);
int dir_cursor_at_parent(struct dir_cursor *cursor, const struct paths *paths, const char *path,
			 struct err *err);
void dir_cursor_done(struct dir_cursor *cursor);

#endif
