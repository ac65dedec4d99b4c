/* SPDX-License-Identifier: MIT */
/* Memory that held a secret. */
#ifndef SGW_OS_MEMORY_H
#define SGW_OS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* Overwrite with zeroes; not optimised away. */
void memory_wipe(void *p, size_t len) __attribute__((nonnull(1)));
/*
 * free() after wiping the whole allocation; NULL is fine. p may come from
 * anybody's malloc(), so a library that takes an allocator takes this one.
 */
void memory_free(void *p);
/* Compare in a time that depends on len alone. */
bool memory_equal(const void *a, const void *b, size_t len) __attribute__((nonnull(1, 2)));

#endif
