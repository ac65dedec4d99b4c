/* SPDX-License-Identifier: MIT */
/* The control socket: lines in, an answer to each out. */
#ifndef SGW_TARGET_CONTROL_H
#define SGW_TARGET_CONTROL_H

struct control;
struct err;
struct faults;
struct loop;
struct target_options;

enum { CONTROL_CLIENTS_MAX = 64 }; /* at a time */

/*
 * Listen where options->control says: at a path, or at a loopback address.
 * Each line is answered by a line: "ok", "error: REASON", or by what was asked
 * for. NULL with *err set.
 */
struct control *control_new(struct faults *faults, struct loop *loop,
			    const struct target_options *options, struct err *err)
	__attribute__((nonnull));
/* Before the loop and the faults go; its path goes, too. NULL is fine. */
void control_free(struct control *control);
/* The path, or HOST:PORT with the real port. */
const char *control_place(const struct control *control) __attribute__((nonnull));

#endif
