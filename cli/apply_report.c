/* SPDX-License-Identifier: MIT */
#include "apply_report.h"

#include <stdio.h>
#include <string.h>

#include "engine/actions.h"
#include "engine/plan.h"
#include "err.h"
#include "escape.h"
#include "host/records.h"
#include "iscsi/portal.h"
#include "options.h"
#include "plan_report.h"
#include "report.h"

static bool is_empty(const struct plan *plan)
{
	return plan->file_count == 0 && plan->live_count == 0;
}

static void portal_of(const struct action *action, char out[PORTAL_TEXT_MAX])
{
	portal_text_of(action->record->address, action->record->port, out);
}

static json_t *action_json(const struct action *action)
{
	char portal[PORTAL_TEXT_MAX] = "";

	if (action->record)
		portal_of(action, portal);
	return json_pack("{s:s, s:o, s:o, s:o}", "action", action_word(action->kind), "target",
			 json_text_or_null(action->record ? action->record->target : NULL),
			 "portal", json_text_or_null(portal), "why",
			 json_text_or_null(action->why));
}

static json_t *actions_json(const struct actions *actions)
{
	json_t *list = json_array();

	for (size_t i = 0; i < actions->count; i++)
		json_array_append_new(list, action_json(&actions->items[i]));
	return list;
}

/* What an attempt before this one wrote is told as well. */
static void go_on(json_t *document, const json_t *former, const char *key)
{
	json_t *list = json_copy(json_object_get(former, key));

	if (list) {
		json_array_extend(list, json_object_get(document, key));
		json_object_set_new(document, key, list);
	}
}

static json_t *make_document(const struct apply_report *report, const struct plan *plan,
			     const struct actions *actions)
{
	json_t *document = json_document("apply");

	json_object_set_new(document, "dry_run", json_boolean(report->opt->dry_run));
	json_object_set_new(document, "changed", json_boolean(report->id[0] != '\0'));
	json_object_set_new(document, "entry",
			    report->id[0] ? json_string(report->id) : json_null());
	json_object_set_new(document, "changes", plan_json(plan));
	json_object_set_new(document, "live", plan_json_live(plan));
	json_object_set_new(document, "actions", actions_json(actions));
	/* Who comes after the plan fills these in; null: it was not asked for. */
	json_object_set_new(document, "needs_login", json_array());
	json_object_set_new(document, "resumed", json_array());
	json_object_set_new(document, "relogin", json_null());
	json_object_set_new(document, "connected", json_null());
	return document;
}

static void print_counts(size_t files, size_t live)
{
	if (files > 0)
		printf("%zu %s", files, files == 1 ? "file" : "files");
	if (live > 0)
		printf("%s%zu live %s", files > 0 ? " and " : "", live,
		       live == 1 ? "value" : "values");
}

/* prefix comes first in the line. */
static void print_action(const struct action *action, const char *prefix)
{
	char target[4 * ISCSI_NAME_SIZE] = "", portal[PORTAL_TEXT_MAX] = "";

	if (action->record) {
		escape_text(action->record->target, strlen(action->record->target), target,
			    sizeof(target));
		portal_of(action, portal);
	}
	switch (action->kind) {
	case ACTION_RELOAD_RULES:
		printf("%swould have udevd read its rules anew\n", prefix);
		break;
	case ACTION_LOG_IN_AGAIN:
		printf("%swould log out of %s at %s and in again, for %s\n", prefix, target, portal,
		       action->why);
		break;
	case ACTION_LOG_IN:
		printf("%swould log in to %s at %s\n", prefix, target, portal);
		break;
	case ACTION_AWAIT:
		printf("%swould wait for the session of %s at %s\n", prefix, target, portal);
		break;
	}
}

static int print_table(const struct apply_report *report, const struct plan *plan,
		       const struct actions *actions, struct err *err)
{
	const bool dry_run = report->opt->dry_run;
	int rc = plan_print_table(plan, err);

	if (dry_run && !is_empty(plan)) {
		print_counts(plan->file_count, plan->live_count);
		printf(" would change; nothing was written\n");
	} else if (report->id[0] == '\0' && is_empty(plan) && actions->count == 0) {
		printf("nothing to change\n");
	}
	for (size_t i = 0; dry_run && i < actions->count; i++)
		print_action(&actions->items[i], "");
	return rc;
}

static int print_diff(const struct plan *plan, const struct actions *actions, struct err *err)
{
	int rc = plan_print_diff(plan, err);

	for (size_t i = 0; rc == 0 && i < actions->count; i++)
		print_action(&actions->items[i], PATCH_NOTE);
	return rc;
}

int apply_report_plan(struct apply_report *report, const struct plan *plan,
		      const struct actions *actions, struct err *err)
{
	json_t *former = report->document;

	if (report->attempts == 0 || !is_empty(plan)) {
		report->files = plan->file_count;
		report->live = plan->live_count;
		report->attempts++;
	}
	switch (report->opt->output) {
	case OUTPUT_JSON:
		report->document = make_document(report, plan, actions);
		go_on(report->document, former, "changes");
		go_on(report->document, former, "live");
		json_decref(former);
		return 0;
	case OUTPUT_DIFF:
		return print_diff(plan, actions, err);
	default:
		return print_table(report, plan, actions, err);
	}
}

void apply_report_written(const struct apply_report *report)
{
	bool anew = report->attempts > 1;

	if (report->opt->output != OUTPUT_TABLE || report->id[0] == '\0')
		return;
	print_counts(report->files, report->live);
	printf(" written%s; take %s back with: ", anew ? " once more" : "", anew ? "all" : "it");
	options_print_command(report->opt, "undo", WITH_ROOT, stdout);
	printf(" %s\n", report->id);
}

void apply_report_add(struct apply_report *report, const char *key, json_t *value)
{
	if (report->document)
		json_object_set_new(report->document, key, value);
	else
		json_decref(value);
}

int apply_report_end(struct apply_report *report, bool ok, struct err *err)
{
	json_t *document = report->document;

	report->document = NULL;
	return document ? json_print(document, ok, stdout, err) : 0;
}
