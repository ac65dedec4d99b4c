/* SPDX-License-Identifier: MIT */
/* sgw-init: one table drives dispatch and usage. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "command.h"
#include "err.h"
#include "escape.h"
#include "failure.h"
#include "os/process.h"

static const char program[] = "sgw-init";

void warn(const char *fmt, ...)
{
	CLEANUP(free_ptr) char *text = NULL, *shown = NULL;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len >= 0)
		text = malloc((size_t)len + 1);
	if (text)
		shown = malloc(4 * (size_t)len + 1);
	if (!shown) {
		fprintf(stderr, "%s: out of memory for a warning\n", program);
		return;
	}
	va_start(args, fmt);
	vsnprintf(text, (size_t)len + 1, fmt, args);
	va_end(args);
	escape_text(text, (size_t)len, shown, 4 * (size_t)len + 1);
	fprintf(stderr, "%s: warning: %s\n", program, shown);
}

void warn_lines(const char *place, const char *lines)
{
	while (*lines) {
		int len = (int)strcspn(lines, "\n");

		fprintf(stderr, "%s: warning: %s: %.*s\n", program, place, len, lines);
		lines += len + (lines[len] == '\n');
	}
}

static void print_usage(FILE *out)
{
	fprintf(out, "usage: %s COMMAND [ARGUMENT...] [OPTION...]\n\n", program);
	for (size_t i = 0; commands[i]; i++)
		fprintf(out, "  %-10s %-29s %s\n", commands[i]->name, commands[i]->args,
			commands[i]->summary);
	fprintf(out,
		"\n%s COMMAND --help lists the options of a command; see also sgw-init(8).\n"
		"exit codes: 0 done, 1 failed, 2 wrong usage, 3 differences found\n",
		program);
}

static void print_command_help(const struct command *command)
{
	printf("usage: %s %s %s [OPTION...]\n\n%s\n\n", program, command->name, command->args,
	       command->summary);
	options_help(command->options, stdout);
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; commands[i]; i++) {
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	}
	return NULL;
}

/* What was printed has to have arrived: a full disk fails the command. */
static int close_output(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	/* Whoever reads no more, as head does, needs no words. */
	if (errno != EPIPE)
		fprintf(stderr, "%s: standard output: %s\n", program, strerror(errno));
	return EXIT_FAILED;
}

static void print_failure(const struct err *err)
{
	err_print(program, err);
	if ((err->code == EACCES || err->code == EPERM) && process_lacks_root())
		fprintf(stderr, "%s: run it as root\n", program);
}

static int run(const struct command *command, int argc, char **argv)
{
	struct err err = { 0 };
	struct options opt;
	int rc = options_parse(&opt, command->options, argc, argv, &err);

	if (rc == 0 && opt.help)
		print_command_help(command);
	else if (rc == 0)
		rc = command->run(&opt, &err);
	options_done(&opt);
	if (rc >= 0)
		return close_output(rc);
	failure_print(command->name, opt.output, &err, stdout);
	fflush(stdout);
	print_failure(&err);
	return rc == -ERR_USAGE ? EXIT_USAGE : EXIT_FAILED;
}

int main(int argc, char **argv)
{
	const struct command *command;
	const char *name = argc > 1 ? argv[1] : "";

	if (process_prepare() < 0)
		return EXIT_FAILED;
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
		print_usage(stdout);
		return close_output(EXIT_DONE);
	}
	if (strcmp(name, "--version") == 0) {
		printf("%s %s\n", program, SGW_VERSION);
		return close_output(EXIT_DONE);
	}
	command = find_command(name);
	if (!command) {
		if (name[0] != '\0')
			fprintf(stderr, "%s: there is no command '%s'\n", program, name);
		print_usage(stderr);
		return EXIT_USAGE;
	}
	return run(command, argc - 1, argv + 1);
}
