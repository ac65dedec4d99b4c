/* SPDX-License-Identifier: MIT */
#include "fault_words.h"

#include <errno.h>
#include <string.h>

#include "err.h"

size_t fault_column(const struct fault_cursor *cursor)
{
	return (size_t)(cursor->word - cursor->line) + 1;
}

bool fault_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

void fault_skip_blanks(struct fault_cursor *cursor)
{
	while (fault_is_blank(*cursor->p))
		cursor->p++;
	cursor->word = cursor->p;
}

static int copy_word(const struct fault_cursor *cursor, char word[FAULT_WORD_MAX], struct err *err)
{
	size_t len = (size_t)(cursor->p - cursor->word);

	if (len >= FAULT_WORD_MAX)
		return err_set(err, EINVAL, "a word of %zu bytes is too long", len);
	memcpy(word, cursor->word, len);
	word[len] = '\0';
	return 0;
}

int fault_next_word(struct fault_cursor *cursor, char word[FAULT_WORD_MAX], struct err *err)
{
	fault_skip_blanks(cursor);
	while (*cursor->p != '\0' && !fault_is_blank(*cursor->p))
		cursor->p++;
	return copy_word(cursor, word, err);
}

/* Names have colons in them: the one that ends a head has a blank behind it, or nothing. */
static bool is_end(const char *p)
{
	return *p == ':' && (p[1] == '\0' || fault_is_blank(p[1]));
}

int fault_head_word(struct fault_cursor *cursor, char word[FAULT_WORD_MAX], struct err *err)
{
	int rc;

	fault_skip_blanks(cursor);
	while (*cursor->p != '\0' && !fault_is_blank(*cursor->p) && !is_end(cursor->p))
		cursor->p++;
	rc = copy_word(cursor, word, err);
	if (rc < 0)
		return rc;
	if (word[0] != '\0')
		return 1;
	if (*cursor->p == '\0')
		return err_set(err, EINVAL,
			       "':' and a blank are missing before the action, "
			       "as in 'on login: refuse 0x0202'");
	cursor->p++;
	return 0;
}
