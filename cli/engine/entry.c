/* SPDX-License-Identifier: MIT */
#include "engine/entry.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "os/hash.h"

/* The document begins with the checksum of all that stands behind it. */
#define SEAL "{\"sha256\":\""
#define SEAL_END "\","

static void free_json(json_t **json)
{
	json_decref(*json);
}

static void hex(const char *bytes, size_t len, struct buf *out)
{
	size_t i;

	for (i = 0; i < len; i++)
		buf_addf(out, "%02x", (unsigned char)bytes[i]);
}

int entry_hash(const char *bytes, size_t len, char out[ENTRY_HASH_SIZE], struct err *err)
{
	const struct hash_piece piece = { bytes, len };
	uint8_t digest[HASH_MAX_LEN];
	size_t i;
	int rc;

	rc = hash_pieces(HASH_SHA256, &piece, 1, digest, err);
	for (i = 0; rc == 0 && i < hash_len(HASH_SHA256); i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
	return rc;
}

/* Append the bytes and tell where they are; NULL where memory runs out. */
static json_t *format_image(const struct image *image, mode_t mode, struct buf *images)
{
	size_t offset = images->len;

	if (!image->exists)
		return json_null();
	buf_add(images, image->bytes, image->len);
	return json_pack("{s:I, s:I, s:i}", "offset", (json_int_t)offset, "size",
			 (json_int_t)image->len, "mode", (int)mode);
}

static int format_attributes(json_t *image, const struct attributes *attributes)
{
	json_t *list = json_object();
	size_t i;
	int rc = 0;

	for (i = 0; i < attributes->count; i++) {
		CLEANUP(buf_done) struct buf value = { 0 };

		hex(attributes->list[i].value, attributes->list[i].len, &value);
		rc |= json_object_set_new(list, attributes->list[i].name,
					  json_string(buf_text(&value)));
		rc |= value.failed;
	}
	rc |= json_object_set_new(image, "uid", json_integer(attributes->uid));
	rc |= json_object_set_new(image, "gid", json_integer(attributes->gid));
	return rc | json_object_set_new(image, "attributes", list);
}

/* The same of a file that undo may have to make anew. */
static json_t *format_old_image(const struct image *image, const struct attributes *attributes,
				struct buf *images)
{
	json_t *object = format_image(image, attributes->mode, images);

	if (object && image->exists && format_attributes(object, attributes) != 0) {
		json_decref(object);
		return NULL;
	}
	return object;
}

static json_t *format_file(const struct entry_file *file, struct buf *images)
{
	json_t *before = format_old_image(&file->before, &file->attributes, images);
	json_t *after = format_image(&file->after, file->mode, images);
	/* A NULL among them fails the packing, which then drops the others. */
	json_t *object =
		json_pack("{s:s, s:s, s:s?, s:s?, s:s*, s:o, s:o}", "path", file->path, "real",
			  file->real, "type", file->type, "database", file->database, "link",
			  file->link, "before", before, "after", after);

	if (object && file->amended &&
	    json_object_set_new(object, "prior",
				format_old_image(&file->prior, &file->prior_attributes, images)) !=
		    0) {
		json_decref(object);
		return NULL;
	}
	return object;
}

/* An entry without live values has no such list. */
static json_t *format_live(const struct entry *entry, struct err *err)
{
	json_t *list = entry->live_count > 0 ? json_array() : NULL;

	for (size_t i = 0; i < entry->live_count; i++) {
		const struct entry_live *live = &entry->live[i];

		if (json_array_append_new(
			    list, json_pack("{s:s, s:s, s:s?, s:i, s:s?, s:s, s:s, s:s}", "session",
					    live->session, "target", live->target, "address",
					    live->address, "port", live->port, "unit", live->unit,
					    "key", live->key, "before", live->before, "after",
					    live->after)) != 0) {
			err_set(err, EINVAL, "cannot journal %s of %s: it is not UTF-8", live->key,
				live->target);
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/* Most have none. */
static json_t *format_former(const struct entry *entry)
{
	if (entry->former[0] == '\0')
		return NULL;
	return json_pack("{s:s, s:I}", "id", entry->former, "own", (json_int_t)entry->own);
}

/* rest is the document behind its first brace. */
static int seal(const char *rest, struct buf *json, struct err *err)
{
	CLEANUP(buf_done) struct buf sealed = { 0 };
	char hash[ENTRY_HASH_SIZE];
	int rc;

	buf_addf(&sealed, "%s\n", rest);
	rc = sealed.failed ? err_oom(err) : entry_hash(buf_text(&sealed), sealed.len, hash, err);
	if (rc < 0)
		return rc;
	buf_addf(json, SEAL "%s" SEAL_END "%s", hash, buf_text(&sealed));
	return json->failed ? err_oom(err) : 0;
}

int entry_format(const struct entry *entry, struct buf *json, struct buf *images, struct err *err)
{
	CLEANUP(free_json) json_t *files = json_array();
	CLEANUP(free_json) json_t *dirs = json_array();
	CLEANUP(free_json) json_t *live = NULL;
	CLEANUP(free_json) json_t *former = NULL;
	CLEANUP(free_json) json_t *document = NULL;
	CLEANUP(free_ptr) char *text = NULL;
	char hash[ENTRY_HASH_SIZE];
	size_t i;
	int rc;

	images->secret = true;
	for (i = 0; i < entry->file_count; i++)
		if (json_array_append_new(files, format_file(&entry->files[i], images)) != 0)
			return err_set(err, EINVAL, "cannot journal %s: its name is not UTF-8",
				       entry->files[i].path);
	for (i = 0; i < entry->dirs.count; i++)
		if (json_array_append_new(dirs, json_string(entry->dirs.paths[i])) != 0)
			return err_set(err, EINVAL, "cannot journal %s: its name is not UTF-8",
				       entry->dirs.paths[i]);
	live = format_live(entry, err);
	if (entry->live_count > 0 && !live)
		return -err->code;
	if (images->failed)
		return err_oom(err);
	rc = entry_hash(buf_text(images), images->len, hash, err);
	if (rc < 0)
		return rc;
	former = format_former(entry);
	document = json_pack("{s:s, s:s, s:s, s:I, s:O*, s:{s:I, s:s}, s:O, s:O, s:O*}", "schema",
			     ENTRY_SCHEMA, "id", entry->id, "command", entry->command, "time",
			     (json_int_t)entry->time, "former", former, "images", "size",
			     (json_int_t)images->len, "sha256", hash, "directories", dirs, "files",
			     files, "live", live);
	text = document ? json_dumps(document, JSON_COMPACT) : NULL;
	return text ? seal(text + 1, json, err) : err_oom(err);
}

int entry_check_seal(const char *json, size_t len, struct err *err)
{
	const size_t start = strlen(SEAL), end = start + ENTRY_HASH_SIZE - 1;
	const size_t rest = end + strlen(SEAL_END);
	char hash[ENTRY_HASH_SIZE];
	int rc;

	if (len < rest || memcmp(json, SEAL, start) != 0)
		return err_set(err, EINVAL, "it does not begin with its checksum");
	rc = entry_hash(json + rest, len - rest, hash, err);
	if (rc == 0 && memcmp(json + start, hash, ENTRY_HASH_SIZE - 1) != 0)
		return err_set(err, EINVAL, "it was damaged: its checksum differs");
	return rc;
}

void entry_done(struct entry *entry)
{
	while (entry->file_count > 0) {
		struct entry_file *file = &entry->files[--entry->file_count];

		free(file->path);
		free(file->real);
		free(file->type);
		free(file->database);
		free(file->link);
		attributes_done(&file->attributes);
		attributes_done(&file->prior_attributes);
	}
	free(entry->files);
	while (entry->live_count > 0) {
		struct entry_live *live = &entry->live[--entry->live_count];

		free(live->session);
		free(live->target);
		free(live->address);
		free(live->unit);
		free(live->key);
		free(live->before);
		free(live->after);
	}
	free(entry->live);
	dirs_done(&entry->dirs);
	buf_done(&entry->images);
	*entry = (struct entry){ 0 };
}
