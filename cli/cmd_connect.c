/* SPDX-License-Identifier: MIT */
/* sgw-init connect: log in to the records that are there, and wait for their devices. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "choice.h"
#include "command.h"
#include "connect_report.h"
#include "connecting.h"
#include "err.h"
#include "inspection.h"
#include "live.h"
#include "login_check.h"
#include "report.h"

/* One connect, from the command line to the devices. */
struct connect_command {
	const struct options *opt;
	struct choice choice; /* without a discovery: of all, or of --target */
	struct inspection in;
	const struct record **records; /* of the survey */
	size_t count;
	size_t missing; /* targets of the portals that have no record */
	struct connected *list;
};

static void add_records(struct connect_command *cmd, const char *target, const struct portal *at)
{
	const struct database *db = &cmd->in.survey.database;

	for (size_t i = 0; i < db->count; i++) {
		const struct record *record = &db->records[i];

		if (strcmp(record->target, target) == 0 && record->port == at->port &&
		    strcmp(record->address, at->host) == 0)
			cmd->records[cmd->count++] = record;
	}
}

/* The records of the targets that a portal offers, at the address that a host uses. */
static void add_of_portal(struct connect_command *cmd, const struct discovery_result *result)
{
	struct portal reached;

	if (result->rc < 0 || !portal_reached(result, &reached))
		return;
	for (size_t i = 0; i < result->targets.count; i++) {
		const struct target *target = &result->targets.list[i];
		const struct portal *path = inspection_path(target, &reached);
		const size_t before = cmd->count;

		if (gateway_kind(target->name) == GATEWAY_OTHER || !path)
			continue;
		add_records(cmd, target->name, path);
		if (cmd->count > before)
			continue;
		cmd->missing++;
		fprintf(stderr, "sgw-init: %s has no record here: make it with: ", target->name);
		options_print_command(cmd->opt, "apply", WITH_ALL, stderr);
		fprintf(stderr, " --connect\n");
	}
}

static int select_records(struct connect_command *cmd, struct err *err)
{
	const struct database *db = &cmd->in.survey.database;
	const size_t portals = cmd->in.portals.count;

	/* A record can be named once for each portal of the command line. */
	cmd->records = calloc(db->count * (portals + 1) + 1, sizeof(*cmd->records));
	if (!cmd->records)
		return err_oom(err);
	for (size_t i = 0; i < portals; i++)
		add_of_portal(cmd, &cmd->in.portals.results[i]);
	for (size_t i = 0; portals == 0 && i < db->count; i++) {
		const struct record *record = &db->records[i];

		if (choice_has(&cmd->choice, record->target, record->address, record->port))
			cmd->records[cmd->count++] = record;
	}
	return 0;
}

/* Two portals of the command line may be one address. */
static void drop_repeated(struct connect_command *cmd)
{
	size_t kept = 0;

	for (size_t i = 0; i < cmd->count; i++) {
		size_t j = 0;

		while (j < kept && cmd->records[j] != cmd->records[i])
			j++;
		if (j == kept)
			cmd->records[kept++] = cmd->records[i];
	}
	cmd->count = kept;
}

static int check_selection(const struct connect_command *cmd, struct err *err)
{
	const struct options *opt = cmd->opt;

	if (cmd->count > 0 || cmd->missing > 0)
		return 0;
	if (opt->target)
		return err_set(err, ENOENT,
			       "%s has no record here%s: make it with sgw-init apply PORTAL",
			       opt->target, opt->arg_count > 0 ? " at that portal" : "");
	return err_set(err, ENOENT,
		       "there is no record of a Storage Gateway: make them with sgw-init apply "
		       "PORTAL");
}

/* Whether what check finds about the record weighs, but for the login that it lacks. */
static bool is_untuned(const struct findings *findings, const struct record *record)
{
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->items[i];

		if (finding->place && finding->place->record == record &&
		    finding->verdict != VERDICT_DOWN && finding_weighs(finding, false))
			return true;
	}
	return false;
}

static void warn_of_untuned(const struct connect_command *cmd)
{
	CLEANUP(buf_done) struct buf command = { 0 };
	size_t untuned = 0;

	for (size_t i = 0; i < cmd->count; i++)
		untuned += is_untuned(&cmd->in.findings, cmd->records[i]);
	options_command(cmd->opt, "apply", WITH_ALL, &command);
	if (untuned > 0)
		warn("%zu of %zu records lack wanted values, and so will their sessions: check "
		     "names them, and before a login they are mended with: %s",
		     untuned, cmd->count, buf_text(&command));
}

static int print(const struct connect_command *cmd, size_t troubles, struct err *err)
{
	json_t *document;

	if (cmd->opt->output != OUTPUT_JSON)
		return connect_print_table(cmd->list, cmd->count, err);
	document = json_document("connect");
	json_object_set_new(document, "missing_records", json_integer((json_int_t)cmd->missing));
	json_object_set_new(document, "targets", connect_json(cmd->list, cmd->count));
	return json_print(document, troubles == 0, stdout, err);
}

/* What the sessions and devices came up with. The records of the list end here. */
static int tell_unwanted(struct connect_command *cmd, struct err *err)
{
	int rc = inspection_survey(&cmd->in, false, err);
	const size_t unwanted =
		rc < 0 ? 0 : login_unwanted(&cmd->in.findings, cmd->list, cmd->count, NULL);

	if (unwanted > 0)
		warn("%zu %s of these sessions and devices %s not as wanted: sgw-init check%s "
		     "names what, and what mends it",
		     unwanted, unwanted == 1 ? "value" : "values", unwanted == 1 ? "is" : "are",
		     cmd->in.asked.options);
	return rc;
}

static int connect_all(struct connect_command *cmd, struct err *err)
{
	const struct options *opt = cmd->opt;
	const struct connect_options options = { .device_ms = opt->wait_ms };
	size_t troubles = 0;
	int rc = inspection_open(&cmd->in, opt, err);

	if (rc == 0 && !opt->target)
		rc = inspection_discover(&cmd->in, opt, err);
	if (rc == 0)
		rc = inspection_survey(&cmd->in, false, err);
	if (rc == 0)
		rc = select_records(cmd, err);
	if (rc == 0)
		rc = check_selection(cmd, err);
	if (rc < 0)
		return rc;
	drop_repeated(cmd);
	warn_of_untuned(cmd);
	rc = connecting_run(&cmd->in.paths, cmd->records, cmd->count, &options, &cmd->list, err);
	if (rc < 0)
		return rc;
	troubles = connect_print_troubles(cmd->list, cmd->count) + cmd->missing;
	live_warn_of_links(&cmd->in.paths);
	rc = print(cmd, troubles, err);
	if (rc == 0)
		rc = tell_unwanted(cmd, err);
	if (rc < 0)
		return rc;
	return troubles > 0 ? EXIT_FAILED : EXIT_DONE;
}

static int run(const struct options *opt, struct err *err)
{
	struct connect_command cmd = { .opt = opt, .in = INSPECTION_NONE };
	int rc = choice_make(&cmd.choice, opt, err);

	if (rc == 0)
		rc = connect_all(&cmd, err);
	connected_free(cmd.list, cmd.count);
	free(cmd.records);
	inspection_done(&cmd.in);
	choice_done(&cmd.choice);
	return rc;
}

const struct command command_connect = {
	.name = "connect",
	.args = "[PORTAL...]",
	.summary = "log in by the records that are there, and wait for the devices",
	.options = OPT_PROFILE | OPT_TARGET | OPT_TIMEOUT | OPT_WAIT | OPT_SKIP_UNREACHABLE |
		   OPT_OUTPUT,
	.run = run,
};
