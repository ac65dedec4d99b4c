/* SPDX-License-Identifier: MIT */
#include "engine/plan_chap.h"

#include <errno.h>
#include <string.h>

#include "documents/chap_file.h"
#include "engine/plan.h"
#include "engine/survey.h"
#include "err.h"

/* The entry of that target for this host: its own name, or any initiator's. */
static const struct chap_entry *find_entry(const struct chap_file *file, const char *target,
					   const char *initiator, const struct chap_entry **other,
					   bool *unused)
{
	const struct chap_entry *found = NULL;

	*other = NULL;
	for (size_t i = 0; i < file->count; i++) {
		const struct chap_entry *entry = &file->entries[i];

		if (strcmp(entry->target, target) != 0)
			continue;
		unused[i] = false;
		if (entry->initiator && strcmp(entry->initiator, initiator) == 0)
			return entry;
		if (!entry->initiator)
			found = entry;
		else
			*other = entry;
	}
	return found;
}

static int set_credentials(struct plan *plan, struct place *place, const struct chap_entry *entry,
			   const char *initiator, struct err *err)
{
	const struct {
		const char *key;
		const char *value; /* NULL: unset */
		bool secret;
	} rows[] = {
		{ "node.session.auth.authmethod", "CHAP", false },
		{ "node.session.auth.username", initiator, false },
		{ "node.session.auth.password", entry->initiator_secret, true },
		{ "node.session.auth.username_in", entry->target_secret ? entry->target : NULL,
		  false },
		{ "node.session.auth.password_in", entry->target_secret, true },
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(rows); i++) {
		if (rows[i].value)
			rc = plan_set(plan, place, rows[i].key, rows[i].value, rows[i].secret, err);
		else
			rc = plan_unset(plan, place, rows[i].key, rows[i].secret, err);
	}
	return rc;
}

int plan_chap(struct plan *plan, struct survey *survey, const struct chap_file *file,
	      const char *initiator, bool *unused, struct err *err)
{
	int rc = 0;

	memset(unused, true, file->count * sizeof(*unused));
	for (size_t i = 0; rc == 0 && i < survey->count; i++) {
		struct place *place = &survey->places[i];
		const struct chap_entry *entry, *other;

		if (place->kind != PLACE_RECORD)
			continue;
		entry = find_entry(file, place->record->target, initiator, &other, unused);
		if (entry) {
			rc = set_credentials(plan, place, entry, initiator, err);
		} else if (other) {
			err_set(err, EINVAL,
				"its credentials are for the initiator %s, but this host is %s",
				other->initiator, initiator);
			rc = err_at(err, "%s", other->target);
		}
	}
	return rc;
}
