/* SPDX-License-Identifier: MIT */
/* The CRC32C of header and data digests (RFC 7143, 13.1). */
#ifndef SGW_ISCSI_DIGEST_H
#define SGW_ISCSI_DIGEST_H

#include <stddef.h>
#include <stdint.h>

enum { DIGEST_LEN = 4 };

/* What a digest begins with; feed the pieces one after the other. */
#define DIGEST_START UINT32_C(0xffffffff)

uint32_t digest_update(uint32_t state, const void *bytes, size_t len);
/* The same by tables alone, whatever the processor can do: what the other is tested against. */
uint32_t digest_update_portable(uint32_t state, const void *bytes, size_t len);
/* End the digest: the four bytes as they go on the wire. */
void digest_finish(uint32_t state, uint8_t out[DIGEST_LEN]) __attribute__((nonnull));

#endif
