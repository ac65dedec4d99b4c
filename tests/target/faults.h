/* SPDX-License-Identifier: MIT */
/* The rules in force: which of them an event or a time brings to strike. */
#ifndef SGW_TARGET_FAULTS_H
#define SGW_TARGET_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

#include "events.h"

struct err;
struct gateway;
struct rule;
struct server;

struct faults {
	struct gateway *gateway;
	struct server *server;
	struct rule *rules; /* in the order in which they were given */
	struct rule **end; /* where the next one goes */
	size_t count;
	bool striking; /* rules are being looked at: none goes away meanwhile */
	bool clearing; /* … but all do then */
};

/*
 * No rules yet, for a gateway and its server. Without one there are no times,
 * and no actions that are about all of it. NULL: no memory.
 */
struct faults *faults_new(struct gateway *gateway, struct server *server, struct err *err)
	__attribute__((nonnull(1, 3)));
/* Before the server goes. NULL is fine. */
void faults_free(struct faults *faults);

/* Put the rules of a file in force. 0, or a negative errno with FILE:LINE as err's place. */
int faults_read(struct faults *faults, const char *path, struct err *err) __attribute__((nonnull));
/*
 * A line as it comes over --control: a rule comes into force, a bare action is
 * done; nothing is fine. 0 or a negative errno.
 */
int faults_take(struct faults *faults, const char *line, struct err *err) __attribute__((nonnull));
/* Drop all rules. */
void faults_clear(struct faults *faults) __attribute__((nonnull));

#endif
