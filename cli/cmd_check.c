/* SPDX-License-Identifier: MIT */
/* sgw-init check: is it right, and if not, what to type. Writes nothing. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "engine/budget.h"
#include "engine/entry.h"
#include "engine/journal.h"
#include "engine/plan.h"
#include "err.h"
#include "findings_report.h"
#include "inspection.h"
#include "needs_login.h"
#include "plan_report.h"
#include "report.h"
#include "resume.h"

/* What check says beneath its table. */
struct verdicts {
	size_t weighing;
	size_t mendable; /* of those, by apply */
	size_t values; /* of those, values of settings */
	size_t holding; /* values that do not weigh */
};

static void print_budget(enum gateway_kind kind, const struct budget *budget)
{
	printf("a silent %s gateway", gateway_word(kind));
	if (budget->least == BUDGET_UNNOTICED)
		printf(": NOPs are off, nothing notices before the tape driver's own timeout");
	else if (budget->offlines)
		printf(": NOPs are off, error handling starts after %" PRIu64
		       " s and may take the disk offline",
		       budget->least);
	else if (budget->least == budget->most)
		printf(" costs an I/O error after %" PRIu64 " s", budget->least);
	else
		printf(" costs an I/O error after %" PRIu64 " to %" PRIu64 " s", budget->least,
		       budget->most);
	if (budget->away)
		printf(", one that goes away after %u s", budget->away);
	printf("\n");
}

static int print_table(const struct inspection *in, const struct options *opt,
		       const struct verdicts *sum, struct err *err)
{
	int rc = findings_print_table(&in->findings, err);

	printf("%s%zu values hold", sum->weighing ? "" : "ok: ", sum->holding);
	if (sum->values > 0)
		printf(", %zu do not", sum->values);
	if (sum->weighing > sum->values)
		printf("; other findings: %zu", sum->weighing - sum->values);
	printf("\n");
	if (sum->mendable > 0) {
		printf("mend it with: ");
		options_print_command(opt, "apply", WITH_ALL, stdout);
		printf("\n");
	}
	findings_print_remedies(&in->findings);
	for (enum gateway_kind kind = 0; kind < GATEWAY_OTHER; kind++) {
		struct budget budget;

		if (budget_of_survey(&in->survey, kind, &budget))
			print_budget(kind, &budget);
	}
	return rc;
}

static json_t *budget_seconds_json(uint64_t seconds)
{
	return seconds == BUDGET_UNNOTICED ? json_null() : json_integer((json_int_t)seconds);
}

static json_t *budgets_json(const struct survey *survey)
{
	json_t *list = json_array();

	for (enum gateway_kind kind = 0; kind < GATEWAY_OTHER; kind++) {
		struct budget budget;

		if (budget_of_survey(survey, kind, &budget))
			json_array_append_new(
				list,
				json_pack("{s:s, s:o, s:o, s:I, s:b}", "kind", gateway_word(kind),
					  "least_seconds", budget_seconds_json(budget.least),
					  "most_seconds", budget_seconds_json(budget.most),
					  "away_seconds", (json_int_t)budget.away, "may_offline",
					  budget.offlines));
	}
	return list;
}

static int print_json(const struct inspection *in, const struct verdicts *sum, struct err *err)
{
	struct actions needs;
	json_t *document;
	int rc = needs_login_find(&needs, in, NULL, err);

	if (rc < 0) {
		actions_done(&needs);
		return rc;
	}
	document = json_document("check");
	json_object_set_new(document, "findings", findings_json(&in->findings));
	json_object_set_new(document, "needs_login", needs_login_json(&needs));
	actions_done(&needs);
	json_object_set_new(document, "budgets", budgets_json(&in->survey));
	return json_print(document, sum->weighing == 0, stdout, err);
}

/* What apply would write. */
static int print_diff(struct inspection *in, struct err *err)
{
	CLEANUP(plan_done) struct plan plan = { 0 };
	int rc = plan_make(&plan, &in->survey, &in->findings, err);

	if (rc == 0)
		rc = plan_finish(&plan, &in->survey, err);
	return rc < 0 ? rc : plan_print_diff(&plan, err);
}

/* A cut-off apply or undo is for the next apply or undo to mend: check only reports it. */
static int add_half_done(struct inspection *in, struct err *err)
{
	CLEANUP(free_ptr) struct journal_state *states = NULL;
	size_t count = 0;
	int rc = journal_states(&in->paths, &states, &count, err);

	for (size_t i = 0; rc == 0 && i < count; i++) {
		const char *what = states[i].state == ENTRY_HALF_APPLIED ? "apply" : "the undo of";
		struct entry entry;
		struct err why;
		char note[640];

		if (states[i].state != ENTRY_HALF_APPLIED && states[i].state != ENTRY_HALF_UNDONE)
			continue;
		if (journal_load(&in->paths, states[i].id, &entry, &why) < 0)
			snprintf(note, sizeof(note),
				 "%s %s was cut off, and nothing can mend it (%.300s): look at its "
				 "files, then move its directory out of " TX_JOURNAL,
				 what, states[i].id, why.reason);
		else
			snprintf(note, sizeof(note), "%s %s was cut off; the next apply or undo %s",
				 what, states[i].id,
				 states[i].state == ENTRY_HALF_APPLIED ? "takes it back"
								       : "finishes it");
		entry_done(&entry);
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
		bool weighs = finding_weighs(finding, strict);

		sum.weighing += weighs;
		sum.mendable += weighs && finding_mendable(finding);
		sum.values += weighs && finding->value;
		sum.holding += !weighs && finding->value;
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
	if (rc == 0)
		rc = resume_report(&in->paths, &in->survey.sessions, &in->findings, err);
	if (rc < 0)
		return rc;
	sum = sum_up(in, opt->strict);
	switch (opt->output) {
	case OUTPUT_JSON:
		rc = print_json(in, &sum, err);
		break;
	case OUTPUT_JUNIT:
		rc = findings_print_junit(&in->findings, opt->strict, err);
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
	.options = OPT_ROOT | OPT_PROFILE | OPT_SCOPE | OPT_STRICT | OPT_TIMEOUT |
		   OPT_SKIP_UNREACHABLE | OPT_OUTPUT_CHECK,
	.run = run,
};
