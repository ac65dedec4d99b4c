/* SPDX-License-Identifier: MIT */
#include "logins.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apply_report.h"
#include "command.h"
#include "connect_report.h"
#include "connecting.h"
#include "engine/actions.h"
#include "err.h"
#include "inspection.h"
#include "login_check.h"
#include "relogin.h"

/* The records to log in by, or to wait for, in their order. */
static const struct record **records_of(const struct actions *actions, size_t *count)
{
	const struct record **records = calloc(actions->count + 1, sizeof(*records));

	*count = 0;
	for (size_t i = 0; records && i < actions->count; i++) {
		if (actions->items[i].kind == ACTION_LOG_IN ||
		    actions->items[i].kind == ACTION_AWAIT)
			records[(*count)++] = actions->items[i].record;
	}
	return records;
}

static int connect_all(struct inspection *in, const struct actions *actions, unsigned wait_ms,
		       struct apply_report *report, struct err *err)
{
	const struct connect_options options = { .device_ms = wait_ms };
	size_t count = 0, troubles;
	CLEANUP(free_ptr)
	const struct record **records = records_of(actions, &count);
	struct connected *list = NULL;
	int rc = 0;

	if (!records)
		return err_oom(err);
	if (count == 0)
		return EXIT_DONE;
	rc = connecting_run(&in->paths, records, count, &options, &list, err);
	if (rc < 0)
		return rc;
	troubles = connect_print_troubles(list, count);
	apply_report_add(report, "connected", connect_json(list, count));
	if (!report->document)
		rc = connect_print_table(list, count, err);
	if (rc == 0)
		rc = login_check(in, list, count, err);
	connected_free(list, count);
	return rc < 0 ? rc : troubles > 0 ? EXIT_FAILED : EXIT_DONE;
}

int logins_run(struct inspection *in, const struct options *opt, struct apply_report *report,
	       bool *any, struct err *err)
{
	const struct actions_wanted wanted = {
		.log_in_again = opt->relogin,
		.log_in = opt->connect,
	};
	struct survey survey = in->survey;
	struct actions actions = { 0 };
	int again = 0, rc = actions_find(&actions, &survey, &in->findings, NULL, &wanted, err);

	/* Programs find what they asked for, also where there is nothing to do. */
	if (opt->relogin)
		apply_report_add(report, "relogin", json_array());
	if (opt->connect)
		apply_report_add(report, "connected", json_array());
	*any = rc == 0 && actions.count > 0;
	/* The actions point into it while the inspection looks anew. */
	if (*any) {
		findings_done(&in->findings);
		in->survey = (struct survey){ 0 };
		again = relogin_run(in, &actions, opt, report, err);
		rc = again < 0 ? again : connect_all(in, &actions, opt->wait_ms, report, err);
		if (rc >= 0 && in->survey.paths == NULL)
			rc = inspection_survey(in, false, err) < 0 ? -err->code : rc;
		survey_done(&survey);
	}
	actions_done(&actions);
	return rc < 0 || again == 0 ? rc : again;
}
