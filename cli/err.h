/* SPDX-License-Identifier: MIT */
/* The error object: what failed and where, made once, handed up, printed once. */
#ifndef SGW_ERR_H
#define SGW_ERR_H

#include <stdarg.h>
#include <stdbool.h>

enum {
	ERR_PLACE_MAX = 1024,
	ERR_REASON_MAX = 1024,
};

struct err {
	int code; /* an errno value; 0 while nothing failed */
	char place[ERR_PLACE_MAX]; /* file:line, portal, option; may stay empty */
	char reason[ERR_REASON_MAX]; /* cause, and the remedy where there is one */
};

/*
 * All of them return the negative errno, so that a function can end in
 * `return err_set(err, EINVAL, "…")`. A text that does not fit is cut. The
 * texts may hold bytes of a peer or a file: err_print escapes them. Secrets
 * never go in.
 */
int err_set(struct err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), nonnull(1)));
/* The same, followed by ": " and the system's words for code. */
int err_sys(struct err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), nonnull(1)));
int err_oom(struct err *err) __attribute__((nonnull(1)));

/* Name the place of an error that has none yet; a place set deeper down stays. */
int err_at(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3), nonnull(1)));

/*
 * Append lead and a command to type, its words quoted (quote.h), or nothing
 * where both do not fit: a command that is cut short may be another.
 */
bool err_add_command(struct err *err, const char *lead, const char *command)
	__attribute__((nonnull(1, 2, 3)));

/* "PROGRAM: PLACE: REASON" and a newline on standard error, control bytes escaped. */
void err_print(const char *program, const struct err *err) __attribute__((nonnull(1, 2)));

#endif
