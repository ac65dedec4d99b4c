/* SPDX-License-Identifier: MIT */
#include "engine/profile_xml.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "array.h"
#include "buf.h"
#include "engine/profile.h"
#include "engine/profile_key.h"
#include "err.h"
#include "number.h"

/* The largest timeout the kernel can count in ticks of 1/1000 s, which it keeps in an int. */
enum { SECONDS_MAX = INT32_MAX / 1000 };

/* What the unit itself allows; lengths as in RFC 7143, 13.12 to 13.14. */
static const struct unit {
	const char *word;
	uint32_t min, max;
} units[] = {
	{ "seconds", 0, SECONDS_MAX },
	{ "bytes", 512, 16777215 },
	{ "count", 0, UINT32_MAX },
};

/* A misspelt name looks like this, too. */
#define NEW_SETTING "the built-in profile has no setting '%s', and a new one needs "

struct laying {
	struct profile *profile;
	const char *file;
	const char *origin;
};

static void free_text(xmlChar **text)
{
	xmlFree(*text);
}

static int at_line(const struct laying *lay, xmlNode *node, struct err *err)
{
	return err_at(err, "%s:%ld", lay->file, xmlGetLineNo(node));
}

static bool is_element(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

static int replace_text(char **where, const char *text, struct err *err)
{
	char *copy = strdup(text);

	if (!copy)
		return err_oom(err);
	free(*where);
	*where = copy;
	return 0;
}

/* A copy of an attribute, NULL where it is missing. */
static int get_attribute(xmlNode *node, const char *name, xmlChar **out, struct err *err)
{
	*out = NULL;
	if (!xmlHasProp(node, (const xmlChar *)name))
		return 0;
	*out = xmlGetNoNsProp(node, (const xmlChar *)name);
	return *out ? 0 : err_oom(err);
}

/* 1 if the attribute is there, 0 if not. */
static int get_number(xmlNode *node, const char *name, uint32_t *out, struct err *err)
{
	CLEANUP(free_text) xmlChar *text = NULL;

	if (get_attribute(node, name, &text, err) < 0)
		return -err->code;
	if (!text)
		return 0;
	if (parse_u32((const char *)text, 0, UINT32_MAX, out, err) < 0) {
		struct err cause = *err;

		return err_set(err, EINVAL, "attribute '%s': %s", name, cause.reason);
	}
	return 1;
}

/* The same for one of count words, which word(i) names. */
static int get_word(xmlNode *node, const char *name, const char *(*word)(int), int count, int *out,
		    struct err *err)
{
	CLEANUP(free_text) xmlChar *text = NULL;

	if (get_attribute(node, name, &text, err) < 0)
		return -err->code;
	for (int i = 0; text && i < count; i++) {
		if (strcmp((const char *)text, word(i)) == 0) {
			*out = i;
			return 1;
		}
	}
	return 0; /* the schema knows the same words */
}

static const char *rule_at(int i)
{
	return rule_word((enum rule)i);
}

static const char *severity_at(int i)
{
	return severity_word((enum severity)i);
}

static const char *place_at(int i)
{
	return place_word((enum place_kind)i);
}

static const char *needs_at(int i)
{
	return needs_word((enum needs)i);
}

static const char *unit_at(int i)
{
	return units[i].word;
}

static const char *yes_at(int i)
{
	return i ? "yes" : "no";
}

/* An element's text with its blanks and line ends run together, appended to out. */
static int add_content(struct buf *out, xmlNode *node, struct err *err)
{
	CLEANUP(free_text) xmlChar *text = xmlNodeGetContent(node);
	const char *p = (const char *)text;
	const char *gap = "";

	if (!text)
		return err_oom(err);
	while (*(p += strspn(p, " \t\r\n")) != '\0') {
		size_t len = strcspn(p, " \t\r\n");

		buf_adds(out, gap);
		buf_add(out, p, len);
		p += len;
		gap = " ";
	}
	return out->failed ? err_oom(err) : 0;
}

/* The children of that name, joined by "; "; *where stays where there is none. */
static int lay_texts(char **where, xmlNode *parent, const char *name, struct err *err)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	bool found = false;

	for (xmlNode *child = parent->children; child; child = child->next) {
		if (!is_element(child, name))
			continue;
		if (text.len > 0)
			buf_adds(&text, "; ");
		if (add_content(&text, child, err) < 0)
			return -err->code;
		found = true;
	}
	return found ? replace_text(where, buf_text(&text), err) : 0;
}

static int read_place(struct setting_place *place, xmlNode *node, struct err *err)
{
	CLEANUP(free_text) xmlChar *key = NULL;
	int kind = 0, needs = 0, negotiated = 0, rc;

	if (get_attribute(node, "key", &key, err) < 0 ||
	    get_word(node, "in", place_at, PLACE_KINDS, &kind, err) < 0 ||
	    get_word(node, "needs", needs_at, NEEDS_REBOOT + 1, &needs, err) < 0 ||
	    get_word(node, "negotiated", yes_at, 2, &negotiated, err) < 0)
		return -err->code;
	place->kind = (enum place_kind)kind;
	place->needs = (enum needs)needs;
	place->negotiated = negotiated;
	rc = get_number(node, "default", &place->os_default, err);
	if (rc < 0)
		return rc;
	place->has_default = rc == 1;
	if (profile_key_check(place->kind, (const char *)key, err) < 0)
		return -err->code;
	return replace_text(&place->key, (const char *)key, err);
}

/* Two settings at one place would fight over it. */
static int check_place_is_free(const struct laying *lay, const struct setting_place *place,
			       struct err *err)
{
	const struct setting *other = profile_find(lay->profile, place->kind, place->key, NULL);

	if (!other)
		return 0;
	return err_set(err, EINVAL, "%s %s belongs to setting '%s' already",
		       place_word(place->kind), place->key, other->name);
}

static int lay_places(const struct laying *lay, struct setting *setting, xmlNode *node,
		      struct err *err)
{
	size_t count = 0;

	for (xmlNode *child = node->children; child; child = child->next)
		count += is_element(child, "place");
	if (count == 0)
		return 0;
	for (size_t i = 0; i < setting->place_count; i++)
		free(setting->places[i].key);
	free(setting->places);
	setting->place_count = 0;
	setting->places = calloc(count, sizeof(*setting->places));
	if (!setting->places)
		return err_oom(err);
	for (xmlNode *child = node->children; child; child = child->next) {
		struct setting_place place = { 0 };

		if (!is_element(child, "place"))
			continue;
		if (read_place(&place, child, err) < 0 ||
		    check_place_is_free(lay, &place, err) < 0) {
			free(place.key);
			return at_line(lay, child, err);
		}
		setting->places[setting->place_count++] = place;
	}
	return 0;
}

/* The unit decides what min and max can be, and what they are where nobody says. */
static int lay_range(struct setting *setting, xmlNode *node, struct err *err)
{
	int unit = -1, changed = get_word(node, "unit", unit_at, ARRAY_LEN(units), &unit, err);

	if (changed < 0)
		return changed;
	if (changed) {
		if (replace_text(&setting->unit, units[unit].word, err) < 0)
			return -err->code;
		setting->min = units[unit].min;
		setting->max = units[unit].max;
	}
	if (!setting->unit)
		return err_set(err, EINVAL, NEW_SETTING "the attribute 'unit'", setting->name);
	for (unit = 0; strcmp(units[unit].word, setting->unit) != 0;)
		unit++;
	if (get_number(node, "min", &setting->min, err) < 0 ||
	    get_number(node, "max", &setting->max, err) < 0)
		return -err->code;
	if (setting->min < units[unit].min || setting->max > units[unit].max ||
	    setting->min > setting->max)
		return err_set(err, EINVAL,
			       "min %u and max %u of '%s' are no range of %s within %u to %u",
			       setting->min, setting->max, setting->name, setting->unit,
			       units[unit].min, units[unit].max);
	return 0;
}

static int lay_value(const struct laying *lay, struct setting *setting, xmlNode *node,
		     struct err *err)
{
	CLEANUP(buf_done) struct buf origin = { 0 };
	int rc = get_number(node, "value", &setting->value, err);

	if (rc < 0)
		return rc;
	if (rc == 0 && !setting->origin)
		return err_set(err, EINVAL, NEW_SETTING "the attribute 'value'", setting->name);
	if (setting->value < setting->min || setting->value > setting->max)
		return err_set(err, EINVAL, "value %u of '%s' is out of range (%u to %u %s)",
			       setting->value, setting->name, setting->min, setting->max,
			       setting->unit);
	if (rc == 0)
		return 0;
	if (lay->origin)
		return replace_text(&setting->origin, lay->origin, err);
	buf_addf(&origin, "%s:%ld", lay->file, xmlGetLineNo(node));
	return origin.failed ? err_oom(err) : replace_text(&setting->origin, origin.data, err);
}

static int lay_onto(const struct laying *lay, struct setting *setting, xmlNode *node,
		    struct err *err)
{
	int rule = (int)setting->rule, severity = (int)setting->severity;

	if (lay_range(setting, node, err) < 0 || lay_value(lay, setting, node, err) < 0 ||
	    get_word(node, "rule", rule_at, RULE_AT_MOST + 1, &rule, err) < 0 ||
	    get_word(node, "severity", severity_at, SEVERITY_CRITICAL + 1, &severity, err) < 0 ||
	    lay_texts(&setting->source, node, "source", err) < 0 ||
	    lay_texts(&setting->why, node, "why", err) < 0 ||
	    lay_places(lay, setting, node, err) < 0)
		return at_line(lay, node, err);
	setting->rule = (enum rule)rule;
	setting->severity = (enum severity)severity;
	if (setting->place_count == 0) {
		err_set(err, EINVAL, NEW_SETTING "a <place>", setting->name);
		return at_line(lay, node, err);
	}
	return 0;
}

static int add_setting(struct profile *profile, const char *name, struct setting **out,
		       struct err *err)
{
	if (!ARRAY_ROOM(profile->settings, profile->setting_count))
		return err_oom(err);
	*out = &profile->settings[profile->setting_count++];
	**out = (struct setting){ .rule = RULE_EXACT, .severity = SEVERITY_ERROR };
	if (replace_text(&(*out)->name, name, err) < 0 ||
	    replace_text(&(*out)->source, "", err) < 0 || replace_text(&(*out)->why, "", err) < 0)
		return -err->code;
	return 0;
}

static int check_stands_once(const struct laying *lay, xmlNode *node, const xmlChar *name,
			     struct err *err)
{
	for (xmlNode *other = node->prev; other; other = other->prev) {
		CLEANUP(free_text) xmlChar *same = NULL;

		if (!is_element(other, "setting"))
			continue;
		same = xmlGetNoNsProp(other, (const xmlChar *)"name");
		if (same && xmlStrEqual(same, name)) {
			err_set(err, EINVAL, "setting '%s' stands twice, first on line %ld",
				(const char *)name, xmlGetLineNo(other));
			return at_line(lay, node, err);
		}
	}
	return 0;
}

static int lay_setting(const struct laying *lay, xmlNode *node, struct err *err)
{
	CLEANUP(free_text) xmlChar *name = NULL;
	struct setting *setting = NULL;

	if (get_attribute(node, "name", &name, err) < 0 ||
	    check_stands_once(lay, node, name, err) < 0)
		return -err->code;
	for (size_t i = 0; i < lay->profile->setting_count; i++) {
		if (strcmp(lay->profile->settings[i].name, (const char *)name) == 0)
			setting = &lay->profile->settings[i];
	}
	if (!setting && add_setting(lay->profile, (const char *)name, &setting, err) < 0)
		return -err->code;
	return lay_onto(lay, setting, node, err);
}

int profile_xml_lay(struct profile *profile, xmlNode *root, const char *file, const char *origin,
		    struct err *err)
{
	const struct laying lay = { profile, file, origin };

	if (lay_texts(&profile->title, root, "title", err) < 0 ||
	    lay_texts(&profile->note, root, "note", err) < 0)
		return -err->code;
	for (xmlNode *child = root->children; child; child = child->next) {
		if (is_element(child, "setting") && lay_setting(&lay, child, err) < 0)
			return -err->code;
	}
	return 0;
}
