/* SPDX-License-Identifier: MIT */
/* A file as it is now: bytes, attributes, and which file it was. */
#ifndef SGW_FOUND_H
#define SGW_FOUND_H

#include <stdbool.h>
#include <sys/stat.h>

#include "buf.h"
#include "host/attributes.h"
#include "host/spot.h"

struct err;
struct paths;

enum { FOUND_SIZE_MAX = 16 << 20 };

struct found {
	char *real; /* its path without links */
	struct spot spot; /* where it is; dirfd -1 where a directory above it is missing */
	bool exists;
	bool odd; /* something else stands there: a directory, a pipe, a device */
	struct stat st;
	struct buf bytes; /* secret */
	struct attributes attributes;
};

/* clang-format off */
#define FOUND_NONE { .spot = SPOT_NONE }
/* clang-format on */

/*
 * Links are followed; where a directory is missing the file is. found_done()
 * also after an error.
 */
int found_look(struct found *found, const struct paths *paths, const char *path, struct err *err);
void found_done(struct found *found);

#endif
