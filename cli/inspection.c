/* SPDX-License-Identifier: MIT */
#include "inspection.h"

#include "command.h"
#include "engine/plan.h"
#include "err.h"
#include "plan_report.h"

int inspection_open(struct inspection *in, const struct options *opt, struct err *err)
{
	int rc = paths_init(&in->paths, opt->root, err);

	if (rc < 0)
		return rc;
	return wanted_load(&in->wanted, &in->paths, opt->profiles, opt->sets, err);
}

int inspection_discover(struct inspection *in, const struct options *opt, struct err *err)
{
	(void)in;
	if (opt->arg_count == 0)
		return 0;
	return err_set(err, ERR_USAGE, "a portal is nothing this command takes");
}

int inspection_survey(struct inspection *in, bool new_records, struct err *err)
{
	struct selection selection = {
		.targets = in->portals.targets,
		.count = in->portals.target_count,
		.by_name = !in->portals.discovery,
	};
	int rc;

	(void)new_records;
	findings_done(&in->findings);
	survey_done(&in->survey);
	rc = survey_load(&in->survey, &in->paths, &in->wanted, &selection, err);
	return rc < 0 ? rc : compare_survey(&in->survey, &in->findings, err);
}

void inspection_done(struct inspection *in)
{
	findings_done(&in->findings);
	survey_done(&in->survey);
	wanted_done(&in->wanted);
	paths_done(&in->paths);
}
