/* SPDX-License-Identifier: MIT */
/* Numbers out of text that others wrote: digits, all of them, in range, or an error. */
#ifndef SGW_NUMBER_H
#define SGW_NUMBER_H

#include <stdint.h>

struct err;

/*
 * Parse a decimal number: digits only, no sign, no blank, no leading or
 * trailing byte. 0, or -EINVAL / -ERANGE with the text and the range in *err.
 */
int parse_u32(const char *text, uint32_t min, uint32_t max, uint32_t *out, struct err *err)
	__attribute__((nonnull));
int parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *out, struct err *err)
	__attribute__((nonnull));
/* The same with an optional suffix K, M, G or T (powers of 1024). */
int parse_size(const char *text, uint64_t min, uint64_t max, uint64_t *out, struct err *err)
	__attribute__((nonnull));
/* Seconds, or with a suffix s, ms or m ("3", "20s", "500ms", "2m"), into milliseconds. */
int parse_duration(const char *text, uint64_t min_ms, uint64_t max_ms, uint64_t *out_ms,
		   struct err *err) __attribute__((nonnull));

#endif
