/* SPDX-License-Identifier: MIT */
/* A line of the fault grammar, word by word: for fault_rule.c and fault_arguments.c alone. */
#ifndef SGW_TARGET_FAULT_WORDS_H
#define SGW_TARGET_FAULT_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct fault_action;
struct fault_args;

enum {
	FAULT_WORD_MAX = 513, /* bytes, NUL among them */
	FAULT_TIME_MAX_MS = 24 * 3600 * 1000,
};

/* A line as far as it was read. */
struct fault_cursor {
	const char *line;
	const char *word; /* where the last one began: errors tell its column */
	const char *p;
};

/* That of the last word, from 1. */
size_t fault_column(const struct fault_cursor *cursor) __attribute__((nonnull));
bool fault_is_blank(char c);
/* Go to the next word. */
void fault_skip_blanks(struct fault_cursor *cursor) __attribute__((nonnull));
/* The next word; empty at the end. 0 or -EINVAL. */
int fault_next_word(struct fault_cursor *cursor, char word[FAULT_WORD_MAX], struct err *err)
	__attribute__((nonnull));
/* The next word before the ':' of a rule. 1, 0 behind the ':', or -EINVAL. */
int fault_head_word(struct fault_cursor *cursor, char word[FAULT_WORD_MAX], struct err *err)
	__attribute__((nonnull));

/* A time of min_ms to FAULT_TIME_MAX_MS milliseconds (fault_arguments.c). 0 or -EINVAL. */
int fault_time_parse(const char *word, uint64_t min_ms, uint64_t *out_ms, struct err *err)
	__attribute__((nonnull));
/* Read what an action takes, if anything (fault_arguments.c). 0, -EINVAL or -ENOMEM. */
int fault_argument_parse(const struct fault_action *action, struct fault_cursor *cursor,
			 struct fault_args *args, struct err *err) __attribute__((nonnull));

#endif
