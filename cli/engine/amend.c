/* SPDX-License-Identifier: MIT */
#include "engine/amend.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/journal.h"
#include "engine/merge.h"
#include "err.h"

static int compare_files(const void *a, const void *b)
{
	const struct entry_file *const *x = a, *const *y = b;

	return strcmp((*x)->real, (*y)->real);
}

static bool same_image(const struct image *a, const struct image *b)
{
	if (a->exists != b->exists)
		return false;
	return !a->exists || (a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0);
}

static int pass_over(const char *key, bool restored, void *ctx, struct err *err)
{
	(void)key;
	(void)restored;
	(void)ctx;
	(void)err;
	return 0;
}

/* Others wrote it since: of the former commit's values those that stand are taken out. */
static int merge_before(struct entry_file *file, const struct entry_file *was, struct buf *text,
			struct err *err)
{
	const struct document_type *type = merge_type(was->type);
	int rc;

	if (!type || !was->before.exists || !was->after.exists || !file->before.exists)
		return 0;
	*text = (struct buf){ .secret = true };
	rc = merge(type, &was->before, &was->after, &file->before, text, pass_over, NULL, err);
	if (rc > 0)
		file->before = (struct image){ true, buf_text(text), text->len };
	/* What cannot be read is theirs as it is. */
	return rc < 0 && err->code == ENOMEM ? rc : 0;
}

/* What the file was before both commits, where the former one wrote it, too. */
static int go_back(struct entry_file *file, const struct entry_file *was, struct buf *text,
		   struct err *err)
{
	bool stood = file->before.exists;
	int rc;

	file->amended = true;
	file->prior = file->before;
	rc = attributes_copy(&file->prior_attributes, &file->attributes, err);
	if (rc < 0)
		return rc;
	if (!same_image(&file->before, &was->after))
		rc = merge_before(file, was, text, err);
	else
		file->before = was->before;
	if (rc < 0 || !file->before.exists)
		return rc;
	if (!stood)
		return attributes_copy(&file->attributes, &was->attributes, err);
	/* A mode that others set since is theirs. */
	if (was->before.exists && file->attributes.mode == was->mode)
		file->attributes.mode = was->attributes.mode;
	return 0;
}

/* The former commit's file of that name, or NULL. */
static struct entry_file *find_file(struct entry_file *const *order, size_t count,
				    const struct entry_file *file)
{
	struct entry_file **found = bsearch(&file, order, count, sizeof(*order), compare_files);

	return found ? *found : NULL;
}

/* The rest of what the former commit did follows the files that this one writes. */
static void take_files(struct entry *former, const bool *again, struct entry *entry)
{
	for (size_t i = 0; i < former->file_count; i++) {
		if (again[i])
			continue;
		entry->files[entry->file_count] = former->files[i];
		/* What that one itself went on from is settled. */
		entry->files[entry->file_count++].amended = false;
		former->files[i] = (struct entry_file){ 0 };
	}
}

static int amend_files(struct amend *amend, struct entry *entry, struct err *err)
{
	struct entry *former = &amend->former;
	const size_t count = former->file_count;
	CLEANUP(free_ptr) struct entry_file **order = calloc(count + 1, sizeof(*order));
	CLEANUP(free_ptr) bool *again = calloc(count + 1, sizeof(*again));
	struct entry_file *files;
	int rc = 0;

	amend->texts = calloc(entry->file_count + 1, sizeof(*amend->texts));
	files = reallocarray(entry->files, entry->file_count + count + 1, sizeof(*files));
	if (files)
		entry->files = files;
	if (!order || !again || !amend->texts || !files)
		return err_oom(err);
	amend->count = entry->file_count;
	for (size_t i = 0; i < count; i++)
		order[i] = &former->files[i];
	qsort(order, count, sizeof(*order), compare_files);
	for (size_t i = 0; rc == 0 && i < entry->own; i++) {
		struct entry_file *was = find_file(order, count, &files[i]);

		if (!was)
			continue;
		rc = go_back(&files[i], was, &amend->texts[i], err);
		again[was - former->files] = true;
	}
	if (rc == 0)
		take_files(former, again, entry);
	return rc;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static struct entry_live *find_live(const struct entry *entry, size_t count,
				    const struct entry_live *live)
{
	for (size_t i = 0; i < count; i++) {
		struct entry_live *at = &entry->live[i];

		if (same_text(at->session, live->session) && same_text(at->target, live->target) &&
		    same_text(at->unit, live->unit) && same_text(at->key, live->key))
			return at;
	}
	return NULL;
}

/* A value that stood as it was set goes back to what it was before that. */
static int amend_live(struct entry *former, struct entry *entry, struct err *err)
{
	const size_t own = entry->live_count;
	struct entry_live *live =
		reallocarray(entry->live, own + former->live_count + 1, sizeof(*live));

	if (!live)
		return err_oom(err);
	entry->live = live;
	for (size_t i = 0; i < former->live_count; i++) {
		struct entry_live *was = &former->live[i], *now = find_live(entry, own, was);

		if (!now) {
			live[entry->live_count++] = *was;
			*was = (struct entry_live){ 0 };
		} else if (same_text(now->before, was->after)) {
			free(now->before);
			now->before = TAKE_PTR(was->before);
		}
	}
	return 0;
}

int amend(struct amend *amend, const struct paths *paths, const char *id, struct entry *entry,
	  struct err *err)
{
	int rc;

	rc = journal_load(paths, id, &amend->former, err);
	if (rc == 0)
		rc = amend_files(amend, entry, err);
	if (rc == 0)
		rc = amend_live(&amend->former, entry, err);
	for (size_t i = 0; rc == 0 && i < amend->former.dirs.count; i++)
		rc = dirs_add(&entry->dirs, amend->former.dirs.paths[i], err);
	snprintf(entry->former, sizeof(entry->former), "%s", id);
	return rc;
}

void amend_done(struct amend *amend)
{
	while (amend->count > 0)
		buf_done(&amend->texts[--amend->count]);
	free(amend->texts);
	entry_done(&amend->former);
	*amend = (struct amend){ 0 };
}
