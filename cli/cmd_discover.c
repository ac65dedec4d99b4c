/* SPDX-License-Identifier: MIT */
/* sgw-init discover: which targets portals offer. No root, no kernel module, no trace. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "command.h"
#include "err.h"
#include "escape.h"
#include "host/paths.h"
#include "portals.h"
#include "report.h"
#include "sweep.h"

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

/* It answered, and every name in the answer could be one. */
static bool is_whole(const struct discovery_result *result)
{
	return result->rc == 0 && result->targets.refused == 0;
}

static json_t *result_json(const struct discovery_result *result)
{
	char text[PORTAL_TEXT_MAX];
	json_t *targets = json_array(), *error = json_null(), *item;

	portal_text(&result->asked, text);
	if (result->rc < 0) {
		error = json_error(result->err.reason);
		json_object_set_new(error, "stage",
				    json_string(discovery_stage_name(result->stage)));
	}
	for (size_t i = 0; i < result->targets.count; i++)
		json_array_append_new(targets, target_json(&result->targets.list[i]));
	item = json_pack("{s:s, s:b, s:s, s:o, s:i}", "portal", text, "ok", is_whole(result),
			 "kind", gateway_word(portal_kind(result)), "targets", targets,
			 "refused_names", (int)result->targets.refused);
	json_object_set_new(item, "error", error);
	return item;
}

static int print_json(const struct portals *portals, struct err *err)
{
	json_t *document = json_document("discover"), *list = json_array();
	bool ok = true;

	json_object_set_new(document, "portals", list);
	for (size_t i = 0; i < portals->count; i++) {
		json_array_append_new(list, result_json(&portals->results[i]));
		ok &= is_whole(&portals->results[i]);
	}
	json_object_set_new(document, "sweep", json_null());
	return json_print(document, ok, stdout, err);
}

static int discover(const struct paths *paths, const struct options *opt, struct err *err)
{
	CLEANUP(portals_done) struct portals portals = { 0 };
	int code = EXIT_DONE;
	int rc = portals_discover(&portals, paths, opt->args, opt->arg_count, opt->timeout_ms, err);

	for (size_t i = 0; rc == 0 && i < portals.count; i++)
		portal_warn_told(&portals.results[i]);

	if (rc == 0)
		rc = opt->output == OUTPUT_JSON ? print_json(&portals, err)
						: print_table(&portals, err);
	for (size_t i = 0; i < portals.count; i++) {
		const struct discovery_result *result = &portals.results[i];

		if (result->rc < 0)
			err_print("sgw-init", &result->err);
		if (!is_whole(result))
			code = EXIT_FAILED;
	}
	return rc < 0 ? rc : code;
}

/* What a sweep brings, while it goes on. */
struct answers {
	enum output output;
	bool has_title;
	bool any; /* something answered */
	bool failed; /* a portal that was named by itself, or an answer in part */
	struct discovery_result *kept; /* for JSON, which is in order of the addresses */
	size_t count;
};

static void answers_done(struct answers *answers)
{
	for (size_t i = 0; i < answers->count; i++)
		discovery_result_done(&answers->kept[i]);
	free(answers->kept);
}

/* Rows as they come: nobody knows yet how wide the widest will be. */
static void print_row(const char *portal, const char *kind, const char *target,
		      const char *addresses)
{
	char shown[4 * ISCSI_NAME_SIZE];

	escape_text(target, strlen(target), shown, sizeof(shown));
	printf("%-21s  %-6s  %-40s  %s\n", portal, kind, shown, addresses);
}

static void print_rows(struct answers *answers, const struct discovery_result *result)
{
	char portal[PORTAL_TEXT_MAX];

	if (!answers->has_title && result->targets.count > 0)
		print_row("PORTAL", "KIND", "TARGET", "ADDRESS");
	answers->has_title |= result->targets.count > 0;
	portal_text(&result->asked, portal);
	for (size_t i = 0; i < result->targets.count; i++) {
		const struct target *target = &result->targets.list[i];
		CLEANUP(buf_done) struct buf addresses = { 0 };

		list_addresses(target, &addresses);
		print_row(portal, gateway_word(gateway_kind(target->name)), target->name,
			  buf_text(&addresses));
	}
	fflush(stdout);
}

static int keep(struct answers *answers, struct discovery_result *result)
{
	if (!ARRAY_ROOM(answers->kept, answers->count))
		return -ENOMEM;
	answers->kept[answers->count++] = *result;
	*result = (struct discovery_result){ .rc = 0 };
	return 0;
}

static void take_answer(void *arg, struct discovery_result *result, bool in_range)
{
	struct answers *answers = arg;

	if (result->rc < 0 && !in_range)
		err_print("sgw-init", &result->err);
	else if (result->rc < 0)
		warn("%s: %s", result->err.place, result->err.reason);
	answers->any |= result->rc == 0;
	answers->failed |= (result->rc < 0 && !in_range) || result->targets.refused > 0;
	if (answers->output != OUTPUT_JSON)
		print_rows(answers, result);
	else if (keep(answers, result) < 0)
		answers->failed = true;
}

static int by_number(const void *a, const void *b)
{
	const struct discovery_result *left = a, *right = b;

	return (left->number > right->number) - (left->number < right->number);
}

static int print_sweep_json(struct answers *answers, const struct sweep_counts *counts,
			    struct err *err)
{
	json_t *document = json_document("discover"), *list = json_array();

	if (answers->count > 0)
		qsort(answers->kept, answers->count, sizeof(*answers->kept), by_number);
	json_object_set_new(document, "portals", list);
	for (size_t i = 0; i < answers->count; i++)
		json_array_append_new(list, result_json(&answers->kept[i]));
	json_object_set_new(
		document, "sweep",
		json_pack("{s:I, s:I, s:I, s:I, s:I}", "hosts", (json_int_t)counts->hosts,
			  "answered", (json_int_t)counts->answered, "refused",
			  (json_int_t)counts->refused, "silent", (json_int_t)counts->silent,
			  "failed", (json_int_t)counts->failed));
	return json_print(document, answers->any && !answers->failed, stdout, err);
}

static int discover_ranges(const struct paths *paths, const struct options *opt, struct err *err)
{
	CLEANUP(answers_done) struct answers answers = { .output = opt->output };
	struct sweep sweep = { .timeout_ms = opt->timeout_ms,
			       .max_hosts = opt->max_hosts,
			       .found = take_answer,
			       .arg = &answers };
	const struct sweep_counts *counts = &sweep.counts;
	int rc = sweep_run(&sweep, paths, opt->args, opt->arg_count, err);

	if (rc == 0 && opt->output == OUTPUT_JSON)
		rc = print_sweep_json(&answers, counts, err);
	if (rc < 0)
		return rc;
	fflush(stdout);
	fprintf(stderr,
		"sgw-init: %zu of %zu hosts answered (%zu refused, %zu silent, %zu failed)\n",
		counts->answered, counts->hosts, counts->refused, counts->silent, counts->failed);
	return !answers.any || answers.failed ? EXIT_FAILED : EXIT_DONE;
}

static int run(const struct options *opt, struct err *err)
{
	struct paths paths;
	int rc;

	if (opt->arg_count == 0)
		return err_set(
			err, ERR_USAGE,
			"discover takes at least one PORTAL: HOST[:PORT], or a range: 10.0.1.0/24");
	rc = paths_init(&paths, opt->root, err);
	if (rc < 0)
		return rc;
	rc = sweep_is_wanted(opt->args, opt->arg_count) ? discover_ranges(&paths, opt, err)
							: discover(&paths, opt, err);
	paths_done(&paths);
	return rc;
}

const struct command command_discover = {
	.name = "discover",
	.args = "PORTAL...",
	.summary = "list the targets that portals offer; writes nothing",
	.options = OPT_ROOT | OPT_TIMEOUT | OPT_MAX_HOSTS | OPT_OUTPUT,
	.run = run,
};
