/* SPDX-License-Identifier: MIT */
#include "escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

size_t utf8_char(const char *p, size_t len, unsigned int *code)
{
	static const unsigned int least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const uint8_t *b = (const uint8_t *)p;
	size_t n;

	if (len == 0)
		return 0;
	if (b[0] < 0x80)
		n = 1, *code = b[0];
	else if (b[0] >> 5 == 0x6)
		n = 2, *code = b[0] & 0x1f;
	else if (b[0] >> 4 == 0xe)
		n = 3, *code = b[0] & 0x0f;
	else if (b[0] >> 3 == 0x1e)
		n = 4, *code = b[0] & 0x07;
	else
		return 0;
	if (n > len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if (b[i] >> 6 != 0x2)
			return 0;
		*code = *code << 6 | (b[i] & 0x3f);
	}
	if (*code < least[n] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return n;
}

/* Characters that change how the text around them is shown, or show nothing. */
static bool deceives(unsigned int code)
{
	return (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2060 && code <= 0x2069) || code == 0x061c || code == 0xfeff;
}

bool escape_is_plain(unsigned int code)
{
	return code >= 0x20 && !(code >= 0x7f && code <= 0x9f) && !deceives(code);
}

/* Whether text begins as an escape of ours does: \xHH. */
static bool is_escape(const char *text, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	return len >= 4 && text[0] == '\\' && text[1] == 'x' && text[2] && text[3] &&
	       strchr(digits, text[2]) && strchr(digits, text[3]);
}

void escape_text(const char *text, size_t len, char *out, size_t size)
{
	size_t used = 0;

	if (size == 0)
		return;
	while (len > 0) {
		unsigned int code = 0;
		size_t n = utf8_char(text, len, &code);
		bool plain = n > 0 && escape_is_plain(code) && !is_escape(text, len);
		char shown[4 * 4 + 1] = "";
		size_t shown_len = 0;

		if (n == 0)
			n = 1;
		for (size_t i = 0; i < n; i++) {
			if (plain)
				shown[shown_len++] = text[i];
			else
				shown_len += (size_t)snprintf(shown + shown_len,
							      sizeof(shown) - shown_len, "\\x%02x",
							      (uint8_t)text[i]);
		}
		if (used + shown_len + 1 > size)
			break;
		for (size_t i = 0; i < shown_len; i++)
			out[used++] = shown[i];
		text += n;
		len -= n;
	}
	out[used] = '\0';
}
