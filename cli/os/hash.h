/* SPDX-License-Identifier: MIT */
/* Message digests of the system's library. */
#ifndef SGW_OS_HASH_H
#define SGW_OS_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum hash { HASH_MD5, HASH_SHA1, HASH_SHA256, HASH_SHA3_256 };

enum { HASH_MAX_LEN = 32 };

struct hash_piece {
	const void *bytes;
	size_t len;
};

/* Length of a digest in bytes: 16, 20, 32, 32. */
size_t hash_len(enum hash hash);
/* Whether this system's library can do it now (a FIPS policy may forbid MD5). */
bool hash_available(enum hash hash);
/* The digest of the pieces, one behind the other, into out (hash_len bytes). 0, or -ENOTSUP. */
int hash_pieces(enum hash hash, const struct hash_piece *pieces, size_t count, uint8_t *out,
		struct err *err) __attribute__((nonnull));

#endif
