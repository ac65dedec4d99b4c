/* SPDX-License-Identifier: MIT */
/* Text segments: "key=value\0" pairs and the forms of their values (RFC 7143, 6.1). */
#ifndef SGW_ISCSI_TEXT_H
#define SGW_ISCSI_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

enum {
	TEXT_KEY_MAX = 63,
	TEXT_VALUE_MAX = 255, /* unless a key says otherwise; params.h checks it key by key */
	TEXT_BINARY_MAX = 1024, /* bytes of a large binary value, decoded */
	TEXT_BINARY_TEXT_MAX = 2 + 2 * TEXT_BINARY_MAX, /* its longest written form, 0x… */
};

/* What is left of a segment; the bytes stay the caller's. */
struct text_iter {
	const char *p;
	size_t left;
};

struct text_pair {
	char key[TEXT_KEY_MAX + 1];
	const char *value; /* inside the segment, ends in NUL */
	size_t value_len;
};

/*
 * Step to the next "key=value\0" pair of a text segment.
 *
 * Returns 1 and fills *out, 0 at the end, or -EPROTO with *err set. The
 * segment comes from the peer: nothing is read beyond it->left, and a pair
 * that lacks its NUL or its '=' fails the segment instead of being guessed
 * at. Doubled NULs are skipped. The value's length is not limited here.
 */
int text_next(struct text_iter *it, struct text_pair *out, struct err *err)
	__attribute__((nonnull));

/* Append a pair with its NUL. */
void text_add(struct buf *out, const char *key, const char *value) __attribute__((nonnull));
void text_addf(struct buf *out, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), nonnull));
/* Append a binary value as 0x…, two digits a byte. */
void text_add_binary(struct buf *out, const char *key, const void *bytes, size_t len)
	__attribute__((nonnull));

/*
 * A whole number as the RFC writes it: decimal without leading zeros, or 0x /
 * 0X and hex digits; no sign, no blank, nothing behind. 0, or -EINVAL /
 * -ERANGE (the range, or beyond 64 bits), with *err set.
 */
int text_number(const char *value, uint64_t min, uint64_t max, uint64_t *out, struct err *err)
	__attribute__((nonnull));

/*
 * A binary value: 0x / 0X and hex digits (an odd count lacks its leading 0), or
 * 0b / 0B and base64. Up to size bytes into out, their count into *len. 0, or
 * -EINVAL for any other form, -EMSGSIZE where it is longer than size; *err
 * never shows the value, which may answer a challenge.
 */
int text_binary(const char *value, uint8_t *out, size_t size, size_t *len, struct err *err)
	__attribute__((nonnull));

/*
 * Step through a comma-separated list. *list is the rest of it, NULL at the
 * end. Returns 1 and the item (it may be empty; it does not end in NUL), or 0.
 */
int text_list_next(const char **list, const char **item, size_t *len) __attribute__((nonnull));

#endif
