/* SPDX-License-Identifier: MIT */
/* sgw-init discover: which targets portals offer. No root, no kernel module, no trace. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "err.h"
#include "host/paths.h"
#include "portals.h"
#include "report.h"

/* "10.0.1.130:3260,1", one after the other where a target has several. */
static void list_addresses(const struct target *target, struct buf *out)
{
	char text[PORTAL_TEXT_MAX];

	for (size_t i = 0; i < target->portal_count; i++) {
		portal_text_tag(&target->portals[i], text);
		buf_addf(out, "%s%s", i > 0 ? " " : "", text);
	}
}

static int print_table(const struct portals *portals, struct err *err)
{
	static const char *const titles[] = { "PORTAL", "KIND", "TARGET", "ADDRESS", NULL };
	CLEANUP(table_done) struct table table;
	char portal[PORTAL_TEXT_MAX];

	table_init(&table, titles);
	for (size_t i = 0; i < portals->count; i++) {
		const struct discovery_result *result = &portals->results[i];

		portal_text(&result->asked, portal);
		for (size_t j = 0; j < result->targets.count; j++) {
			const struct target *target = &result->targets.list[j];
			CLEANUP(buf_done) struct buf addresses = { 0 };

			list_addresses(target, &addresses);
			table_row(&table, portal, gateway_word(gateway_kind(target->name)),
				  target->name, buf_text(&addresses), NULL);
		}
	}
	return table_print(&table, stdout, err);
}

static json_t *target_json(const struct target *target)
{
	json_t *addresses = json_array();

	for (size_t i = 0; i < target->portal_count; i++) {
		const struct portal *portal = &target->portals[i];

		json_array_append_new(addresses, json_pack("{s:s, s:i, s:o}", "host", portal->host,
							   "port", (int)portal->port, "tag",
							   portal->tag == PORTAL_NO_TAG
								   ? json_null()
								   : json_integer(portal->tag)));
	}
	return json_pack("{s:o, s:s, s:o}", "name", json_text(target->name), "kind",
			 gateway_word(gateway_kind(target->name)), "addresses", addresses);
}

static json_t *result_json(const struct discovery_result *result)
{
	char text[PORTAL_TEXT_MAX];
	json_t *targets = json_array(), *item;

	portal_text(&result->asked, text);
	for (size_t i = 0; i < result->targets.count; i++)
		json_array_append_new(targets, target_json(&result->targets.list[i]));
	item = json_pack("{s:s, s:b, s:s, s:o, s:i}", "portal", text, "ok", result->rc == 0, "kind",
			 gateway_word(portal_kind(result)), "targets", targets, "refused",
			 (int)result->targets.refused);
	if (result->rc < 0)
		json_object_set_new(item, "error",
				    json_pack("{s:s, s:o}", "stage",
					      discovery_stage_name(result->stage), "reason",
					      json_text(result->err.reason)));
	return item;
}

static int print_json(const struct portals *portals, struct err *err)
{
	json_t *document = json_document("discover"), *list = json_array();

	json_object_set_new(document, "portals", list);
	for (size_t i = 0; i < portals->count; i++)
		json_array_append_new(list, result_json(&portals->results[i]));
	return json_print(document, stdout, err);
}

static int discover(const struct paths *paths, const struct options *opt, struct err *err)
{
	CLEANUP(portals_done) struct portals portals = { 0 };
	int code = EXIT_DONE;
	int rc = portals_discover(&portals, paths, opt->args, opt->arg_count, opt->timeout_ms, err);

	if (rc == 0)
		rc = opt->output == OUTPUT_JSON ? print_json(&portals, err)
						: print_table(&portals, err);
	for (size_t i = 0; i < portals.count; i++) {
		const struct discovery_result *result = &portals.results[i];

		if (result->rc < 0)
			err_print("sgw-init", &result->err);
		if (result->rc < 0 || result->targets.refused > 0)
			code = EXIT_FAILED;
	}
	return rc < 0 ? rc : code;
}

static int run(const struct options *opt, struct err *err)
{
	struct paths paths;
	int rc;

	if (opt->arg_count == 0)
		return err_set(err, ERR_USAGE, "discover takes at least one PORTAL: HOST[:PORT]");
	rc = paths_init(&paths, opt->root, err);
	if (rc < 0)
		return rc;
	rc = discover(&paths, opt, err);
	paths_done(&paths);
	return rc;
}

const struct command command_discover = {
	.name = "discover",
	.args = "PORTAL...",
	.summary = "list the targets that portals offer; writes nothing",
	.options = OPT_ROOT | OPT_TIMEOUT | OPT_OUTPUT,
	.run = run,
};
