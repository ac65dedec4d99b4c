/* SPDX-License-Identifier: MIT */
#include "quote.h"

#include <string.h>

#include "buf.h"

void quote_word(struct buf *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "%+,-./:=@_";

	if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
		buf_adds(out, word);
		return;
	}
	buf_adds(out, "'");
	for (; *word; word++) {
		if (*word == '\'')
			buf_adds(out, "'\\''");
		else
			buf_add(out, word, 1);
	}
	buf_adds(out, "'");
}
