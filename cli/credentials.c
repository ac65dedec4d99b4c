/* SPDX-License-Identifier: MIT */
#include "credentials.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "documents/document.h"
#include "err.h"
#include "host/paths.h"
#include "os/files.h"
#include "portals.h"

enum { FILE_MAX = 1 << 20 };

static int load_file(struct credentials_store *store, struct err *err)
{
	CLEANUP(buf_done) struct buf bytes = { .secret = true };
	int rc = file_read_private(store->file, FILE_MAX, &bytes, err);

	if (rc < 0)
		return rc;
	/* Targets of any make are probed, with secrets of any length. */
	rc = chap_file_parse(&store->chap, buf_text(&bytes), bytes.len, CHAP_LIMITS_ANY, err);
	if (rc < 0)
		return err_at(err, "%s", store->file);
	if (store->chap.incomplete)
		warn("%s: it ends in a Marker: there are more credentials than it holds",
		     store->file);
	return 0;
}

/* The one initiator that a file speaks of, or NULL. */
static const char *initiator_of(const struct chap_file *file)
{
	const char *name = NULL;

	for (size_t i = 0; i < file->count; i++) {
		const char *other = file->entries[i].initiator;

		if (other && name && strcmp(name, other) != 0)
			return NULL;
		name = other ? other : name;
	}
	return name;
}

static void name_initiator(struct credentials_store *store, const struct paths *paths)
{
	const char *named = initiator_of(&store->chap);
	struct err why = { 0 };

	if (initiator_name_read(paths, store->initiator, &why) == 0)
		return;
	if (!named || strlen(named) >= sizeof(store->initiator)) {
		portals_initiator_name(paths, store->initiator);
		return;
	}
	warn("%s: %s; logging in as %s, as %s has it", why.place, why.reason, named, store->file);
	snprintf(store->initiator, sizeof(store->initiator), "%s", named);
}

int credentials_open(struct credentials_store *store, const struct paths *paths, const char *file,
		     struct err *err)
{
	struct err why = { 0 };

	store->file = file;
	if (file && load_file(store, err) < 0)
		return -err->code;
	name_initiator(store, paths);
	if (!file && database_load(&store->database, paths, &why) < 0)
		warn("%s: %s: going on without the node records' credentials", why.place,
		     why.reason);
	return 0;
}

void credentials_close(struct credentials_store *store)
{
	chap_file_done(&store->chap);
	database_done(&store->database);
}

static struct chap_secret secret_of(const char *text)
{
	return (struct chap_secret){ text, text ? strlen(text) : 0 };
}

static int find_in_file(const struct credentials_store *store, const char *target,
			struct credentials *out, struct err *err)
{
	const struct chap_entry *found = NULL, *other = NULL;

	for (size_t i = 0; i < store->chap.count; i++) {
		const struct chap_entry *entry = &store->chap.entries[i];
		bool own = entry->initiator && strcmp(entry->initiator, store->initiator) == 0;

		if (strcmp(entry->target, target) != 0)
			continue;
		if (own || (!entry->initiator && !found))
			found = entry;
		else if (entry->initiator)
			other = entry;
	}
	if (!found && other) {
		err_set(err, EINVAL,
			"the credentials for %s are for the initiator %s, but this host is %s",
			target, other->initiator, store->initiator);
		return err_at(err, "%s", store->file);
	}
	if (!found)
		return 0;
	*out = (struct credentials){
		.from = CREDENTIALS_FILE,
		.where = store->file,
		.user = store->initiator,
		.secret = secret_of(found->initiator_secret),
		.target_secret = secret_of(found->target_secret),
		.target_user = found->target_secret ? found->target : NULL,
	};
	return 0;
}

static const char *value_of(const struct record *record, const char *key)
{
	const char *value = document_open_iscsi.get(record->doc, key, NULL);

	return value && value[0] ? value : NULL;
}

/* A password alone makes open-iscsi use CHAP, whatever authmethod says. */
static const struct record *find_record(const struct database *db, const char *target,
					const char *address, uint16_t port)
{
	const struct record *found = NULL;

	for (size_t i = 0; i < db->count; i++) {
		const struct record *record = &db->records[i];

		if (strcmp(record->target, target) != 0 || !record->doc || record->problem[0] ||
		    !value_of(record, "node.session.auth.password"))
			continue;
		if (record->port == port && strcmp(record->address, address) == 0)
			return record;
		found = found ? found : record;
	}
	return found;
}

static void take_record(const struct credentials_store *store, const struct record *record,
			struct credentials *out)
{
	const char *user = value_of(record, "node.session.auth.username");

	*out = (struct credentials){
		.from = CREDENTIALS_RECORD,
		.where = record->path,
		.user = user ? user : store->initiator,
		.secret = secret_of(value_of(record, "node.session.auth.password")),
		.target_secret = secret_of(value_of(record, "node.session.auth.password_in")),
	};
	if (out->target_secret.len > 0)
		out->target_user = value_of(record, "node.session.auth.username_in");
}

int credentials_find(const struct credentials_store *store, const char *target, const char *address,
		     uint16_t port, struct credentials *out, struct err *err)
{
	const struct record *record;

	*out = (struct credentials){ 0 };
	if (store->file)
		return find_in_file(store, target, out, err);
	record = find_record(&store->database, target, address, port);
	if (record)
		take_record(store, record, out);
	return 0;
}

const char *credentials_word(enum credentials_from from)
{
	static const char *const words[] = {
		[CREDENTIALS_NONE] = "none",
		[CREDENTIALS_FILE] = "file",
		[CREDENTIALS_RECORD] = "record",
	};

	return words[from];
}
