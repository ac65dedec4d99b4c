/* SPDX-License-Identifier: MIT */
/* Random bytes of the system's cryptographic generator. */
#ifndef SGW_OS_RANDOM_H
#define SGW_OS_RANDOM_H

#include <stddef.h>

struct err;

/* Fill len bytes. 0, or a negative errno: there is no weaker source to fall back to. */
int random_bytes(void *out, size_t len, struct err *err) __attribute__((nonnull));

#endif
