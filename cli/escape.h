/* SPDX-License-Identifier: MIT */
/* Bytes of others made safe to show: on a terminal, in a message, in a table. */
#ifndef SGW_ESCAPE_H
#define SGW_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Copy len bytes of text into out as one line: well-formed UTF-8 stays as it
 * is; control characters (C0, DEL, C1), bytes that are no UTF-8, and the
 * characters that reorder or hide text (bidirectional marks, zero width,
 * byte order mark) become \xHH a byte, in lower case, and so does a backslash
 * that would begin such a one, so that no two texts look the same. The result
 * ends in NUL; what does not fit is left out. It needs 4 * len + 1 bytes at most.
 */
void escape_text(const char *text, size_t len, char *out, size_t size)
	__attribute__((nonnull(1, 3)));

/*
 * Length of the well-formed UTF-8 character at p (1 to 4), or 0 where the
 * bytes are none: overlong forms, surrogates and beyond U+10FFFF (RFC 3629).
 * *code receives the code point.
 */
size_t utf8_char(const char *p, size_t len, unsigned int *code) __attribute__((nonnull(1, 3)));

/*
 * Whether a character is shown as it is: no control, C1's neither, and nothing
 * that hides or turns the text around it. The backslash is.
 */
bool escape_is_plain(unsigned int code);

#endif
