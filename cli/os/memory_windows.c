/* SPDX-License-Identifier: MIT */
#include "os/memory.h"

#include <malloc.h>
#include <stdlib.h>
#include <windows.h>

void memory_wipe(void *p, size_t len)
{
	SecureZeroMemory(p, len);
}

void memory_free(void *p)
{
	if (!p)
		return;
	memory_wipe(p, _msize(p));
	free(p);
}
