/* SPDX-License-Identifier: MIT */
/* The command line: one table of options, of which each command takes a set. */
#ifndef SGW_OPTIONS_H
#define SGW_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct buf;
struct err;

/* What a command may take, as bits. */
enum {
	OPT_ROOT = 1 << 0,
	OPT_OUTPUT = 1 << 1,
	OPT_OUTPUT_DIFF = 1 << 2, /* --output diff is one of the formats */
	OPT_PROFILE = 1 << 3, /* --profile and --set */
	OPT_SCOPE = 1 << 4,
	OPT_DRY_RUN = 1 << 5,
	OPT_STRICT = 1 << 6,
	OPT_TIMEOUT = 1 << 7,
	OPT_SKIP_UNREACHABLE = 1 << 8,
	OPT_CHAP = 1 << 9,
	OPT_LIST = 1 << 10,
	OPT_OUTPUT_CHECK = 1 << 11, /* --output diff and junit are */
	OPT_MAX_HOSTS = 1 << 12,
	OPT_PROBE = 1 << 13, /* --force, --audit */
	OPT_TARGET = 1 << 14,
	OPT_DISCONNECT = 1 << 15, /* --all, --forget */
	OPT_LOGINS = 1 << 20, /* --connect, --relogin, --force */
	OPT_LOG_OUT = 1 << 21, /* --disconnect */
	OPT_WAIT = 1 << 22,
};

enum { OPTIONS_HOSTS_MAX = 65536 }; /* of --max-hosts */

enum output {
	OUTPUT_TABLE,
	OUTPUT_JSON,
	OUTPUT_DIFF,
	OUTPUT_JUNIT,
};

enum scope {
	SCOPE_ALL,
	SCOPE_TARGETS, /* iscsid.conf stays as it is */
};

struct options {
	const char *root; /* NULL: the live host */
	enum output output;
	enum scope scope;
	bool dry_run;
	bool strict;
	bool skip_unreachable;
	bool list;
	bool connect;
	bool relogin;
	bool disconnect;
	bool force;
	bool audit;
	bool all;
	bool forget;
	bool help;
	uint32_t timeout_ms; /* of a silent portal; 0: as the discovery has it */
	uint32_t wait_ms; /* for devices after a login; 0: as connecting has it */
	uint32_t max_hosts; /* of all ranges together; 0: not given */
	const char *chap;
	const char *target; /* --target; NULL: all */
	const char **profiles; /* in the order given, ended by NULL */
	const char **sets;
	char **args; /* what is no option, ended by NULL */
	size_t arg_count;
};

/* ERR_USAGE as an err's code makes main exit with 2. */
enum { ERR_USAGE = 1 << 16 };

/*
 * Parse argv[1…] with the options whose bits stand in allowed; options and
 * arguments may be mixed, "--" ends the options. -ERR_USAGE with the reason.
 */
int options_parse(struct options *opt, unsigned allowed, int argc, char **argv, struct err *err);
void options_done(struct options *opt);

/* What a command that is about the same takes over from this one, as bits. */
enum {
	WITH_PORTALS = 1 << 0, /* and --skip-unreachable */
	WITH_ROOT = 1 << 1,
	WITH_VALUES = 1 << 2, /* --profile, --set, --scope */
	WITH_ALL = WITH_PORTALS | WITH_ROOT | WITH_VALUES,
};

/*
 * Append "sgw-init COMMAND" with those parts of the command line, its words
 * quoted for a shell: the one place where commands of our own to type are
 * made. What follows command goes behind it by the caller.
 */
void options_command(const struct options *opt, const char *command, unsigned parts,
		     struct buf *out);
void options_print_command(const struct options *opt, const char *command, unsigned parts,
			   FILE *out);

/* One line per option that a command takes, for its --help. */
void options_help(unsigned allowed, FILE *out);

#endif
