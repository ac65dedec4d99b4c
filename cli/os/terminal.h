/* SPDX-License-Identifier: MIT */
/* Whether somebody looks at an output. */
#ifndef SGW_OS_TERMINAL_H
#define SGW_OS_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

bool terminal_is(FILE *stream) __attribute__((nonnull));

#endif
