/* SPDX-License-Identifier: MIT */
#include "engine/undo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "engine/entry.h"
#include "engine/journal_writer.h"
#include "engine/replace.h"
#include "engine/restore.h"
#include "engine/restore_live.h"
#include "engine/tx.h"
#include "err.h"
#include "host/lock.h"
#include "host/paths.h"
#include "host/record_traces.h"
#include "host/rule_files.h"
#include "os/signals.h"

static int remove_dir(const struct paths *paths, const char *path, struct dirs *parents,
		      struct err *err)
{
	CLEANUP(free_ptr) char *parent = dir_of(path);
	int fd, rc = 0;

	if (!parent)
		return err_oom(err);
	fd = dir_open(paths, parent, err);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (unlinkat(fd, strrchr(path, '/') + 1, AT_REMOVEDIR) == 0) {
		rc = dirs_add(parents, parent, err);
	} else if (errno != ENOENT && errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR) {
		err_sys(err, errno, "cannot remove this directory");
		rc = paths_at(paths, path, err);
	}
	close(fd);
	return rc;
}

/* Directories made for the entry go where nothing else has come into them. */
static int remove_dirs(const struct paths *paths, const struct dirs *made, struct err *err)
{
	struct dirs parents = { 0 };
	size_t i;
	int rc = 0;

	for (i = made->count; rc == 0 && i-- > 0;)
		rc = remove_dir(paths, made->paths[i], &parents, err);
	for (i = 0; rc == 0 && i < parents.count; i++) {
		/* One of them may have gone after its child. */
		rc = dir_sync(paths, parents.paths[i], err);
		if (rc == -ENOENT && dirs_hold(made, parents.paths[i]))
			rc = 0;
	}
	dirs_done(&parents);
	return rc;
}

static int remove_temps(const struct paths *paths, const struct entry *entry, struct err *err)
{
	const struct entry_file *file;
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < entry->file_count; i++) {
		file = &entry->files[i];
		rc = replace_remove_temp(paths, entry->id, file->real, file->database, i, err);
	}
	return rc;
}

/* Of records that are back, also where a killed run brought them. */
static int restore_links(const struct paths *paths, const struct entry *entry, struct err *err)
{
	size_t i;
	int rc = 0;

	for (i = 0; rc >= 0 && i < entry->file_count; i++) {
		const struct entry_file *file = &entry->files[i];

		rc = file->link ? paths_exists(paths, file->path, err) : 0;
		if (rc > 0)
			rc = record_link_restore(paths, file->link, file->path, err);
	}
	return rc < 0 ? rc : 0;
}

static bool touches_rules(const struct entry *entry)
{
	for (size_t i = 0; i < entry->file_count; i++)
		if (strncmp(entry->files[i].path, RULES_DIR "/", strlen(RULES_DIR "/")) == 0)
			return true;
	return false;
}

/* Until udevd, which may miss a reload, sets none of them to what our rule said any more. */
static int put_back_live(const struct paths *paths, const struct entry *entry,
			 struct restore *restore, const struct undo_calls *calls, struct err *err)
{
	bool rules = calls->rules_back && touches_rules(entry);
	int rc;

	do {
		rules = rules && calls->rules_back(restore_live_pending(restore), calls->ctx);
		rc = restore_live_write(restore, paths, err);
	} while (rc > 0 && rules);
	return rc < 0 ? rc : 0;
}

/*
 * Put the files back as they are now, and the mark behind it (or drop the
 * entry). Each file is either as before or not yet, so that a second run after
 * a crash or an error does what is left. *touched: something was replaced.
 */
static int put_back(const struct paths *paths, const struct entry *entry, struct restore *restore,
		    bool drop, const struct undo_calls *calls, bool *touched, struct err *err)
{
	int rc;

	rc = replace_check(&restore->set, err);
	if (rc == 0)
		rc = replace_write(&restore->set, err);
	*touched |= restore->set.touched;
	if (rc == 0)
		rc = restore_links(paths, entry, err);
	if (rc == 0)
		rc = remove_dirs(paths, &entry->dirs, err);
	/* Live values are set once an entry is done: one to be dropped has set none. */
	if (rc == 0 && !drop)
		rc = put_back_live(paths, entry, restore, calls, err);
	if (rc < 0)
		return rc;
	return drop ? journal_drop(paths, entry->id, err)
		    : journal_set_mark(paths, entry->id, ENTRY_UNDONE, err);
}

/* The same from the start: temps of the first attempt, and files as it left them. */
static int put_back_anew(const struct paths *paths, const struct entry *entry, bool drop,
			 const struct restore_running *running, const struct undo_calls *calls,
			 size_t *kept, struct err *err)
{
	struct restore restore = { 0 };
	bool touched = false;
	int rc;

	rc = remove_temps(paths, entry, err);
	if (rc == 0)
		rc = restore_plan(&restore, paths, entry, drop, running, err);
	if (rc == 0 && !drop)
		rc = restore_live_plan(&restore, paths, entry, err);
	if (rc == 0)
		rc = put_back(paths, entry, &restore, drop, calls, &touched, err);
	if (kept)
		*kept = restore_count(&restore, UNDO_KEPT);
	restore_done(&restore);
	return rc;
}

static const struct undo_calls no_calls;

int undo_roll_back(const struct paths *paths, const char *id, size_t *kept, struct err *err)
{
	struct entry entry;
	int rc;

	rc = journal_load(paths, id, &entry, err);
	if (rc == 0)
		rc = put_back_anew(paths, &entry, true, NULL, &no_calls, kept, err);
	entry_done(&entry);
	return rc;
}

/*
 * Nobody is asked for leave here, and the host may have booted since: a record
 * that was about to go may have been logged in by again.
 */
static int finish_undo(const struct paths *paths, const struct entry *entry, size_t *kept,
		       struct err *err)
{
	struct restore_running running = { 0 };
	struct err unread;
	int rc;

	running.unknown = sessions_load(&running.sessions, paths, &unread) < 0;
	rc = put_back_anew(paths, entry, false, &running, &no_calls, kept, err);
	sessions_done(&running.sessions);
	return rc;
}

static int recover_one(const struct paths *paths, const struct journal_state *state,
		       struct buf *told, struct err *err)
{
	bool half_applied = state->state == ENTRY_HALF_APPLIED;
	struct entry entry;
	size_t kept = 0;
	int rc;

	rc = journal_load(paths, state->id, &entry, err);
	if (rc < 0) {
		entry_done(&entry);
		if (!journal_damaged(rc))
			return rc;
		buf_addf(told,
			 "%s%s was left half %s and cannot be mended, since its journal is "
			 "damaged (%s)",
			 told->len ? "; " : "", state->id, half_applied ? "applied" : "undone",
			 err->reason);
		return 0;
	}
	rc = half_applied ? put_back_anew(paths, &entry, true, NULL, &no_calls, &kept, err)
			  : finish_undo(paths, &entry, &kept, err);
	if (rc == 0) {
		buf_addf(told, "%s%s, which was interrupted, was %s", told->len ? "; " : "",
			 state->id, half_applied ? "rolled back" : "undone to its end");
		if (kept > 0)
			buf_addf(told, " (%zu left: changed by others since%s)", kept,
				 half_applied ? "" : ", or in use by a session");
	}
	entry_done(&entry);
	return rc;
}

int undo_recover(const struct paths *paths, struct buf *told, struct err *err)
{
	CLEANUP(free_ptr) struct journal_state *states = NULL;
	CLEANUP(buf_done) struct buf unheard = { 0 };
	struct signals_held held;
	size_t count = 0, i;
	int rc;

	if (!told)
		told = &unheard;
	rc = journal_sweep(paths, err);
	if (rc == 0)
		rc = lock_sweep(paths, err);
	if (rc == 0)
		rc = journal_states(paths, &states, &count, err);
	signals_hold(&held);
	for (i = count; rc == 0 && i-- > 0;)
		if (states[i].state == ENTRY_HALF_APPLIED || states[i].state == ENTRY_HALF_UNDONE)
			rc = recover_one(paths, &states[i], told, err);
	signals_release(&held);
	return rc;
}

static bool touches(const struct entry *entry, const char *real)
{
	size_t i;

	for (i = 0; i < entry->file_count; i++)
		if (strcmp(entry->files[i].real, real) == 0)
			return true;
	return false;
}

/* A newer entry that stands and touched one of the files has to go first. */
static int check_newer(const struct paths *paths, const struct entry *entry,
		       const struct journal_state *states, size_t count, struct err *err)
{
	size_t i, j;

	for (i = 0; i < count; i++) {
		struct entry newer;
		const char *common = NULL;
		int rc;

		if (states[i].state != ENTRY_APPLIED || strcmp(states[i].id, entry->id) <= 0)
			continue;
		rc = journal_load(paths, states[i].id, &newer, err);
		for (j = 0; rc == 0 && !common && j < entry->file_count; j++)
			if (touches(&newer, entry->files[j].real))
				common = entry->files[j].path;
		entry_done(&newer);
		if (rc < 0 && !journal_damaged(rc))
			return rc;
		if (!common)
			continue;
		err_set(err, EINVAL, "%s came after it and changed %s too: undo %s first",
			states[i].id, common, states[i].id);
		return err_at(err, "%s", entry->id);
	}
	return 0;
}

/*
 * The state of entry id, or of the newest that is applied (or half so: its
 * recovery comes first).
 */
static const struct journal_state *choose(const struct journal_state *states, size_t count,
					  const char *id, bool half)
{
	size_t i;

	for (i = count; i-- > 0;)
		if (id ? strcmp(states[i].id, id) == 0
		       : states[i].state == ENTRY_APPLIED ||
				    (half && states[i].state != ENTRY_UNDONE))
			return &states[i];
	return NULL;
}

static int find_entry(const struct paths *paths, const char *id, bool half, struct entry *entry,
		      struct err *err)
{
	CLEANUP(free_ptr) struct journal_state *states = NULL;
	const struct journal_state *state;
	size_t count;
	int rc;

	rc = journal_states(paths, &states, &count, err);
	if (rc < 0)
		return rc;
	state = choose(states, count, id, half);
	if (!state) {
		err_set(err, ENOENT,
			id ? "there is no such entry in the journal" : "there is nothing to undo");
		return id ? err_at(err, "%s", id) : -ENOENT;
	}
	if (state->state == ENTRY_UNDONE) {
		err_set(err, EALREADY, "it was undone before");
		return err_at(err, "%s", id);
	}
	rc = journal_load(paths, state->id, entry, err);
	return rc < 0 ? rc : check_newer(paths, entry, states, count, err);
}

static int ask_veto(const struct restore *restore, const struct entry *entry,
		    const struct undo_calls *calls, struct err *err)
{
	const struct replacement *change;
	size_t i;
	int rc;

	for (i = 0; calls->veto && i < restore->set.count; i++) {
		change = &restore->set.changes[i];
		if (change->after.exists)
			continue;
		rc = calls->veto(entry->files[change->number].path, calls->ctx, err);
		if (rc != 0)
			return -err->code;
	}
	return 0;
}

/* Undo for real. Once something was replaced it goes forward only. */
static int run_undo(const struct paths *paths, const struct entry *entry, struct restore *restore,
		    const struct undo_calls *calls, struct err *err)
{
	bool touched = false;
	struct err second;
	size_t len;
	int rc;

	rc = replace_check(&restore->set, err);
	if (rc < 0)
		return rc;
	rc = journal_set_mark(paths, entry->id, ENTRY_HALF_UNDONE, err);
	if (rc == 0)
		rc = put_back(paths, entry, restore, false, calls, &touched, err);
	if (rc == 0)
		return 0;
	if (!touched) {
		journal_clear_mark(paths, entry->id, ENTRY_HALF_UNDONE, &second);
		return rc;
	}
	len = strlen(err->reason);
	if (put_back_anew(paths, entry, false, NULL, calls, NULL, &second) == 0)
		snprintf(err->reason + len, sizeof(err->reason) - len,
			 "; a second attempt succeeded: %s is undone", entry->id);
	else
		snprintf(err->reason + len, sizeof(err->reason) - len,
			 "; %s is half undone, which the next `sgw-init undo` finishes", entry->id);
	return rc;
}

/* What undoing it means, and nobody forbids. */
static int prepare(const struct paths *paths, const char *id, bool half, struct entry *entry,
		   struct restore *restore, const struct undo_calls *calls, struct err *err)
{
	int rc;

	rc = find_entry(paths, id, half, entry, err);
	if (rc == 0)
		rc = restore_plan(restore, paths, entry, false, NULL, err);
	if (rc == 0)
		rc = restore_live_plan(restore, paths, entry, err);
	return rc < 0 ? rc : ask_veto(restore, entry, calls, err);
}

static void tell_steps(const struct restore *restore, const struct undo_calls *calls)
{
	for (size_t i = 0; calls->tell && i < restore->step_count; i++)
		calls->tell(&restore->steps[i], calls->ctx);
}

int undo_show(const struct paths *paths, const char *id, const struct undo_calls *calls,
	      struct err *err)
{
	struct restore restore = { 0 };
	struct entry entry = { 0 };
	int rc;

	rc = prepare(paths, id, true, &entry, &restore, calls, err);
	if (rc == 0)
		tell_steps(&restore, calls);
	restore_done(&restore);
	entry_done(&entry);
	return rc;
}

int undo_entry(struct tx *tx, const char *id, const struct undo_calls *calls, struct err *err)
{
	const struct paths *paths = tx_paths(tx);
	struct restore restore = { 0 };
	struct entry entry = { 0 };
	struct signals_held held;
	int rc;

	rc = prepare(paths, id, false, &entry, &restore, calls, err);
	if (rc == 0) {
		signals_hold(&held);
		rc = run_undo(paths, &entry, &restore, calls, err);
		signals_release(&held);
	}
	if (rc == 0)
		tell_steps(&restore, calls);
	restore_done(&restore);
	entry_done(&entry);
	return rc;
}
