/* SPDX-License-Identifier: MIT */
#include "relogin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apply_report.h"
#include "command.h"
#include "connect_report.h"
#include "connect_reach.h"
#include "connecting.h"
#include "disconnecting.h"
#include "engine/actions.h"
#include "engine/owed.h"
#include "err.h"
#include "inspection.h"
#include "iscsi/portal.h"
#include "login_check.h"
#include "os/signals.h"
#include "quote.h"
#include "proving.h"
#include "report.h"

enum relogin_state {
	RELOGIN_NOT_TRIED, /* an earlier one failed, or its portal takes no connection */
	RELOGIN_DONE,
	RELOGIN_IN_USE, /* nothing was done */
	RELOGIN_REFUSED, /* nor here: the target, or we, would refuse the new login */
	RELOGIN_NO_LOGOUT, /* the session stands as it was */
	RELOGIN_NO_LOGIN, /* logged out, and not in again */
	RELOGIN_NOT_WANTED, /* in again, with other values than it should have */
};

static const struct {
	const char *text, *word;
} states[] = {
	[RELOGIN_NOT_TRIED] = { "not tried", "not-tried" },
	[RELOGIN_DONE] = { "logged in again", "done" },
	[RELOGIN_IN_USE] = { "in use: left as it is", "in-use" },
	[RELOGIN_REFUSED] = { "would be refused: left as it is", "would-be-refused" },
	[RELOGIN_NO_LOGOUT] = { "not logged out", "not-logged-out" },
	[RELOGIN_NO_LOGIN] = { "logged out, not in again", "logged-out" },
	[RELOGIN_NOT_WANTED] = { "logged in again, not as wanted", "not-as-wanted" },
};

/* One of them. */
struct relogin {
	const struct action *action;
	enum relogin_state state;
	bool begun; /* the logout, which iscsid may go on with where iscsiadm did not see its end */
	struct err err;
};

/* Who uses it loses it; a tape that is taken from under its users loses its place. */
static void force_out(const struct paths *paths, struct disconnected *disconnected)
{
	CLEANUP(buf_done) struct buf users = { 0 };

	disconnecting_users(&disconnected->uses, &users);
	warn("%s: taken from under its users: %s", disconnected->session->target, buf_text(&users));
	disconnecting_force(paths, disconnected);
}

static int log_out(const struct paths *paths, bool force, struct relogin *relogin)
{
	const struct host_session *session = relogin->action->session;
	struct disconnected disconnected = { 0 };
	int rc = 0;

	disconnecting_run(paths, session, &disconnected);
	if (force && disconnected.state == DISCONNECTED_IN_USE &&
	    disconnecting_can_force(session, &disconnected.uses))
		force_out(paths, &disconnected);
	relogin->begun = disconnected.begun;
	relogin->state =
		disconnected.state == DISCONNECTED_IN_USE ? RELOGIN_IN_USE : RELOGIN_NO_LOGOUT;
	if (disconnected.state != DISCONNECTED_DONE) {
		relogin->err = disconnected.err;
		rc = -relogin->err.code;
	}
	disconnected_done(&disconnected);
	return rc;
}

static void warn_of(const struct paths *paths, const struct action *action, bool force)
{
	CLEANUP(buf_done) struct buf users = { 0 };
	struct uses uses = { 0 };
	struct err err = { 0 };

	if (disconnecting_check(paths, action->session, &uses, &err) == -EBUSY) {
		disconnecting_users(&uses, &users);
		if (force && disconnecting_can_force(action->session, &uses))
			warn("%s: it would be taken from under its users, who lose it: %s",
			     action->record->target, buf_text(&users));
		else
			warn("%s: it would be left as it is: %s", action->record->target,
			     err.reason);
	}
	uses_done(&uses);
}

void relogin_warn(const struct paths *paths, const struct actions *actions, bool force)
{
	for (size_t i = 0; i < actions->count; i++) {
		if (actions->items[i].kind == ACTION_LOG_IN_AGAIN)
			warn_of(paths, &actions->items[i], force);
	}
}

/* What to type once the cause is gone: it is logged out by now. */
static int add_command(const struct record *record, struct err *err)
{
	CLEANUP(buf_done) struct buf command = { 0 };
	const struct err cause = *err;

	buf_adds(&command, "sgw-init connect ");
	quote_target(&command, record->address, record->port, record->target);
	err_set(err, cause.code, "%.600s; it is logged out", cause.reason);
	err_add_command(err, ": once that is mended: ", buf_text(&command));
	return record_at(record, err);
}

/* In again, with all of its devices, and as wanted. */
static int log_in(struct inspection *in, const struct record *record, unsigned wait_ms,
		  enum relogin_state *state, struct err *err)
{
	const struct connect_options options = { .device_ms = wait_ms, .again = true };
	struct connected *list = NULL;
	int rc = connecting_run(&in->paths, &record, 1, &options, &list, err);

	*state = RELOGIN_NO_LOGIN;
	if (rc < 0)
		return add_command(record, err);
	if (connected_is_fine(&list[0])) {
		rc = login_check(in, list, 1, err);
	} else {
		*err = list[0].err;
		rc = -err->code;
	}
	if (rc == -ENOTCONN || list[0].state == CONNECTED_FAILED)
		rc = add_command(record, err);
	else
		*state = rc < 0 ? RELOGIN_NOT_WANTED : RELOGIN_DONE;
	connected_free(list, 1);
	return rc;
}

/*
 * Out of a session whose portal is away there is no way back in. A portal is
 * asked until it fails.
 */
static int reach(const struct relogin *list, size_t at, struct err *err)
{
	const struct record *record = list[at].action->record;

	for (size_t i = 0; i < at; i++) {
		const struct record *other = list[i].action->record;

		if (list[i].state == RELOGIN_NOT_TRIED && other->port == record->port &&
		    strcmp(other->address, record->address) == 0)
			return err_set(err, list[i].err.code, "%s", list[i].err.reason),
			       record_at(record, err);
	}
	return connect_reach(record, err);
}

/* Whoever comes after a run that is killed knows by it what to log in to. */
static int note_owed(const struct paths *paths, const struct action *action, struct err *err)
{
	struct sessions sessions;
	int rc = sessions_load(&sessions, paths, err);

	if (rc == 0)
		rc = owed_write(paths, action->record, action->session, &sessions, err);
	sessions_done(&sessions);
	return rc;
}

/* It is owed where it is logged out by now, and where iscsid may log it out yet. */
static void settle(const struct paths *paths, const struct relogin *relogin)
{
	const bool goes_on =
		relogin->begun && (relogin->err.code == ETIMEDOUT || relogin->err.code == EINTR);
	struct err err = { 0 };

	if (relogin->state == RELOGIN_NO_LOGIN || (relogin->state == RELOGIN_NO_LOGOUT && goes_on))
		return;
	if (owed_settle(paths, relogin->action->record, &err) < 0)
		err_print("sgw-init", &err);
}

/* The session that stands has the former secret; with one that is refused it would be the last. */
static int try_credentials(const struct inspection *in, const struct record *record,
			   enum relogin_state *state, struct err *err)
{
	int rc = proving_try(&in->paths, record, err);

	if (rc == 0)
		return 0;
	*state = RELOGIN_REFUSED;
	return record_at(record, err);
}

/* False where the others are not to be tried. */
static bool relogin_one(struct inspection *in, struct relogin *list, size_t at,
			const struct options *opt)
{
	struct relogin *relogin = &list[at];
	struct err *err = &relogin->err;
	const struct record *record = relogin->action->record;
	struct signals_held held;
	int rc = reach(list, at, err);

	if (rc == 0)
		rc = try_credentials(in, record, &relogin->state, err);
	if (rc < 0)
		return true;
	/* From the logout to the login nothing but a SIGKILL ends this run. */
	signals_hold(&held);
	rc = note_owed(&in->paths, relogin->action, err);
	if (rc == 0) {
		rc = log_out(&in->paths, opt->force, relogin);
		if (rc == 0)
			rc = log_in(in, record, opt->wait_ms, &relogin->state, err);
		settle(&in->paths, relogin);
	}
	signals_release(&held);
	return rc == 0 || relogin->state == RELOGIN_IN_USE;
}

static int print_table(const struct relogin *list, size_t count, struct err *err)
{
	static const char *const titles[] = { "TARGET", "PORTAL", "RESULT", "FOR", NULL };
	CLEANUP(table_done) struct table table;

	table_init(&table, titles);
	for (size_t i = 0; i < count; i++) {
		const struct record *record = list[i].action->record;
		char portal[PORTAL_TEXT_MAX];

		portal_text_of(record->address, record->port, portal);
		table_row(&table, record->target, portal, states[list[i].state].text,
			  list[i].action->why, NULL);
	}
	return table_print(&table, stdout, err);
}

static json_t *list_json(const struct relogin *list, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++) {
		const struct err *err = list[i].state == RELOGIN_DONE ? NULL : &list[i].err;
		json_t *item = connect_result_json(list[i].action->record,
						   states[list[i].state].word, err);

		json_object_set_new(item, "why", json_text(list[i].action->why));
		json_array_append_new(array, item);
	}
	return array;
}

int relogin_run(struct inspection *in, const struct actions *actions, const struct options *opt,
		struct apply_report *report, struct err *err)
{
	CLEANUP(free_ptr) struct relogin *list = calloc(actions->count + 1, sizeof(*list));
	size_t count = 0, done = 0;
	bool go_on = true;
	int rc = 0;

	if (!list)
		return err_oom(err);
	for (size_t i = 0; i < actions->count; i++) {
		if (actions->items[i].kind == ACTION_LOG_IN_AGAIN)
			list[count++].action = &actions->items[i];
	}
	for (size_t i = 0; go_on && i < count; i++) {
		go_on = relogin_one(in, list, i, opt);
		done += list[i].state == RELOGIN_DONE;
		if (list[i].state != RELOGIN_DONE)
			err_print("sgw-init", &list[i].err);
	}
	apply_report_add(report, "relogin", list_json(list, count));
	if (!report->document)
		rc = print_table(list, count, err);
	return rc < 0 ? rc : done < count ? EXIT_FAILED : EXIT_DONE;
}
