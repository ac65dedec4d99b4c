/* SPDX-License-Identifier: MIT */
/* What <string.h> has on POSIX and lacks here. This folder comes before the system's own. */
#ifndef SGW_OS_WINDOWS_STRING_H
#define SGW_OS_WINDOWS_STRING_H

#include_next <string.h>

char *strndup(const char *text, size_t max);

#endif
