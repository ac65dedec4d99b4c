/* SPDX-License-Identifier: MIT */
#include "engine/forgotten.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "engine/entry.h"
#include "engine/journal.h"
#include "err.h"

/* What one entry did to one record. */
struct deed {
	const struct journal_state *entry;
	char *real;
	char *path;
	bool was, is; /* there, before it and after it */
};

struct deeds {
	struct deed *items;
	size_t count;
};

static void deeds_done(struct deeds *deeds)
{
	for (size_t i = 0; i < deeds->count; i++) {
		free(deeds->items[i].real);
		free(deeds->items[i].path);
	}
	free(deeds->items);
}

static int add_entry(struct deeds *deeds, const struct journal_state *state, struct entry *entry,
		     struct err *err)
{
	struct deed *grown =
		reallocarray(deeds->items, deeds->count + entry->file_count + 1, sizeof(*grown));

	if (!grown)
		return err_oom(err);
	deeds->items = grown;
	for (size_t i = 0; i < entry->file_count; i++) {
		struct entry_file *file = &entry->files[i];

		if (file->database)
			deeds->items[deeds->count++] = (struct deed){
				.entry = state,
				.real = TAKE_PTR(file->real),
				.path = TAKE_PTR(file->path),
				.was = file->before.exists,
				.is = file->after.exists,
			};
	}
	return 0;
}

static int add_entries(struct deeds *deeds, const struct paths *paths,
		       const struct journal_state *states, size_t count, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++) {
		struct entry entry;

		rc = journal_load_intent(paths, states[i].id, &entry, err);
		if (rc == 0)
			rc = add_entry(deeds, &states[i], &entry, err);
		else if (journal_damaged(rc))
			rc = 0;
		entry_done(&entry);
	}
	return rc;
}

/* By record, the newest first. */
static int compare_deeds(const void *a, const void *b)
{
	const struct deed *one = a, *two = b;
	int order = strcmp(one->real, two->real);

	return order != 0 ? order : strcmp(two->entry->id, one->entry->id);
}

/* Of the deeds of one record, from the newest on: the one by which it is gone, or NULL. */
static const struct deed *find_removal(const struct deed *deeds, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (deeds[i].entry->state == ENTRY_APPLIED)
			return deeds[i].is ? NULL : &deeds[i];
		if (deeds[i].was) /* its undo brought it back, or is about to */
			return NULL;
	}
	return NULL;
}

static bool is_same(const struct forgotten *a, const struct forgotten *b)
{
	return strcmp(a->target, b->target) == 0 && strcmp(a->address, b->address) == 0 &&
	       a->port == b->port && strcmp(a->id, b->id) == 0;
}

/* Records of several interfaces are neighbours. */
static void add_forgotten(struct forgotten *list, size_t *count, const struct deed *removal)
{
	CLEANUP(record_done) struct record record = { 0 };
	struct forgotten *next = &list[*count];

	if (!record_place_of(&record, removal->path) || record.problem[0] != '\0')
		return;
	snprintf(next->target, sizeof(next->target), "%s", record.target);
	snprintf(next->address, sizeof(next->address), "%s", record.address);
	next->port = record.port;
	snprintf(next->id, sizeof(next->id), "%s", removal->entry->id);
	*count += *count == 0 || !is_same(next - 1, next);
}

int forgotten_list(const struct paths *paths, struct forgotten **list, size_t *count,
		   struct err *err)
{
	CLEANUP(free_ptr) struct journal_state *states = NULL;
	CLEANUP(deeds_done) struct deeds deeds = { 0 };
	size_t state_count, next;
	int rc = journal_states(paths, &states, &state_count, err);

	*list = NULL;
	*count = 0;
	if (rc == 0)
		rc = add_entries(&deeds, paths, states, state_count, err);
	if (rc < 0 || deeds.count == 0)
		return rc;
	qsort(deeds.items, deeds.count, sizeof(*deeds.items), compare_deeds);
	*list = calloc(deeds.count, sizeof(**list));
	if (!*list)
		return err_oom(err);
	for (size_t i = 0; i < deeds.count; i = next) {
		const struct deed *removal;

		for (next = i + 1; next < deeds.count; next++)
			if (strcmp(deeds.items[next].real, deeds.items[i].real) != 0)
				break;
		removal = find_removal(&deeds.items[i], next - i);
		if (removal)
			add_forgotten(*list, count, removal);
	}
	return 0;
}
