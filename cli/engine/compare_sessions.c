/* SPDX-License-Identifier: MIT */
#include "engine/compare_sessions.h"

#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "engine/compare.h"
#include "engine/startup.h"
#include "engine/survey.h"
#include "err.h"
#include "host/nodes.h"
#include "iscsi/portal.h"
#include "quote.h"

static int add_down(struct findings *findings, const struct place *place, const char *note,
		    const char *remedy, struct err *err)
{
	const struct finding finding = {
		.verdict = VERDICT_DOWN,
		.severity = SEVERITY_ERROR,
		.place = place,
	};

	return findings_add_remedied(findings, &finding, note, remedy, err);
}

/* The disk is not there now, whatever the settings are that it would have. */
static int compare_session(const struct place *place, struct findings *findings, struct err *err)
{
	const struct host_session *session = place->session;
	CLEANUP(buf_done) struct buf remedy = { 0 };
	char note[192], portal[PORTAL_TEXT_MAX] = "PORTAL";

	if (session_is_bare(session)) {
		buf_addf(&remedy, "have the kernel look for it: iscsiadm -m session -r %s --rescan",
			 session->name + strlen("session"));
		return add_down(findings, place, "it is logged in, but has no device",
				buf_text(&remedy), err);
	}
	if (session_is_up(session))
		return 0;
	if (session->port != 0)
		portal_text_of(session->address, session->port, portal);
	snprintf(note, sizeof(note),
		 "it is %s: the gateway does not answer it; what its devices are asked for waits, "
		 "for recovery_tmo at most, then fails",
		 session->state);
	buf_adds(&remedy, "see whether the gateway runs: sgw-init discover ");
	quote_word(&remedy, portal);
	buf_adds(&remedy, "; iscsid logs in again once it does, and journalctl -u iscsid says what "
			  "it meets");
	return add_down(findings, place, note, buf_text(&remedy), err);
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

/* The first device that has a node; NULL: none. */
static const char *device_name(const struct host_session *session)
{
	for (size_t i = 0; i < session->device_count; i++) {
		if (device_has_node(&session->devices[i]))
			return session->devices[i].name;
	}
	return NULL;
}

static bool same_portal(const struct host_session *a, const struct host_session *b)
{
	return a->port == b->port && strcmp(a->address, b->address) == 0;
}

/*
 * disconnect ends all sessions of a portal, or none; of two by one portal the
 * number alone tells which is meant.
 */
static void add_logout(struct buf *out, const struct host_session *session,
		       const struct host_session *kept)
{
	if (session->port == 0 || same_portal(session, kept)) {
		buf_addf(out, "iscsiadm -m session -r %s --logout",
			 session->name + strlen("session"));
		return;
	}
	buf_adds(out, "sgw-init disconnect ");
	quote_target(out, session->address, session->port, session->target);
	buf_adds(out, " --forget");
}

/* The session by which a target is to stay connected: that of its one record, else the first. */
static const struct host_session *kept_session(const struct survey *survey, const char *target)
{
	const struct place *place = startup_place(survey, target);
	const struct host_session *first = NULL;

	for (size_t i = 0; i < survey->sessions.count; i++) {
		const struct host_session *session = &survey->sessions.items[i];

		if (strcmp(session->target, target) != 0)
			continue;
		if (place && session_is_by(session, place->record))
			return session;
		if (!first)
			first = session;
	}
	return first;
}

/* The multipath device that holds the disk of a session; NULL: none. */
static const char *multipath_of(const struct survey *survey, const struct host_session *session)
{
	for (size_t i = 0; i < survey->count; i++) {
		if (survey->places[i].session == session && survey->places[i].multipath)
			return survey->places[i].multipath;
	}
	return NULL;
}

static int compare_second(const struct survey *survey, const struct place *place,
			  struct findings *findings, struct err *err)
{
	const struct finding finding = {
		.verdict = VERDICT_TWICE,
		.severity = SEVERITY_WARNING,
		.place = place,
	};
	const struct host_session *session = place->session;
	const struct host_session *kept = kept_session(survey, session->target);
	CLEANUP(buf_done) struct buf note = { 0 }, remedy = { 0 };
	const char *mine, *other;

	if (session == kept)
		return 0;
	mine = multipath_of(survey, session);
	other = multipath_of(survey, kept);
	if (mine && other && strcmp(mine, other) == 0) {
		buf_addf(&note,
			 "it is a path of the multipath device %s, and %s another; AWS describes "
			 "one path to a volume, and both end at the same gateway",
			 mine, kept->name);
		return findings_add_remedied(findings, &finding, buf_text(&note), NULL, err);
	}
	mine = device_name(session);
	other = device_name(kept);
	buf_addf(&note, "%s goes to this target as well: ", kept->name);
	if (mine && other)
		buf_addf(&note, "%s and %s are one device, ", other, mine);
	else
		buf_adds(&note, "its device is there twice, ");
	buf_adds(&note, "and who writes to both spoils what is on it");
	buf_adds(&remedy, "log out of one of them once nothing uses it (sgw-init devices tells): ");
	add_logout(&remedy, session, kept);
	return findings_add_remedied(findings, &finding, buf_text(&note), buf_text(&remedy), err);
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
		if (rc == 0 && place->kind == PLACE_SESSION)
			rc = compare_second(survey, place, findings, err);
	}
	return rc;
}
