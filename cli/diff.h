/* SPDX-License-Identifier: MIT */
/* The difference of two texts, as patch(1) reads it. */
#ifndef SGW_DIFF_H
#define SGW_DIFF_H

#include <stddef.h>
#include <stdio.h>

struct err;

/*
 * Unified diff of two texts with three lines of context; NULL is an absent
 * file. shown tells how many bytes of a line may be seen: the rest, a secret,
 * becomes ********; NULL: all of it.
 */
int diff_print(const char *path, const char *before, const char *after,
	       size_t (*shown)(const char *line, size_t len), FILE *out, struct err *err);

#endif
