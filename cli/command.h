/* SPDX-License-Identifier: MIT */
/* A command of sgw-init: one row of main.c's table, one file cmd_NAME.c. */
#ifndef SGW_COMMAND_H
#define SGW_COMMAND_H

#include "options.h"

struct err;

enum exit_code {
	EXIT_DONE = 0, /* done, or nothing of weight differs */
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_DIFFERS = 3, /* check, --dry-run: findings of severity error or critical */
};

struct command {
	const char *name;
	const char *args;
	const char *summary;
	unsigned options; /* OPT_* */
	/*
	 * An exit code, or negative errno with *err set, which main prints
	 * (-ERR_USAGE: exit 2). The result goes to standard output, warnings
	 * and progress to standard error.
	 */
	int (*run)(const struct options *opt, struct err *err);
};

extern const struct command command_discover, command_probe, command_apply, command_check,
	command_undo, command_profile, command_connect, command_devices, command_disconnect;

/* Those of this system, in the order of use, as --help shows them; ended by NULL. */
extern const struct command *const commands[];

/* "sgw-init: warning: …" on standard error; bytes of others in it are escaped. */
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* One warning a line of text, which is escaped already, each with its place in front. */
void warn_lines(const char *place, const char *lines);

#endif
