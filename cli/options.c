/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "err.h"
#include "iscsi/name.h"
#include "number.h"
#include "quote.h"

static int parse_word(const char *value, const char *const *words, size_t count, const char *option,
		      int *out, struct err *err)
{
	char list[64] = "";
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(value, words[i]) == 0) {
			*out = (int)i;
			return 0;
		}
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
					 i == 0		  ? ""
					 : i + 1 == count ? " or "
							  : ", ",
					 words[i]);
	}
	return err_set(err, ERR_USAGE, "%s takes %s, not '%s'", option, list, value);
}

static int set_root(struct options *opt, const char *value, struct err *err)
{
	if (value[0] == '\0')
		return err_set(err, ERR_USAGE, "--root takes a directory");
	opt->root = value;
	return 0;
}

/* In the order of enum output: a command takes the first ones. */
static const char *const formats[] = { "table", "json", "diff", "junit" };

static int parse_output(struct options *opt, const char *value, enum output last, struct err *err)
{
	int word = 0, rc = parse_word(value, formats, (size_t)last + 1, "--output", &word, err);

	opt->output = (enum output)word;
	return rc;
}

static int set_output(struct options *opt, const char *value, struct err *err)
{
	return parse_output(opt, value, OUTPUT_JSON, err);
}

static int set_output_diff(struct options *opt, const char *value, struct err *err)
{
	return parse_output(opt, value, OUTPUT_DIFF, err);
}

static int set_output_check(struct options *opt, const char *value, struct err *err)
{
	return parse_output(opt, value, OUTPUT_JUNIT, err);
}

static int set_scope(struct options *opt, const char *value, struct err *err)
{
	static const char *const words[] = { "all", "targets" };
	int word = 0, rc = parse_word(value, words, ARRAY_LEN(words), "--scope", &word, err);

	opt->scope = (enum scope)word;
	return rc;
}

static int add_text(const char ***list, const char *value, struct err *err)
{
	size_t count = 0;
	const char **grown;

	while (*list && (*list)[count])
		count++;
	grown = realloc(*list, (count + 2) * sizeof(*grown));
	if (!grown)
		return err_oom(err);
	grown[count] = value;
	grown[count + 1] = NULL;
	*list = grown;
	return 0;
}

static int add_profile(struct options *opt, const char *value, struct err *err)
{
	return add_text(&opt->profiles, value, err);
}

static int add_set(struct options *opt, const char *value, struct err *err)
{
	return add_text(&opt->sets, value, err);
}

/* "3", "500ms" */
static int parse_wait(const char *value, const char *option, unsigned max_s, uint32_t *ms,
		      struct err *err)
{
	uint64_t parsed = 0;

	if (parse_duration(value, 1, max_s * (uint64_t)1000, &parsed, err) < 0)
		return err_set(err, ERR_USAGE, "%s takes 1ms to %us, such as 3 or 500ms, not '%s'",
			       option, max_s, value);
	*ms = (uint32_t)parsed;
	return 0;
}

static int set_timeout(struct options *opt, const char *value, struct err *err)
{
	return parse_wait(value, "--timeout", 600, &opt->timeout_ms, err);
}

static int set_wait(struct options *opt, const char *value, struct err *err)
{
	return parse_wait(value, "--wait", 3600, &opt->wait_ms, err);
}

static int set_max_hosts(struct options *opt, const char *value, struct err *err)
{
	if (parse_u32(value, 1, OPTIONS_HOSTS_MAX, &opt->max_hosts, err) < 0) {
		err->code = ERR_USAGE;
		return err_at(err, "--max-hosts");
	}
	return 0;
}

static int set_chap(struct options *opt, const char *value, struct err *err)
{
	(void)err;
	opt->chap = value;
	return 0;
}

static int set_target(struct options *opt, const char *value, struct err *err)
{
	if (name_check(value, strlen(value), err) < 0) {
		err->code = ERR_USAGE;
		return err_at(err, "--target");
	}
	opt->target = value;
	return 0;
}

static int set_force(struct options *opt, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	opt->force = true;
	return 0;
}

static int set_connect(struct options *opt, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	opt->connect = true;
	return 0;
}

static int set_relogin(struct options *opt, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	opt->relogin = true;
	return 0;
}

static int set_disconnect(struct options *opt, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	opt->disconnect = true;
	return 0;
}

static int set_audit(struct options *opt, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	opt->audit = true;
	return 0;
}

static int set_all(struct options *opt, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	opt->all = true;
	return 0;
}

static int set_forget(struct options *opt, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	opt->forget = true;
	return 0;
}

static int set_dry_run(struct options *opt, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	opt->dry_run = true;
	return 0;
}

static int set_strict(struct options *opt, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	opt->strict = true;
	return 0;
}

static int set_skip_unreachable(struct options *opt, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	opt->skip_unreachable = true;
	return 0;
}

static int set_list(struct options *opt, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	opt->list = true;
	return 0;
}

static const struct option_row {
	unsigned bit;
	const char *name;
	const char *argument; /* NULL: takes none */
	const char *help;
	int (*set)(struct options *opt, const char *value, struct err *err);
} rows[] = {
	{ OPT_ROOT, "root", "DIR", "work on the system tree below DIR; no program is run",
	  set_root },
	{ OPT_PROFILE, "profile", "FILE", "lay a profile file over the built-in one (repeatable)",
	  add_profile },
	{ OPT_PROFILE, "set", "KEY=VALUE", "want another value for one setting (repeatable)",
	  add_set },
	{ OPT_SCOPE, "scope", "all|targets", "targets: leave iscsid.conf alone", set_scope },
	{ OPT_TARGET, "target", "IQN", "this target alone; no discovery", set_target },
	{ OPT_PROBE, "force", NULL, "also a target that has a live session on this host",
	  set_force },
	{ OPT_PROBE, "audit", NULL, "also try what the target should refuse", set_audit },
	{ OPT_DISCONNECT, "all", NULL, "every session of a Storage Gateway", set_all },
	{ OPT_DISCONNECT, "forget", NULL, "remove the records too; undo brings them back",
	  set_forget },
	{ OPT_CHAP, "chap", "FILE", "CHAP credentials (describe-chap-credentials JSON, mode 0600)",
	  set_chap },
	{ OPT_LOGINS, "connect", NULL, "then log in what has no session, and at each boot",
	  set_connect },
	{ OPT_LOGINS, "relogin", NULL, "log sessions with former values out and in again",
	  set_relogin },
	{ OPT_LOGINS, "force", NULL, "with --relogin: also where a disk is in use", set_force },
	{ OPT_LOG_OUT, "disconnect", NULL, "log out of sessions whose records are to go",
	  set_disconnect },
	{ OPT_DRY_RUN, "dry-run", NULL, "show what would change and write nothing", set_dry_run },
	{ OPT_STRICT, "strict", NULL, "exit 3 for warnings and kept values too", set_strict },
	{ OPT_TIMEOUT, "timeout", "SECONDS",
	  "give a silent portal up after this (default 3 to connect, 10 to answer)", set_timeout },
	{ OPT_WAIT, "wait", "SECONDS", "how long the devices may take after a login (default 30)",
	  set_wait },
	{ OPT_MAX_HOSTS, "max-hosts", "N", "how many hosts ranges may have in all (default 256)",
	  set_max_hosts },
	{ OPT_SKIP_UNREACHABLE, "skip-unreachable", NULL,
	  "go on without the portals that do not answer", set_skip_unreachable },
	{ OPT_LIST, "list", NULL, "list the journal's entries instead", set_list },
	{ OPT_OUTPUT, "output", "FORMAT", "table or json", set_output },
	{ OPT_OUTPUT_DIFF, "output", "FORMAT", "table, json or diff (with --dry-run)",
	  set_output_diff },
	{ OPT_OUTPUT_CHECK, "output", "FORMAT", "table, json, diff or junit", set_output_check },
};

enum { HELP = 'h', FIRST_ROW = 256 };

static int usage_of_getopt(int c, char **argv, struct err *err)
{
	if (c == ':')
		return err_set(err, ERR_USAGE, "%s needs a value; see --help", argv[optind - 1]);
	/* A letter may stand in the midst of a word, which getopt has not left yet. */
	if (optopt > 0 && optopt < FIRST_ROW && optopt != HELP)
		return err_set(err, ERR_USAGE, "-%c is not an option of this command; see --help",
			       optopt);
	return err_set(err, ERR_USAGE, "%s is not an option of this command; see --help",
		       argv[optind - 1]);
}

int options_parse(struct options *opt, unsigned allowed, int argc, char **argv, struct err *err)
{
	struct option longs[ARRAY_LEN(rows) + 2] = { { "help", no_argument, NULL, HELP } };
	size_t count = 1;
	int c, rc;

	*opt = (struct options){ 0 };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].bit & allowed)
			longs[count++] = (struct option){
				.name = rows[i].name,
				.has_arg = rows[i].argument ? required_argument : no_argument,
				.val = FIRST_ROW + (int)i,
			};
	}
	opterr = 0;
	optind = 0; /* glibc: start anew, and permute */
	while ((c = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
		if (c == HELP) {
			opt->help = true;
			continue;
		}
		if (c < FIRST_ROW)
			return usage_of_getopt(c, argv, err);
		rc = rows[c - FIRST_ROW].set(opt, optarg, err);
		if (rc < 0)
			return rc;
	}
	opt->args = argv + optind;
	opt->arg_count = (size_t)(argc - optind);
	return 0;
}

void options_done(struct options *opt)
{
	free(opt->profiles);
	free(opt->sets);
}

static void add_word(const char *word, struct buf *out)
{
	buf_adds(out, " ");
	quote_word(out, word);
}

static void add_list(const char *option, const char *const *list, struct buf *out)
{
	for (; list && *list; list++) {
		buf_addf(out, " %s", option);
		add_word(*list, out);
	}
}

void options_command(const struct options *opt, const char *command, unsigned parts,
		     struct buf *out)
{
	buf_addf(out, "sgw-init %s", command);
	for (size_t i = 0; (parts & WITH_PORTALS) && i < opt->arg_count; i++)
		add_word(opt->args[i], out);
	if (parts & WITH_ROOT)
		add_list("--root", (const char *[]){ opt->root, NULL }, out);
	if (parts & WITH_VALUES) {
		add_list("--profile", opt->profiles, out);
		add_list("--set", opt->sets, out);
	}
	if ((parts & WITH_VALUES) && opt->scope == SCOPE_TARGETS)
		buf_adds(out, " --scope targets");
	if ((parts & WITH_PORTALS) && opt->skip_unreachable)
		buf_adds(out, " --skip-unreachable");
}

void options_print_command(const struct options *opt, const char *command, unsigned parts,
			   FILE *out)
{
	CLEANUP(buf_done) struct buf text = { 0 };

	options_command(opt, command, parts, &text);
	fputs(buf_text(&text), out);
}

void options_help(unsigned allowed, FILE *out)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char left[64];

		if (!(rows[i].bit & allowed))
			continue;
		snprintf(left, sizeof(left), "--%s%s%s", rows[i].name, rows[i].argument ? " " : "",
			 rows[i].argument ? rows[i].argument : "");
		fprintf(out, "  %-22s %s\n", left, rows[i].help);
	}
}
