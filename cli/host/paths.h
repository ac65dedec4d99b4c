/* SPDX-License-Identifier: MIT */
/*
 * The host's file system, or the tree that --root names: every path is walked
 * component by component below one directory, so that links, absolute ones and
 * `..` too, resolve inside it as in a chroot (without openat2, which RHEL 8's
 * kernel lacks). Nothing above this module opens a host path itself.
 */
#ifndef SGW_PATHS_H
#define SGW_PATHS_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "host/spot.h"

struct err;

struct paths {
	int fd; /* O_PATH or O_RDONLY directory */
	char *dir; /* as the user named it, for messages; "/" on the live host */
	bool live; /* no --root: programs may run, /sys is the kernel's */
};

/* dir NULL is the live host. */
int paths_init(struct paths *paths, const char *dir, struct err *err);
void paths_done(struct paths *paths);

/*
 * Follow path (absolute, as the host names it) with all its links, the last
 * component's too. 0 also where only the last component is missing
 * (spot->exists false); -ENOENT where a directory is missing, -ELOOP past 40
 * links. err's place is the path as the user would type it (paths->dir in
 * front).
 */
int paths_find(const struct paths *paths, const char *path, struct spot *spot, struct err *err);
/*
 * The same, and the path without any link ("/sys/devices/platform/host3/…");
 * the caller frees it.
 */
int paths_resolve(const struct paths *paths, const char *path, struct spot *spot, char **real,
		  struct err *err);

/*
 * Append a regular file of at most max bytes to out (EFBIG beyond; EISDIR,
 * EINVAL for what is no file; a FIFO never blocks). *st may be NULL.
 */
int paths_read(const struct paths *paths, const char *path, size_t max, struct buf *out,
	       struct stat *st, struct err *err);

/*
 * Append an attribute of /sys or /proc, the file key of dir, to out without
 * the blanks and newlines at its end. -ENOENT and -ENODEV where that is gone.
 */
int paths_read_attribute(const struct paths *paths, const char *dir, const char *key,
			 struct buf *out, struct err *err);
/* The same into size bytes: "" wherever it fails; -EOVERFLOW where it is longer. */
int paths_read_text(const struct paths *paths, const char *dir, const char *key, char *out,
		    size_t size, struct err *err);
/*
 * What is read of /sys may go at any time, which the kernel tells in two ways:
 * 0 where rc is one of them or no failure, else rc, with why in *err.
 */
int paths_unless_gone(int rc, const struct err *why, struct err *err);

/*
 * Write a value and a newline over an attribute that is there, as /sys wants
 * it: in one write. For live values alone, what is kept on disk is tx's.
 */
int paths_write_value(const struct paths *paths, const char *path, const char *value,
		      struct err *err);

/* The names in a directory, sorted by bytes, without . and ..; -ENOENT where it is missing. */
int paths_list(const struct paths *paths, const char *path, char ***names, size_t *count,
	       struct err *err);
void paths_list_free(char **names, size_t count);

/* That path alone, or NULL as paths_find() fails; the last component need not exist. */
char *paths_real(const struct paths *paths, const char *path, struct err *err);

/* 1: something is there, links followed; 0: nothing is; negative errno: that cannot be told. */
int paths_exists(const struct paths *paths, const char *path, struct err *err);

/* path with paths->dir in front: for messages only. */
void paths_show(const struct paths *paths, const char *path, char *out, size_t size);
/* err_at() with that; a place that err has already stays. */
int paths_at(const struct paths *paths, const char *path, struct err *err);

#endif
