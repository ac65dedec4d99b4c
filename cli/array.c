/* SPDX-License-Identifier: MIT */
#include "array.h"

#include <stdint.h>
#include <stdlib.h>

void *array_grow(void *items, size_t count, size_t size)
{
	if ((count & (count + 1)) != 0) /* full at 2^n - 1 */
		return items;
	return count < SIZE_MAX / 2 / size ? realloc(items, (2 * count + 1) * size) : NULL;
}
