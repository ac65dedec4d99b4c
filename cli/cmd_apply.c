/* SPDX-License-Identifier: MIT */
/* sgw-init apply: discover, plan, write, and look again whether it holds. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "apply_report.h"
#include "command.h"
#include "documents/chap_file.h"
#include "engine/actions.h"
#include "engine/plan.h"
#include "engine/plan_chap.h"
#include "engine/startup.h"
#include "engine/tx.h"
#include "err.h"
#include "findings_report.h"
#include "inspection.h"
#include "live.h"
#include "logins.h"
#include "needs_login.h"
#include "os/files.h"
#include "plan_report.h"
#include "relogin.h"
#include "report.h"
#include "resume.h"

enum {
	CHAP_FILE_MAX = 1 << 20,
	ATTEMPTS = 10, /* while others write the same files, */
	PAUSE_MS = 50, /* which this is more than enough for */
};

/* One apply, from the command line to the journal entry. */
struct applying {
	const struct options *opt;
	struct inspection in;
	struct chap_file chap;
	char initiator[ISCSI_NAME_SIZE];
	bool *unused; /* one flag a CHAP entry */
	struct plan plan;
	struct actions actions; /* as foreseen with the plan */
	struct tx *tx;
	struct resume resume; /* of runs that were cut off */
	struct apply_report report;
};

static int load_chap(struct applying *a, struct err *err)
{
	CLEANUP(buf_done) struct buf bytes = { .secret = true };
	int rc;

	if (!a->opt->chap)
		return 0;
	rc = initiator_name_read(&a->in.paths, a->initiator, err);
	if (rc == 0)
		rc = file_read_private(a->opt->chap, CHAP_FILE_MAX, &bytes, err);
	if (rc < 0)
		return rc;
	rc = chap_file_parse(&a->chap, buf_text(&bytes), bytes.len, CHAP_LIMITS_AWS, err);
	if (rc < 0)
		return err_at(err, "%s", a->opt->chap);
	if (a->chap.incomplete)
		warn("%s: it ends in a Marker: there are more credentials than it holds",
		     a->opt->chap);
	if (a->chap.count == 0) {
		err_set(err, EINVAL, "nothing was written: it holds no credentials");
		return err_at(err, "%s", a->opt->chap);
	}
	a->unused = calloc(a->chap.count + 1, sizeof(*a->unused));
	return a->unused ? 0 : err_oom(err);
}

/* Why no record takes the credentials of that target. */
static const char *why_unused(const struct applying *a, const char *target)
{
	const struct database *db = &a->in.survey.database;

	if (a->opt->arg_count == 0)
		return "it has no record here: discover its gateway with apply PORTAL";
	for (size_t i = 0; i < db->count; i++) {
		if (strcmp(db->records[i].target, target) == 0)
			return a->opt->arg_count > 1 ? "none of the portals offers it"
						     : "the portal does not offer it";
	}
	return a->opt->arg_count > 1 ? "none of the portals offers it; misspelled?"
				     : "the portal does not offer it; misspelled?";
}

/* Who names credentials wants CHAP: without any that fits nothing is written, nothing logged in. */
static int check_chap(const struct applying *a, struct err *err)
{
	const char *first = a->chap.entries[0].target;

	for (size_t i = 0; i < a->chap.count; i++) {
		if (!a->unused[i])
			return 0;
	}
	err_set(err, ENOENT,
		"nothing was written: none of its credentials is for a target here: %s%s: %s",
		first, a->chap.count > 1 ? " and others" : "", why_unused(a, first));
	return err_at(err, "%s", a->opt->chap);
}

static int make_plan(struct applying *a, struct err *err)
{
	struct survey *survey = &a->in.survey;
	int rc = plan_make(&a->plan, survey, &a->in.findings, err);

	if (rc == 0 && a->opt->chap) {
		rc = plan_chap(&a->plan, survey, &a->chap, a->initiator, a->unused, err);
		if (rc == -EINVAL)
			err_at(err, "%s", a->opt->chap);
		if (rc == 0)
			rc = check_chap(a, err);
	}
	if (rc == 0 && a->opt->connect)
		rc = plan_startup(&a->plan, survey, err);
	return rc < 0 ? rc : plan_finish(&a->plan, survey, err);
}

static void warn_about(const struct applying *a)
{
	bool touches_conf = false;

	for (size_t i = 0; i < a->plan.change_count; i++)
		touches_conf |= a->plan.changes[i].place->kind == PLACE_ISCSID_CONF;
	if (touches_conf && a->in.survey.foreign > 0)
		warn("%zu records of other arrays are left alone, but iscsid.conf will reach them "
		     "at their next discovery; --scope targets leaves it alone",
		     a->in.survey.foreign);
	for (size_t i = 0; i < a->chap.count; i++) {
		if (a->unused[i])
			warn("%s: %s: %s", a->opt->chap, a->chap.entries[i].target,
			     why_unused(a, a->chap.entries[i].target));
	}
}

static size_t add_words(char *out, size_t size, size_t used, const char *option,
			const char *const *words)
{
	for (; words && *words && used < size; words++)
		used += (size_t)snprintf(out + used, size - used, " %s%s", option, *words);
	return used;
}

/* The journal tells what was asked for; options that hold a value of weight are in it. */
static void describe(const struct options *opt, char *out, size_t size)
{
	size_t used = (size_t)snprintf(out, size, "apply%s%s%s%s", opt->connect ? " --connect" : "",
				       opt->relogin ? " --relogin" : "", opt->chap ? " --chap" : "",
				       opt->scope == SCOPE_TARGETS ? " --scope targets" : "");

	used = add_words(out, size, used, "--profile ", opt->profiles);
	used = add_words(out, size, used, "--set ", opt->sets);
	add_words(out, size, used, "", (const char *const *)opt->args);
}

/* What was written is read back: a value that does not hold then is an error. */
static int look_again(struct applying *a, struct err *err)
{
	int rc = inspection_survey(&a->in, false, err);

	for (size_t i = 0; rc == 0 && i < a->in.findings.count; i++) {
		const struct finding *finding = &a->in.findings.items[i];

		if (!finding_mendable(finding))
			continue;
		/* iscsiadm writes a record as it read it before it had the lock. */
		err_set(err, finding->place->kind == PLACE_RECORD ? ESTALE : EIO,
			"%s is not in effect after it was written",
			finding->value			      ? finding->value->where->key
			: finding->verdict == VERDICT_HARMFUL ? "what disables its harmful rule"
							      : "its mode");
		rc = paths_at(&a->in.paths, finding->place->path, err);
	}
	return rc;
}

/*
 * What no apply mends and still weighs: a rule for every device, a session that
 * is down. A record without one has its remedy alone: it is not logged in yet.
 */
static void warn_of_rest(const struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->items[i];

		if (finding->verdict == VERDICT_LINT && finding_weighs(finding, false))
			warn("%s:%u: %s", finding->place->path, finding->line, finding->note);
		else if (finding->verdict == VERDICT_GONE)
			warn("%s; %s", finding->note, finding->remedy);
		else if (finding->verdict == VERDICT_OVERRULED ||
			 finding->verdict == VERDICT_TWICE ||
			 (finding->verdict == VERDICT_DOWN && finding->place->session))
			warn("%s: %s", finding->place->name, finding->note);
		else if (finding->value && finding->value->problem)
			warn("%s: %s: %s", finding->place->name, finding->value->where->key,
			     finding->note);
	}
}

static bool changes_something(const struct plan *plan)
{
	return plan->file_count > 0 || plan->live_count > 0;
}

/* Files first, as one; then what is live, of which each value is for itself. */
static int write_plan(struct applying *a, struct err *live_err, struct err *err)
{
	const struct paths *paths = &a->in.paths;
	char command[256], id[TX_ID_MAX];
	int rc;

	describe(a->opt, command, sizeof(command));
	tx_live(a->tx, a->plan.lives, a->plan.live_count);
	if (a->report.id[0] != '\0')
		tx_go_on(a->tx, a->report.id);
	rc = tx_commit(a->tx, command, a->plan.files, a->plan.file_count, id, err);
	if (rc < 0)
		return rc;
	if (id[0] != '\0')
		snprintf(a->report.id, sizeof(a->report.id), "%s", id);
	for (size_t i = 0; i < a->actions.count; i++) {
		if (a->actions.items[i].kind == ACTION_RELOAD_RULES)
			live_reload_rules(&a->plan, paths);
	}
	live_set(&a->plan, paths, live_err);
	return 0;
}

static int carry_out(struct applying *a, struct err *err)
{
	struct err live_err = { 0 };
	int rc = 0;

	if (changes_something(&a->plan))
		rc = write_plan(a, &live_err, err);
	if (rc == 0)
		warn_about(a);
	if (rc == 0)
		rc = apply_report_plan(&a->report, &a->plan, &a->actions, err);
	if (rc == 0 && a->report.id[0] != '\0')
		rc = report_flush(err, "the files are");
	/* Both point into the survey: they end before the second look. */
	plan_done(&a->plan);
	actions_done(&a->actions);
	if (rc == 0 && live_err.code != 0) {
		*err = live_err;
		rc = -err->code;
	}
	if (rc == 0 && a->report.id[0] != '\0')
		rc = look_again(a, err);
	if (rc == 0)
		apply_report_written(&a->report);
	return rc;
}

static int begin(struct applying *a, struct err *err)
{
	CLEANUP(buf_done) struct buf recovered = { 0 };
	int rc;

	if (a->opt->dry_run)
		return 0;
	rc = tx_begin(&a->tx, &a->in.paths, &recovered, err);
	if (rc == 0 && recovered.len > 0)
		warn("%s", recovered.data);
	return rc;
}

static int foresee(struct applying *a, struct err *err)
{
	const struct actions_wanted wanted = {
		.reload = a->in.paths.live,
		.log_in_again = a->opt->relogin,
		.log_in = a->opt->connect,
	};
	int rc = make_plan(a, err);

	return rc < 0 ? rc
		      : actions_find(&a->actions, &a->in.survey, &a->in.findings, &a->plan, &wanted,
				     err);
}

/* What is left to a login: in a dry run once the plan were done, else as things are now. */
static int tell_needs(struct applying *a, const struct plan *plan, struct err *err)
{
	const struct options *opt = a->opt;
	struct actions needs;
	int rc = needs_login_find(&needs, &a->in, plan, err);

	if (rc == 0)
		apply_report_add(&a->report, "needs_login", needs_login_json(&needs));
	if (rc == 0 && opt->dry_run && !opt->relogin && opt->output != OUTPUT_JSON)
		needs_login_print(&needs, opt->output == OUTPUT_DIFF ? PATCH_NOTE : "");
	actions_done(&needs);
	return rc;
}

static int show(struct applying *a, struct err *err)
{
	bool differs = changes_something(&a->plan) || a->actions.count > 0 || a->resume.missing > 0;
	int rc = apply_report_plan(&a->report, &a->plan, &a->actions, err);

	if (rc == 0)
		rc = tell_needs(a, &a->plan, err);
	warn_about(a);
	relogin_warn(&a->in.paths, &a->actions, a->opt->force);
	warn_of_rest(&a->in.findings);
	if (rc == 0)
		rc = apply_report_end(&a->report, !differs, err);
	return rc < 0 ? rc : differs ? EXIT_DIFFERS : EXIT_DONE;
}

/* From what there is now to all of it written; in a dry run to the plan. */
static int attempt(struct applying *a, struct err *err)
{
	int rc = inspection_survey(&a->in, true, err);

	if (rc == 0)
		rc = foresee(a, err);
	if (rc < 0)
		return rc;
	return a->opt->dry_run ? show(a, err) : carry_out(a, err);
}

/* Where somebody else writes the same files meanwhile, what they wrote is looked at anew. */
static int attempt_again(struct applying *a, struct err *err)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };
	int rc = attempt(a, err);

	for (int i = 1; rc == -ESTALE && i < ATTEMPTS; i++) {
		if (a->report.id[0] != '\0')
			warn("%s: %s: others write it, too; once more", err->place, err->reason);
		nanosleep(&pause, NULL);
		actions_done(&a->actions);
		plan_done(&a->plan);
		*err = (struct err){ 0 };
		rc = attempt(a, err);
	}
	if (rc < 0 && a->report.id[0] != '\0') {
		CLEANUP(buf_done) struct buf command = { 0 };

		options_command(a->opt, "undo", WITH_ROOT, &command);
		buf_addf(&command, " %s", a->report.id);
		err_add_command(err,
				"; what it wrote stands; take it back with: ", buf_text(&command));
	}
	/* Logins take their time: nobody has to wait for them. */
	tx_end(TAKE_PTR(a->tx));
	return rc;
}

/* Logins that are owed come first: somebody waits for the disks. */
static int resume(struct applying *a, struct err *err)
{
	const struct paths *paths = &a->in.paths;

	return a->opt->dry_run ? resume_warn(&a->resume, paths, err)
			       : resume_run(&a->resume, paths, a->opt->wait_ms, err);
}

/* One that failed may have lacked what was written since, as CHAP. */
static int resume_again(struct applying *a, struct err *err)
{
	int rc;

	if (a->resume.missing == 0 || a->report.id[0] == '\0')
		return 0;
	rc = resume_run(&a->resume, &a->in.paths, a->opt->wait_ms, err);
	return rc < 0 ? rc : inspection_survey(&a->in, false, err);
}

/* A login that is owed still fails the command. */
static int end_resume(struct applying *a, int rc, struct err *err)
{
	if (rc >= 0 && a->resume.missing > 0 && resume_look(&a->resume, &a->in.paths, err) < 0)
		rc = -err->code;
	if (a->resume.list)
		apply_report_add(&a->report, "resumed", TAKE_PTR(a->resume.list));
	return rc == 0 && a->resume.missing > 0 ? EXIT_FAILED : rc;
}

static int apply(struct applying *a, struct err *err)
{
	bool any = false;
	int rc = inspection_open(&a->in, a->opt, err);

	if (rc == 0)
		rc = resume(a, err);
	if (rc == 0)
		rc = load_chap(a, err);
	if (rc == 0)
		rc = inspection_discover(&a->in, a->opt, err);
	if (rc == 0)
		rc = begin(a, err);
	if (rc == 0)
		rc = attempt_again(a, err);
	if (rc < 0 || a->opt->dry_run)
		return rc;
	rc = resume_again(a, err);
	if (rc == 0 && (a->opt->connect || a->opt->relogin))
		rc = logins_run(&a->in, a->opt, &a->report, &any, err);
	if (any || a->resume.list)
		live_warn_of_links(&a->in.paths);
	rc = end_resume(a, rc, err);
	if (rc == 0)
		warn_of_rest(&a->in.findings);
	if (rc >= 0 && a->opt->output == OUTPUT_TABLE)
		findings_print_remedies(&a->in.findings);
	return rc < 0 || tell_needs(a, NULL, err) == 0 ? rc : -err->code;
}

static int check_usage(const struct options *opt, struct err *err)
{
	if (opt->output == OUTPUT_DIFF && !opt->dry_run)
		return err_set(err, ERR_USAGE, "--output diff goes with --dry-run");
	if (opt->root && (opt->connect || opt->relogin))
		return err_set(err, ERR_USAGE,
			       "%s is for the running host: it does not go with --root",
			       opt->connect ? "--connect" : "--relogin");
	if (opt->force && !opt->relogin)
		return err_set(err, ERR_USAGE, "--force goes with --relogin");
	if (opt->wait_ms && !opt->connect && !opt->relogin)
		return err_set(err, ERR_USAGE, "--wait goes with --connect or --relogin");
	return 0;
}

static int run(const struct options *opt, struct err *err)
{
	struct applying a = { .opt = opt, .in = INSPECTION_NONE, .report = { .opt = opt } };
	struct err print_err = { 0 };
	int rc = check_usage(opt, err);

	if (rc == 0)
		rc = apply(&a, err);
	/* What was done is told also where it ended in an error. */
	if (apply_report_end(&a.report, rc == 0, rc < 0 ? &print_err : err) < 0 && rc >= 0)
		rc = -err->code;
	tx_end(a.tx);
	actions_done(&a.actions);
	plan_done(&a.plan);
	chap_file_done(&a.chap);
	free(a.unused);
	resume_done(&a.resume);
	inspection_done(&a.in);
	return rc;
}

const struct command command_apply = {
	.name = "apply",
	.args = "[PORTAL...]",
	.summary = "tune this host for its gateways: iscsid.conf, the udev rule, the records",
	.options = OPT_ROOT | OPT_PROFILE | OPT_SCOPE | OPT_CHAP | OPT_DRY_RUN | OPT_TIMEOUT |
		   OPT_SKIP_UNREACHABLE | OPT_OUTPUT_DIFF | OPT_LOGINS | OPT_WAIT,
	.run = run,
};
