/* SPDX-License-Identifier: MIT */
#include "needs_login.h"

#include <stdio.h>
#include <string.h>

#include "escape.h"
#include "inspection.h"
#include "iscsi/portal.h"
#include "report.h"

int needs_login_find(struct actions *needs, const struct inspection *in, const struct plan *plan,
		     struct err *err)
{
	static const struct actions_wanted wanted = { .log_in_again = true, .barred = true };

	return actions_find(needs, &in->survey, &in->findings, plan, &wanted, err);
}

void needs_login_print(const struct actions *needs, const char *prefix)
{
	for (size_t i = 0; i < needs->count; i++) {
		const struct action *action = &needs->items[i];
		const char *name = action->session->target;
		char target[4 * ISCSI_NAME_SIZE];

		escape_text(name, strlen(name), target, sizeof(target));
		printf("%s%s (%s) would need a new login for %s: %s\n", prefix,
		       action->session->name, target, action->why,
		       !action->barred	? "--relogin makes it"
		       : action->record ? "its record lacks the CHAP settings for it: --chap FILE"
					: "it has no record to log in again by");
	}
}

json_t *needs_login_json(const struct actions *needs)
{
	json_t *list = json_array();

	for (size_t i = 0; i < needs->count; i++) {
		const struct action *action = &needs->items[i];
		const struct host_session *session = action->session;
		char portal[PORTAL_TEXT_MAX];

		if (session->port != 0)
			portal_text_of(session->address, session->port, portal);
		json_array_append_new(
			list,
			json_pack("{s:o, s:o, s:o, s:o, s:b}", "session", json_text(session->name),
				  "target", json_text(session->target), "portal",
				  session->port != 0 ? json_text(portal) : json_null(), "why",
				  json_text(action->why), "relogin", !action->barred));
	}
	return list;
}
