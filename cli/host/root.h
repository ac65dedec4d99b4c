/* SPDX-License-Identifier: MIT */
/*
 * The host's file system, or the tree that --root names: every path is walked
 * component by component below one directory, so that links, absolute ones and
 * `..` too, resolve inside it as in a chroot (without openat2, which RHEL 8's
 * kernel lacks). Nothing above this module opens a host path itself.
 */
#ifndef SGW_ROOT_H
#define SGW_ROOT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "buf.h"

struct err;

struct root {
	int fd; /* O_PATH or O_RDONLY directory */
	char *dir; /* as the user named it, for messages; "/" on the live host */
	bool live; /* no --root: programs may run, /sys is the kernel's */
};

/* dir NULL is the live host. */
int root_init(struct root *root, const char *dir, struct err *err);
void root_done(struct root *root);

/* Where a path ends up: an open parent directory and a last component that is no link. */
struct spot {
	int dirfd; /* owned */
	char name[256];
	bool exists;
	struct stat st; /* of the file itself, where it exists */
};

/*
 * Follow path (absolute, as the host names it) with all its links, the last
 * component's too. 0 also where only the last component is missing
 * (spot->exists false); -ENOENT where a directory is missing, -ELOOP past 40
 * links. err's place is the path as the user would type it (root->dir in
 * front).
 */
int root_find(const struct root *root, const char *path, struct spot *spot, struct err *err);
void spot_done(struct spot *spot);
#define SPOT_NONE           \
	{                   \
		.dirfd = -1 \
	}

/*
 * Read a regular file of at most max bytes (EFBIG beyond; EISDIR, EINVAL for
 * what is no file; a FIFO never blocks). *st may be NULL.
 */
int root_read(const struct root *root, const char *path, size_t max, struct buf *out,
	      struct stat *st, struct err *err);

/* The names in a directory, sorted by bytes, without . and ..; -ENOENT where it is missing. */
int root_list(const struct root *root, const char *path, char ***names, size_t *count,
	      struct err *err);
void root_list_free(char **names, size_t count);

bool root_exists(const struct root *root, const char *path);

/* path with root->dir in front: for messages only. */
void root_show(const struct root *root, const char *path, char *out, size_t size);

#endif
