/* SPDX-License-Identifier: MIT */
/* Words of a command that an administrator is told to type. */
#ifndef SGW_QUOTE_H
#define SGW_QUOTE_H

struct buf;

/* Append the word so that a shell takes it for one: as it is, or in single quotes. */
void quote_word(struct buf *out, const char *word);

#endif
