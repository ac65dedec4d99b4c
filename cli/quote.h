/* SPDX-License-Identifier: MIT */
/* Words of a command that an administrator is told to type. */
#ifndef SGW_QUOTE_H
#define SGW_QUOTE_H

#include <stdint.h>

struct buf;

/*
 * Append the word so that a POSIX shell takes it for one, whatever its bytes:
 * as it is, or in quotes. escape_text() and JSON leave what this makes as it
 * is, so it may go into any message. Bytes that no terminal may see stand in
 * $'…', which bash, ksh and zsh read; to a shell that does not it is a word of
 * other bytes, and still one.
 */
void quote_word(struct buf *out, const char *word);

/* The same for a path that may begin with '-': "./-x", which no program takes for an option. */
void quote_path(struct buf *out, const char *path);

/* "PORTAL --target IQN": how sgw-init is told one target at one portal; host without brackets. */
void quote_target(struct buf *out, const char *host, uint16_t port, const char *target);

#endif
