/* SPDX-License-Identifier: MIT */
#include "engine/compare_sessions.h"

#include <stdio.h>
#include <string.h>

#include "engine/compare.h"
#include "engine/survey.h"
#include "err.h"
#include "iscsi/portal.h"

static int add(struct findings *findings, const struct finding *finding, const char *note,
	       const char *remedy, struct err *err)
{
	int rc = findings_add(findings, *finding, note, err);

	return rc < 0 ? rc : finding_set_remedy(&findings->items[findings->count - 1], remedy, err);
}

static int add_down(struct findings *findings, const struct place *place, const char *note,
		    const char *remedy, struct err *err)
{
	const struct finding finding = {
		.verdict = VERDICT_DOWN,
		.severity = SEVERITY_ERROR,
		.place = place,
	};

	return add(findings, &finding, note, remedy, err);
}

/* The disk is not there now, whatever the settings are that it would have. */
static int compare_session(const struct place *place, struct findings *findings, struct err *err)
{
	const struct host_session *session = place->session;
	char note[192], remedy[PORTAL_TEXT_MAX + 192], portal[PORTAL_TEXT_MAX] = "PORTAL";

	if (session_is_bare(session)) {
		snprintf(remedy, sizeof(remedy),
			 "have the kernel look for it: iscsiadm -m session -r %s --rescan",
			 session->name + strlen("session"));
		return add_down(findings, place, "it is logged in, but has no device", remedy, err);
	}
	if (session_is_up(session))
		return 0;
	if (session->port != 0)
		portal_text_of(session->address, session->port, portal);
	snprintf(note, sizeof(note),
		 "it is %s: the gateway does not answer it; what its devices are asked for waits, "
		 "for recovery_tmo at most, then fails",
		 session->state);
	snprintf(remedy, sizeof(remedy),
		 "see whether the gateway runs: sgw-init discover %s; iscsid logs in again once it "
		 "does, and journalctl -u iscsid says what it meets",
		 portal);
	return add_down(findings, place, note, remedy, err);
}

/* Error handling puts a device offline for good; no login brings it back. */
static int compare_device(const struct place *place, struct findings *findings, struct err *err)
{
	char note[128], remedy[sizeof(place->device->path) + 96];

	/* Of a session that is down all devices are, and that is told. */
	if (device_runs(place->device) || !session_is_up(place->session))
		return 0;
	snprintf(note, sizeof(note), "it is %s, not running: it cannot be used",
		 place->device->state);
	snprintf(remedy, sizeof(remedy),
		 "once the gateway is well: echo running >/sys/bus/scsi/devices/%s/state",
		 strrchr(place->device->path, '/') + 1);
	return add_down(findings, place, note, remedy, err);
}

int compare_sessions(const struct survey *survey, struct findings *findings, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < survey->count; i++) {
		const struct place *place = &survey->places[i];

		if (place->kind == PLACE_SESSION)
			rc = compare_session(place, findings, err);
		else if (place->kind == PLACE_DEVICE)
			rc = compare_device(place, findings, err);
	}
	return rc;
}
