/* SPDX-License-Identifier: MIT */
/*
 * What check and apply do before they part: the host, the profiles in force,
 * the portals' targets, the survey of all places and its findings.
 */
#ifndef SGW_INSPECTION_H
#define SGW_INSPECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "engine/compare.h"
#include "engine/survey.h"
#include "engine/wanted.h"
#include "host/paths.h"
#include "options.h"
#include "portals.h"

struct err;

/* Starts as INSPECTION_NONE. */
struct inspection {
	struct paths paths;
	enum scope scope;
	struct wanted wanted;
	struct portals portals; /* empty without PORTAL */
	struct survey survey;
	struct findings findings;
	struct buf apply, options; /* what was asked, */
	struct asked asked; /* for the findings' remedies */
};
#define INSPECTION_NONE         \
	{                       \
		.paths.fd = -1, \
	}

/* The host and the profiles: what every command needs that has OPT_ROOT and OPT_PROFILE. */
int inspection_open(struct inspection *in, const struct options *opt, struct err *err);

/*
 * Ask the portals of the command line, if any. -EHOSTUNREACH where one does
 * not answer (each named on standard error) and --skip-unreachable was not
 * given; -EINVAL where what answers is no Storage Gateway.
 */
int inspection_discover(struct inspection *in, const struct options *opt, struct err *err);

/*
 * Read the places and compare; with new_records, records for the portals'
 * targets that have none are made ready. Called again it starts anew: apply
 * looks again after writing.
 */
int inspection_survey(struct inspection *in, bool new_records, struct err *err);

/*
 * The one address of a target that a host uses, since a volume has one path:
 * of several the one that answered, else the first that a host can reach;
 * NULL where there is none.
 */
const struct portal *inspection_path(const struct target *target, const struct portal *reached);

void inspection_done(struct inspection *in);

#endif
