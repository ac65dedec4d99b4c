/* SPDX-License-Identifier: MIT */
#include "engine/survey.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "documents/document.h"
#include "documents/open_iscsi.h"
#include "engine/session_chap.h"
#include "documents/rule.h"
#include "err.h"
#include "host/paths.h"
#include "host/rule_files.h"
#include "iscsi/portal.h"

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool selection_has(const struct selection *selection, const char *target)
{
	if (selection->by_name)
		return gateway_kind(target) != GATEWAY_OTHER;
	return selection->count > 0 && bsearch(&target, selection->targets, selection->count,
					       sizeof(*selection->targets), by_text);
}

/* The next place to fill, or NULL where memory ran out. */
static struct place *add_place(struct survey *survey, struct err *err)
{
	if (!ARRAY_ROOM(survey->places, survey->count)) {
		err_oom(err);
		return NULL;
	}
	survey->places[survey->count] = (struct place){ 0 };
	return &survey->places[survey->count++];
}

/*
 * iscsid.conf and the rule are for all of a host: the volume profile, unless
 * only tapes are here.
 */
static const struct profile *host_profile(const struct survey *survey)
{
	bool tape_only = survey->kinds[GATEWAY_TAPE] && !survey->kinds[GATEWAY_VOLUME];

	return &survey->wanted->profiles[tape_only ? GATEWAY_TAPE : GATEWAY_VOLUME];
}

static int add_document(struct survey *survey, enum place_kind kind, const char *path,
			const struct document_type *type, struct err *err)
{
	CLEANUP(buf_done) struct buf bytes = { .secret = true };
	struct document *doc = NULL;
	struct place *place;
	int rc = paths_read(survey->paths, path, DOCUMENT_SIZE_MAX, &bytes, NULL, err);
	bool exists = rc == 0;

	if (rc == -ENOENT && kind == PLACE_UDEV_RULE)
		rc = 0;
	if (rc == 0 && exists) {
		rc = type->parse(&doc, buf_text(&bytes), bytes.len, err);
		if (rc < 0) {
			char shown[ERR_PLACE_MAX];

			paths_show(survey->paths, path, shown, sizeof(shown));
			return err_at(err, "%s", shown);
		}
	}
	if (rc < 0)
		return rc;
	place = add_place(survey, err);
	if (!place) {
		if (doc)
			type->free(doc);
		return -ENOMEM;
	}
	return place_of_document(place, kind, host_profile(survey), path, NULL, type, &doc, &bytes,
				 exists, err);
}

/* One that says nothing of timeouts is no place; one that cannot be judged is, with the reason. */
static int add_other_rules(struct survey *survey, const struct rule_file *file, struct err *err)
{
	CLEANUP(buf_done) struct buf bytes = { 0 };
	const struct profile *profile = host_profile(survey);
	struct document *doc = NULL;
	struct err why = { 0 };
	struct place *place;
	int rc = paths_read(survey->paths, file->path, DOCUMENT_SIZE_MAX, &bytes, NULL, err);

	/* What is no file hides those of its name: a link to /dev/null. */
	if (rc == -ENOENT || rc == -ELOOP || rc == -EISDIR || rc == -EINVAL)
		return 0;
	if (rc == -EFBIG)
		why = *err;
	else if (rc < 0)
		return rc;
	else
		rc = document_other_rules.parse(&doc, buf_text(&bytes), bytes.len, &why);
	if (rc == -ENOMEM)
		return err_oom(err);
	if (rc == 0 && !rule_concerns(doc)) {
		document_other_rules.free(doc);
		return 0;
	}
	place = add_place(survey, err);
	if (!place) {
		if (doc)
			document_other_rules.free(doc);
		return -ENOMEM;
	}
	rc = place_of_rules(place, profile, file->path, &doc, &bytes, err);
	if (rc < 0)
		return rc;
	place->editable = file->editable;
	place->problem = place->doc ? NULL : strdup(why.reason);
	return place->doc || place->problem ? 0 : err_oom(err);
}

/* Our own rule first; rules that hurt tapes are looked for where only those are, too. */
static int add_rules(struct survey *survey, struct err *err)
{
	CLEANUP(rule_files_done) struct rule_files files = { 0 };
	CLEANUP(free_ptr) char *own = NULL;
	int rc = 0;

	if (profile_find(host_profile(survey), PLACE_UDEV_RULE, "timeout", NULL))
		rc = add_document(survey, PLACE_UDEV_RULE, UDEV_RULE, &document_rule, err);
	if (rc == 0)
		rc = rule_files_list(&files, survey->paths, err);
	if (rc < 0)
		return rc;
	own = paths_real(survey->paths, UDEV_RULE, err);
	if (!own && err->code != ENOENT)
		return -err->code;
	for (size_t i = 0; rc == 0 && i < files.count; i++) {
		const struct rule_file *file = &files.list[i];

		if (strcmp(file->path, UDEV_RULE) != 0 &&
		    !(own && file->real && strcmp(file->real, own) == 0))
			rc = add_other_rules(survey, file, err);
	}
	return rc;
}

static int add_iscsid_conf(struct survey *survey, struct err *err)
{
	int rc = add_document(survey, PLACE_ISCSID_CONF, ISCSID_CONF, &document_open_iscsi, err);
	char shown[ERR_PLACE_MAX];

	if (rc != -ENOENT)
		return rc;
	err_set(err, ENOENT,
		"no such file: install open-iscsi (Debian) or iscsi-initiator-utils "
		"(RHEL) first");
	paths_show(survey->paths, ISCSID_CONF, shown, sizeof(shown));
	return err_at(err, "%s", shown);
}

static int add_record(struct survey *survey, struct record *record, bool exists, struct err *err)
{
	CLEANUP(buf_done) struct buf bytes = { .secret = true };
	char name[ISCSI_NAME_SIZE + PORTAL_TEXT_MAX + 8], portal[PORTAL_TEXT_MAX];
	const struct profile *profile = &survey->wanted->profiles[gateway_kind(record->target)];
	bool exposed = exists && record_exposed(record);
	struct document *doc = TAKE_PTR(record->doc);
	struct place *place = add_place(survey, err);
	int rc;

	if (!place) {
		document_open_iscsi.free(doc);
		return -ENOMEM;
	}
	if (exists)
		buf_add(&bytes, buf_text(&record->bytes), record->bytes.len);
	if (bytes.failed) {
		document_open_iscsi.free(doc);
		return err_oom(err);
	}
	portal_text_of(record->address, record->port, portal);
	snprintf(name, sizeof(name), "%s at %s", record->target, portal);
	rc = place_of_document(place, PLACE_RECORD, profile, record->path, name,
			       &document_open_iscsi, &doc, &bytes, exists, err);
	place->record = record;
	place->exposed = exposed;
	return rc;
}

/*
 * A key absent from a record reads as open-iscsi's default, not as
 * iscsid.conf's: write them all.
 */
static int lay_profile(struct record *record, const struct profile *profile, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < profile->setting_count; i++) {
		const struct setting *setting = &profile->settings[i];

		for (size_t j = 0; rc >= 0 && j < setting->place_count; j++) {
			const struct setting_place *where = &setting->places[j];
			const char *text;
			char value[16];
			int32_t current = -1;

			if (where->kind != PLACE_RECORD)
				continue;
			text = document_open_iscsi.get(record->doc, where->key, NULL);
			if (text)
				current = open_iscsi_number(text, strlen(text));
			snprintf(value, sizeof(value), "%u",
				 setting_wanted(setting, where,
						current >= 0 ? &(uint32_t){ (uint32_t)current }
							     : NULL));
			rc = document_open_iscsi.set(record->doc, where->key, value, err);
		}
	}
	return rc < 0 ? rc : 0;
}

int survey_add_record(struct survey *survey, struct record *record, struct err *err)
{
	struct record *kept = malloc(sizeof(*kept));
	int rc;

	if (!kept || !ARRAY_ROOM(survey->added, survey->added_count)) {
		free(kept);
		record_done(record);
		return err_oom(err);
	}
	*kept = *record;
	*record = (struct record){ 0 };
	survey->added[survey->added_count++] = kept;
	rc = lay_profile(kept, &survey->wanted->profiles[gateway_kind(kept->target)], err);
	return rc < 0 ? rc : add_record(survey, kept, false, err);
}

void survey_ask(struct survey *survey, const char *target, const char *address, uint16_t port)
{
	for (size_t i = 0; i < survey->count; i++) {
		struct place *place = &survey->places[i];

		if (place->kind == PLACE_RECORD && place->record->port == port &&
		    strcmp(place->record->address, address) == 0 &&
		    strcmp(place->record->target, target) == 0)
			place->asked = true;
	}
}

bool survey_added(const struct survey *survey, const char *target, const char *address,
		  uint16_t port)
{
	for (size_t i = 0; i < survey->added_count; i++) {
		const struct record *record = survey->added[i];

		if (record->port == port && strcmp(record->address, address) == 0 &&
		    strcmp(record->target, target) == 0)
			return true;
	}
	return false;
}

static int add_records(struct survey *survey, const struct selection *selection, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < survey->database.count; i++) {
		struct record *record = &survey->database.records[i];
		char shown[ERR_PLACE_MAX];

		if (gateway_kind(record->target) == GATEWAY_OTHER)
			survey->foreign++;
		if (gateway_kind(record->target) == GATEWAY_OTHER ||
		    !selection_has(selection, record->target))
			continue;
		if (record->problem[0] != '\0') {
			paths_show(survey->paths, record->path, shown, sizeof(shown));
			/* iscsiadm writes in place: this may be half of what it will be. */
			err_set(err, record->was_read ? ESTALE : EINVAL, "%s", record->problem);
			return err_at(err, "%s", shown);
		}
		rc = add_record(survey, record, true, err);
	}
	return rc;
}

static bool has_record(const struct survey *survey, const struct host_session *session)
{
	for (size_t i = 0; i < survey->database.count; i++) {
		const struct record *record = &survey->database.records[i];

		if (session_is(session, record->target, record->address, record->port))
			return true;
	}
	return false;
}

static int add_live(struct survey *survey, const struct selection *selection, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < survey->sessions.count; i++) {
		const struct host_session *session = &survey->sessions.items[i];
		enum gateway_kind kind = gateway_kind(session->target);
		struct place *place;

		if (!selection_has(selection, session->target) || kind == GATEWAY_OTHER)
			continue;
		place = add_place(survey, err);
		rc = place ? place_of_session(place, &survey->wanted->profiles[kind], survey->paths,
					      session, err)
			   : -ENOMEM;
		if (rc == 0) {
			place->recorded = has_record(survey, session);
			place->chap = session_chap_of(survey, session);
		}
		for (size_t j = 0; rc == 0 && j < session->device_count; j++) {
			const struct device *device = &session->devices[j];

			/* A target may have something of its own beside its disk. */
			if (kind == GATEWAY_VOLUME && device->type != DEVICE_TYPE_DISK)
				continue;
			place = add_place(survey, err);
			rc = place ? place_of_device(place, &survey->wanted->profiles[kind],
						     survey->paths, session, device, err)
				   : -ENOMEM;
		}
	}
	return rc;
}

/* Which profiles are in play: by the targets asked for, the records, the sessions. */
static void note_kinds(struct survey *survey, const struct selection *selection)
{
	bool seen[GATEWAY_OTHER + 1] = { false };

	for (size_t i = 0; i < selection->count; i++)
		seen[gateway_kind(selection->targets[i])] = true;
	for (size_t i = 0; i < survey->database.count; i++)
		seen[gateway_kind(survey->database.records[i].target)] = true;
	for (size_t i = 0; i < survey->sessions.count; i++)
		seen[gateway_kind(survey->sessions.items[i].target)] = true;
	memcpy(survey->kinds, seen, sizeof(survey->kinds));
}

int survey_load(struct survey *survey, const struct paths *paths, const struct wanted *wanted,
		const struct selection *selection, struct err *err)
{
	int rc;

	*survey = (struct survey){
		.paths = paths,
		.wanted = wanted,
		.spare_conf = selection->spare_conf,
	};
	rc = database_load(&survey->database, paths, err);
	if (rc == 0)
		rc = sessions_of_another(paths, err);
	if (rc == 0)
		rc = sessions_load(&survey->sessions, paths, err);
	if (rc < 0)
		return rc;
	note_kinds(survey, selection);
	rc = add_iscsid_conf(survey, err);
	if (rc == 0)
		rc = add_rules(survey, err);
	if (rc == 0)
		rc = add_records(survey, selection, err);
	if (rc == 0)
		rc = add_live(survey, selection, err);
	return rc;
}

void survey_done(struct survey *survey)
{
	for (size_t i = 0; i < survey->count; i++)
		place_done(&survey->places[i]);
	for (size_t i = 0; i < survey->added_count; i++) {
		record_done(survey->added[i]);
		free(survey->added[i]);
	}
	free(survey->added);
	free(survey->places);
	database_done(&survey->database);
	sessions_done(&survey->sessions);
	*survey = (struct survey){ 0 };
}

struct place *survey_place(const struct survey *survey, enum place_kind kind)
{
	for (size_t i = 0; i < survey->count; i++) {
		if (survey->places[i].kind == kind && !survey->places[i].others)
			return &survey->places[i];
	}
	return NULL;
}
