/* SPDX-License-Identifier: MIT */
#include "engine/budget.h"

#include <string.h>

#include "documents/document.h"
#include "documents/rule.h"
#include "engine/survey.h"
#include "err.h"
#include "host/sessions.h"

/* open-iscsi's default, in seconds. */
enum { ABORT_TIMEOUT = 15 };

/* How late a request may time out, in seconds: by block/blk-timeout.c. */
enum { REQUEST_LATENESS = 1 };

static uint64_t lower(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

struct budget budget_of(const struct budget_inputs *in)
{
	/* A command and its first retry time out, then its abort: 2 * 30 + 15 s, seen at 77 s. */
	uint64_t handling = 2 * (uint64_t)in->disk_timeout + in->abort_timeout;
	uint64_t handling_latest = handling + 2 * REQUEST_LATENESS;
	uint64_t soonest = in->noop_timeout, latest = soonest + in->noop_interval;
	bool noops = in->noop_interval > 0 && in->noop_timeout > 0;

	/* For tape no command is held back: what notices the silence fails the write. */
	if (in->tape)
		return (struct budget){ .least = noops ? soonest : BUDGET_UNNOTICED,
					.most = noops ? latest : BUDGET_UNNOTICED };
	if (!noops)
		return (struct budget){ .least = in->disk_timeout,
					.most = handling_latest + in->replacement,
					.away = in->replacement,
					.by_error_handling = true,
					.offlines = true };
	return (struct budget){ .least = lower(soonest, handling) + in->replacement,
				.most = lower(latest, handling_latest) + in->replacement,
				.away = in->replacement,
				.by_error_handling = handling < latest };
}

/* A setting's value at a place as its reader takes it: set, or the default. False: unknown. */
static bool value_at(const struct place *place, const char *setting, uint32_t *out)
{
	for (size_t i = 0; i < place->value_count; i++) {
		const struct place_value *value = &place->values[i];

		if (strcmp(value->setting->name, setting) != 0)
			continue;
		*out = value->where->os_default;
		return (value->text && place_number(place, value->text, out)) ||
		       value->where->has_default;
	}
	return false;
}

static uint32_t abort_timeout(const struct survey *survey, const struct place *place)
{
	CLEANUP(buf_done) struct buf shown = { 0 };
	struct err ignored = { 0 };
	const char *text = NULL;
	uint32_t seconds;

	if (place->session &&
	    session_read(place->session, survey->paths, "abort_tmo", &shown, &ignored) == 0)
		text = buf_text(&shown);
	else if (place->doc)
		text = place->type->get(place->doc, "node.session.err_timeo.abort_timeout", NULL);
	return text && place_number(place, text, &seconds) ? seconds : ABORT_TIMEOUT;
}

/* What the rules give to a disk that comes, by the file whose word stands in the end. */
static bool rules_timeout(const struct survey *survey, uint32_t *out)
{
	const struct place *last = NULL;
	struct rule_outcome outcome, one;

	for (size_t i = 0; i < survey->count; i++) {
		const struct place *place = &survey->places[i];

		if (place->kind == PLACE_UDEV_RULE && place->doc &&
		    rule_outcome(place->doc, &one) &&
		    (!last || rule_outcome_wins(&one, place->path, &outcome, last->path))) {
			last = place;
			outcome = one;
		}
	}
	return last && place_number(last, outcome.value, out);
}

/*
 * What a disk of this place has, or will have: the session's own disks, else by
 * rules, else stock.
 */
static uint32_t disk_timeout(const struct survey *survey, const struct place *place, uint32_t stock)
{
	uint32_t least = UINT32_MAX, one = 0;

	for (size_t i = 0; place->session && i < survey->count; i++) {
		const struct place *device = &survey->places[i];

		if (device->kind == PLACE_DEVICE && device->session == place->session &&
		    value_at(device, "disk-timeout", &one))
			least = lower(least, one);
	}
	if (least != UINT32_MAX)
		return least;
	return rules_timeout(survey, &one) ? one : stock;
}

/* Whether that place decides for gateways of the profile's kind: iscsid.conf does for all. */
static bool decides(const struct place *place, enum place_kind layer, const struct profile *profile)
{
	return place->kind == layer && (layer == PLACE_ISCSID_CONF || place->profile == profile) &&
	       (place->session || place->exists);
}

bool budget_of_survey(const struct survey *survey, enum gateway_kind kind, struct budget *out)
{
	static const enum place_kind layers[] = { PLACE_SESSION, PLACE_RECORD, PLACE_ISCSID_CONF };
	const struct profile *profile = &survey->wanted->profiles[kind];
	const struct setting_place *disk = NULL;
	const bool tape = !profile_find(profile, PLACE_DEVICE, "timeout", &disk);
	bool found = false;

	if (!survey->kinds[kind] && (kind != GATEWAY_VOLUME || survey->kinds[GATEWAY_TAPE]))
		return false;
	for (size_t layer = 0; !found && layer < ARRAY_LEN(layers); layer++) {
		for (size_t i = 0; i < survey->count; i++) {
			const struct place *place = &survey->places[i];
			struct budget_inputs inputs = { .tape = tape };
			struct budget budget;

			if (!decides(place, layers[layer], profile) ||
			    !value_at(place, "replacement-timeout", &inputs.replacement) ||
			    !value_at(place, "noop-out-interval", &inputs.noop_interval) ||
			    !value_at(place, "noop-out-timeout", &inputs.noop_timeout))
				continue;
			if (!tape)
				inputs.disk_timeout = disk_timeout(survey, place, disk->os_default);
			inputs.abort_timeout = abort_timeout(survey, place);
			budget = budget_of(&inputs);
			if (!found || budget.least < out->least)
				*out = budget;
			found = true;
		}
	}
	return found;
}
