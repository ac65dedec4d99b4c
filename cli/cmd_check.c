/* SPDX-License-Identifier: MIT */
/* sgw-init check: is it right, and if not, what to type. Writes nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "engine/budget.h"
#include "engine/journal.h"
#include "engine/plan.h"
#include "err.h"
#include "inspection.h"
#include "plan_report.h"
#include "report.h"

/* The same finding at many records is one row with a count. */
struct group {
	const struct finding *first;
	size_t count;
};

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool belongs(const struct group *group, const struct finding *finding)
{
	const struct finding *first = group->first;

	return finding->value && first->value && finding->place->kind == PLACE_RECORD &&
	       first->place->kind == PLACE_RECORD && finding->verdict == first->verdict &&
	       finding->wanted == first->wanted && finding->value->where == first->value->where &&
	       same_text(finding->value->text, first->value->text) &&
	       same_text(finding->note, first->note);
}

/* Findings worth a row; *count receives how many groups, *holding how many values hold. */
static struct group *group_findings(const struct findings *findings, size_t *count, size_t *holding)
{
	struct group *groups = calloc(findings->count + 1, sizeof(*groups));

	*count = *holding = 0;
	for (size_t i = 0; groups && i < findings->count; i++) {
		const struct finding *finding = &findings->items[i];
		size_t g = 0;

		if (finding->verdict == VERDICT_HOLDS) {
			(*holding)++;
			continue;
		}
		while (g < *count && !belongs(&groups[g], finding))
			g++;
		if (g == *count)
			groups[(*count)++].first = finding;
		groups[g].count++;
	}
	return groups;
}

static void print_found(const struct finding *finding, char *found, char *wanted, size_t size)
{
	const struct place_value *value = finding->value;

	found[0] = wanted[0] = '\0';
	if (!value)
		return;
	if (value->text)
		snprintf(found, size, "%s", value->text);
	else if (value->where->has_default)
		snprintf(found, size, "(%u)", value->where->os_default);
	else
		snprintf(found, size, "-");
	snprintf(wanted, size, "%s%u",
		 value->setting->rule == RULE_AT_LEAST	? ">="
		 : value->setting->rule == RULE_AT_MOST ? "<="
							: "",
		 value->setting->value);
}

static void add_row(struct table *table, const struct group *group)
{
	const struct finding *finding = group->first;
	char place[ERR_PLACE_MAX], found[64], wanted[64];

	if (group->count > 1)
		snprintf(place, sizeof(place), "%zu records", group->count);
	else if (finding->place && finding->line > 0)
		snprintf(place, sizeof(place), "%s:%u", finding->place->name, finding->line);
	else
		snprintf(place, sizeof(place), "%s",
			 finding->place ? finding->place->name : "host");
	print_found(finding, found, wanted, sizeof(found));
	table_row(table, severity_word(finding->severity), place,
		  finding->value ? finding->value->where->key : "", found, wanted,
		  verdict_word(finding->verdict), finding->note ? finding->note : "", NULL);
}

/* What check says beneath its table. */
struct verdicts {
	size_t weighing;
	size_t in_files; /* those that apply mends */
	size_t holding;
};

static void print_summary(const struct inspection *in, const struct options *opt,
			  const struct verdicts *sum)
{
	struct budget budget = budget_of_survey(&in->survey);

	printf("%s%zu values hold", sum->weighing ? "" : "ok: ", sum->holding);
	if (sum->weighing > 0)
		printf(", %zu do not", sum->weighing);
	printf("\n");
	if (sum->in_files > 0)
		printf("mend the files with: sgw-init apply%s%s\n", opt->root ? " --root " : "",
		       opt->root ? opt->root : "");
	if (budget.offlines)
		printf("a silent gateway: NOPs are off, error handling starts after %u s and may "
		       "take "
		       "the disk offline\n",
		       budget.least);
	else
		printf("a silent gateway costs an I/O error after %u to %u s\n", budget.least,
		       budget.most);
}

static int print_table(const struct inspection *in, const struct options *opt,
		       const struct verdicts *sum, struct err *err)
{
	static const char *const titles[] = { "SEVERITY", "PLACE", "KEY",  "FOUND",
					      "WANTED",	  "STATE", "NOTE", NULL };
	CLEANUP(table_done) struct table table;
	CLEANUP(free_ptr) struct group *groups = NULL;
	size_t count = 0, holding = 0;
	int rc = 0;

	table_init(&table, titles);
	groups = group_findings(&in->findings, &count, &holding);
	if (!groups)
		return err_oom(err);
	for (size_t i = 0; i < count; i++)
		add_row(&table, &groups[i]);
	if (count > 0)
		rc = table_print(&table, stdout, err);
	print_summary(in, opt, sum);
	return rc;
}

static json_t *finding_json(const struct finding *finding)
{
	const struct place *place = finding->place;
	const struct place_value *value = finding->value;
	json_t *item = json_pack("{s:s, s:s}", "verdict", verdict_word(finding->verdict),
				 "severity", severity_word(finding->severity));

	if (place) {
		json_object_set_new(item, "place", json_string(place_word(place->kind)));
		json_object_set_new(item, "name", json_text(place->name));
		json_object_set_new(item, "path", json_text(place->path));
	}
	if (finding->line > 0)
		json_object_set_new(item, "line", json_integer(finding->line));
	if (value) {
		json_object_set_new(item, "setting", json_string(value->setting->name));
		json_object_set_new(item, "key", json_string(value->where->key));
		json_object_set_new(item, "found",
				    value->text ? json_text(value->text) : json_null());
		json_object_set_new(item, "wanted", json_integer(finding->wanted));
		json_object_set_new(item, "rule", json_string(rule_word(value->setting->rule)));
		json_object_set_new(item, "needs", json_string(needs_word(value->where->needs)));
	}
	if (finding->note)
		json_object_set_new(item, "note", json_text(finding->note));
	return item;
}

static int print_json(const struct inspection *in, const struct verdicts *sum, struct err *err)
{
	struct budget budget = budget_of_survey(&in->survey);
	json_t *document = json_document("check"), *list = json_array();

	json_object_set_new(document, "ok", json_boolean(sum->weighing == 0));
	json_object_set_new(document, "findings", list);
	for (size_t i = 0; i < in->findings.count; i++)
		json_array_append_new(list, finding_json(&in->findings.items[i]));
	json_object_set_new(document, "budget",
			    json_pack("{s:i, s:i, s:b}", "least_seconds", (int)budget.least,
				      "most_seconds", (int)budget.most, "may_offline",
				      budget.offlines));
	return json_print(document, stdout, err);
}

/* What apply would write. */
static int print_diff(struct inspection *in, struct err *err)
{
	CLEANUP(plan_done) struct plan plan = { 0 };
	int rc = plan_make(&plan, &in->survey, &in->findings, NULL, NULL, err);

	if (rc == 0)
		rc = plan_finish(&plan, &in->survey, err);
	return rc < 0 ? rc : plan_print_diff(&plan, err);
}

/* A cut-off apply or undo is for the next apply or undo to mend: check only reports it. */
static int add_half_done(struct inspection *in, struct err *err)
{
	CLEANUP(free_ptr) struct journal_entry *entries = NULL;
	size_t count = 0;
	int rc = journal_list(&in->paths, &entries, &count, err);

	for (size_t i = 0; rc == 0 && i < count; i++) {
		char note[320];

		if (entries[i].state == ENTRY_HALF_APPLIED)
			snprintf(note, sizeof(note),
				 "apply %s was cut off; the next apply or undo takes it back",
				 entries[i].id);
		else if (entries[i].state == ENTRY_HALF_UNDONE)
			snprintf(note, sizeof(note),
				 "the undo of %s was cut off; the next apply or undo finishes it",
				 entries[i].id);
		else
			continue;
		rc = findings_add(&in->findings,
				  (struct finding){ .verdict = VERDICT_HALF_DONE,
						    .severity = SEVERITY_CRITICAL },
				  note, err);
	}
	return rc;
}

static struct verdicts sum_up(const struct inspection *in, bool strict)
{
	struct verdicts sum = { 0 };

	for (size_t i = 0; i < in->findings.count; i++) {
		const struct finding *finding = &in->findings.items[i];

		sum.holding += finding->verdict == VERDICT_HOLDS;
		if (!finding_weighs(finding, strict))
			continue;
		sum.weighing++;
		sum.in_files += finding->verdict == VERDICT_HALF_DONE ||
				(finding->value && finding->place->type);
	}
	return sum;
}

static int check(struct inspection *in, const struct options *opt, struct err *err)
{
	struct verdicts sum;
	int rc = inspection_open(in, opt, err);

	if (rc == 0)
		rc = inspection_discover(in, opt, err);
	if (rc == 0)
		rc = inspection_survey(in, true, err);
	if (rc == 0)
		rc = add_half_done(in, err);
	if (rc < 0)
		return rc;
	sum = sum_up(in, opt->strict);
	switch (opt->output) {
	case OUTPUT_JSON:
		rc = print_json(in, &sum, err);
		break;
	case OUTPUT_DIFF:
		rc = print_diff(in, err);
		break;
	case OUTPUT_TABLE:
		rc = print_table(in, opt, &sum, err);
		break;
	}
	if (rc < 0)
		return rc;
	return sum.weighing > 0 ? EXIT_DIFFERS : EXIT_DONE;
}

static int run(const struct options *opt, struct err *err)
{
	struct inspection in = INSPECTION_NONE;
	int rc = check(&in, opt, err);

	inspection_done(&in);
	return rc;
}

const struct command command_check = {
	.name = "check",
	.args = "[PORTAL...]",
	.summary = "compare what is wanted with what is there, layer by layer",
	.options = OPT_ROOT | OPT_PROFILE | OPT_STRICT | OPT_TIMEOUT | OPT_SKIP_UNREACHABLE |
		   OPT_OUTPUT_DIFF,
	.run = run,
};
