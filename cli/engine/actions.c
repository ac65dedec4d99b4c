/* SPDX-License-Identifier: MIT */
#include "engine/actions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "engine/compare.h"
#include "engine/plan.h"
#include "engine/startup.h"
#include "engine/survey.h"
#include "err.h"

static const char auth[] = "node.session.auth.";

const char *action_word(enum action_kind kind)
{
	static const char *const words[] = {
		[ACTION_RELOAD_RULES] = "reload-rules",
		[ACTION_LOG_IN_AGAIN] = "log-in-again",
		[ACTION_LOG_IN] = "log-in",
		[ACTION_AWAIT] = "await",
	};

	return words[kind];
}

static int add_action(struct actions *actions, const struct action *action, struct err *err)
{
	if (!ARRAY_ROOM(actions->items, actions->count))
		return err_oom(err);
	actions->items[actions->count++] = *action;
	return 0;
}

/* By target, portal and interface; a session that does not tell its interface: by the only one. */
static const struct record *record_of(const struct survey *survey,
				      const struct host_session *session)
{
	const struct record *found = NULL;
	size_t count = 0;

	for (size_t i = 0; i < survey->count; i++) {
		const struct record *record = survey->places[i].record;

		if (!record || !session_is(session, record->target, record->address, record->port))
			continue;
		if (strcmp(record->interface, session->interface) == 0)
			return record;
		found = record;
		count++;
	}
	return count == 1 ? found : NULL;
}

/* Each reason once; what does not fit is left out. */
static void add_reason(struct action *action, const char *reason)
{
	const size_t used = strlen(action->why);

	if (!strstr(action->why, reason))
		snprintf(action->why + used, sizeof(action->why) - used, "%s%s",
			 used > 0 ? ", " : "", reason);
}

static void add_reasons(struct action *action, const struct findings *findings,
			const struct plan *plan)
{
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->items[i];
		const struct place *place = finding->place;

		if (!place || place->kind != PLACE_SESSION || place->session != action->session)
			continue;
		if (finding->verdict == VERDICT_STALE && place->chap == SESSION_CHAP_OTHER)
			add_reason(action, "CHAP");
		else if (finding->value && finding->remedy)
			add_reason(action, finding->value->where->key);
	}
	for (size_t i = 0; plan && i < plan->change_count; i++) {
		const struct change *change = &plan->changes[i];

		if (action->record && change->place->record == action->record && change->key &&
		    strncmp(change->key, auth, strlen(auth)) == 0)
			add_reason(action, "CHAP");
	}
}

static int add_log_ins_again(struct actions *actions, const struct survey *survey,
			     const struct findings *findings, const struct plan *plan, bool barred,
			     struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < survey->count; i++) {
		const struct host_session *session = survey->places[i].session;
		struct action action = { .kind = ACTION_LOG_IN_AGAIN, .session = session };

		if (survey->places[i].kind != PLACE_SESSION)
			continue;
		action.record = record_of(survey, session);
		add_reasons(&action, findings, plan);
		/* Without the secret it would only be logged out: that has to come back first. */
		action.barred = !action.record || (survey->places[i].chap == SESSION_CHAP_LOST &&
						   !strstr(action.why, "CHAP"));
		if (action.why[0] != '\0' && (barred || !action.barred))
			rc = add_action(actions, &action, err);
	}
	return rc;
}

/* The record's own session, where that cannot be used now. */
static const struct host_session *lame_session(const struct survey *survey,
					       const struct record *record)
{
	for (size_t i = 0; i < survey->sessions.count; i++) {
		const struct host_session *session = &survey->sessions.items[i];

		if (session_is_by(session, record) && !session_is_usable(session))
			return session;
	}
	return NULL;
}

static int add_log_ins(struct actions *actions, const struct survey *survey, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < survey->count; i++) {
		const struct record *record = survey->places[i].record;
		struct action action = { .kind = ACTION_LOG_IN, .record = record };

		if (!record)
			continue;
		/* A volume has one path: a session of the target through another portal will do. */
		if (sessions_find_target(&survey->sessions, record->target)) {
			action.kind = ACTION_AWAIT;
			if (!lame_session(survey, record))
				continue;
		} else if (startup_place(survey, record->target) != &survey->places[i]) {
			continue;
		}
		rc = add_action(actions, &action, err);
	}
	return rc;
}

static bool writes_rule(const struct plan *plan)
{
	for (size_t i = 0; plan && i < plan->change_count; i++) {
		if (plan->changes[i].place->kind == PLACE_UDEV_RULE)
			return true;
	}
	return false;
}

int actions_find(struct actions *actions, const struct survey *survey,
		 const struct findings *findings, const struct plan *plan,
		 const struct actions_wanted *wanted, struct err *err)
{
	int rc = 0;

	*actions = (struct actions){ 0 };
	if (wanted->reload && writes_rule(plan))
		rc = add_action(actions, &(struct action){ .kind = ACTION_RELOAD_RULES }, err);
	if (rc == 0 && wanted->log_in_again)
		rc = add_log_ins_again(actions, survey, findings, plan, wanted->barred, err);
	if (rc == 0 && wanted->log_in)
		rc = add_log_ins(actions, survey, err);
	return rc;
}

void actions_done(struct actions *actions)
{
	free(actions->items);
	*actions = (struct actions){ 0 };
}
