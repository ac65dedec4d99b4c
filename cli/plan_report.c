/* SPDX-License-Identifier: MIT */
#include "plan_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diff.h"
#include "documents/document.h"
#include "engine/plan.h"
#include "err.h"
#include "escape.h"
#include "report.h"

static const char hidden[] = "********";

static const char *shown(const struct change *change, const char *value, const char *absent)
{
	if (!value)
		return absent;
	return change->secret ? hidden : value;
}

static bool is_set(const struct place *place, const char *key)
{
	const char *value = place->type->get(place->doc, key, NULL);

	return value && value[0];
}

/* What a new record is to be; of CHAP it is its secrets that decide, whatever authmethod says. */
static const char *after_of(const struct change *change)
{
	const struct place *place = change->place;

	if (change->key || !change->after || place->kind != PLACE_RECORD || !place->doc ||
	    !is_set(place, "node.session.auth.password"))
		return shown(change, change->after, NULL);
	return is_set(place, "node.session.auth.password_in") ? "new record, mutual CHAP"
							      : "new record, one-way CHAP";
}

/* The same change to many of these is one row with a count. */
static const char *const many_words[PLACE_KINDS] = {
	[PLACE_RECORD] = "records",
	[PLACE_SESSION] = "sessions",
	[PLACE_DEVICE] = "disks",
};

struct group {
	const struct change *first;
	size_t index; /* the first one's, in the order of the plan */
	size_t count;
};

static int compare_texts(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) : (a != NULL) - (b != NULL);
}

/* Whether two changes are one row; what is not counted is a row each. */
static int compare_rows(const struct group *a, const struct group *b)
{
	const struct change *one = a->first, *other = b->first;
	int order =
		(one->place->kind > other->place->kind) - (one->place->kind < other->place->kind);

	if (order == 0 && !many_words[one->place->kind])
		order = (a->index > b->index) - (a->index < b->index);
	if (order == 0)
		order = compare_texts(one->key, other->key);
	if (order == 0)
		order = compare_texts(shown(one, one->before, NULL),
				      shown(other, other->before, NULL));
	return order != 0 ? order : compare_texts(after_of(one), after_of(other));
}

static int by_row(const void *a, const void *b)
{
	const struct group *one = a, *other = b;
	int order = compare_rows(one, other);

	return order != 0 ? order : (one->index > other->index) - (one->index < other->index);
}

static int by_index(const void *a, const void *b)
{
	const struct group *one = a, *other = b;

	return (one->index > other->index) - (one->index < other->index);
}

/* Each row once, where the first of its changes stands in the plan. */
static struct group *group_changes(const struct plan *plan, size_t *count)
{
	size_t all = plan->change_count + plan->live_count;
	struct group *groups = calloc(all + 1, sizeof(*groups));

	*count = 0;
	if (!groups)
		return NULL;
	for (size_t i = 0; i < all; i++)
		groups[i] = (struct group){
			.first = i < plan->change_count ? &plan->changes[i]
							: &plan->live[i - plan->change_count],
			.index = i,
			.count = 1,
		};
	qsort(groups, all, sizeof(*groups), by_row);
	for (size_t i = 0; i < all; i++) {
		if (*count > 0 && compare_rows(&groups[*count - 1], &groups[i]) == 0)
			groups[*count - 1].count++;
		else
			groups[(*count)++] = groups[i];
	}
	qsort(groups, *count, sizeof(*groups), by_index);
	return groups;
}

int plan_print_table(const struct plan *plan, struct err *err)
{
	static const char *const titles[] = { "PLACE", "KEY", "BEFORE", "AFTER", NULL };
	CLEANUP(table_done) struct table table;
	CLEANUP(free_ptr) struct group *groups = NULL;
	size_t count = 0;

	table_init(&table, titles);
	groups = group_changes(plan, &count);
	if (!groups)
		return err_oom(err);
	for (size_t i = 0; i < count; i++) {
		const struct change *change = groups[i].first;
		const char *after = after_of(change);
		char many[32];

		snprintf(many, sizeof(many), "%zu %s", groups[i].count,
			 groups[i].count > 1 ? many_words[change->place->kind] : "");
		table_row(&table, groups[i].count > 1 ? many : change->place->name,
			  change->key ? change->key : "", shown(change, change->before, "-"),
			  after ? after : "-", NULL);
	}
	return table_print(&table, stdout, err);
}

static json_t *changes_json(const struct change *changes, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		const struct change *change = &changes[i];
		const char *before = shown(change, change->before, NULL);
		const char *after = shown(change, change->after, NULL);

		json_array_append_new(list,
				      json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "place",
						place_word(change->place->kind), "name",
						json_text(change->place->name), "path",
						json_text(change->place->path), "key",
						change->key ? json_text(change->key) : json_null(),
						"before", before ? json_text(before) : json_null(),
						"after", after ? json_text(after) : json_null()));
	}
	return list;
}

json_t *plan_json(const struct plan *plan)
{
	return changes_json(plan->changes, plan->change_count);
}

json_t *plan_json_live(const struct plan *plan)
{
	return changes_json(plan->live, plan->live_count);
}

/* What open-iscsi takes for a blank, or the '=' among them. */
static bool separates(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == '=';
}

/*
 * How much of a line may be seen: all of it, or up to the value of a key with
 * "password" in it; in a comment and in a line that iscsid ignores as well.
 */
static size_t visible(const char *line, size_t len)
{
	static const char word[] = "password";
	const char *at = memmem(line, len, word, strlen(word));
	const char *end = line + len;

	if (!at)
		return len;
	while (at < end && !separates(*at))
		at++;
	while (at < end && separates(*at))
		at++;
	return (size_t)(at - line);
}

static void print_escaped(const char *text)
{
	char out[2048];

	escape_text(text, strlen(text), out, sizeof(out));
	fputs(out, stdout);
}

static void print_live(const struct plan *plan)
{
	for (size_t i = 0; i < plan->live_count; i++) {
		const struct change *change = &plan->live[i];

		printf(PATCH_NOTE "would set %s of ", change->key);
		print_escaped(change->place->name);
		printf(" to %s, which is ", change->after);
		print_escaped(shown(change, change->before, "-"));
		putchar('\n');
	}
}

int plan_print_diff(const struct plan *plan, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < plan->file_count; i++) {
		const struct tx_file *file = &plan->files[i];

		rc = diff_print(file->path, file->before ? buf_text(file->before) : NULL,
				file->after ? buf_text(file->after) : NULL, visible, stdout, err);
	}
	if (rc == 0)
		print_live(plan);
	return rc;
}
