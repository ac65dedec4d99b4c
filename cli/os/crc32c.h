/* SPDX-License-Identifier: MIT */
/* The processor's own CRC32C instruction, where it has one. */
#ifndef SGW_OS_CRC32C_H
#define SGW_OS_CRC32C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether crc32c_native_update may be called on this processor. */
bool crc32c_native(void);
/* The running remainder (neither pre- nor post-inverted) over len more bytes. */
uint32_t crc32c_native_update(uint32_t state, const void *bytes, size_t len);

#endif
