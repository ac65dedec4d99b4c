/* SPDX-License-Identifier: MIT */
/* What a disk holds: memory that is taken as it is written, or a file. */
#ifndef SGW_TARGET_STORE_H
#define SGW_TARGET_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/mapping.h"

struct err;

/* All zero is a store that is not there yet. */
struct store {
	struct mapping mapping;
	bool kept; /* in a file: what is written can be lost until it is flushed */
};

/* Open the file behind a volume; see mapping_file. */
int store_open(struct store *store, const char *path, uint64_t *size, struct err *err)
	__attribute__((nonnull));
/*
 * The bytes of a store, taken as memory at its first use: a gateway of ten
 * thousand volumes has ten thousand only where they are used. NULL: no room.
 */
uint8_t *store_bytes(struct store *store, uint64_t size) __attribute__((nonnull));
/* Wait until the bytes are safe. 0 or a negative errno. */
int store_flush(const struct store *store, uint64_t offset, uint64_t len) __attribute__((nonnull));
void store_done(struct store *store) __attribute__((nonnull));

#endif
