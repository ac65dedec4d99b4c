/* SPDX-License-Identifier: MIT */
#include "engine/compare_boot.h"

#include <stdio.h>

#include "buf.h"
#include "engine/compare.h"
#include "engine/startup.h"
#include "engine/survey.h"
#include "err.h"
#include "host/paths.h"
#include "iscsi/portal.h"
#include "quote.h"

/* Whether --connect would log in to a target that nobody asked about: of another host, maybe. */
static bool others_are_out(const struct survey *survey, const char *target)
{
	for (size_t i = 0; i < survey->count; i++) {
		const struct place *place = &survey->places[i];

		if (place->kind == PLACE_RECORD && !startup_is_of(place, target) &&
		    !sessions_find_target(&survey->sessions, place->record->target))
			return true;
	}
	return false;
}

/* What gives the record that node.startup, or the target's records the ones that they need. */
static void add_command(const struct survey *survey, const struct place *place, const char *startup,
			const struct findings *findings, struct buf *out)
{
	const struct record *record = place->record;
	char portal[PORTAL_TEXT_MAX];

	if (!others_are_out(survey, record->target)) {
		buf_addf(out, "%s --connect",
			 findings->asked ? findings->asked->apply : "sgw-init apply");
		return;
	}
	portal_text_of(record->address, record->port, portal);
	buf_adds(out, "iscsiadm -m node -T ");
	quote_word(out, record->target);
	buf_adds(out, " -p ");
	quote_word(out, portal);
	buf_adds(out, " -I ");
	quote_word(out, record->interface);
	buf_addf(out, " -o update -n node.startup -v %s", startup);
}

/* There would be two sessions of its target. */
static int compare_second(const struct survey *survey, const struct place *place,
			  struct findings *findings, struct err *err)
{
	const struct finding finding = {
		.verdict = VERDICT_TWICE,
		.severity = SEVERITY_WARNING,
		.place = place,
	};
	const struct place *kept;
	CLEANUP(buf_done) struct buf remedy = { 0 };
	char note[PORTAL_TEXT_MAX + 192], portal[PORTAL_TEXT_MAX];

	if (!place->exists || !startup_is_automatic(place))
		return 0;
	kept = startup_place(survey, place->record->target);
	if (place == kept || !startup_is_automatic(kept))
		return 0;
	portal_text_of(kept->record->address, kept->record->port, portal);
	buf_adds(&remedy, "have one of them logged in at boot: ");
	add_command(survey, place, "manual", findings, &remedy);
	snprintf(note, sizeof(note),
		 "at boot this host logs in by it and by the target's record at %s (interface %s), "
		 "which shows one device twice",
		 portal, kept->record->interface);
	return findings_add_remedied(findings, &finding, note,
				     startup_is_kept(survey, place) ? NULL : buf_text(&remedy),
				     err);
}

/* The volume is there now, and will not be after a boot: as after plain discovery. */
static int compare_manual(const struct survey *survey, const struct place *place,
			  struct findings *findings, struct err *err)
{
	const struct finding finding = {
		.verdict = VERDICT_NOT_AT_BOOT,
		.severity = SEVERITY_WARNING,
		.place = place,
	};
	CLEANUP(buf_done) struct buf remedy = { 0 };

	buf_adds(&remedy, "have it logged in at boot: ");
	add_command(survey, place, "automatic", findings, &remedy);
	return findings_add_remedied(findings, &finding,
				     "it is logged in by now, but at boot nobody logs in by it "
				     "(node.startup)",
				     buf_text(&remedy), err);
}

/* Where the record was there at boot, who logs in then has failed or given up. */
static int compare_missing(const struct place *place, struct findings *findings, struct err *err)
{
	const struct record *record = place->record;
	const struct finding finding = {
		.verdict = VERDICT_DOWN,
		.severity = record->young ? SEVERITY_WARNING : SEVERITY_ERROR,
		.place = place,
	};
	CLEANUP(buf_done) struct buf remedy = { 0 };

	buf_adds(&remedy, "log in: sgw-init connect ");
	quote_target(&remedy, record->address, record->port, record->target);
	buf_adds(&remedy, "; or, where it is to stay away: sgw-init disconnect --target ");
	quote_word(&remedy, record->target);
	buf_adds(&remedy, " --forget");
	return findings_add_remedied(findings, &finding,
				     record->young ? "this host is to log in by it at boot "
						     "(node.startup), and is not logged in "
						     "yet: its device is not there"
						   : "at boot this host logs in by it "
						     "(node.startup), but there is no session: "
						     "its device is not there",
				     buf_text(&remedy), err);
}

/* Whether somebody logs in at boot by one of the target's records. */
static bool any_at_boot(const struct survey *survey, const char *target)
{
	for (size_t i = 0; i < survey->count; i++) {
		const struct place *place = &survey->places[i];

		if (startup_is_of(place, target) && place->exists && startup_is_at_boot(place))
			return true;
	}
	return false;
}

/* Told of one record: those of a target stand side by side. */
static bool is_first_at_boot(const struct survey *survey, const struct place *place)
{
	for (const struct place *other = place; other-- > survey->places;) {
		if (!startup_is_of(other, place->record->target))
			break;
		if (startup_is_at_boot(other))
			return false;
	}
	return startup_is_at_boot(place);
}

/* What a tree of --root will be logged in to is not for us to see, nor who is just coming up. */
static bool is_missing(const struct survey *survey, const char *target)
{
	return survey->paths->live && survey->sessions.nameless[0] == '\0' &&
	       !sessions_find_target(&survey->sessions, target);
}

static int compare_target(const struct survey *survey, const struct place *place,
			  struct findings *findings, struct err *err)
{
	const char *target = place->record->target;

	if (is_first_at_boot(survey, place))
		return is_missing(survey, target) ? compare_missing(place, findings, err) : 0;
	if (sessions_find_by(&survey->sessions, place->record) && !any_at_boot(survey, target) &&
	    place == startup_place(survey, target))
		return compare_manual(survey, place, findings, err);
	return 0;
}

int compare_boot(const struct survey *survey, struct findings *findings, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < survey->count; i++) {
		const struct place *place = &survey->places[i];

		if (place->kind != PLACE_RECORD || !place->exists)
			continue;
		rc = compare_second(survey, place, findings, err);
		if (rc == 0)
			rc = compare_target(survey, place, findings, err);
	}
	return rc;
}
