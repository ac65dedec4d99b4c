/* SPDX-License-Identifier: MIT */
#include "engine/restore.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "engine/merge.h"
#include "engine/restore_live.h"
#include "err.h"
#include "host/found.h"

struct restoring {
	struct restore *restore;
	const struct entry_file *file;
	struct found *now;
	const struct restore_running *running;
};

int restore_add_step(struct restore *restore, enum undo_action action, const char *path,
		     const char *key, const char *note, struct err *err)
{
	struct undo_step *step;
	char *key_copy = key ? strdup(key) : NULL, *note_copy = note ? strdup(note) : NULL;

	if (!ARRAY_ROOM(restore->steps, restore->step_count) || (key && !key_copy) ||
	    (note && !note_copy)) {
		free(key_copy);
		free(note_copy);
		return err_oom(err);
	}
	step = &restore->steps[restore->step_count++];
	*step = (struct undo_step){
		.entry = restore->set.id,
		.action = action,
		.path = path,
		.key = key_copy,
		.note = note_copy,
	};
	return 0;
}

static void drop_steps(struct restore *restore, size_t count)
{
	while (restore->step_count > count) {
		struct undo_step *step = &restore->steps[--restore->step_count];

		free((char *)step->key);
		free((char *)step->note);
	}
}

static int keep_file(const struct restoring *restoring, const char *note, struct err *err)
{
	return restore_add_step(restoring->restore, UNDO_KEPT, restoring->file->path, NULL, note,
				err);
}

/* The attributes pass to the set. */
static int add_change(const struct restoring *restoring, size_t number, struct image after,
		      struct attributes attributes, struct err *err)
{
	struct replacement change = {
		.database = restoring->file->database,
		.number = number,
		.after = after,
		.attributes = attributes,
	};

	return replace_add(&restoring->restore->set, &change, restoring->now, err);
}

/* Why a record that was made has to stay, or NULL. */
static const char *why_in_use(const struct restoring *restoring)
{
	const struct restore_running *running = restoring->running;
	const struct entry_file *file = restoring->file;
	CLEANUP(record_done) struct record record = { 0 };

	if (!running || !file->database || file->before.exists ||
	    !record_place_of(&record, file->path))
		return NULL;
	if (sessions_find_possible(&running->sessions, record.target, record.address, record.port))
		return "a session is logged in through it";
	return running->unknown || running->sessions.nameless[0] != '\0'
		       ? "whether a session is logged in through it cannot be read"
		       : NULL;
}

static int put_back(const struct restoring *restoring, size_t number, struct err *err)
{
	const struct entry_file *file = restoring->file;
	const struct found *now = restoring->now;
	const char *in_use = why_in_use(restoring);
	struct attributes attributes;
	int rc;

	if (in_use)
		return keep_file(restoring, in_use, err);
	rc = attributes_copy(&attributes, now->exists ? &now->attributes : &file->attributes, err);
	if (rc < 0)
		return rc;
	/* A mode that others set since is theirs. */
	if (now->exists && file->before.exists && attributes.mode == file->mode)
		attributes.mode = file->attributes.mode;
	rc = add_change(restoring, number, file->before, attributes, err);
	if (rc < 0)
		return rc;
	return restore_add_step(restoring->restore,
				file->before.exists ? UNDO_RESTORED : UNDO_REMOVED, file->path,
				NULL, NULL, err);
}

static int merge_step(const char *key, bool restored, void *ctx, struct err *err)
{
	const struct restoring *restoring = ctx;

	return restore_add_step(restoring->restore, restored ? UNDO_EDITED : UNDO_KEPT,
				restoring->file->path, key,
				restored ? NULL : "others changed it since", err);
}

/* Others edited the file: take back what of ours still stands. */
static int merge_file(struct restoring *restoring, size_t number, struct err *err)
{
	const struct document_type *type = merge_type(restoring->file->type);
	const struct image now = { true, buf_text(&restoring->now->bytes),
				   restoring->now->bytes.len };
	struct buf *edited = &restoring->restore->edited[number];
	size_t told = restoring->restore->step_count;
	struct attributes attributes;
	char note[256];
	int rc;

	if (!type)
		return keep_file(restoring, "others changed it since", err);
	*edited = (struct buf){ .secret = true };
	rc = merge(type, &restoring->file->before, &restoring->file->after, &now, edited,
		   merge_step, restoring, err);
	if (rc < 0 && err->code == ENOMEM)
		return rc;
	if (rc < 0) {
		drop_steps(restoring->restore, told);
		snprintf(note, sizeof(note), "others changed it since, and it cannot be read: %.*s",
			 160, err->reason);
		return keep_file(restoring, note, err);
	}
	if (rc == 0)
		return 0;
	/* The narrower mode stays: who knows what others wrote into the file. */
	rc = attributes_copy(&attributes, &restoring->now->attributes, err);
	return rc < 0 ? rc
		      : add_change(restoring, number,
				   (struct image){ true, edited->data, edited->len }, attributes,
				   err);
}

static bool is_image(const struct found *now, const struct image *image)
{
	if (now->odd || now->exists != image->exists)
		return false;
	return !image->exists || (now->bytes.len == image->len &&
				  memcmp(buf_text(&now->bytes), image->bytes, image->len) == 0);
}

/* What was changed was the mode, and it still is as it was set. */
static bool mode_stands(const struct entry_file *file, const struct found *now)
{
	return file->before.exists && file->after.exists && file->attributes.mode != file->mode &&
	       now->attributes.mode == file->mode;
}

static int plan_file(struct restoring *restoring, size_t number, struct err *err)
{
	const struct entry_file *file = restoring->file;
	const struct found *now = restoring->now;
	bool before = is_image(now, &file->before), after = is_image(now, &file->after);

	if (after && (!before || mode_stands(file, now)))
		return put_back(restoring, number, err);
	if (before)
		return 0;
	if (now->odd)
		return keep_file(restoring, "something else than a file stands there now", err);
	if (!now->exists)
		return keep_file(restoring, "others removed it since", err);
	if (!file->after.exists)
		return keep_file(restoring, "others made it anew since it was removed", err);
	if (!file->before.exists)
		return keep_file(restoring, "others changed it since it was made", err);
	return merge_file(restoring, number, err);
}

/* The commit alone goes back to what it found. */
static struct entry_file goal_of(const struct entry_file *file, bool own)
{
	struct entry_file goal = *file;

	if (own && file->amended) {
		goal.before = file->prior;
		goal.attributes = file->prior_attributes;
	}
	return goal;
}

int restore_plan(struct restore *restore, const struct paths *paths, const struct entry *entry,
		 bool own, const struct restore_running *running, struct err *err)
{
	const size_t count = own ? entry->own : entry->file_count;
	size_t i;
	int rc = 0;

	*restore = (struct restore){ .set = { .paths = paths, .id = entry->id } };
	restore->edited = calloc(entry->file_count + 1, sizeof(*restore->edited));
	if (!restore->edited)
		return err_oom(err);
	restore->edited_count = entry->file_count;
	for (i = 0; rc == 0 && i < count; i++) {
		const struct entry_file file = goal_of(&entry->files[i], own);
		struct found now;
		struct restoring restoring = { restore, &file, &now, running };

		rc = found_look(&now, paths, file.real, err);
		if (rc == 0)
			rc = plan_file(&restoring, i, err);
		found_done(&now);
	}
	return rc;
}

size_t restore_count(const struct restore *restore, enum undo_action action)
{
	size_t i, count = 0;

	for (i = 0; i < restore->step_count; i++)
		count += restore->steps[i].action == action;
	return count;
}

void restore_done(struct restore *restore)
{
	while (restore->edited_count > 0)
		buf_done(&restore->edited[--restore->edited_count]);
	free(restore->edited);
	change_set_done(&restore->set);
	restore_live_done(restore);
	drop_steps(restore, 0);
	free(restore->steps);
	*restore = (struct restore){ 0 };
}
