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
 * Append a regular file of at most max bytes to out (-EFBIG beyond; -EISDIR,
 * -EINVAL for what is no file; a FIFO never blocks, a device is not opened).
 * *st (may be NULL) is that of the file as opened. err's place stays empty.
 */
int spot_read(const struct spot *spot, size_t max, struct buf *out, struct stat *st,
	      struct err *err);

/* The names in a directory, sorted by bytes, without . and ..; free by paths_list_free(). */
int spot_list(const struct spot *spot, char ***names, size_t *count, struct err *err);

void spot_done(struct spot *spot);

#endif
