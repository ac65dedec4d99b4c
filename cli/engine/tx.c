/* SPDX-License-Identifier: MIT */
#include "engine/tx.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "documents/document.h"
#include "engine/amend.h"
#include "engine/entry.h"
#include "engine/journal_writer.h"
#include "engine/replace.h"
#include "engine/undo.h"
#include "err.h"
#include "escape.h"
#include "host/found.h"
#include "host/lock.h"
#include "host/paths.h"
#include "host/record_traces.h"
#include "os/signals.h"

struct tx {
	const struct paths *paths;
	int lock;
	const struct tx_live *live;
	size_t live_count;
	const char *former; /* entry to go on from, or NULL */
};

const struct paths *tx_paths(const struct tx *tx)
{
	return tx->paths;
}

void tx_live(struct tx *tx, const struct tx_live *live, size_t count)
{
	tx->live = live;
	tx->live_count = count;
}

void tx_go_on(struct tx *tx, const char *id)
{
	tx->former = id;
}

int tx_begin(struct tx **tx, const struct paths *paths, struct buf *recovered, struct err *err)
{
	struct tx *made;
	int rc;

	*tx = NULL;
	made = calloc(1, sizeof(*made));
	if (!made)
		return err_oom(err);
	made->paths = paths;
	made->lock = lock_program(paths, LOCK_PROGRAM_WAIT, err);
	if (made->lock < 0) {
		free(made);
		return -err->code;
	}
	if (recovered)
		buf_adds(recovered, "");
	rc = undo_recover(paths, recovered, err);
	if (rc < 0) {
		tx_end(made);
		return rc;
	}
	*tx = made;
	return 0;
}

void tx_end(struct tx *tx)
{
	if (!tx)
		return;
	close(tx->lock);
	free(tx);
}

/* What is to be written, beside what the journal says of it: one of each a file. */
struct work {
	struct entry entry;
	struct replacement_set set;
	struct amend amend;
};

static void work_done(struct work *work)
{
	entry_done(&work->entry);
	change_set_done(&work->set);
	amend_done(&work->amend);
}

static int check_before(const struct tx_file *file, const struct found *now, struct err *err)
{
	if (now->odd)
		return err_set(err, EINVAL, "something else than a file stands there");
	if (now->exists != (file->before != NULL) ||
	    (file->before && !buf_equal(file->before, &now->bytes)))
		return err_set(err, ESTALE, "it was changed meanwhile: run the command again");
	return 0;
}

/* Nothing would be other than it is. */
static bool needless(const struct tx_file *file, const struct found *now)
{
	if (!file->after)
		return !now->exists;
	return now->exists && buf_equal(file->after, &now->bytes) &&
	       (now->attributes.mode & ~file->mode) == 0;
}

static char *copy_text(const char *text, int *failed)
{
	char *copy = text ? strdup(text) : NULL;

	if (text && !copy)
		*failed = 1;
	return copy;
}

/* What the journal is to say of the file. */
static int describe(struct entry_file *out, const struct tx_file *file, const struct found *now,
		    struct err *err)
{
	int failed = 0;

	out->path = copy_text(file->path, &failed);
	out->real = copy_text(now->real, &failed);
	out->type = copy_text(file->type ? file->type->name : NULL, &failed);
	out->database = copy_text(file->database, &failed);
	if (failed)
		return err_oom(err);
	if (file->after) {
		out->after = (struct image){ true, buf_text(file->after), file->after->len };
		out->mode = now->exists ? now->attributes.mode & file->mode : file->mode;
	}
	if (!file->before)
		return 0;
	out->before = (struct image){ true, buf_text(file->before), file->before->len };
	return attributes_copy(&out->attributes, &now->attributes, err);
}

/* Undo is to bring back a link that there was, and no other. */
static int describe_link(struct entry_file *out, const struct paths *paths,
			 const struct tx_file *file, struct err *err)
{
	int rc = 0;

	if (file->link && !file->after)
		rc = record_link_stands(paths, file->link, file->path, err);
	if (rc <= 0)
		return rc;
	out->link = strdup(file->link);
	return out->link ? 0 : err_oom(err);
}

static int add_file(struct work *work, const struct tx_file *file, struct found *now,
		    struct err *err)
{
	struct entry_file *out = &work->entry.files[work->entry.file_count++];
	struct replacement change = { .number = work->entry.file_count - 1 };
	int rc;

	rc = describe(out, file, now, err);
	if (rc == 0)
		rc = describe_link(out, work->set.paths, file, err);
	if (rc == 0 && file->after)
		/* A directory that is still to be made holds no neighbours. */
		rc = now->exists
			     ? attributes_copy(&change.attributes, &now->attributes, err)
			     : attributes_new(&change.attributes, out->mode, now->spot.dirfd, err);
	if (rc < 0)
		return rc;
	change.attributes.mode = out->mode;
	change.database = out->database;
	change.path = out->path;
	change.link = out->link;
	change.retire = out->database && !file->after;
	change.after = out->after;
	return replace_add(&work->set, &change, now, err);
}

static int add_live(struct entry *entry, const struct tx_live *live, size_t count, struct err *err)
{
	int failed = 0;

	entry->live = calloc(count + 1, sizeof(*entry->live));
	if (!entry->live)
		return err_oom(err);
	for (size_t i = 0; i < count; i++)
		entry->live[entry->live_count++] = (struct entry_live){
			.session = copy_text(live[i].session, &failed),
			.target = copy_text(live[i].target, &failed),
			.address = copy_text(live[i].address[0] ? live[i].address : NULL, &failed),
			.port = live[i].port,
			.unit = copy_text(live[i].unit, &failed),
			.key = copy_text(live[i].key, &failed),
			.before = copy_text(live[i].before, &failed),
			.after = copy_text(live[i].after, &failed),
		};
	return failed ? err_oom(err) : 0;
}

/* Look at each file, and take those along that are to change. */
static int gather(struct work *work, const struct paths *paths, const struct tx_file *files,
		  size_t count, struct err *err)
{
	size_t i;
	int rc = 0;

	work->entry.files = calloc(count + 1, sizeof(*work->entry.files));
	if (!work->entry.files)
		return err_oom(err);
	for (i = 0; rc == 0 && i < count; i++) {
		struct found now;

		rc = found_look(&now, paths, files[i].path, err);
		if (rc == 0)
			rc = check_before(&files[i], &now, err);
		if (rc == 0 && !needless(&files[i], &now))
			rc = add_file(work, &files[i], &now, err);
		found_done(&now);
		if (rc < 0)
			rc = paths_at(paths, files[i].path, err);
	}
	return rc;
}

static void roll_back(const struct paths *paths, const char *id, struct err *err)
{
	size_t len = strlen(err->reason);
	struct err second = { 0 };

	if (undo_roll_back(paths, id, NULL, &second) < 0)
		snprintf(err->reason + len, sizeof(err->reason) - len,
			 "; what was done is not all taken back (%s: %s): `sgw-init undo` finishes "
			 "it",
			 second.place, second.reason);
}

/* What the entry says beside its files. */
static int complete(struct work *work, const struct tx *tx, struct err *err)
{
	struct entry *entry = &work->entry;
	int rc = add_live(entry, tx->live, tx->live_count, err);

	for (size_t i = 0; rc == 0 && i < work->set.dirs.count; i++)
		rc = dirs_add(&entry->dirs, work->set.dirs.paths[i], err);
	entry->own = entry->file_count;
	return rc;
}

static int write_all(struct work *work, const struct paths *paths, struct err *err)
{
	struct entry *entry = &work->entry;
	int rc;

	rc = journal_write(paths, entry, err);
	if (rc < 0)
		return rc;
	rc = replace_write(&work->set, err);
	if (rc == 0 && entry->former[0] != '\0')
		rc = journal_take_in(paths, entry->id, entry->former, err);
	else if (rc == 0)
		rc = journal_set_mark(paths, entry->id, ENTRY_APPLIED, err);
	if (rc < 0)
		roll_back(paths, entry->id, err);
	return rc;
}

/* All that can be known of it before the first write. */
static int plan(struct work *work, const struct tx *tx, const char *command,
		const struct tx_file *files, size_t count, struct err *err)
{
	int rc;

	*work = (struct work){ .set = { .paths = tx->paths, .id = work->entry.id } };
	escape_text(command, strlen(command), work->entry.command, sizeof(work->entry.command));
	rc = gather(work, tx->paths, files, count, err);
	if (rc == 0)
		rc = replace_check(&work->set, err);
	return rc < 0 ? rc : complete(work, tx, err);
}

int tx_check(struct tx *tx, const char *command, const struct tx_file *files, size_t count,
	     struct err *err)
{
	struct signals_held held;
	struct work work;
	int rc = plan(&work, tx, command, files, count, err);

	if (rc == 0 && work.set.count > 0)
		rc = journal_check(tx->paths, &work.entry, err);
	if (rc == 0) {
		signals_hold(&held); /* a lock that stays would stall others */
		rc = replace_check_lock(&work.set, err);
		signals_release(&held);
	}
	work_done(&work);
	return rc;
}

int tx_commit(struct tx *tx, const char *command, const struct tx_file *files, size_t count,
	      char id[TX_ID_MAX], struct err *err)
{
	struct signals_held held;
	struct work work;
	bool needed;
	int rc;

	id[0] = '\0';
	rc = plan(&work, tx, command, files, count, err);
	needed = work.set.count > 0 || work.entry.live_count > 0;
	if (rc == 0 && needed && tx->former)
		rc = amend(&work.amend, tx->paths, tx->former, &work.entry, err);
	if (rc == 0 && needed) {
		signals_hold(&held);
		rc = write_all(&work, tx->paths, err);
		signals_release(&held);
		snprintf(id, TX_ID_MAX, "%s", rc == 0 ? work.entry.id : "");
	}
	tx_live(tx, NULL, 0);
	tx_go_on(tx, NULL);
	work_done(&work);
	return rc;
}
