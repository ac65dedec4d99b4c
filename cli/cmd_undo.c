/* SPDX-License-Identifier: MIT */
/* sgw-init undo: take an apply back, or list what there is to take back. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "disconnecting.h"
#include "engine/journal.h"
#include "engine/tx.h"
#include "engine/undo.h"
#include "err.h"
#include "host/paths.h"
#include "host/sessions.h"
#include "iscsi/portal.h"
#include "live.h"
#include "report.h"
#include "resume.h"

static const char *const state_words[] = {
	[ENTRY_APPLIED] = "applied",	     [ENTRY_HALF_APPLIED] = "half applied",
	[ENTRY_HALF_UNDONE] = "half undone", [ENTRY_UNDONE] = "undone",
	[ENTRY_UNREADABLE] = "unreadable",
};

static json_t *entry_json(const struct journal_entry *entry)
{
	bool known = entry->state != ENTRY_UNREADABLE;

	return json_pack(
		"{s:s, s:o, s:o, s:s, s:o, s:o, s:o}", "id", entry->id, "time",
		known ? json_integer((json_int_t)entry->time) : json_null(), "command",
		json_text_or_null(entry->command), "state", state_words[entry->state], "file_count",
		known ? json_integer((json_int_t)entry->file_count) : json_null(), "live_count",
		known ? json_integer((json_int_t)entry->live_count) : json_null(), "error",
		known ? json_null() : json_error(entry->problem));
}

static int list_json(const struct journal_entry *entries, size_t count, struct err *err)
{
	json_t *document = json_document("undo"), *list = json_array();

	json_object_set_new(document, "entries", list);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, entry_json(&entries[i]));
	return json_print(document, true, stdout, err);
}

static int list_entries(const struct paths *paths, const struct options *opt, struct err *err)
{
	static const char *const titles[] = { "ID", "STATE", "FILES", "LIVE", "COMMAND", NULL };
	CLEANUP(free_ptr) struct journal_entry *entries = NULL;
	CLEANUP(table_done) struct table table;
	size_t count = 0;
	int rc = journal_list(paths, &entries, &count, err);

	table_init(&table, titles);
	if (rc < 0)
		return rc;
	if (opt->output == OUTPUT_JSON)
		return list_json(entries, count, err);
	if (count == 0) {
		printf("nothing was applied here\n");
		return EXIT_DONE;
	}
	for (size_t i = 0; i < count; i++) {
		char files[24], live[24] = "";

		snprintf(files, sizeof(files), "%zu", entries[i].file_count);
		if (entries[i].live_count > 0)
			snprintf(live, sizeof(live), "%zu", entries[i].live_count);
		table_row(&table, entries[i].id, state_words[entries[i].state], files, live,
			  entries[i].problem[0] ? entries[i].problem : entries[i].command, NULL);
	}
	return table_print(&table, stdout, err);
}

/* What goes through an undo: the sessions that forbid a step, and the steps done. */
struct undoing {
	const struct options *opt;
	const struct paths *paths;
	struct sessions sessions;
	struct table table;
	json_t *list;
	char id[TX_ID_MAX];
	size_t kept;
	size_t records; /* that hold former values again */
	bool in_force; /* what they held before is, in a session by one of them */
	struct resume resume; /* of logins that a run owes */
};

/* Whether a session may have come from the record of that path. */
static bool is_record_of(const char *path, const struct host_session *session)
{
	CLEANUP(record_done) struct record record = { 0 };

	return record_place_of(&record, path) &&
	       session_may_be(session, record.target, record.address, record.port);
}

/* Each session that may have come from the record of that path, until one call fails. */
static int each_session(struct undoing *steps, const char *path,
			int (*fn)(struct undoing *steps, const struct host_session *session,
				  struct err *err),
			struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < steps->sessions.count; i++) {
		if (is_record_of(path, &steps->sessions.items[i]))
			rc = fn(steps, &steps->sessions.items[i], err);
	}
	return rc;
}

static void note_logout(struct undoing *steps, const struct host_session *session)
{
	CLEANUP(buf_done) struct buf at = { 0 };
	char portal[PORTAL_TEXT_MAX];

	portal_text_of(session->address, session->port, portal);
	buf_addf(&at, "%s at %s", session->target, portal);
	table_row(&steps->table, buf_text(&at), "", "logged out", "", NULL);
	json_array_append_new(steps->list,
			      json_pack("{s:n, s:n, s:s, s:n, s:o, s:o}", "path", "key", "result",
					"logged out", "note", "target", json_text(session->target),
					"portal", json_text(portal)));
}

/* Of one that is just coming up nobody can tell whose it is. */
static int refuse_nameless(const struct undoing *steps, const char *path, struct err *err)
{
	CLEANUP(record_done) struct record record = { 0 };
	const char *name = steps->sessions.nameless;

	if (name[0] == '\0' || !record_place_of(&record, path))
		return 0;
	err_set(err, EBUSY,
		"%s is there, but its target cannot be read, so nobody can tell whether it goes by "
		"this record; try again in a moment",
		name);
	return err_at(err, "%s", path);
}

static int refuse_session(struct undoing *steps, const struct host_session *session,
			  struct err *err)
{
	(void)steps;
	return err_set(err, EBUSY,
		       "%s is logged in through this record; --disconnect logs out first, where "
		       "nothing uses its devices",
		       session->name);
}

static int may_end_session(struct undoing *steps, const struct host_session *session,
			   struct err *err)
{
	struct uses uses = { 0 };
	int rc = disconnecting_check(steps->paths, session, &uses, err);

	uses_done(&uses);
	if (rc == 0 && steps->opt->dry_run)
		note_logout(steps, session);
	return rc;
}

static int end_session(struct undoing *steps, const struct host_session *session, struct err *err)
{
	struct disconnected disconnected = { 0 };
	int rc = 0;

	disconnecting_run(steps->paths, session, &disconnected);
	if (disconnected.state != DISCONNECTED_DONE) {
		*err = disconnected.err;
		rc = -err->code;
	} else {
		note_logout(steps, session);
	}
	disconnected_done(&disconnected);
	return rc;
}

/* A record whose session runs is in use: iscsid reads it when it logs in again. */
static int refuse_live_record(const char *path, void *ctx, struct err *err)
{
	int rc = each_session(ctx, path, refuse_session, err);

	return rc < 0 ? err_at(err, "%s", path) : refuse_nameless(ctx, path, err);
}

static int may_disconnect_record(const char *path, void *ctx, struct err *err)
{
	int rc = refuse_nameless(ctx, path, err);

	return rc < 0 ? rc : each_session(ctx, path, may_end_session, err);
}

static int disconnect_record(const char *path, void *ctx, struct err *err)
{
	return each_session(ctx, path, end_session, err);
}

/*
 * Of the records that are to go: under the lock, before the undo itself. All
 * may end, or none does.
 */
static int disconnect(struct undoing *steps, const char *id, struct err *err)
{
	struct undo_calls calls = { .veto = may_disconnect_record, .ctx = steps };
	int rc = undo_show(steps->paths, id, &calls, err);

	calls.veto = disconnect_record;
	if (rc == 0)
		rc = undo_show(steps->paths, id, &calls, err);
	sessions_done(&steps->sessions);
	return rc < 0 ? rc : sessions_load(&steps->sessions, steps->paths, err);
}

static bool has_session(const struct undoing *steps, const char *path)
{
	for (size_t i = 0; i < steps->sessions.count; i++) {
		if (is_record_of(path, &steps->sessions.items[i]))
			return true;
	}
	return false;
}

static bool reload_rules(bool live_follows, void *ctx)
{
	const struct undoing *steps = ctx;

	return steps->paths->live && live_reload_former_rules(steps->paths, live_follows);
}

static void note_step(const struct undo_step *step, void *ctx)
{
	static const char *const done[] = {
		[UNDO_RESTORED] = "restored", [UNDO_REMOVED] = "removed",
		[UNDO_EDITED] = "taken back", [UNDO_GONE] = "gone",
		[UNDO_KEPT] = "left",
	};
	struct undoing *steps = ctx;
	const char *note = step->note ? step->note : "";
	bool record = (step->action == UNDO_RESTORED || step->action == UNDO_EDITED) &&
		      strstr(step->path, "/nodes/");

	snprintf(steps->id, sizeof(steps->id), "%s", step->entry);
	steps->kept += step->action == UNDO_KEPT;
	steps->records += record;
	steps->in_force |= record && has_session(steps, step->path);
	table_row(&steps->table, step->path, step->key ? step->key : "", done[step->action], note,
		  NULL);
	json_array_append_new(steps->list,
			      json_pack("{s:o, s:o, s:s, s:o, s:n, s:n}", "path",
					json_text(step->path), "key", json_text_or_null(step->key),
					"result", done[step->action], "note",
					json_text_or_null(step->note), "target", "portal"));
}

/*
 * Entries that the next run mends before anything else, by which the last apply
 * is taken back, and whether that one had CHAP in it.
 */
static int look_into(const struct paths *paths, const char *id, size_t *half, bool *chap,
		     struct err *err)
{
	CLEANUP(free_ptr) struct journal_entry *entries = NULL;
	size_t count = 0;
	int rc = journal_list(paths, &entries, &count, err);

	*half = 0;
	*chap = false;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		*half += (entries[i].state == ENTRY_HALF_APPLIED && !entries[i].goes_on) ||
			 entries[i].state == ENTRY_HALF_UNDONE;
		*chap |= strcmp(entries[i].id, id) == 0 && strstr(entries[i].command, "--chap");
	}
	return rc;
}

static int print_steps(struct undoing *steps, const struct options *opt, bool ok, struct err *err)
{
	json_t *document;
	int rc;

	if (opt->output == OUTPUT_JSON) {
		document = json_document("undo");
		json_object_set_new(document, "dry_run", json_boolean(opt->dry_run));
		json_object_set_new(document, "entry",
				    steps->id[0] ? json_string(steps->id) : json_null());
		json_object_set(document, "steps", steps->list);
		json_object_set_new(document, "resumed",
				    steps->resume.list ? json_incref(steps->resume.list)
						       : json_array());
		return json_print(document, ok, stdout, err);
	}
	rc = table_print(&steps->table, stdout, err);
	if (steps->kept > 0)
		printf("%zu left as others made them\n", steps->kept);
	if (opt->dry_run)
		printf("this is what an undo of %s would do; nothing was written\n", steps->id);
	else if (steps->id[0])
		printf("%s is undone\n", steps->id);
	if (steps->in_force && !opt->dry_run)
		printf("sessions by these records keep what they logged in with until their next "
		       "login\n");
	return rc;
}

/* *mended: what the recovery took back was the last apply, and nothing else was asked for. */
static int begin(struct tx **tx, const struct paths *paths, const char *id, bool *mended,
		 struct err *err)
{
	CLEANUP(buf_done) struct buf recovered = { 0 };
	size_t half = 0, left = 0;
	bool chap;
	int rc = look_into(paths, "", &half, &chap, err);

	if (rc == 0)
		rc = tx_begin(tx, paths, &recovered, err);
	if (rc == 0 && recovered.len > 0)
		warn("%s", recovered.data);
	if (rc == 0)
		rc = look_into(paths, "", &left, &chap, err);
	*mended = !id && recovered.len > 0 && left < half;
	return rc;
}

/* What stood before the apply has to stand again, sessions that it logged out of too. */
static int resume(struct undoing *steps, struct err *err)
{
	struct resume *resume = &steps->resume;
	const bool dry_run = steps->opt->dry_run;
	int rc = dry_run ? resume_warn(resume, steps->paths, err)
			 : resume_run(resume, steps->paths, 0, err);

	if (rc == 0 && dry_run)
		return EXIT_DIFFERS;
	return rc == 0 && resume->missing > 0 ? EXIT_FAILED : rc;
}

static int undo(struct undoing *steps, const struct paths *paths, const struct options *opt,
		struct err *err)
{
	const char *id = opt->args[0];
	const struct undo_calls calls = {
		.veto = opt->dry_run && opt->disconnect ? may_disconnect_record
							: refuse_live_record,
		.rules_back = reload_rules,
		.tell = note_step,
		.ctx = steps,
	};
	struct tx *tx = NULL;
	bool mended = false, chap = false;
	struct err why = { 0 };
	size_t half = 0;
	int rc = 0, resumed = 0;

	if (!opt->dry_run)
		rc = begin(&tx, paths, id, &mended, err);
	/* Under the lock: one may have come up while this run waited for that. */
	if (rc == 0)
		rc = sessions_load(&steps->sessions, paths, err);
	if (rc == 0 && opt->dry_run) {
		rc = undo_show(paths, id, &calls, err);
	} else if (rc == 0 && !mended) {
		if (opt->disconnect)
			rc = disconnect(steps, id, err);
		if (rc == 0)
			rc = undo_entry(tx, id, &calls, err);
	}
	tx_end(tx);
	/* Sessions that it ended, though the undo failed. */
	if (rc < 0 && !opt->dry_run && json_array_size(steps->list) > 0)
		print_steps(steps, opt, false, &why);
	if (rc == 0)
		resumed = resume(steps, &why);
	if (steps->resume.list)
		live_warn_of_links(paths);
	if (rc == 0)
		rc = print_steps(steps, opt, resumed == EXIT_DONE, err);
	if (rc == 0 && !opt->dry_run)
		rc = report_flush(err, "%s is undone", steps->id);
	if (rc == 0 && steps->records > 0)
		rc = look_into(paths, steps->id, &half, &chap, err);
	if (rc == 0 && chap)
		warn("the former CHAP settings %s back in %zu %s; the gateway may know other "
		     "secrets by now",
		     opt->dry_run ? "would be" : "are", steps->records,
		     steps->records == 1 ? "record" : "records");
	if (rc == 0 && resumed < 0)
		*err = why;
	return rc < 0 ? rc : resumed;
}

static int undo_or_show(const struct paths *paths, const struct options *opt, struct err *err)
{
	static const char *const titles[] = { "FILE", "KEY", "RESULT", "NOTE", NULL };
	struct undoing steps = { .opt = opt, .paths = paths, .list = json_array() };
	int rc;

	table_init(&steps.table, titles);
	rc = undo(&steps, paths, opt, err);
	if (rc == -ENOENT && opt->args[0] && strcmp(err->place, opt->args[0]) == 0) {
		CLEANUP(buf_done) struct buf command = { 0 };

		options_command(opt, "undo --list", WITH_ROOT, &command);
		err_add_command(err, "; see: ", buf_text(&command));
	}
	sessions_done(&steps.sessions);
	table_done(&steps.table);
	json_decref(steps.list);
	resume_done(&steps.resume);
	return rc;
}

static int run(const struct options *opt, struct err *err)
{
	struct paths paths;
	int rc;

	if (opt->list && (opt->dry_run || opt->arg_count > 0))
		return err_set(err, ERR_USAGE, "undo --list takes neither an ID nor --dry-run");
	if (opt->arg_count > 1)
		return err_set(err, ERR_USAGE, "undo takes one ID at most; see undo --list");
	if (opt->disconnect && opt->root)
		return err_set(err, ERR_USAGE,
			       "--disconnect is for the running host: it does not go with --root");
	rc = paths_init(&paths, opt->root, err);
	if (rc < 0)
		return rc;
	rc = opt->list ? list_entries(&paths, opt, err) : undo_or_show(&paths, opt, err);
	paths_done(&paths);
	return rc;
}

const struct command command_undo = {
	.name = "undo",
	.args = "[ID]",
	.summary = "take an apply back, the newest one without ID",
	.options = OPT_ROOT | OPT_LIST | OPT_DRY_RUN | OPT_LOG_OUT | OPT_OUTPUT,
	.run = run,
};
