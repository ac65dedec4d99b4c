/* SPDX-License-Identifier: MIT */
#include "engine/startup.h"

#include <string.h>

#include "documents/document.h"
#include "engine/plan.h"
#include "engine/survey.h"

static const char key[] = "node.startup";

static bool has_value(const struct place *place, const char *name, const char *value)
{
	const char *text = place->doc ? place->type->get(place->doc, name, NULL) : NULL;

	return text && strcmp(text, value) == 0;
}

/*
 * Of the records with a leading login open-iscsi takes the first that works,
 * and leaves the rest.
 */
bool startup_is_automatic(const struct place *place)
{
	return has_value(place, key, "automatic") && !has_value(place, "node.leading_login", "Yes");
}

bool startup_is_at_boot(const struct place *place)
{
	return has_value(place, key, "automatic") || has_value(place, key, "onboot");
}

bool startup_is_of(const struct place *place, const char *target)
{
	return place->kind == PLACE_RECORD && strcmp(place->record->target, target) == 0;
}

const struct place *startup_place(const struct survey *survey, const char *target)
{
	const struct place *best = NULL;
	unsigned most = 0;

	for (size_t i = 0; i < survey->count; i++) {
		const struct place *place = &survey->places[i];
		unsigned weight;

		if (!startup_is_of(place, target))
			continue;
		weight = (sessions_find_by(&survey->sessions, place->record) ? 4 : 0) +
			 (place->asked ? 2 : 0) + (startup_is_automatic(place) ? 1 : 0);
		if (!best || weight > most) {
			best = place;
			most = weight;
		}
	}
	return best;
}

/* Who has multipathd join the paths of a target has set them up by hand. */
static bool is_multipath(const struct survey *survey, const char *target)
{
	for (size_t i = 0; i < survey->count; i++) {
		const struct place *place = &survey->places[i];

		if (place->multipath && strcmp(place->session->target, target) == 0)
			return true;
	}
	return false;
}

bool startup_is_kept(const struct survey *survey, const struct place *place)
{
	return place->exists && (sessions_find_by(&survey->sessions, place->record) ||
				 is_multipath(survey, place->record->target));
}

int plan_startup(struct plan *plan, struct survey *survey, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < survey->count; i++) {
		struct place *place = &survey->places[i];

		if (place->kind != PLACE_RECORD)
			continue;
		if (place == startup_place(survey, place->record->target))
			rc = plan_set(plan, place, key, "automatic", false, err);
	}
	/* Only now: what is automatic has a say in which one it is. */
	for (size_t i = 0; rc == 0 && i < survey->count; i++) {
		struct place *place = &survey->places[i];

		if (place->kind == PLACE_RECORD && startup_is_automatic(place) &&
		    place != startup_place(survey, place->record->target) &&
		    !startup_is_kept(survey, place))
			rc = plan_set(plan, place, key, "manual", false, err);
	}
	return rc;
}

/* A record that was there, or a new one before it. */
static bool another_is_automatic(const struct survey *survey, const struct place *place)
{
	for (size_t i = 0; i < survey->count; i++) {
		const struct place *other = &survey->places[i];

		if (other != place && startup_is_of(other, place->record->target) &&
		    (other->exists || other < place) && startup_is_automatic(other))
			return true;
	}
	return false;
}

int plan_new_startup(struct plan *plan, struct survey *survey, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < survey->count; i++) {
		struct place *place = &survey->places[i];

		if (place->kind == PLACE_RECORD && !place->exists && startup_is_automatic(place) &&
		    another_is_automatic(survey, place))
			rc = plan_set(plan, place, key, "manual", false, err);
	}
	return rc;
}
