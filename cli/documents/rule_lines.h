/* SPDX-License-Identifier: MIT */
/*
 * The rules of a udev rules file, split as udev splits them, and which
 * devices they hit. Private to documents/rule*.c.
 */
#ifndef SGW_RULE_LINES_H
#define SGW_RULE_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "documents/document.h"

struct err;

enum rule_op {
	RULE_IS, /* == */
	RULE_IS_NOT, /* != */
	RULE_ADD, /* += */
	RULE_REMOVE, /* -= */
	RULE_SET, /* = */
	RULE_SET_FINAL, /* := */
};

struct rule_token {
	const char *key, *attr, *value; /* attr "" where there is none */
	enum rule_op op;
	size_t at, len; /* of the value between its quotes, in the rule's joined text */
};

struct rule_line { /* a rule, on one line or several */
	unsigned line; /* its first one, from 1 */
	uint32_t start, end; /* in the text, with the last newline */
	bool one_line;
	bool unfinished; /* the file ends where a backslash promises a further line */
	bool relevant; /* it speaks of a device's timeout, or of a Storage Gateway */
	bool unfilled; /* a placeholder of AWS's page stands in it */
	uint8_t reached; /* one bit a rule_device: no GOTO may jump over it */
	const char *fault; /* why udev ignores it, or NULL; what follows: the key at fault */
	const char *fault_key;
	size_t first, count; /* its tokens */
};

struct document {
	struct buf text;
	struct rule_line *rules;
	size_t rule_count;
	struct rule_token *tokens;
	size_t token_count;
	char *words; /* what the tokens point into */
	const struct rule_line
		*winner; /* the rule whose timeout a Storage Gateway's disk ends with */
	char value[16];
	unsigned turn; /* the winner's */
};

/* The devices that a rule is held against. */
enum rule_device {
	DEVICE_GATEWAY, /* a Storage Gateway's disk: its scsi_device, which has the timeout */
	DEVICE_GATEWAY_BLOCK, /* and the block device above it */
	DEVICE_DISK, /* some other disk */
	DEVICE_DISK_BLOCK,
	DEVICE_TAPE,
	DEVICE_CHANGER,
	DEVICE_NET, /* something else altogether */
	DEVICES,
};

/* What a rule does to timeouts. */
struct rule_effect {
	bool shell; /* by a program, not by udev itself */
	bool block; /* through a block device's device/timeout */
	const char *value; /* in the document's memory, not ended */
	size_t len;
	bool known; /* nothing in it is left to udev or the shell to fill in */
};

/* Read doc->text anew, and choose the winner. */
int rules_index(struct document *doc, struct err *err);
void rules_done(struct document *doc);

/* Replace part of the text, and read it anew; a final newline that is missing comes back. */
int rules_replace(struct document *doc, size_t start, size_t end, const struct buf *with,
		  struct err *err);

/* Find what each rule's reached is. */
int rules_follow_gotos(struct document *doc, struct err *err);

/* Whether all that the rule asks for holds for that device when it appears. */
bool rule_hits(const struct document *doc, const struct rule_line *rule, enum rule_device device);
/* The last timeout that the rule would write; false where it writes none. */
bool rule_effect(const struct document *doc, const struct rule_line *rule,
		 struct rule_effect *effect);
/* Its assignment ATTR{timeout}="…", or NULL. */
const struct rule_token *rule_timeout_token(const struct document *doc,
					    const struct rule_line *rule);
/* Whether anything follows its conditions. */
bool rule_acts(const struct document *doc, const struct rule_line *rule);

static inline bool rule_matches(const struct rule_token *token)
{
	return token->op == RULE_IS || token->op == RULE_IS_NOT;
}

/* The rule ahead, whose lines were meant to be this one's conditions; NULL where there is none. */
const struct rule_line *rule_lost_condition(const struct document *doc,
					    const struct rule_line *rule);

/* Whether there is something to say of a rule; fills in severity, text and harm. */
bool rule_judge(const struct document *doc, const struct rule_line *rule, struct lint *lint);

/* The documents' lint. */
int rule_lint(const struct document *doc, const char *const *keys, lint_fn *fn, void *ctx);

/* documents/rule_comment.c: rules as comments. */

#define RULE_MARK "# sgw-init: commented out: "

/* Append the lines as comments, below one that begins with the mark and says why. */
void rule_comment(struct buf *out, const char *text, size_t len, const char *why);
/* Behind the newline of the line at at, or end. */
const char *rule_line_end(const char *at, const char *end);

/* A rule that does harm, and the condition that it lost. */
struct rule_harm {
	uint32_t start, end; /* in the text */
	unsigned line;
	const char *why;
};

/* The next of them from rule *i on, which is stepped over. */
bool rule_next_harm(const struct document *doc, size_t *i, struct rule_harm *harm);

/* documents/rule_text.c: comments as rules again, where they still stand as they were written. */

/* The keys of both documents that are rules' texts; RULE_KEY_TIMEOUT is none. */
#define RULE_KEY_TIMEOUT "timeout"
const char *rule_text_get(const struct document *doc, const char *key, unsigned *line);
int rule_text_set(struct document *doc, const char *key, struct err *err);
int rule_text_set_all(struct document *doc, struct document_setting *settings, size_t count,
		      struct err *err);
int rule_text_each(const struct document *doc,
		   int (*fn)(const char *key, const char *value, unsigned line, void *ctx),
		   void *ctx);

#endif
