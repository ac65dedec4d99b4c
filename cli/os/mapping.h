/* SPDX-License-Identifier: MIT */
/* Memory without a page behind it until it is written, or a file as memory. */
#ifndef SGW_OS_MAPPING_H
#define SGW_OS_MAPPING_H

#include <stddef.h>
#include <stdint.h>

struct err;

/* All zero is none. */
struct mapping {
	uint8_t *bytes;
	size_t len;

	/* Private. */
	int fd; /* of the file, + 1 */
};

/* len bytes of zeroes, at least 1; they cost memory as they are written. 0 or a negative errno. */
int mapping_memory(struct mapping *mapping, uint64_t len, struct err *err) __attribute__((nonnull));
/*
 * A regular file, which gets what is written. *len 0: as long as it is, and
 * *len tells; else it is made where there is none, and made longer (with
 * zeroes) where it is shorter, never shorter. Nobody else may open it so at the
 * same time (-EBUSY). Whoever shortens the file later ends this process. 0 or a
 * negative errno; err's place is the path.
 */
int mapping_file(struct mapping *mapping, const char *path, uint64_t *len, struct err *err)
	__attribute__((nonnull));
/* Wait until these bytes are on the disk; nothing to do for memory. 0 or a negative errno. */
int mapping_flush(const struct mapping *mapping, size_t offset, size_t len)
	__attribute__((nonnull));
void mapping_done(struct mapping *mapping) __attribute__((nonnull));

#endif
