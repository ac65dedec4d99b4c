/* SPDX-License-Identifier: MIT */
#include "quote.h"

#include <stdint.h>
#include <string.h>

#include "buf.h"
#include "escape.h"
#include "iscsi/portal.h"

/* The quotes that are open at the end of what is made. */
enum open_quotes {
	OPEN_NONE,
	OPEN_SINGLE, /* '…', in which every character is itself */
	OPEN_DOLLAR, /* $'…', of octal numbers alone */
};

static void change_quotes(struct buf *out, enum open_quotes *now, enum open_quotes next)
{
	static const char *const opening[] = { "", "'", "$'" };

	if (*now == next)
		return;
	if (*now != OPEN_NONE)
		buf_adds(out, "'");
	buf_adds(out, opening[next]);
	*now = next;
}

/* One character, of len bytes. */
static void quote_char(struct buf *out, const char *bytes, size_t len, bool plain,
		       enum open_quotes *quotes)
{
	if (bytes[0] == '\'') {
		change_quotes(out, quotes, OPEN_NONE);
		buf_adds(out, "\"'\"");
	} else if (plain) {
		change_quotes(out, quotes, OPEN_SINGLE);
		buf_add(out, bytes, len);
		/* Quotes in between: it is not to look like \xHH, which is escape_text's. */
		if (bytes[0] == '\\')
			change_quotes(out, quotes, OPEN_NONE);
	} else {
		change_quotes(out, quotes, OPEN_DOLLAR);
		for (size_t i = 0; i < len; i++)
			buf_addf(out, "\\%03o", (uint8_t)bytes[i]);
	}
}

void quote_word(struct buf *out, const char *word)
{
	static const char bare[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   "%+,-./:=@_";
	enum open_quotes quotes = OPEN_NONE;

	if (word[0] != '\0' && word[strspn(word, bare)] == '\0') {
		buf_adds(out, word);
		return;
	}
	if (word[0] == '\0')
		buf_adds(out, "''");
	while (*word) {
		unsigned int code = 0;
		size_t len = utf8_char(word, strlen(word), &code);
		bool plain = len > 0 && escape_is_plain(code);

		len += len == 0;
		quote_char(out, word, len, plain, &quotes);
		word += len;
	}
	change_quotes(out, &quotes, OPEN_NONE);
}

void quote_path(struct buf *out, const char *path)
{
	CLEANUP(buf_done) struct buf plain = { 0 };

	buf_addf(&plain, "%s%s", path[0] == '-' ? "./" : "", path);
	if (plain.failed)
		out->failed = true;
	else
		quote_word(out, plain.data);
}

void quote_target(struct buf *out, const char *host, uint16_t port, const char *target)
{
	char portal[PORTAL_TEXT_MAX];

	portal_text_of(host, port, portal);
	quote_word(out, portal);
	buf_adds(out, " --target ");
	quote_word(out, target);
}
