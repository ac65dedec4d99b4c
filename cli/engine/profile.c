/* SPDX-License-Identifier: MIT */
#include "engine/profile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "buf.h"
#include "engine/profile_xml.h"
#include "engine/schema.h"
#include "err.h"
#include "number.h"
#include "templates.h"

static const char schema_name[] = "profile.rng";
static const char builtin_origin[] = "built-in profile";

static const char *const names[] = { "volume", "tape", NULL };

static const char *const rule_words[] = {
	[RULE_EXACT] = "exact",
	[RULE_AT_LEAST] = "at-least",
	[RULE_AT_MOST] = "at-most",
};

static const char *const severity_words[] = {
	[SEVERITY_INFO] = "info",
	[SEVERITY_WARNING] = "warning",
	[SEVERITY_ERROR] = "error",
	[SEVERITY_CRITICAL] = "critical",
};

static const char *const place_words[] = {
	[PLACE_ISCSID_CONF] = "iscsid.conf", [PLACE_RECORD] = "record",
	[PLACE_SESSION] = "session",	     [PLACE_UDEV_RULE] = "udev-rule",
	[PLACE_DEVICE] = "device",	     [PLACE_REGISTRY] = "registry",
};

static const char *const needs_words[] = {
	[NEEDS_NOTHING] = "nothing",
	[NEEDS_LOGIN] = "login",
	[NEEDS_REBOOT] = "reboot",
};

const char *rule_word(enum rule rule)
{
	return rule_words[rule];
}

const char *severity_word(enum severity severity)
{
	return severity_words[severity];
}

const char *place_word(enum place_kind kind)
{
	return place_words[kind];
}

const char *needs_word(enum needs needs)
{
	return needs_words[needs];
}

const char *const *profile_names(void)
{
	return names;
}

static void setting_done(struct setting *setting)
{
	for (size_t i = 0; i < setting->place_count; i++)
		free(setting->places[i].key);
	free(setting->places);
	free(setting->name);
	free(setting->unit);
	free(setting->source);
	free(setting->why);
	free(setting->origin);
	*setting = (struct setting){ 0 };
}

void profile_done(struct profile *profile)
{
	for (size_t i = 0; i < profile->setting_count; i++)
		setting_done(&profile->settings[i]);
	free(profile->settings);
	free(profile->name);
	free(profile->title);
	free(profile->note);
	free(profile->origin);
	*profile = (struct profile){ 0 };
}

/* True where nothing was there to copy, or the copy is there. */
static bool copy_text(char **out, const char *text)
{
	*out = text ? strdup(text) : NULL;
	return *out || !text;
}

static bool copy_setting(struct setting *copy, const struct setting *from)
{
	*copy = (struct setting){
		.value = from->value,
		.min = from->min,
		.max = from->max,
		.rule = from->rule,
		.severity = from->severity,
		.places = calloc(from->place_count, sizeof(*copy->places)),
	};
	if (!copy->places || !copy_text(&copy->name, from->name) ||
	    !copy_text(&copy->unit, from->unit) || !copy_text(&copy->source, from->source) ||
	    !copy_text(&copy->why, from->why) || !copy_text(&copy->origin, from->origin))
		return false;
	for (size_t i = 0; i < from->place_count; i++) {
		copy->places[i] = from->places[i];
		copy->place_count++;
		if (!copy_text(&copy->places[i].key, from->places[i].key))
			return false;
	}
	return true;
}

static int profile_copy(struct profile *copy, const struct profile *from, struct err *err)
{
	*copy = (struct profile){ 0 };
	if (!copy_text(&copy->name, from->name) || !copy_text(&copy->title, from->title) ||
	    !copy_text(&copy->note, from->note) || !copy_text(&copy->origin, from->origin))
		return err_oom(err);
	for (size_t i = 0; i < from->setting_count; i++) {
		if (!ARRAY_ROOM(copy->settings, i))
			return err_oom(err);
		copy->setting_count++;
		if (!copy_setting(&copy->settings[i], &from->settings[i]))
			return err_oom(err);
	}
	return 0;
}

static int add_origin(struct profile *profile, const char *origin, struct err *err)
{
	CLEANUP(buf_done) struct buf text = { 0 };

	if (profile->origin)
		buf_addf(&text, "%s, ", profile->origin);
	buf_adds(&text, origin);
	free(profile->origin);
	profile->origin = buf_take(&text);
	return profile->origin ? 0 : err_oom(err);
}

static int overlay(struct profile *profile, const char *bytes, size_t len, const char *file,
		   const char *origin, struct err *err)
{
	CLEANUP(schema_free_doc) xmlDoc *doc = NULL;
	CLEANUP(profile_done) struct profile laid = { 0 };
	struct profile former;
	xmlChar *name;
	bool ours;

	if (schema_read(&doc, schema_name, bytes, len, file, err) < 0)
		return -err->code;
	name = xmlGetNoNsProp(xmlDocGetRootElement(doc), (const xmlChar *)"name");
	if (!name)
		return err_oom(err);
	ours = strcmp((const char *)name, profile->name) == 0;
	xmlFree(name);
	if (!ours)
		return 1;
	if (profile_copy(&laid, profile, err) < 0 ||
	    add_origin(&laid, origin ? origin : file, err) < 0 ||
	    profile_xml_lay(&laid, xmlDocGetRootElement(doc), file, origin, err) < 0)
		return -err->code;
	former = *profile;
	*profile = laid;
	laid = former;
	return 0;
}

int profile_overlay(struct profile *profile, const char *bytes, size_t len, const char *file,
		    struct err *err)
{
	return overlay(profile, bytes, len, file, NULL, err);
}

int profile_builtin(struct profile *profile, const char *name, struct err *err)
{
	CLEANUP(buf_done) struct buf file = { 0 };
	const struct template *template;
	const char *const *known = names;

	*profile = (struct profile){ 0 };
	while (*known && strcmp(*known, name) != 0)
		known++;
	if (!*known)
		return err_set(err, ENOENT, "there is no profile '%s': %s, %s", name, names[0],
			       names[1]);
	buf_addf(&file, "profiles/%s.xml", name);
	profile->name = strdup(name);
	if (file.failed || !profile->name)
		return err_oom(err);
	template = template_find(file.data);
	if (!template)
		return err_set(err, ENOENT, "%s is not compiled in", file.data);
	return overlay(profile, (const char *)template->data, template->len, file.data,
		       builtin_origin, err);
}

static bool has_key(const struct setting *setting, const char *key)
{
	for (size_t i = 0; i < setting->place_count; i++) {
		if (strcmp(setting->places[i].key, key) == 0)
			return true;
	}
	return strcmp(setting->name, key) == 0;
}

static int unknown_setting(const struct profile *profile, struct err *err)
{
	CLEANUP(buf_done) struct buf known = { 0 };

	for (size_t i = 0; i < profile->setting_count; i++)
		buf_addf(&known, "%s%s", i ? ", " : "", profile->settings[i].name);
	return err_set(err, EINVAL,
		       "profile '%s' has no such setting; it has %s, and the keys of "
		       "their places ('sgw-init profile show %s')",
		       profile->name, buf_text(&known), profile->name);
}

static int set_value(struct setting *setting, const char *text, struct err *err)
{
	char *origin;
	uint32_t value;

	if (parse_u32(text, setting->min, setting->max, &value, err) < 0)
		return err_set(err, EINVAL, "'%.64s' is no number of %s from %u to %u", text,
			       setting->unit, setting->min, setting->max);
	origin = strdup("--set");
	if (!origin)
		return err_oom(err);
	free(setting->origin);
	setting->origin = origin;
	setting->value = value;
	return 0;
}

int profile_set(struct profile *profile, const char *assignment, struct err *err)
{
	const char *equals = strchr(assignment, '=');
	CLEANUP(free_ptr)
	char *key = strndup(assignment, equals ? (size_t)(equals - assignment) : 0);
	int rc = -EINVAL;

	if (!key)
		return err_oom(err);
	if (key[0] == '\0') {
		err_set(err, EINVAL, "KEY=VALUE is expected");
		return err_at(err, "--set");
	}
	for (size_t i = 0; i < profile->setting_count; i++) {
		if (has_key(&profile->settings[i], key)) {
			rc = set_value(&profile->settings[i], equals + 1, err);
			return rc < 0 ? err_at(err, "--set %s", key) : 0;
		}
	}
	unknown_setting(profile, err);
	return err_at(err, "--set %s", key);
}

const struct setting *profile_find(const struct profile *profile, enum place_kind kind,
				   const char *key, const struct setting_place **place)
{
	for (size_t i = 0; i < profile->setting_count; i++) {
		const struct setting *setting = &profile->settings[i];

		for (size_t j = 0; j < setting->place_count; j++) {
			if (setting->places[j].kind != kind ||
			    strcmp(setting->places[j].key, key) != 0)
				continue;
			if (place)
				*place = &setting->places[j];
			return setting;
		}
	}
	return NULL;
}

static bool both_or_none(uint32_t a, uint32_t b)
{
	return (a == 0) == (b == 0);
}

static bool at_most(uint32_t a, uint32_t b)
{
	return a <= b;
}

/* Pairs that open-iscsi or the standard tie together, by their keys in a record. */
static const struct pair {
	const char *a, *b;
	bool (*fits)(uint32_t a, uint32_t b);
	const char *reason;
} pairs[] = {
	{ "node.conn[0].timeo.noop_out_interval", "node.conn[0].timeo.noop_out_timeout",
	  both_or_none, "open-iscsi takes them both as 0 (no NOP-Outs) or both above 0" },
	{ "node.session.iscsi.FirstBurstLength", "node.session.iscsi.MaxBurstLength", at_most,
	  "RFC 7143 wants FirstBurstLength to be MaxBurstLength at most" },
};

int profile_check(const struct profile *profile, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		const struct setting *a = profile_find(profile, PLACE_RECORD, pairs[i].a, NULL);
		const struct setting *b = profile_find(profile, PLACE_RECORD, pairs[i].b, NULL);

		if (!a || !b || pairs[i].fits(a->value, b->value))
			continue;
		err_set(err, EINVAL, "%s is %u (%s) and %s is %u (%s): %s", a->name, a->value,
			a->origin, b->name, b->value, b->origin, pairs[i].reason);
		return err_at(err, "%s",
			      strcmp(a->origin, builtin_origin) != 0 ? a->origin : b->origin);
	}
	return 0;
}

uint32_t setting_wanted(const struct setting *setting, const struct setting_place *place,
			const uint32_t *current)
{
	bool up = setting->rule == RULE_AT_LEAST;
	uint32_t wanted = setting->value;

	if (setting->rule != RULE_EXACT && place->has_default && (place->os_default > wanted) == up)
		wanted = place->os_default;
	if (place->kind == PLACE_SESSION && strcmp(setting->unit, "bytes") == 0)
		wanted &= ~UINT32_C(3);
	if (setting->rule != RULE_EXACT && current && (*current > wanted) == up)
		wanted = *current;
	return wanted;
}
