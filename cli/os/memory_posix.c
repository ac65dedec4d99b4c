/* SPDX-License-Identifier: MIT */
#include "os/memory.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

void memory_wipe(void *p, size_t len)
{
	explicit_bzero(p, len);
}

void memory_free(void *p)
{
	if (!p)
		return;
	memory_wipe(p, malloc_usable_size(p));
	free(p);
}
