/* SPDX-License-Identifier: MIT */
/*
 * Other programs of this host, run one at a time by argument vector, never
 * through a shell, and never for a tree that --root names. cli/host/program.c
 * is the only place that starts one.
 */
#ifndef SGW_PROGRAM_H
#define SGW_PROGRAM_H

#include <stdbool.h>

#include "buf.h"

struct err;
struct paths;

enum {
	PROGRAM_OUTPUT_MAX =
		1 << 16, /* bytes kept of each stream; what comes after is thrown away */
};

struct program_result {
	int code; /* its exit code; -1 where a signal ended it */
	int signal; /* 0 where it ended by itself */
	bool late; /* the deadline passed: it was sent SIGTERM, and after two seconds SIGKILL */
	struct buf out, errors; /* what it wrote to its standard output and standard error */
};

/*
 * Run argv (ended by NULL) and wait for its end, deadline_ms at the most. A
 * bare name is looked up in the caller's PATH, as far as that is absolute
 * (sudo's secure_path, where sudo set it), then in the system's own
 * directories, since sbin is not in everybody's PATH. It gets /dev/null for
 * input, none of our descriptors, default signals, and the C locale.
 * What ends us by the terminal, as Ctrl-C does, ends it as well, unless we hold
 * signals: then it is in a process group of its own and goes on.
 * 0 whatever its exit code; -ENOENT naming the program, -EINVAL with --root.
 * The caller ends *result by program_result_done(), also after an error.
 */
int program_run(const struct paths *paths, const char *const *argv, unsigned deadline_ms,
		struct program_result *result, struct err *err);
void program_result_done(struct program_result *result);

/* The last line that is not empty, without its newline: what a program says of its failure. */
void program_last_line(const struct buf *text, char *out, size_t size);

#endif
