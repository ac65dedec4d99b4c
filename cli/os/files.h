/* SPDX-License-Identifier: MIT */
/* Files that the user names on the command line: read them whole, write new ones. */
#ifndef SGW_OS_FILES_H
#define SGW_OS_FILES_H

#include <stddef.h>

#include "buf.h"

struct err;

/* Read a regular file of at most max bytes; "-" is standard input. err's place is the path. */
int file_read(const char *path, size_t max, struct buf *out, struct err *err);

/*
 * The same for a file that holds secrets: it must be a regular file of this
 * user or root that nobody else can read or write (-EPERM, with the chmod
 * that mends it); out->secret is set. "-" is standard input.
 */
int file_read_private(const char *path, size_t max, struct buf *out, struct err *err);

/*
 * Write path whole: a temp beside it, synced, renamed over it (the ready file
 * of sgw-target, output files). mode as in open(2).
 */
int file_write(const char *path, const void *bytes, size_t len, unsigned mode, struct err *err);

#endif
