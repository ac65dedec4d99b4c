/* SPDX-License-Identifier: MIT */
#include "engine/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "documents/document.h"
#include "documents/open_iscsi.h"
#include "documents/rule.h"
#include "engine/startup.h"
#include "engine/survey.h"
#include "err.h"
#include "os/memory.h"

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

static int add_to(struct change **list, size_t *count, const struct place *place, const char *key,
		  const char *before, const char *after, bool secret, struct err *err)
{
	struct change change = {
		.place = place,
		.key = copy(key),
		.before = copy(before),
		.after = copy(after),
		.secret = secret,
	};

	if (!ARRAY_ROOM(*list, *count) || (key && !change.key) || (before && !change.before) ||
	    (after && !change.after))
		goto out;
	(*list)[(*count)++] = change;
	return 0;
out:
	free(change.key);
	free(change.before);
	free(change.after);
	return err_oom(err);
}

static int add_change(struct plan *plan, const struct place *place, const char *key,
		      const char *before, const char *after, bool secret, struct err *err)
{
	return add_to(&plan->changes, &plan->change_count, place, key, before, after, secret, err);
}

/* The rule's file does not exist yet: make its document from the template. */
static int render_rule(struct place *place, const char *value, struct err *err)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	int rc = rule_render(value, &text, err);

	if (rc == 0)
		rc = place->type->parse(&place->doc, buf_text(&text), text.len, err);
	return rc;
}

/* value NULL: unset. */
static int edit(struct place *place, const char *key, const char *value, struct err *err)
{
	if (!place->doc)
		return render_rule(place, value, err);
	return value ? place->type->set(place->doc, key, value, err)
		     : place->type->unset(place->doc, key, err);
}

static int change_key(struct plan *plan, struct place *place, const char *key, const char *value,
		      bool secret, struct err *err)
{
	const char *now = place->doc ? place->type->get(place->doc, key, NULL) : NULL;
	CLEANUP(free_ptr) char *before = copy(now);
	bool held = now ? value && strcmp(now, value) == 0 : !value;
	int rc;

	if (now && !before)
		return err_oom(err);
	rc = edit(place, key, value, err);
	if (rc < 0)
		rc = err_at(err, "%s", place->path);
	else
		rc = 0;
	/* A new record's values are told by the record itself. */
	if (rc == 0 && !held && (place->exists || place->kind != PLACE_RECORD))
		rc = add_change(plan, place, key, before, value, secret, err);
	if (before && secret)
		memory_wipe(before, strlen(before));
	return rc;
}

int plan_set(struct plan *plan, struct place *place, const char *key, const char *value,
	     bool secret, struct err *err)
{
	return change_key(plan, place, key, value, secret, err);
}

int plan_unset(struct plan *plan, struct place *place, const char *key, bool secret,
	       struct err *err)
{
	return change_key(plan, place, key, NULL, secret, err);
}

/* A line of a file as it was found. Lines are asked for in order, or from the first one anew. */
struct line_cursor {
	const struct place *place;
	unsigned line;
	const char *at;
};

static char *line_text(struct line_cursor *cursor, const struct place *place, unsigned line,
		       struct err *err)
{
	const char *next;
	char *text;

	if (cursor->place != place || cursor->line > line)
		*cursor = (struct line_cursor){ place, 1, buf_text(&place->bytes) };
	for (; cursor->line < line && (next = strchr(cursor->at, '\n')) != NULL; cursor->line++)
		cursor->at = next + 1;
	text = strndup(cursor->at, strcspn(cursor->at, "\r\n"));
	if (!text)
		err_oom(err);
	return text;
}

/* Harmful rules become comments, before anything else moves their lines. */
static int mend_rules(struct plan *plan, struct survey *survey, const struct findings *findings,
		      bool *mended, struct err *err)
{
	struct line_cursor cursor = { 0 };
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < findings->count; i++) {
		const struct finding *finding = &findings->items[i];
		size_t place = finding->place ? (size_t)(finding->place - survey->places) : 0;
		CLEANUP(free_ptr) char *before = NULL;
		char line[32];

		if (finding->verdict != VERDICT_HARMFUL)
			continue;
		if (!mended[place])
			rc = rule_mend(survey->places[place].doc, err);
		mended[place] = true;
		before = line_text(&cursor, finding->place, finding->line, err);
		snprintf(line, sizeof(line), "line %u", finding->line);
		if (rc >= 0)
			rc = before ? add_change(plan, finding->place, line, before,
						 "commented out", false, err)
				    : -ENOMEM;
	}
	return rc < 0 ? rc : 0;
}

int plan_make(struct plan *plan, struct survey *survey, const struct findings *findings,
	      struct err *err)
{
	CLEANUP(free_ptr) bool *mended = calloc(survey->count + 1, sizeof(*mended));
	int rc;

	*plan = (struct plan){ 0 };
	rc = mended ? mend_rules(plan, survey, findings, mended, err) : err_oom(err);
	for (size_t i = 0; rc == 0 && i < survey->count; i++) {
		const struct place *place = &survey->places[i];

		if (place->kind == PLACE_RECORD && !place->exists)
			rc = add_change(plan, place, NULL, NULL, "new record", false, err);
	}
	if (rc == 0)
		rc = plan_new_startup(plan, survey, err);
	for (size_t i = 0; rc == 0 && i < findings->count; i++) {
		const struct finding *finding = &findings->items[i];
		char value[16];

		if (finding->verdict == VERDICT_EXPOSED) {
			snprintf(value, sizeof(value), "%04o", finding->place->record->mode);
			rc = add_change(plan, finding->place, "mode", value, "0600", false, err);
			continue;
		}
		/* A value that held may have held by a rule that is a comment now. */
		if (!finding->value ||
		    !(finding_mendable(finding) || mended[finding->place - survey->places]))
			continue;
		snprintf(value, sizeof(value), "%u", finding->wanted);
		if (finding_live(finding)) {
			rc = add_to(&plan->live, &plan->live_count, finding->place,
				    finding->value->where->key, finding->value->text, value, false,
				    err);
			continue;
		}
		rc = plan_set(plan, &survey->places[finding->place - survey->places],
			      finding->value->where->key, value, false, err);
	}
	return rc;
}

static mode_t file_mode(const struct place *place)
{
	if (place->kind == PLACE_RECORD) /* open-iscsi's own mode: secrets live in it */
		return 0600;
	return place->exists ? 07777 : 0644;
}

static int list_lives(struct plan *plan, struct err *err)
{
	plan->lives = calloc(plan->live_count + 1, sizeof(*plan->lives));
	if (!plan->lives)
		return err_oom(err);
	for (size_t i = 0; i < plan->live_count; i++) {
		const struct change *change = &plan->live[i];
		const struct host_session *session = change->place->session;
		const struct device *device = change->place->device;

		plan->lives[i] = (struct tx_live){
			.session = session->name,
			.target = session->target,
			.address = session->address,
			.port = session->port,
			.unit = device ? device_unit(device) : NULL,
			.key = change->key,
			.before = change->before,
			.after = change->after,
		};
	}
	return 0;
}

int plan_finish(struct plan *plan, struct survey *survey, struct err *err)
{
	int rc = list_lives(plan, err);

	if (rc < 0)
		return rc;
	plan->files = calloc(survey->count + 1, sizeof(*plan->files));
	plan->after = calloc(survey->count + 1, sizeof(*plan->after));
	if (!plan->files || !plan->after)
		return err_oom(err);
	for (size_t i = 0; i < survey->count; i++) {
		struct place *place = &survey->places[i];
		struct buf *after = &plan->after[plan->file_count];

		if (!place->doc)
			continue;
		after->secret = true;
		rc = place->type->write(place->doc, after, err);
		if (rc == 0 && after->failed)
			rc = err_oom(err);
		if (rc < 0)
			return err_at(err, "%s", place->path);
		if (place->exists && !place->exposed && buf_equal(after, &place->bytes)) {
			buf_done(after);
			continue;
		}
		plan->files[plan->file_count++] = (struct tx_file){
			.path = place->path,
			.type = place->type,
			.before = place->exists ? &place->bytes : NULL,
			.after = after,
			.mode = file_mode(place),
			.database = place->kind == PLACE_RECORD ? open_iscsi_database(place->path)
								: NULL,
		};
	}
	return 0;
}

static void free_text(char *text, bool secret)
{
	if (text && secret)
		memory_wipe(text, strlen(text));
	free(text);
}

static void free_changes(struct change *changes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(changes[i].key);
		free_text(changes[i].before, changes[i].secret);
		free_text(changes[i].after, changes[i].secret);
	}
	free(changes);
}

void plan_done(struct plan *plan)
{
	free_changes(plan->changes, plan->change_count);
	free_changes(plan->live, plan->live_count);
	free(plan->lives);
	for (size_t i = 0; i < plan->file_count; i++)
		buf_done(&plan->after[i]);
	free(plan->files);
	free(plan->after);
	*plan = (struct plan){ 0 };
}
