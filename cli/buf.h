/* SPDX-License-Identifier: MIT */
/* A growing byte string, and the cleanup attributes every module uses. */
#ifndef SGW_BUF_H
#define SGW_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#define CLEANUP(fn) __attribute__((cleanup(fn)))
/* Hand a pointer over: the variable keeps nothing, so its cleanup frees nothing. */
#define TAKE_PTR(p)                         \
	({                                  \
		__typeof__(p) taken_ = (p); \
		(p) = NULL;                 \
		taken_;                     \
	})
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* For `CLEANUP(free_ptr) char *text = NULL;` */
static inline void free_ptr(void *p)
{
	free(*(void **)p);
}

/*
 * All zero is an empty buffer. data ends in a NUL that len does not count,
 * once anything was added. Running out of memory is sticky: the buffer turns
 * `failed`, takes nothing more, and the one check stands where it is used.
 */
struct buf {
	char *data;
	size_t len;
	size_t size;
	bool failed;
	bool secret; /* wiped whenever memory is given back */
};

void buf_add(struct buf *buf, const void *bytes, size_t len) __attribute__((nonnull(1)));
void buf_adds(struct buf *buf, const char *text) __attribute__((nonnull(1, 2)));
void buf_addf(struct buf *buf, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), nonnull(1, 2)));
/* Make room for len more bytes and return where they go, or NULL; the caller raises buf->len. */
char *buf_room(struct buf *buf, size_t len) __attribute__((nonnull(1)));
bool buf_equal(const struct buf *a, const struct buf *b) __attribute__((nonnull(1, 2)));
/* The text, never NULL. */
const char *buf_text(const struct buf *buf) __attribute__((nonnull(1)));
/* Hand the NUL-ended memory over to the caller, who frees it; NULL where the buffer failed. */
char *buf_take(struct buf *buf) __attribute__((nonnull(1)));
void buf_done(struct buf *buf) __attribute__((nonnull(1)));

#endif
