/* SPDX-License-Identifier: MIT */
#include "inspection.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "err.h"
#include "gone.h"
#include "profiles.h"

enum {
	LOOKS = 10, /* at a record that others write, */
	LOOK_MS = 50, /* so long after each other */
};

/* A relogin goes without --root. */
static int keep_asked(struct inspection *in, const struct options *opt, struct err *err)
{
	static const char empty[] = "sgw-init ";

	options_command(opt, "apply", WITH_PORTALS | WITH_VALUES, &in->apply);
	options_command(opt, "", WITH_ROOT | WITH_VALUES, &in->options);
	if (in->apply.failed || in->options.failed)
		return err_oom(err);
	in->asked = (struct asked){ in->apply.data, in->options.data + strlen(empty) };
	return 0;
}

int inspection_open(struct inspection *in, const struct options *opt, struct err *err)
{
	int rc = paths_init(&in->paths, opt->root, err);

	in->scope = opt->scope;
	if (rc == 0)
		rc = keep_asked(in, opt, err);
	return rc < 0 ? rc : profiles_load(&in->wanted, &in->paths, opt, err);
}

/* What a portal's answer must be before anything is built on it. */
static int judge(const struct discovery_result *result, bool skip, size_t *silent, struct err *err)
{
	char text[PORTAL_TEXT_MAX];
	size_t strangers = 0;

	portal_text(&result->asked, text);
	if (result->rc < 0) {
		err_print("sgw-init", &result->err);
		*silent += !skip;
		return 0;
	}
	for (size_t i = 0; i < result->targets.count; i++)
		strangers += gateway_kind(result->targets.list[i].name) == GATEWAY_OTHER;
	if (result->targets.refused > 0)
		err_set(err, EINVAL, "it offers targets that no host can use: see the warnings");
	else if (strangers > 0 && strangers == result->targets.count)
		err_set(err, EINVAL,
			"no Storage Gateway: none of its %zu targets begins with "
			"iqn.1997-05.com.amazon:",
			strangers);
	else {
		if (strangers > 0)
			warn("%s: %zu of its targets are none of a Storage Gateway: left alone",
			     text, strangers);
		return 0;
	}
	return err_at(err, "%s", text);
}

int inspection_discover(struct inspection *in, const struct options *opt, struct err *err)
{
	size_t silent = 0;
	int rc;

	if (opt->arg_count == 0)
		return 0;
	rc = portals_discover(&in->portals, &in->paths, opt->args, opt->arg_count, opt->timeout_ms,
			      err);
	for (size_t i = 0; rc == 0 && i < in->portals.count; i++)
		rc = judge(&in->portals.results[i], opt->skip_unreachable, &silent, err);
	if (rc == 0 && silent > 0)
		rc = err_set(err, EHOSTUNREACH,
			     "%zu of %zu portals gave no answer, so nothing is done; "
			     "--skip-unreachable goes on without them",
			     silent, in->portals.count);
	return rc;
}

/* Whether a host can be expected to reach that address of a target. */
static bool usable(const struct portal *portal, const struct portal *reached)
{
	enum address_kind kind;

	if (!portal->numeric)
		return true;
	kind = address_kind(portal->address);
	return kind != ADDRESS_UNSPECIFIED && kind != ADDRESS_MULTICAST &&
	       (kind != ADDRESS_LOOPBACK || address_kind(reached->address) == ADDRESS_LOOPBACK);
}

static int add_record(struct inspection *in, const struct target *target,
		      const struct portal *portal, struct err *err)
{
	const struct place *conf = survey_place(&in->survey, PLACE_ISCSID_CONF);
	struct record record = { 0 };
	size_t from = 0;
	int rc;

	/* It may be made already: two portals of the command line can be one address. */
	if (database_find(&in->survey.database, target->name, portal->host, portal->port, &from) ||
	    survey_added(&in->survey, target->name, portal->host, portal->port))
		return 0;
	rc = record_new(&record, &in->survey.database, target->name, portal->host, portal->port,
			portal->tag, conf->doc, err);
	if (rc == 0)
		return survey_add_record(&in->survey, &record, err);
	record_done(&record);
	return rc;
}

static void warn_public(const struct target *target, const struct portal *portal)
{
	if (portal->numeric && address_kind(portal->address) == ADDRESS_PUBLIC)
		warn("%s: its record leads to %s, a public address: AWS supports no gateway there",
		     target->name, portal->host);
}

/*
 * A volume has one path: two sessions without multipath would show it as two
 * disks. Of several addresses it is the one that answered; a gateway behind
 * address translation names none that did: then the first that a host can reach.
 */
const struct portal *inspection_path(const struct target *target, const struct portal *reached)
{
	const struct portal *first = NULL;

	for (size_t i = 0; i < target->portal_count; i++) {
		const struct portal *portal = &target->portals[i];

		if (portal_equal(portal, reached))
			return portal;
		if (!first && usable(portal, reached))
			first = portal;
	}
	return first;
}

static int add_record_of(struct inspection *in, const struct target *target,
			 const struct portal *reached, struct err *err)
{
	const struct portal *path = inspection_path(target, reached);
	char text[PORTAL_TEXT_MAX];
	int rc;

	if (!path)
		return err_set(err, EINVAL,
			       "%s has no address that a host can reach: see the warnings",
			       target->name);
	if (!portal_equal(path, reached)) {
		portal_text(path, text);
		warn("%s: the portal that answered is none of its addresses (address "
		     "translation?): its record says %s",
		     target->name, text);
		warn_public(target, path);
	}
	rc = add_record(in, target, path, err);
	survey_ask(&in->survey, target->name, path->host, path->port);
	return rc;
}

static int add_new_records(struct inspection *in, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < in->portals.count; i++) {
		const struct discovery_result *result = &in->portals.results[i];
		char asked[PORTAL_TEXT_MAX];
		struct portal reached;

		if (result->rc < 0 || !portal_reached(result, &reached))
			continue;
		for (size_t j = 0; rc == 0 && j < result->targets.count; j++) {
			const struct target *target = &result->targets.list[j];

			if (gateway_kind(target->name) != GATEWAY_OTHER)
				rc = add_record_of(in, target, &reached, err);
		}
		portal_text(&result->asked, asked);
		if (rc < 0)
			rc = err_at(err, "%s", asked);
	}
	return rc;
}

/* iscsiadm writes a record in place: half of one is whole in a moment, or it is damaged. */
static int load(struct inspection *in, const struct selection *selection, struct err *err)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };
	int rc = survey_load(&in->survey, &in->paths, &in->wanted, selection, err);

	for (int i = 1; rc == -ESTALE && i < LOOKS; i++) {
		nanosleep(&pause, NULL);
		survey_done(&in->survey);
		*err = (struct err){ 0 };
		rc = survey_load(&in->survey, &in->paths, &in->wanted, selection, err);
	}
	if (rc != -ESTALE)
		return rc;
	err->code = EINVAL;
	return -EINVAL;
}

int inspection_survey(struct inspection *in, bool new_records, struct err *err)
{
	struct selection selection = {
		.targets = in->portals.targets,
		.count = in->portals.target_count,
		.by_name = in->portals.count == 0,
		.spare_conf = in->scope == SCOPE_TARGETS,
	};
	int rc;

	findings_done(&in->findings);
	survey_done(&in->survey);
	rc = load(in, &selection, err);
	if (rc == 0 && new_records)
		rc = add_new_records(in, err);
	in->findings.asked = &in->asked;
	if (rc == 0)
		rc = compare_survey(&in->survey, &in->findings, err);
	return rc < 0 ? rc : gone_find(in, err);
}

void inspection_done(struct inspection *in)
{
	findings_done(&in->findings);
	survey_done(&in->survey);
	portals_done(&in->portals);
	wanted_done(&in->wanted);
	buf_done(&in->apply);
	buf_done(&in->options);
	paths_done(&in->paths);
}
