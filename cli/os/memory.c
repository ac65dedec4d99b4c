/* SPDX-License-Identifier: MIT */
#include "os/memory.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#ifdef _WIN32
#include <windows.h>
#endif

void memory_wipe(void *p, size_t len)
{
#ifdef _WIN32
	SecureZeroMemory(p, len);
#else
	explicit_bzero(p, len);
#endif
}

void memory_free(void *p)
{
	if (!p)
		return;
#ifdef _WIN32
	memory_wipe(p, _msize(p));
#else
	memory_wipe(p, malloc_usable_size(p));
#endif
	free(p);
}

bool memory_equal(const void *a, const void *b, size_t len)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t differs = 0;

	for (size_t i = 0; i < len; i++)
		differs |= x[i] ^ y[i];
	return differs == 0;
}
