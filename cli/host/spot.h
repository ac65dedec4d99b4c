/* SPDX-License-Identifier: MIT */
/* Where a path ends: an open directory and a name in it that is no link. */
#ifndef SGW_SPOT_H
#define SGW_SPOT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "buf.h"

struct err;

struct spot {
	int dirfd; /* O_PATH; owned */
	char name[256]; /* "." where the path ended in a directory's own name for itself */
	bool exists;
	struct stat st; /* of what is there, where it exists */
};

/* clang-format off */
#define SPOT_NONE { .dirfd = -1 }
/* clang-format on */

/*
 * Open a regular file of at most max bytes for reading (-EFBIG, -EISDIR or
 * -EINVAL otherwise; a FIFO never blocks, a device is not opened). *st is that
 * of the file as opened. err's place stays empty, here and below.
 */
int spot_open(const struct spot *spot, size_t max, struct stat *st, struct err *err);
int spot_read_open(int fd, size_t max, const struct stat *st, struct buf *out, struct err *err);

/* Both in one, appending to out; st may be NULL. */
int spot_read(const struct spot *spot, size_t max, struct buf *out, struct stat *st,
	      struct err *err);

/* Write value and a newline over a regular file that is there, in one write. */
int spot_write_value(const struct spot *spot, const char *value, struct err *err);

/* The names in a directory, sorted by bytes, without . and ..; free by paths_list_free(). */
int spot_list(const struct spot *spot, char ***names, size_t *count, struct err *err);

void spot_done(struct spot *spot);

#endif
