/* SPDX-License-Identifier: MIT */
/* The host that is crashed upon: its making, its copies, and what may lie in it. */
#ifndef SGW_TESTS_TREE_H
#define SGW_TESTS_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A file, a directory or a link below a root. */
struct node {
	char *path; /* from the root on, "/etc" */
	mode_t mode;
	char *bytes; /* NUL-ended, of a file or link */
};

struct tree {
	struct node *nodes;
	size_t count;
};

/* The harness itself is broken: say what, with errno's words, and exit 2. */
void die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

#define TREE_LAST_RECORD "/etc/iscsi/nodes/iqn.1997-05.com.amazon:volume-20/10.0.0.1,3260,1/default"

/* iscsid.conf, a rule of others, twenty records. */
void tree_make(const char *root);
void tree_copy(const char *from, const char *to);
void tree_remove(const char *root);

/* All nodes in order, without locks and journal. */
void tree_read(struct tree *tree, const char *root);
void tree_done(struct tree *tree);

/* The first difference as words, or NULL. */
const char *tree_compare(const struct tree *is, const struct tree *should);

/*
 * Every file is as in one of the two, whole; where a file is of only one of
 * them it may be absent; others are sgw-init's temps, none below nodes/.
 */
const char *tree_between(const struct tree *is, const struct tree *a, const struct tree *b);

/* No lock, no temp, no entry that is half there is left. */
const char *tree_unclean(const char *root);

/* How many entries the journal holds. */
size_t tree_entries(const char *root);

#endif
