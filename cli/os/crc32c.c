/* SPDX-License-Identifier: MIT */
#include "os/crc32c.h"

#if defined(__x86_64__)

#include <nmmintrin.h>
#include <string.h>

bool crc32c_native(void)
{
	return __builtin_cpu_supports("sse4.2");
}

__attribute__((target("sse4.2"))) uint32_t crc32c_native_update(uint32_t state, const void *bytes,
								size_t len)
{
	const uint8_t *p = bytes;
	uint64_t wide = state, word;

	for (; len >= 8; p += 8, len -= 8) {
		memcpy(&word, p, 8);
		wide = _mm_crc32_u64(wide, word);
	}
	state = (uint32_t)wide;
	for (; len > 0; p++, len--)
		state = _mm_crc32_u8(state, *p);
	return state;
}

#else

bool crc32c_native(void)
{
	return false;
}

uint32_t crc32c_native_update(uint32_t state, const void *bytes, size_t len)
{
	(void)bytes;
	(void)len;
	return state;
}

#endif
