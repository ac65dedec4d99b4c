/* SPDX-License-Identifier: MIT */
/*
 * All places of this host that a run is about: iscsid.conf, the udev rule
 * and those of others, the gateway's records, its sessions and devices; and what else was seen that
 * the administrator should know. Reads only.
 */
#ifndef SGW_SURVEY_H
#define SGW_SURVEY_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/place.h"
#include "engine/wanted.h"
#include "host/database.h"
#include "host/sessions.h"

struct err;
struct paths;

#define ISCSID_CONF "/etc/iscsi/iscsid.conf"
#define UDEV_RULE "/etc/udev/rules.d/60-sgw-init.rules"

/* What a run is about: targets that portals named, or, without any, those named like AWS's. */
struct selection {
	const char *const *targets; /* sorted by bytes */
	size_t count;
	bool by_name; /* no PORTAL was given */
	bool spare_conf; /* iscsid.conf is read for new records, but is none of the run's places */
};

struct survey {
	const struct paths *paths;
	const struct wanted *wanted;
	bool spare_conf;
	struct database database;
	struct sessions sessions;
	struct place *places; /* by kind, records and sessions in their own order */
	size_t count;
	struct record **added; /* by survey_add_record() */
	size_t added_count;
	size_t foreign; /* records of other arrays */
	bool kinds[GATEWAY_OTHER]; /* which gateways the selection and the records show */
};

/*
 * Read all of it. -ENOENT names the package where iscsid.conf is missing; an
 * unusable record of this gateway fails with its path (-EINVAL; -ESTALE where it
 * was read, since iscsiadm may have been writing it), one of
 * another array only counts.
 */
int survey_load(struct survey *survey, const struct paths *paths, const struct wanted *wanted,
		const struct selection *selection, struct err *err);
void survey_done(struct survey *survey);

/* The place of that kind (there is one of iscsid.conf and of our own rule), or NULL. */
struct place *survey_place(const struct survey *survey, enum place_kind kind);

/*
 * Add the place of a new record, which the plan will create: its profile is
 * laid over it, so that it is born tuned. Takes *record over, also on error.
 * The pointers that survey_place() gave before end here.
 */
int survey_add_record(struct survey *survey, struct record *record, struct err *err);

/* The run was asked for that portal of the target: note it at its records. */
void survey_ask(struct survey *survey, const char *target, const char *address, uint16_t port);

/* Whether that portal of the target has been added. */
bool survey_added(const struct survey *survey, const char *target, const char *address,
		  uint16_t port);

#endif
