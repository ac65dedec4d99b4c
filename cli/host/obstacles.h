/* SPDX-License-Identifier: MIT */
/* What would stop a file from being replaced, found before anything is written. */
#ifndef SGW_OBSTACLES_H
#define SGW_OBSTACLES_H

#include <stdint.h>

struct err;
struct spot;

/* The file is a mount of its own (-EBUSY), or immutable or append-only (-EPERM). */
int obstacle_file(const struct spot *spot, struct err *err);

/*
 * Names in the directory cannot be changed: no right to (-EACCES), mounted
 * read-only (-EROFS), immutable (-EPERM).
 */
int obstacle_dir(int dirfd, struct err *err);

/* -ENOSPC where fewer bytes are free on the disk below it. */
int obstacle_room(int dirfd, uint64_t bytes, struct err *err);

/* A file cannot be renamed from one directory into the other: two file systems, two mounts. */
int obstacle_between(int from, int to, struct err *err);

#endif
