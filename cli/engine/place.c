/* SPDX-License-Identifier: MIT */
#include "engine/place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "documents/document.h"
#include "documents/open_iscsi.h"
#include "err.h"
#include "escape.h"
#include "host/paths.h"
#include "host/sessions.h"
#include "number.h"

/* One row a setting that the profile has at this kind of place; texts follow. */
static int list_values(struct place *place, struct err *err)
{
	const struct profile *profile = place->profile;
	size_t room = 0;

	for (size_t i = 0; i < profile->setting_count; i++)
		room += profile->settings[i].place_count;
	place->values = calloc(room + 1, sizeof(*place->values));
	if (!place->values)
		return err_oom(err);
	for (size_t i = 0; i < profile->setting_count; i++) {
		const struct setting *setting = &profile->settings[i];

		for (size_t j = 0; j < setting->place_count; j++) {
			if (setting->places[j].kind == place->kind)
				place->values[place->value_count++] = (struct place_value){
					.setting = setting,
					.where = &setting->places[j],
				};
		}
	}
	return 0;
}

static int name_place(struct place *place, const char *path, const char *name, struct err *err)
{
	place->path = strdup(path);
	place->name = strdup(name ? name : path);
	return place->path && place->name ? 0 : err_oom(err);
}

int place_of_document(struct place *place, enum place_kind kind, const struct profile *profile,
		      const char *path, const char *name, const struct document_type *type,
		      struct document **doc, struct buf *bytes, bool exists, struct err *err)
{
	int rc;

	*place = (struct place){
		.kind = kind,
		.profile = profile,
		.type = type,
		.doc = TAKE_PTR(*doc),
		.bytes = *bytes,
		.exists = exists,
	};
	*bytes = (struct buf){ .secret = bytes->secret };
	rc = name_place(place, path, name, err);
	if (rc == 0)
		rc = list_values(place, err);
	for (size_t i = 0; rc == 0 && place->doc && i < place->value_count; i++) {
		struct place_value *value = &place->values[i];
		const char *text = type->get(place->doc, value->where->key, &value->line);

		value->text = text ? strdup(text) : NULL;
		if (text && !value->text)
			rc = err_oom(err);
	}
	return rc;
}

int place_of_rules(struct place *place, const struct profile *profile, const char *path,
		   struct document **doc, struct buf *bytes, struct err *err)
{
	*place = (struct place){
		.kind = PLACE_UDEV_RULE,
		.profile = profile,
		.type = &document_other_rules,
		.doc = TAKE_PTR(*doc),
		.bytes = *bytes,
		.exists = true,
		.others = true,
	};
	*bytes = (struct buf){ .secret = bytes->secret };
	return name_place(place, path, NULL, err);
}

typedef int read_fn(const void *from, const struct paths *paths, const char *key, struct buf *out,
		    struct err *err);

static int read_session(const void *from, const struct paths *paths, const char *key,
			struct buf *out, struct err *err)
{
	return session_read(from, paths, key, out, err);
}

static int read_device(const void *from, const struct paths *paths, const char *key,
		       struct buf *out, struct err *err)
{
	return device_read(from, paths, key, out, err);
}

/* The kernel shows plain text. */
static bool is_text(const struct buf *text)
{
	const char *at = buf_text(text), *end = at + text->len;
	unsigned int code;
	size_t len;

	for (; at < end; at += len) {
		len = utf8_char(at, (size_t)(end - at), &code);
		if (len == 0 || code == 0)
			return false;
	}
	return true;
}

/* A value that is not there is one that is not set: the kernel lacks it, or the device went. */
static int observe_value(struct place_value *value, const struct paths *paths, const void *from,
			 read_fn *read, struct err *err)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	struct err why = { 0 };
	int rc = read(from, paths, value->where->key, &text, &why);

	if (rc == -ENOENT || rc == -ENODEV)
		return 0;
	if (rc == 0 && !is_text(&text))
		rc = err_set(&why, EINVAL, "it is no text");
	if (rc == -ENOMEM)
		return err_oom(err);
	if (rc < 0)
		value->problem = strdup(why.reason);
	else
		value->text = buf_take(&text);
	return value->problem || value->text ? 0 : err_oom(err);
}

static int observe(struct place *place, const struct paths *paths, const void *from, read_fn *read,
		   struct err *err)
{
	int rc = list_values(place, err);

	for (size_t i = 0; rc == 0 && i < place->value_count; i++)
		rc = observe_value(&place->values[i], paths, from, read, err);
	return rc;
}

int place_of_session(struct place *place, const struct profile *profile, const struct paths *paths,
		     const struct host_session *session, struct err *err)
{
	char name[2 * ISCSI_NAME_SIZE];
	int rc;

	*place = (struct place){ .kind = PLACE_SESSION, .profile = profile, .session = session };
	snprintf(name, sizeof(name), "%s (%s)", session->name, session->target);
	rc = name_place(place, session->path, name, err);
	return rc < 0 ? rc : observe(place, paths, session, read_session, err);
}

int place_of_device(struct place *place, const struct profile *profile, const struct paths *paths,
		    const struct host_session *session, const struct device *device,
		    struct err *err)
{
	char name[2 * ISCSI_NAME_SIZE], holder[128];
	struct err ignored = { 0 };
	int rc;

	*place = (struct place){
		.kind = PLACE_DEVICE,
		.profile = profile,
		.session = session,
		.device = device,
	};
	snprintf(name, sizeof(name), "%s (%s)", device->name, session->target);
	rc = name_place(place, device->path, name, err);
	if (rc == 0 && device_multipath(device, paths, holder, &ignored) > 0 &&
	    !(place->multipath = strdup(holder)))
		rc = err_oom(err);
	return rc < 0 ? rc : observe(place, paths, device, read_device, err);
}

void place_done(struct place *place)
{
	for (size_t i = 0; i < place->value_count; i++) {
		free(place->values[i].text);
		free(place->values[i].problem);
	}
	free(place->values);
	if (place->doc)
		place->type->free(place->doc);
	buf_done(&place->bytes);
	free(place->multipath);
	free(place->problem);
	free(place->name);
	free(place->path);
	*place = (struct place){ 0 };
}

bool place_number(const struct place *place, const char *text, uint32_t *out)
{
	struct err ignored = { 0 };

	if (place->kind == PLACE_ISCSID_CONF || place->kind == PLACE_RECORD) {
		int32_t number = open_iscsi_number(text, strlen(text));

		*out = (uint32_t)number;
		return number >= 0;
	}
	return parse_u32(text, 0, UINT32_MAX, out, &ignored) == 0;
}
