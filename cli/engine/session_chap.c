/* SPDX-License-Identifier: MIT */
#include "engine/session_chap.h"

#include <stdio.h>
#include <string.h>

#include "documents/document.h"
#include "engine/survey.h"
#include "err.h"

/* The session's value against its record's; a kernel that does not tell says nothing. */
static bool differs(const struct survey *survey, const struct host_session *session,
		    const struct place *record, const char *attribute)
{
	CLEANUP(buf_done) struct buf runs = { .secret = true };
	struct err ignored = { 0 };
	const char *wanted;
	char key[64];

	if (session_read(session, survey->paths, attribute, &runs, &ignored) < 0)
		return false;
	snprintf(key, sizeof(key), "node.session.auth.%s", attribute);
	wanted = record->type->get(record->doc, key, NULL);
	if (strcmp(buf_text(&runs), "(null)") == 0) /* none was ever set */
		return wanted && wanted[0] != '\0';
	return strcmp(buf_text(&runs), wanted ? wanted : "") != 0;
}

enum session_chap session_chap_of(const struct survey *survey, const struct host_session *session)
{
	static const char *const attributes[] = { "username", "password", "username_in",
						  "password_in" };

	for (size_t i = 0; i < survey->count; i++) {
		const struct place *place = &survey->places[i];
		const struct record *record = place->record;
		const char *secret;

		if (place->kind != PLACE_RECORD || !place->exists ||
		    !session_is(session, record->target, record->address, record->port))
			continue;
		for (size_t j = 0; j < ARRAY_LEN(attributes); j++) {
			if (!differs(survey, session, place, attributes[j]))
				continue;
			/* A session without CHAP differs from a record that has its secret. */
			secret = place->type->get(place->doc, "node.session.auth.password", NULL);
			return secret && secret[0] != '\0' ? SESSION_CHAP_OTHER : SESSION_CHAP_LOST;
		}
		return SESSION_CHAP_SAME;
	}
	return SESSION_CHAP_SAME;
}
