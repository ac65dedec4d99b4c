/* SPDX-License-Identifier: MIT */
#include "engine/entry.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/journal.h"
#include "err.h"

enum { TEXT_MAX = 4096 };

static void free_json(json_t **json)
{
	json_decref(*json);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int unhex(const char *text, struct buf *out, struct err *err)
{
	size_t len = strlen(text), i;
	char *room = buf_room(out, len / 2);

	if (!room)
		return err_oom(err);
	for (i = 0; i < len; i += 2) {
		int high = hex_digit(text[i]), low = i + 1 < len ? hex_digit(text[i + 1]) : -1;

		if (high < 0 || low < 0)
			return err_set(err, EINVAL, "an attribute is not in hexadecimal");
		out->data[out->len++] = (char)(high << 4 | low);
	}
	return 0;
}

static int parse_text(const json_t *object, const char *key, bool optional, char **out,
		      struct err *err)
{
	const json_t *value = json_object_get(object, key);

	if (optional && (!value || json_is_null(value)))
		return 0;
	if (!json_is_string(value) || json_string_length(value) == 0 ||
	    json_string_length(value) > TEXT_MAX)
		return err_set(err, EINVAL, "\"%s\" is no text of 1 to %d bytes", key, TEXT_MAX);
	*out = strdup(json_string_value(value));
	return *out ? 0 : err_oom(err);
}

/* What a file of the kernel held: that may be nothing. */
static int parse_value(const json_t *object, const char *key, char **out, struct err *err)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_string(value) || json_string_length(value) > 0)
		return parse_text(object, key, false, out, err);
	*out = strdup("");
	return *out ? 0 : err_oom(err);
}

static int parse_number(const json_t *object, const char *key, json_int_t max, json_int_t *out,
			struct err *err)
{
	const json_t *value = json_object_get(object, key);

	*out = json_integer_value(value);
	if (!json_is_integer(value) || *out < 0 || *out > max)
		return err_set(err, EINVAL, "\"%s\" is no number from 0 to %lld", key,
			       (long long)max);
	return 0;
}

static bool path_sound(const char *path)
{
	size_t len;

	if (path[0] != '/' || path[1] == '\0')
		return false;
	/* Each component by itself: none empty, none that steps up or stays. */
	for (; *path; path += len) {
		len = strcspn(++path, "/");
		if (len == 0 || len > 255 || (path[0] == '.' && len == 1) ||
		    (path[0] == '.' && path[1] == '.' && len == 2))
			return false;
	}
	return true;
}

static int parse_path(const json_t *object, const char *key, bool optional, char **out,
		      struct err *err)
{
	int rc = parse_text(object, key, optional, out, err);

	if (rc == 0 && *out && !path_sound(*out))
		return err_set(err, EINVAL, "\"%s\" is no plain path: %s", key, *out);
	return rc;
}

static int parse_attributes(const json_t *object, struct attributes *attributes, struct err *err)
{
	json_t *list = json_object_get(object, "attributes"), *value;
	json_int_t uid, gid;
	const char *name;
	int rc;

	rc = parse_number(object, "uid", UINT32_MAX - 1LL, &uid, err);
	if (rc == 0)
		rc = parse_number(object, "gid", UINT32_MAX - 1LL, &gid, err);
	if (rc < 0)
		return rc;
	attributes->uid = (uid_t)uid;
	attributes->gid = (gid_t)gid;
	if (!json_is_object(list))
		return err_set(err, EINVAL, "\"attributes\" is no object");
	json_object_foreach(list, name, value)
	{
		CLEANUP(buf_done) struct buf bytes = { 0 };

		if (!attribute_kept(name) || !json_is_string(value) ||
		    json_string_length(value) > 2 * ATTRIBUTE_SIZE_MAX)
			return err_set(err, EINVAL, "the attribute \"%s\" is none to keep", name);
		rc = unhex(json_string_value(value), &bytes, err);
		if (rc == 0)
			rc = attributes_add(attributes, name, buf_text(&bytes), bytes.len, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* images NULL: only the range is checked, against size. */
static int parse_image(const json_t *file, const char *key, size_t size, const struct buf *images,
		       struct image *image, mode_t *mode, struct err *err)
{
	const json_t *object = json_object_get(file, key);
	json_int_t offset, len, bits;
	int rc;

	if (json_is_null(object))
		return 0;
	if (!json_is_object(object))
		return err_set(err, EINVAL, "\"%s\" is neither an image nor null", key);
	rc = parse_number(object, "offset", (json_int_t)size, &offset, err);
	if (rc == 0)
		rc = parse_number(object, "size", (json_int_t)size - offset, &len, err);
	if (rc == 0)
		rc = parse_number(object, "mode", 07777, &bits, err);
	if (rc < 0)
		return rc;
	image->exists = true;
	image->bytes = images ? buf_text(images) + offset : NULL;
	image->len = (size_t)len;
	*mode = (mode_t)bits;
	return 0;
}

/* Only an entry that goes on from one that wrote the file, too, has it. */
static int parse_prior(const json_t *object, size_t size, const struct buf *images,
		       struct entry_file *file, struct err *err)
{
	const json_t *prior = json_object_get(object, "prior");
	int rc;

	file->amended = prior != NULL;
	if (!prior)
		return 0;
	rc = parse_image(object, "prior", size, images, &file->prior, &file->prior_attributes.mode,
			 err);
	return rc == 0 && file->prior.exists ? parse_attributes(prior, &file->prior_attributes, err)
					     : rc;
}

static int parse_file(const json_t *object, size_t size, const struct buf *images,
		      struct entry_file *file, struct err *err)
{
	int rc;

	rc = parse_path(object, "path", false, &file->path, err);
	if (rc == 0)
		rc = parse_path(object, "real", false, &file->real, err);
	if (rc == 0)
		rc = parse_path(object, "database", true, &file->database, err);
	if (rc == 0 && json_object_get(object, "link"))
		rc = parse_path(object, "link", false, &file->link, err);
	if (rc == 0)
		rc = parse_text(object, "type", true, &file->type, err);
	if (rc == 0)
		rc = parse_image(object, "before", size, images, &file->before,
				 &file->attributes.mode, err);
	if (rc == 0)
		rc = parse_image(object, "after", size, images, &file->after, &file->mode, err);
	if (rc == 0 && file->before.exists)
		rc = parse_attributes(json_object_get(object, "before"), &file->attributes, err);
	if (rc == 0)
		rc = parse_prior(object, size, images, file, err);
	if (rc == 0 && !file->before.exists && !file->after.exists)
		return err_set(err, EINVAL, "a file is absent before and after");
	return rc;
}

static int parse_files(struct entry *entry, const json_t *list, size_t size, struct err *err)
{
	const struct buf *images = entry->images.data ? &entry->images : NULL;
	const json_t *object;
	size_t i;
	int rc;

	if (!json_is_array(list) || json_array_size(list) > ENTRY_FILES_MAX ||
	    (json_array_size(list) == 0 && entry->live_count == 0))
		return err_set(err, EINVAL, "\"files\" is no list of 1 to %d files",
			       ENTRY_FILES_MAX);
	entry->files = calloc(json_array_size(list) + 1, sizeof(*entry->files));
	if (!entry->files)
		return err_oom(err);
	json_array_foreach(list, i, object)
	{
		entry->file_count++;
		rc = parse_file(object, size, images, &entry->files[i], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int parse_live_value(const json_t *object, struct entry_live *live, struct err *err)
{
	json_int_t port;
	int rc;

	rc = parse_text(object, "session", false, &live->session, err);
	if (rc == 0)
		rc = parse_text(object, "target", false, &live->target, err);
	if (rc == 0)
		rc = parse_text(object, "address", true, &live->address, err);
	if (rc == 0)
		rc = parse_number(object, "port", 65535, &port, err);
	if (rc == 0)
		rc = parse_text(object, "unit", true, &live->unit, err);
	if (rc == 0)
		rc = parse_text(object, "key", false, &live->key, err);
	if (rc == 0)
		rc = parse_value(object, "before", &live->before, err);
	if (rc == 0)
		rc = parse_text(object, "after", false, &live->after, err);
	if (rc == 0)
		live->port = (uint16_t)port;
	return rc;
}

/* Entries of a sgw-init that knew no live values have none. What may be written undo checks. */
static int parse_live(struct entry *entry, const json_t *list, struct err *err)
{
	const json_t *object;
	size_t i;
	int rc;

	if (!list)
		return 0;
	if (!json_is_array(list) || json_array_size(list) > ENTRY_LIVE_MAX)
		return err_set(err, EINVAL, "\"live\" is no list of at most %d values",
			       ENTRY_LIVE_MAX);
	entry->live = calloc(json_array_size(list) + 1, sizeof(*entry->live));
	if (!entry->live)
		return err_oom(err);
	json_array_foreach(list, i, object)
	{
		entry->live_count++;
		rc = parse_live_value(object, &entry->live[i], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int parse_dirs(struct entry *entry, const json_t *list, struct err *err)
{
	const json_t *dir;
	size_t i;
	int rc;

	if (!json_is_array(list) || json_array_size(list) > 4 * ENTRY_FILES_MAX)
		return err_set(err, EINVAL, "\"directories\" is no list");
	json_array_foreach(list, i, dir)
	{
		if (!json_is_string(dir) || !path_sound(json_string_value(dir)))
			return err_set(err, EINVAL, "a directory is no plain path");
		rc = dirs_add(&entry->dirs, json_string_value(dir), err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int parse_head(struct entry *entry, const json_t *document, struct err *err)
{
	CLEANUP(free_ptr) char *schema = NULL;
	CLEANUP(free_ptr) char *id = NULL;
	CLEANUP(free_ptr) char *command = NULL;
	json_int_t when;
	int rc;

	rc = parse_text(document, "schema", false, &schema, err);
	if (rc == 0 && strcmp(schema, ENTRY_SCHEMA) != 0)
		return err_set(err, EINVAL, "it is \"%s\", and this sgw-init reads \"%s\"", schema,
			       ENTRY_SCHEMA);
	if (rc == 0)
		rc = parse_text(document, "id", false, &id, err);
	if (rc == 0)
		rc = parse_text(document, "command", false, &command, err);
	if (rc == 0)
		rc = parse_number(document, "time", INT64_MAX / 2, &when, err);
	if (rc < 0)
		return rc;
	snprintf(entry->id, sizeof(entry->id), "%s", id);
	snprintf(entry->command, sizeof(entry->command), "%s", command);
	entry->time = when;
	return 0;
}

static int check_images(const struct entry *entry, const json_t *about, json_int_t size,
			struct err *err)
{
	const char *said = json_string_value(json_object_get(about, "sha256"));
	char hash[ENTRY_HASH_SIZE];
	int rc;

	if ((size_t)size != entry->images.len)
		return err_set(err, EINVAL, "its images have %zu bytes instead of %lld",
			       entry->images.len, (long long)size);
	rc = entry_hash(buf_text(&entry->images), entry->images.len, hash, err);
	if (rc == 0 && (!said || strcmp(said, hash) != 0))
		return err_set(err, EINVAL, "its images were damaged: their checksum differs");
	return rc;
}

/* An entry without a former wrote all of its files. */
static int parse_former(struct entry *entry, const json_t *former, struct err *err)
{
	CLEANUP(free_ptr) char *id = NULL;
	json_int_t own;
	int rc;

	entry->own = entry->file_count;
	if (!former)
		return 0;
	rc = parse_text(former, "id", false, &id, err);
	if (rc == 0 && !journal_id_valid(id))
		rc = err_set(err, EINVAL, "\"former\" is no entry: %s", id);
	if (rc == 0)
		rc = parse_number(former, "own", (json_int_t)entry->file_count, &own, err);
	if (rc < 0)
		return rc;
	snprintf(entry->former, sizeof(entry->former), "%s", id);
	entry->own = (size_t)own;
	return 0;
}

int entry_parse(struct entry *entry, const char *json, size_t len, struct buf *images,
		struct err *err)
{
	CLEANUP(free_json) json_t *document = NULL;
	const json_t *about;
	json_error_t problem;
	json_int_t size;
	int rc;

	*entry = (struct entry){ 0 };
	document = json_loadb(json, len, JSON_REJECT_DUPLICATES, &problem);
	if (!document && json_error_code(&problem) == json_error_out_of_memory)
		return err_oom(err);
	if (!document)
		return err_set(err, EINVAL, "line %d: %s", problem.line, problem.text);
	rc = parse_head(entry, document, err);
	about = json_object_get(document, "images");
	if (rc == 0)
		rc = parse_number(about, "size", INT64_MAX / 2, &size, err);
	if (rc == 0 && images) {
		buf_adds(images, ""); /* none at all is still not NULL */
		if (images->failed)
			return err_oom(err);
		entry->images = *images;
		*images = (struct buf){ .secret = true };
		entry->images.secret = true;
		rc = check_images(entry, about, size, err);
	}
	if (rc == 0)
		rc = parse_live(entry, json_object_get(document, "live"), err);
	if (rc == 0)
		rc = parse_files(entry, json_object_get(document, "files"), (size_t)size, err);
	if (rc == 0)
		rc = parse_former(entry, json_object_get(document, "former"), err);
	return rc < 0 ? rc : parse_dirs(entry, json_object_get(document, "directories"), err);
}
