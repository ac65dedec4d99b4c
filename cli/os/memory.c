/* SPDX-License-Identifier: MIT */
#include "os/memory.h"

#include <stdint.h>

bool memory_equal(const void *a, const void *b, size_t len)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t differs = 0;

	for (size_t i = 0; i < len; i++)
		differs |= x[i] ^ y[i];
	return differs == 0;
}
