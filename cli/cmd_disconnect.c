/* SPDX-License-Identifier: MIT */
/* sgw-init disconnect: log out of exactly what is named, and of nothing that is in use. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "choice.h"
#include "command.h"
#include "disconnecting.h"
#include "documents/document.h"
#include "documents/open_iscsi.h"
#include "engine/forgotten.h"
#include "engine/tx.h"
#include "err.h"
#include "host/database.h"
#include "host/paths.h"
#include "host/record_traces.h"
#include "host/sessions.h"
#include "iscsi/portal.h"
#include "progress.h"
#include "quote.h"
#include "report.h"
#include "resume.h"
#include "uses_json.h"

struct disconnect_command {
	const struct options *opt;
	struct paths paths;
	struct choice choice;
	struct sessions sessions; /* as they were */
	struct disconnected *list;
	size_t count;
	size_t troubles;
	int rest; /* what came after the logouts: 0 or negative errno */
	struct tx *tx; /* with --forget, as is all below */
	struct database database;
	const struct record **records; /* to be removed, or removed */
	size_t record_count;
	char id[TX_ID_MAX]; /* empty: no record was removed */
};

static int log_out(struct disconnect_command *cmd, struct err *err)
{
	struct progress progress = { 0 };

	cmd->list = calloc(cmd->sessions.count + 1, sizeof(*cmd->list));
	if (!cmd->list)
		return err_oom(err);
	for (size_t i = 0; i < cmd->sessions.count; i++) {
		const struct host_session *session = &cmd->sessions.items[i];
		struct disconnected *out = &cmd->list[cmd->count];

		if (!choice_has(&cmd->choice, session->target, session->address, session->port))
			continue;
		cmd->count++;
		progress_show(&progress, "logging out of %s", session->target);
		disconnecting_run(&cmd->paths, session, out);
		progress_clear(&progress);
		if (out->state == DISCONNECTED_DONE)
			continue;
		err_print("sgw-init", &out->err);
		cmd->troubles++;
	}
	return 0;
}

/* A record with one of these sessions is in use by it. */
static int choose_records(struct disconnect_command *cmd, const struct sessions *sessions,
			  struct err *err)
{
	free(cmd->records);
	cmd->record_count = 0;
	cmd->records = calloc(cmd->database.count + 1, sizeof(*cmd->records));
	if (!cmd->records)
		return err_oom(err);
	if (sessions->nameless[0] != '\0')
		return err_set(err, EBUSY,
			       "no record is removed: %s is there, but its target cannot be read, "
			       "so nobody can tell which record it goes by; try again in a moment",
			       sessions->nameless);
	for (size_t i = 0; i < cmd->database.count; i++) {
		const struct record *record = &cmd->database.records[i];

		if (record->problem[0] != '\0' ||
		    !choice_has(&cmd->choice, record->target, record->address, record->port) ||
		    sessions_find_possible(sessions, record->target, record->address, record->port))
			continue;
		cmd->records[cmd->record_count++] = record;
	}
	return 0;
}

/* The journal tells what was asked for. */
static void describe(const struct options *opt, char *out, size_t size)
{
	size_t used =
		(size_t)snprintf(out, size, "disconnect --forget%s%s%s", opt->all ? " --all" : "",
				 opt->target ? " --target " : "", opt->target ? opt->target : "");

	for (size_t i = 0; i < opt->arg_count && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, " %s", opt->args[i]);
}

enum removal { REMOVAL_CHECK, REMOVAL_DO };

static int remove_records(struct disconnect_command *cmd, enum removal removal, struct err *err)
{
	CLEANUP(free_ptr) struct tx_file *files = calloc(cmd->record_count + 1, sizeof(*files));
	char command[512];
	int rc = 0;

	if (!files)
		return err_oom(err);
	for (size_t i = 0; rc == 0 && i < cmd->record_count; i++) {
		const struct record *record = cmd->records[i];
		char *link = NULL;

		rc = record_link(record, &link, err);
		files[i] = (struct tx_file){
			.path = record->path,
			.type = &document_open_iscsi,
			.before = &record->bytes,
			.mode = 07777,
			.database = open_iscsi_database(record->path),
			.link = link,
		};
	}
	describe(cmd->opt, command, sizeof(command));
	if (rc == 0 && removal == REMOVAL_CHECK)
		rc = tx_check(cmd->tx, command, files, cmd->record_count, err);
	else if (rc == 0)
		rc = tx_commit(cmd->tx, command, files, cmd->record_count, cmd->id, err);
	for (size_t i = 0; i < cmd->record_count; i++)
		free((char *)files[i].link);
	return rc;
}

/* sessions: those that stay. */
static int forget(struct disconnect_command *cmd, const struct sessions *sessions,
		  enum removal removal, struct err *err)
{
	int rc;

	database_done(&cmd->database);
	rc = database_load(&cmd->database, &cmd->paths, err);
	if (rc == 0)
		rc = choose_records(cmd, sessions, err);
	if (rc == 0 && cmd->record_count > 0)
		rc = remove_records(cmd, removal, err);
	return rc;
}

/* As if all that is to be logged out of were gone: nobody is left with half of it. */
static int check_forgetting(struct disconnect_command *cmd, struct err *err)
{
	struct sessions gone = cmd->sessions;

	gone.count = 0;
	return forget(cmd, &gone, REMOVAL_CHECK, err);
}

/* For the check, and anew for the removal: nobody has to wait for the logouts in between. */
static int begin(struct disconnect_command *cmd, struct err *err)
{
	CLEANUP(buf_done) struct buf recovered = { 0 };
	int rc = tx_begin(&cmd->tx, &cmd->paths, &recovered, err);

	if (rc == 0 && recovered.len > 0)
		warn("%s", recovered.data);
	return rc;
}

static int forget_ended(struct disconnect_command *cmd, struct err *err)
{
	struct sessions sessions;
	int rc = begin(cmd, err);

	if (rc == 0)
		rc = sessions_load(&sessions, &cmd->paths, err);
	if (rc < 0)
		return rc;
	rc = forget(cmd, &sessions, REMOVAL_DO, err);
	sessions_done(&sessions);
	return rc;
}

/* What failed after logouts leaves the host half way. */
static void tell_rest(const struct disconnect_command *cmd, struct err *err)
{
	const size_t done = cmd->count - cmd->troubles;
	CLEANUP(buf_done) struct buf command = { 0 };
	char lead[128];

	if (done == 0)
		return;
	snprintf(lead, sizeof(lead),
		 "; %zu %s logged out of all the same; once that is mended: ", done,
		 done == 1 ? "session is" : "sessions are");
	options_command(cmd->opt, cmd->opt->all ? "disconnect --all" : "disconnect", WITH_PORTALS,
			&command);
	if (cmd->opt->target) {
		buf_adds(&command, " --target ");
		quote_word(&command, cmd->opt->target);
	}
	if (cmd->opt->forget)
		buf_adds(&command, " --forget");
	err_add_command(err, lead, buf_text(&command));
}

static void print_forgotten(const struct forgotten *forgotten)
{
	char portal[PORTAL_TEXT_MAX];

	portal_text_of(forgotten->address, forgotten->port, portal);
	printf("nothing to do: %s at %s was forgotten by %s; sgw-init undo %s brings its record "
	       "back\n",
	       forgotten->target, portal, forgotten->id, forgotten->id);
}

static int print_table(const struct disconnect_command *cmd, struct err *err)
{
	const struct choice *choice = &cmd->choice;
	static const char *const titles[] = { "TARGET", "PORTAL", "SESSION", "STATE", NULL };
	CLEANUP(table_done) struct table table;
	int rc;

	table_init(&table, titles);
	for (size_t i = 0; i < cmd->count; i++) {
		const struct host_session *session = cmd->list[i].session;
		char portal[PORTAL_TEXT_MAX] = "-";

		if (session->port != 0)
			portal_text_of(session->address, session->port, portal);
		table_row(&table, session->target, portal, session->name,
			  disconnected_text(cmd->list[i].state), NULL);
	}
	if (cmd->count == 0 && choice->forgotten_count == 0)
		printf("no session of a Storage Gateway%s: nothing to log out of\n",
		       cmd->opt->all ? "" : " as asked for");
	rc = table_print(&table, stdout, err);
	for (size_t i = 0; i < choice->forgotten_count; i++)
		print_forgotten(&choice->forgotten[i]);
	if (cmd->id[0] != '\0')
		printf("%zu %s removed; take it back with: sgw-init undo %s\n", cmd->record_count,
		       cmd->record_count == 1 ? "record" : "records", cmd->id);
	else if (cmd->opt->forget && cmd->rest == 0 && choice->forgotten_count == 0)
		printf("no record to remove\n");
	return rc;
}

static json_t *session_json(const struct disconnected *disconnected)
{
	const struct host_session *session = disconnected->session;
	char portal[PORTAL_TEXT_MAX] = "";

	if (session->port != 0)
		portal_text_of(session->address, session->port, portal);
	return json_pack("{s:o, s:o, s:o, s:s, s:o, s:o}", "target", json_text(session->target),
			 "portal", json_text_or_null(portal), "session", json_text(session->name),
			 "result", disconnected_word(disconnected->state), "in_use",
			 uses_json(&disconnected->uses), "error",
			 disconnected->state == DISCONNECTED_DONE
				 ? json_null()
				 : json_error(disconnected->err.reason));
}

static json_t *forgotten_json(const struct forgotten *forgotten)
{
	char portal[PORTAL_TEXT_MAX];

	portal_text_of(forgotten->address, forgotten->port, portal);
	return json_pack("{s:o, s:s, s:s}", "target", json_text(forgotten->target), "portal",
			 portal, "entry", forgotten->id);
}

static int print_json(const struct disconnect_command *cmd, struct err *err)
{
	json_t *document = json_document("disconnect"), *sessions = json_array(),
	       *records = json_array(), *forgotten = json_array();

	for (size_t i = 0; i < cmd->count; i++)
		json_array_append_new(sessions, session_json(&cmd->list[i]));
	for (size_t i = 0; cmd->id[0] != '\0' && i < cmd->record_count; i++)
		json_array_append_new(records, json_text(cmd->records[i]->path));
	for (size_t i = 0; i < cmd->choice.forgotten_count; i++)
		json_array_append_new(forgotten, forgotten_json(&cmd->choice.forgotten[i]));
	json_object_set_new(document, "sessions", sessions);
	json_object_set_new(document, "removed_records", records);
	json_object_set_new(document, "entry", cmd->id[0] ? json_string(cmd->id) : json_null());
	json_object_set_new(document, "forgotten", forgotten);
	return json_print(document, cmd->troubles == 0 && cmd->rest == 0, stdout, err);
}

/* Before anything is done. */
static int prepare(struct disconnect_command *cmd, struct err *err)
{
	int rc = choice_make(&cmd->choice, cmd->opt, err);

	if (rc == 0)
		rc = paths_init(&cmd->paths, NULL, err);
	if (rc == 0 && cmd->opt->forget)
		rc = begin(cmd, err);
	if (rc == 0)
		rc = sessions_load(&cmd->sessions, &cmd->paths, err);
	if (rc == 0)
		rc = choice_exists(&cmd->choice, &cmd->sessions, &cmd->paths, err);
	if (rc == 0 && cmd->opt->forget)
		rc = check_forgetting(cmd, err);
	tx_end(TAKE_PTR(cmd->tx));
	return rc;
}

static int disconnect(struct disconnect_command *cmd, struct err *err)
{
	struct err failure = { 0 };
	int rc = prepare(cmd, err);

	if (rc == 0)
		rc = log_out(cmd, err);
	if (rc < 0)
		return rc;
	/* Where it fails, who is logged out by now is told all the same. */
	cmd->rest = resume_forget(&cmd->paths, &cmd->choice, &failure);
	if (cmd->rest == 0 && cmd->opt->forget)
		cmd->rest = forget_ended(cmd, &failure);
	if (cmd->rest < 0)
		tell_rest(cmd, &failure);
	tx_end(TAKE_PTR(cmd->tx));
	rc = cmd->opt->output == OUTPUT_JSON ? print_json(cmd, err) : print_table(cmd, err);
	if (rc == 0 && cmd->id[0] != '\0')
		rc = report_flush(err, "the records are removed; sgw-init undo %s brings them back",
				  cmd->id);
	if (rc == 0 && cmd->rest < 0) {
		*err = failure;
		rc = cmd->rest;
	}
	if (rc < 0)
		return rc;
	return cmd->troubles > 0 ? EXIT_FAILED : EXIT_DONE;
}

static int run(const struct options *opt, struct err *err)
{
	struct disconnect_command cmd = { .opt = opt, .paths.fd = -1 };
	int rc;

	if (opt->all && (opt->target || opt->arg_count > 0))
		return err_set(err, ERR_USAGE, "--all goes with neither PORTAL nor --target");
	if (!opt->all && !opt->target && opt->arg_count == 0)
		return err_set(err, ERR_USAGE,
			       "disconnect takes PORTAL, --target IQN, or --all for every session "
			       "of a Storage Gateway");
	rc = disconnect(&cmd, err);
	tx_end(cmd.tx);
	for (size_t i = 0; i < cmd.count; i++)
		disconnected_done(&cmd.list[i]);
	free(cmd.list);
	free(cmd.records);
	database_done(&cmd.database);
	sessions_done(&cmd.sessions);
	choice_done(&cmd.choice);
	paths_done(&cmd.paths);
	return rc;
}

const struct command command_disconnect = {
	.name = "disconnect",
	.args = "PORTAL...|--target IQN|--all",
	.summary = "log out of exactly what is named, and of nothing that is in use",
	.options = OPT_TARGET | OPT_DISCONNECT | OPT_OUTPUT,
	.run = run,
};
