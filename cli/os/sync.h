/* SPDX-License-Identifier: MIT */
/* Get files onto the disk. */
#ifndef SGW_OS_SYNC_H
#define SGW_OS_SYNC_H

#include <stddef.h>

/*
 * fsync() each of them, several at a time where they are many: then one flush
 * of the disk's cache serves more than one. errors[i] becomes 0 or an errno.
 */
void sync_all(const int *fds, int *errors, size_t count);

#endif
