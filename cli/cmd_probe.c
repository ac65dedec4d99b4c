/* SPDX-License-Identifier: MIT */
/* sgw-init probe: log in to targets from user space, tell what is true of them, log out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "err.h"
#include "host/paths.h"
#include "host/sessions.h"
#include "iscsi/range.h"
#include "portals.h"
#include "probe_keys.h"
#include "probe_report.h"
#include "probing.h"
#include "profiles.h"

struct probing_command {
	const struct options *opt;
	struct paths paths;
	struct wanted wanted;
	struct credentials_store store;
	struct sessions sessions;
	struct discovery_result discovery; /* without --target */
	struct portal portal;
	struct probed *list;
	size_t count;
};

static int parse_portal(struct probing_command *cmd, struct err *err)
{
	const struct options *opt = cmd->opt;

	if (opt->arg_count != 1)
		return err_set(err, ERR_USAGE, "probe takes one PORTAL: HOST[:PORT]");
	if (range_is(opt->args[0]))
		err_set(err, ERR_USAGE, "a range is for discover alone: name one portal");
	else if (portal_parse(opt->args[0], &cmd->portal, err) == 0)
		return 0;
	err->code = ERR_USAGE;
	return err_at(err, "%s", opt->args[0]);
}

/* Which targets there are, and the address that they are at. */
static int find_targets(struct probing_command *cmd, struct err *err)
{
	struct discovery_result *found = &cmd->discovery;
	const struct discovery_options options = { .initiator_name = cmd->store.initiator,
						   .connect_ms = cmd->opt->timeout_ms,
						   .answer_ms = cmd->opt->timeout_ms };
	struct portal reached;
	int rc = discovery_run(&cmd->portal, 1, &options, found, err);

	if (rc < 0)
		return rc;
	portal_warn(found);
	if (found->rc < 0 && found->ours == VERDICT_NO_METHOD)
		return err_set(err, EACCES,
			       "%s: it demands CHAP of who asks for its targets: name one with "
			       "--target",
			       cmd->opt->args[0]);
	if (found->rc < 0) {
		*err = found->err;
		return found->rc;
	}
	if (found->targets.count == 0) {
		err_set(err, ENOENT, "it offers no target that can be probed");
		return err_at(err, "%s", cmd->opt->args[0]);
	}
	/* All of them at the address that answered; the listed ones may be out of reach. */
	if (portal_reached(found, &reached))
		cmd->portal = reached;
	return 0;
}

/* Where nobody can tell, the random ISID alone keeps other sessions safe. */
static int load_sessions(struct probing_command *cmd, struct err *err)
{
	int rc = sessions_load(&cmd->sessions, &cmd->paths, err);

	if (rc != -ENOSYS)
		return rc;
	warn("%s: probing all the same", err->reason);
	return 0;
}

static const char *find_session(const struct sessions *sessions, const char *target)
{
	for (size_t i = 0; i < sessions->count; i++) {
		if (strcmp(sessions->items[i].target, target) == 0)
			return sessions->items[i].name;
	}
	return NULL;
}

static int prepare(struct probing_command *cmd, struct err *err)
{
	size_t count = cmd->opt->target ? 1 : cmd->discovery.targets.count;
	int rc = 0;

	cmd->list = calloc(count, sizeof(*cmd->list));
	if (!cmd->list)
		return err_oom(err);
	cmd->count = count;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		struct probed *probed = &cmd->list[i];
		enum gateway_kind kind;

		probed->target =
			cmd->opt->target ? cmd->opt->target : cmd->discovery.targets.list[i].name;
		probed->portal = cmd->portal;
		kind = gateway_kind(probed->target);
		probe_offers(&probed->offers,
			     &cmd->wanted.profiles[kind == GATEWAY_OTHER ? GATEWAY_VOLUME : kind]);
		if (!cmd->opt->force)
			probed->live = find_session(&cmd->sessions, probed->target);
		rc = credentials_find(&cmd->store, probed->target, cmd->portal.host,
				      cmd->portal.port, &probed->credentials, err);
	}
	return rc;
}

static bool all_fine(const struct probing_command *cmd)
{
	bool fine = cmd->discovery.targets.refused == 0;

	for (size_t i = 0; i < cmd->count; i++)
		fine &= probed_is_fine(&cmd->list[i]);
	return fine;
}

static int print(const struct probing_command *cmd, struct err *err)
{
	char portal[PORTAL_TEXT_MAX];

	portal_text(&cmd->portal, portal);
	if (cmd->opt->output == OUTPUT_JSON)
		return probe_print_json(cmd->list, cmd->count, &cmd->wanted, portal,
					cmd->store.initiator, all_fine(cmd), err);
	return probe_print_tables(cmd->list, cmd->count, &cmd->wanted, err);
}

static int probe(struct probing_command *cmd, struct err *err)
{
	const struct options *opt = cmd->opt;
	int rc = parse_portal(cmd, err);

	if (rc == 0)
		rc = paths_init(&cmd->paths, opt->root, err);
	if (rc == 0)
		rc = profiles_load(&cmd->wanted, &cmd->paths, opt, err);
	if (rc == 0)
		rc = credentials_open(&cmd->store, &cmd->paths, opt->chap, err);
	if (rc == 0)
		rc = load_sessions(cmd, err);
	if (rc == 0 && !opt->target)
		rc = find_targets(cmd, err);
	if (rc == 0)
		rc = prepare(cmd, err);
	if (rc == 0)
		rc = probing_run(cmd->list, cmd->count, cmd->store.initiator, opt->timeout_ms,
				 opt->audit, err);
	if (rc == 0)
		rc = print(cmd, err);
	if (rc < 0)
		return rc;
	fflush(stdout);
	for (size_t i = 0; i < cmd->count; i++)
		probe_print_trouble(&cmd->list[i]);
	return all_fine(cmd) ? EXIT_DONE : EXIT_FAILED;
}

static int run(const struct options *opt, struct err *err)
{
	struct probing_command cmd = { .opt = opt, .paths.fd = -1 };
	int rc = probe(&cmd, err);

	for (size_t i = 0; i < cmd.count; i++)
		probed_done(&cmd.list[i]);
	free(cmd.list);
	discovery_result_done(&cmd.discovery);
	sessions_done(&cmd.sessions);
	credentials_close(&cmd.store);
	wanted_done(&cmd.wanted);
	paths_done(&cmd.paths);
	return rc;
}

const struct command command_probe = {
	.name = "probe",
	.args = "PORTAL",
	.summary = "log in from user space, tell what is true of the targets, log out",
	.options = OPT_ROOT | OPT_PROFILE | OPT_PROBE | OPT_TARGET | OPT_CHAP | OPT_TIMEOUT |
		   OPT_OUTPUT,
	.run = run,
};
