/* SPDX-License-Identifier: MIT */
#include "resume.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "choice.h"
#include "command.h"
#include "connect_report.h"
#include "connecting.h"
#include "engine/compare.h"
#include "engine/owed.h"
#include "engine/tx.h"
#include "err.h"
#include "host/database.h"
#include "host/paths.h"
#include "host/sessions.h"
#include "iscsi/portal.h"

/* One pass over what is owed. */
struct pass {
	const struct paths *paths;
	struct owed_login *logins;
	size_t count;
	struct sessions sessions;
	struct database database;
};

static int pass_begin(struct pass *pass, const struct paths *paths, struct err *err)
{
	int rc;

	*pass = (struct pass){ .paths = paths };
	rc = owed_list(paths, &pass->logins, &pass->count, err);
	return rc < 0 || pass->count == 0 ? rc : sessions_load(&pass->sessions, paths, err);
}

static void pass_done(struct pass *pass)
{
	database_done(&pass->database);
	sessions_done(&pass->sessions);
	free(pass->logins);
}

static void warn_of(const struct owed_login *login, const char *what)
{
	char portal[PORTAL_TEXT_MAX];

	portal_text_of(login->address, login->port, portal);
	warn("%s at %s: apply --relogin logged out of it and was cut off: %s", login->target,
	     portal, what);
}

/* Whether it is missing; what has come back is owed no longer. */
static int look_at(const struct pass *pass, const struct owed_login *login, struct err *err)
{
	enum owed_state state;
	int rc = 0;

	if (login->problem[0] != '\0') {
		warn(TX_JOURNAL "/%s: %s: no login can be made by it; sgw-init devices shows which "
				"sessions stand; then remove it",
		     login->file, login->problem);
		return 0;
	}
	state = owed_state(login, &pass->sessions);
	if (state == OWED_BACK)
		rc = owed_remove(pass->paths, login, err);
	return rc < 0 ? rc : state == OWED_MISSING;
}

static const struct record *record_of(const struct database *database,
				      const struct owed_login *login)
{
	for (size_t i = 0; i < database->count; i++) {
		const struct record *record = &database->records[i];

		if (record->problem[0] == '\0' && strcmp(record->target, login->target) == 0 &&
		    strcmp(record->address, login->address) == 0 && record->port == login->port &&
		    strcmp(record->interface, login->interface) == 0)
			return record;
	}
	return NULL;
}

static void add_to(json_t *list, json_t *more)
{
	json_array_extend(list, more);
	json_decref(more);
}

/* 1 where it is in again. That it is not has been told. */
static int log_in(struct resume *resume, const struct pass *pass, const struct owed_login *login,
		  const struct record *record, unsigned device_ms, struct err *err)
{
	const struct connect_options options = { .again = login->others, .device_ms = device_ms };
	struct connected *list = NULL;
	struct err why = { 0 };
	int rc = connecting_run(pass->paths, &record, 1, &options, &list, &why);
	bool up = rc == 0 && list[0].state != CONNECTED_FAILED;

	if (rc < 0) {
		record_at(record, &why);
		err_print("sgw-init", &why);
		return 0;
	}
	warn_of(login, list[0].state == CONNECTED_DOWN ? "it has a session again, which is down"
		       : up			       ? "logged in again"
						       : "it is still logged out");
	connect_print_troubles(list, 1);
	if (!resume->list)
		resume->list = json_array();
	add_to(resume->list, connect_json(list, 1));
	connected_free(list, 1);
	return up ? owed_remove(pass->paths, login, err) < 0 ? -err->code : 1 : 0;
}

static int settle(struct resume *resume, const struct pass *pass, const struct owed_login *login,
		  unsigned device_ms, struct err *err)
{
	const struct record *record = record_of(&pass->database, login);
	int rc;

	if (!record) {
		warn_of(login, "its record is gone, so it stays logged out");
		return owed_remove(pass->paths, login, err);
	}
	rc = log_in(resume, pass, login, record, device_ms, err);
	resume->missing += rc == 0;
	return rc < 0 ? rc : 0;
}

static size_t count_missing(const struct pass *pass)
{
	size_t missing = 0;

	for (size_t i = 0; i < pass->count; i++)
		missing += pass->logins[i].problem[0] == '\0' &&
			   owed_state(&pass->logins[i], &pass->sessions) == OWED_MISSING;
	return missing;
}

/* No login by a record that is half written. */
static int recover(const struct paths *paths, struct err *err)
{
	CLEANUP(buf_done) struct buf recovered = { 0 };
	struct tx *tx = NULL;
	int rc = tx_begin(&tx, paths, &recovered, err);

	if (rc == 0 && recovered.len > 0)
		warn("%s", recovered.data);
	tx_end(tx);
	return rc;
}

int resume_run(struct resume *resume, const struct paths *paths, unsigned device_ms,
	       struct err *err)
{
	struct pass pass;
	int rc = 0;

	resume->missing = 0;
	if (!paths->live)
		return 0;
	rc = pass_begin(&pass, paths, err);
	if (rc == 0 && count_missing(&pass) > 0) {
		rc = recover(paths, err);
		if (rc == 0)
			rc = database_load(&pass.database, paths, err);
	}
	for (size_t i = 0; rc == 0 && i < pass.count; i++) {
		rc = look_at(&pass, &pass.logins[i], err);
		if (rc > 0)
			rc = settle(resume, &pass, &pass.logins[i], device_ms, err);
	}
	pass_done(&pass);
	return rc;
}

int resume_look(struct resume *resume, const struct paths *paths, struct err *err)
{
	struct pass pass;
	int rc = 0;

	resume->missing = 0;
	if (!paths->live)
		return 0;
	rc = pass_begin(&pass, paths, err);
	for (size_t i = 0; rc >= 0 && i < pass.count; i++) {
		rc = look_at(&pass, &pass.logins[i], err);
		resume->missing += rc > 0;
	}
	pass_done(&pass);
	return rc < 0 ? rc : 0;
}

int resume_warn(struct resume *resume, const struct paths *paths, struct err *err)
{
	struct pass pass;
	int rc;

	resume->missing = 0;
	if (!paths->live)
		return 0;
	rc = pass_begin(&pass, paths, err);
	for (size_t i = 0; rc == 0 && i < pass.count; i++) {
		const struct owed_login *login = &pass.logins[i];

		if (login->problem[0] != '\0' || owed_state(login, &pass.sessions) != OWED_MISSING)
			continue;
		warn_of(login, "it would be logged in again");
		resume->missing++;
	}
	pass_done(&pass);
	return rc;
}

int resume_forget(const struct paths *paths, const struct choice *choice, struct err *err)
{
	struct pass pass;
	int rc = pass_begin(&pass, paths, err);

	for (size_t i = 0; rc == 0 && i < pass.count; i++) {
		const struct owed_login *login = &pass.logins[i];

		if (login->problem[0] != '\0' || login->running ||
		    !choice_has(choice, login->target, login->address, login->port))
			continue;
		if (owed_state(login, &pass.sessions) == OWED_MISSING)
			warn_of(login, "it stays logged out, as you say");
		rc = owed_remove(paths, login, err);
	}
	pass_done(&pass);
	return rc;
}

static int add_finding(struct findings *findings, const struct owed_login *login, struct err *err)
{
	char portal[PORTAL_TEXT_MAX], note[640];

	portal_text_of(login->address, login->port, portal);
	if (login->problem[0] != '\0')
		snprintf(note, sizeof(note),
			 "apply --relogin was cut off, and nobody can tell where (%.255s): log in "
			 "with sgw-init connect to what has to be, then remove " TX_JOURNAL "/%s",
			 login->problem, login->file);
	else
		snprintf(note, sizeof(note),
			 "apply --relogin logged out of %s at %s and was cut off: log in with: "
			 "sgw-init apply",
			 login->target, portal);
	return findings_add(
		findings,
		(struct finding){ .verdict = VERDICT_HALF_DONE, .severity = SEVERITY_CRITICAL },
		note, err);
}

int resume_report(const struct paths *paths, const struct sessions *sessions,
		  struct findings *findings, struct err *err)
{
	CLEANUP(free_ptr) struct owed_login *logins = NULL;
	size_t count = 0;
	int rc = owed_list(paths, &logins, &count, err);

	for (size_t i = 0; rc == 0 && i < count; i++) {
		if (logins[i].problem[0] != '\0' ||
		    owed_state(&logins[i], sessions) == OWED_MISSING)
			rc = add_finding(findings, &logins[i], err);
	}
	return rc;
}

void resume_done(struct resume *resume)
{
	json_decref(resume->list);
	resume->list = NULL;
}
