/* SPDX-License-Identifier: MIT */
#include "engine/restore_live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/entry.h"
#include "engine/knob.h"
#include "engine/restore.h"
#include "err.h"
#include "host/paths.h"
#include "host/sessions.h"
#include "iscsi/portal.h"

enum { TRIES = 5 };

struct restore_live {
	char *dir; /* of the attribute; where there is none any more, whose it was */
	const struct knob *knob;
	const char *ours, *value; /* what it was set to, and is to go back to; the entry's */
	bool write;
	size_t step;
};

/* Where a value lives now, or why it lives nowhere. */
struct whereabouts {
	const struct host_session *session;
	const struct device *device;
	const char *gone;
};

static const struct host_session *find_session(const struct sessions *sessions,
					       const struct entry_live *live)
{
	const struct host_session *found = NULL;

	for (size_t i = 0; i < sessions->count; i++) {
		const struct host_session *session = &sessions->items[i];

		if (strcmp(session->target, live->target) != 0 || session->port != live->port ||
		    strcmp(session->address, live->address ? live->address : "") != 0)
			continue;
		if (strcmp(session->name, live->session) == 0)
			return session;
		if (!found)
			found = session;
	}
	return found;
}

static struct whereabouts look_for(const struct sessions *sessions, const struct entry_live *live)
{
	struct whereabouts at = { .session = find_session(sessions, live) };

	if (!at.session)
		at.gone = "there is no session of it any more";
	for (size_t i = 0; at.session && live->unit && i < at.session->device_count; i++) {
		if (strcmp(device_unit(&at.session->devices[i]), live->unit) == 0)
			at.device = &at.session->devices[i];
	}
	if (at.session && live->unit && !at.device)
		at.gone = "its session has no such device any more";
	return at;
}

static char *name_of(const struct whereabouts *at, const struct entry_live *live)
{
	char text[ISCSI_NAME_SIZE + PORTAL_TEXT_MAX + 64], portal[PORTAL_TEXT_MAX] = "";

	if (!at->gone)
		return strdup(at->device ? at->device->path : at->session->path);
	if (live->address)
		portal_text_of(live->address, live->port, portal);
	snprintf(text, sizeof(text), "%s%s%s%s%s", live->target, live->address ? " at " : "",
		 portal, live->unit ? ", unit " : "", live->unit ? live->unit : "");
	return strdup(text);
}

/* Why it is not to be written, or NULL; *same: there is nothing to take back. */
static const char *look(const struct restore_live *item, const struct paths *paths, bool *same,
			struct err *why)
{
	CLEANUP(buf_done) struct buf now = { 0 };

	if (paths_read_attribute(paths, item->dir, item->knob->key, &now, why) < 0)
		return why->reason;
	*same = strcmp(buf_text(&now), item->value) == 0;
	return strcmp(buf_text(&now), item->ours) == 0 ? NULL : "others changed it since";
}

/* The same of a value wherever it may be. */
static const char *judge(const struct restore_live *item, const struct whereabouts *at,
			 const struct paths *paths, bool *same, struct err *why)
{
	const char *note;

	if (at->gone)
		return at->gone;
	if (!item->knob)
		return "this sgw-init knows no such live value";
	note = look(item, paths, same, why);
	if (!note && knob_check(item->knob, item->value, why) < 0)
		note = why->reason;
	return note;
}

static int plan_one(struct restore *restore, const struct paths *paths,
		    const struct sessions *sessions, const struct entry_live *live, struct err *err)
{
	struct restore_live *item = &restore->live[restore->live_count++];
	struct whereabouts at = look_for(sessions, live);
	struct err why = { 0 };
	bool same = false;
	const char *note;

	*item = (struct restore_live){
		.dir = name_of(&at, live),
		.knob = knob_find(live->unit ? PLACE_DEVICE : PLACE_SESSION, live->key),
		.ours = live->after,
		.value = live->before,
	};
	if (!item->dir)
		return err_oom(err);
	note = judge(item, &at, paths, &same, &why);
	if (same)
		return 0;
	item->write = !note;
	item->step = restore->step_count;
	return restore_add_step(restore,
				at.gone ? UNDO_GONE
				: note	? UNDO_KEPT
					: UNDO_EDITED,
				item->dir, live->key, note, err);
}

int restore_live_plan(struct restore *restore, const struct paths *paths, const struct entry *entry,
		      struct err *err)
{
	struct sessions sessions = { 0 };
	struct err ignored = { 0 };
	int rc = 0;

	if (entry->live_count == 0)
		return 0;
	restore->live = calloc(entry->live_count, sizeof(*restore->live));
	if (!restore->live)
		return err_oom(err);
	/* Where none can be read, there is none to write to. */
	if (sessions_of_another(paths, &ignored) == 0)
		sessions_load(&sessions, paths, &ignored);
	for (size_t i = 0; rc == 0 && i < entry->live_count; i++)
		rc = plan_one(restore, paths, &sessions, &entry->live[i], err);
	sessions_done(&sessions);
	return rc;
}

bool restore_live_pending(const struct restore *restore)
{
	for (size_t i = 0; i < restore->live_count; i++) {
		if (restore->live[i].write)
			return true;
	}
	return false;
}

int restore_live_write(struct restore *restore, const struct paths *paths, struct err *err)
{
	const bool late = ++restore->live_tries > TRIES;
	int written = 0;

	for (size_t i = 0; i < restore->live_count; i++) {
		struct restore_live *item = &restore->live[i];
		struct undo_step *step;
		struct err why = { 0 };
		bool same = false;
		const char *note;

		if (!item->write)
			continue;
		note = look(item, paths, &same, &why);
		if (same)
			continue;
		if (!note && late)
			note = "something sets it again and again";
		if (!note) {
			written = 1;
			if (knob_set(paths, item->knob, item->dir, item->value, &why) == 0)
				continue;
			note = why.reason;
		}
		item->write = false;
		step = &restore->steps[item->step];
		step->action = UNDO_KEPT;
		step->note = strdup(note);
		if (!step->note)
			return err_oom(err);
	}
	return written;
}

void restore_live_done(struct restore *restore)
{
	while (restore->live_count > 0)
		free(restore->live[--restore->live_count].dir);
	free(restore->live);
	restore->live = NULL;
}
