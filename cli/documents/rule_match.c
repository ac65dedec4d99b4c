/* SPDX-License-Identifier: MIT */
/* Which devices a rule hits, and what timeout it would give them. */
#include "documents/rule_lines.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"

struct property {
	const char *key, *attr, *value;
};

#define SCSI_DEVICE(type, model)                                          \
	{ "SUBSYSTEM", "", "scsi" }, { "ENV", "DEVTYPE", "scsi_device" }, \
		{ "ATTR", "type", type },                                 \
	{                                                                 \
		"ATTR", "model", model                                    \
	}
#define BLOCK_DEVICE(type, model)                                                            \
	{ "SUBSYSTEM", "", "block" }, { "ENV", "DEVTYPE", "disk" }, { "KERNEL", "", "sda" }, \
		{ "SUBSYSTEMS", "", "scsi" }, { "ATTRS", "type", type },                     \
	{                                                                                    \
		"ATTRS", "model", model                                                      \
	}

/*
 * What is known of a device when it appears; of other keys nothing is. A
 * vendor is padded to 8 bytes, a model to 16; udev's own properties (ID_*)
 * have neither blanks nor padding. That of a gateway's disks is what its
 * INQUIRY is said to tell; no real one was asked.
 */
/* clang-format off */
static const struct property devices[DEVICES][12] = {
	[DEVICE_GATEWAY] = {
		SCSI_DEVICE("0", "Storage Gateway "), { "DRIVER", "", "sd" },
		{ "ATTR", "vendor", "Amazon  " },
	},
	[DEVICE_GATEWAY_BLOCK] = {
		BLOCK_DEVICE("0", "Storage Gateway "), { "ATTRS", "vendor", "Amazon  " },
		{ "ATTR", "device/vendor", "Amazon  " },
		{ "ATTR", "device/model", "Storage Gateway " },
		{ "ENV", "ID_VENDOR", "Amazon" }, { "ENV", "ID_MODEL", "Storage_Gateway" },
	},
	[DEVICE_DISK] = { SCSI_DEVICE("0", "Some Other Disk "), { "DRIVER", "", "sd" } },
	[DEVICE_DISK_BLOCK] = { BLOCK_DEVICE("0", "Some Other Disk ") },
	[DEVICE_TAPE] = { SCSI_DEVICE("1", "Some Tape Drive "), { "DRIVER", "", "st" } },
	[DEVICE_CHANGER] = { SCSI_DEVICE("8", "Some Changer    "), { "DRIVER", "", "ch" } },
	[DEVICE_NET] = {
		{ "SUBSYSTEM", "", "net" }, { "KERNEL", "", "eth0" }, { "SUBSYSTEMS", "", "pci" },
		{ "ATTR", "type", "1" },
	},
};
/* clang-format on */

/* Whether c fits what stands at *pattern: a byte, '?', [abc], [a-z], [!…]. Steps over it. */
static bool fits(const char **pattern, const char *end, char c)
{
	const char *p = *pattern, *close = NULL;
	bool negated, found = false;

	if (*p == '[' && end - p > 2)
		close = memchr(p + 2, ']', (size_t)(end - p - 2));
	*pattern = close ? close + 1 : p + 1;
	if (!close)
		return *p == '?' || *p == c;
	negated = p[1] == '!' || p[1] == '^';
	for (p += 1 + negated; p < close; p++) {
		if (p[1] == '-' && p + 2 < close) {
			found |= c >= p[0] && c <= p[2];
			p += 2;
		} else {
			found |= c == *p;
		}
	}
	return found != negated;
}

/* A shell pattern. What follows the last '*' is tried at each place, which is never exponential. */
static bool glob(const char *pattern, size_t pattern_len, const char *text, size_t len)
{
	const char *end = pattern + pattern_len, *text_end = text + len;
	const char *star = NULL, *retry = NULL;

	while (text < text_end || pattern < end) {
		if (pattern < end && *pattern == '*') {
			star = ++pattern;
			retry = text;
			continue;
		}
		if (pattern < end && text < text_end && fits(&pattern, end, *text)) {
			text++;
			continue;
		}
		if (!star || retry == text_end)
			return false;
		pattern = star;
		text = ++retry;
	}
	return true;
}

/* Alternatives by '|'. Blanks at a value's end count only where the pattern ends in one. */
static bool match(const char *pattern, const char *text)
{
	size_t pattern_len = strlen(pattern), len = strlen(text);

	while (len > 0 && text[len - 1] == ' ' &&
	       !(pattern_len > 0 && pattern[pattern_len - 1] == ' '))
		len--;
	for (;;) {
		pattern_len = strcspn(pattern, "|");
		if (glob(pattern, pattern_len, text, len))
			return true;
		if (pattern[pattern_len] == '\0')
			return false;
		pattern += pattern_len + 1;
	}
}

/* KEYS ask the device itself and those above it. */
static bool is_key(const char *asked, const char *key)
{
	const size_t len = strlen(key);

	return strncmp(asked, key, len) == 0 &&
	       (asked[len] == '\0' || strcmp(asked + len, "S") == 0);
}

/* Whether a condition holds; where nothing is known of what it asks for, it may. */
enum answer { NO, MAYBE, YES };

static enum answer ask_token(const struct rule_token *token, enum rule_device device)
{
	const struct property *property = devices[device];

	if (strcmp(token->key, "ACTION") == 0)
		return match(token->value, "add") == (token->op == RULE_IS) ? YES : NO;
	for (; property->key; property++) {
		if (!is_key(token->key, property->key) || strcmp(token->attr, property->attr) != 0)
			continue;
		if (match(token->value, property->value) == (token->op == RULE_IS))
			return YES;
		/* One of the devices above may hold what this one does not. */
		return strcmp(token->key, property->key) == 0 || token->attr[0] ? NO : MAYBE;
	}
	return MAYBE;
}

static enum answer ask_rule(const struct document *doc, const struct rule_line *rule,
			    enum rule_device device)
{
	enum answer least = rule->fault ? NO : YES, one;

	for (size_t i = rule->first; i < rule->first + rule->count; i++) {
		if (!rule_matches(&doc->tokens[i]))
			continue;
		one = ask_token(&doc->tokens[i], device);
		least = one < least ? one : least;
	}
	return least;
}

bool rule_hits(const struct document *doc, const struct rule_line *rule, enum rule_device device)
{
	return (rule->reached >> device & 1) && ask_rule(doc, rule, device) == YES;
}

/* Where a GOTO may lead: by name, then by place. */
struct label {
	const char *name;
	size_t rule;
};

static int by_name(const void *a, const void *b)
{
	const struct label *one = a, *other = b;
	int order = strcmp(one->name, other->name);

	return order != 0 ? order : (one->rule > other->rule) - (one->rule < other->rule);
}

static const char *find_value(const struct document *doc, const struct rule_line *rule,
			      const char *key)
{
	const char *value = NULL;

	for (size_t i = rule->first; i < rule->first + rule->count; i++) {
		if (strcmp(doc->tokens[i].key, key) == 0)
			value = doc->tokens[i].value;
	}
	return value;
}

/* The first rule behind that one with the label; udev never jumps back, nor to what is missing. */
static size_t find_label(const struct label *labels, size_t count, const char *name, size_t rule)
{
	const struct label after = { name, rule + 1 };
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (by_name(&labels[middle], &after) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && strcmp(labels[low].name, name) == 0 ? labels[low].rule : 0;
}

/*
 * Rules of others are often guarded: `ATTR{vendor}!="X", GOTO="end"`, and then
 * without conditions.
 */
int rules_follow_gotos(struct document *doc, struct err *err)
{
	CLEANUP(free_ptr) struct label *labels = calloc(doc->rule_count + 1, sizeof(*labels));
	size_t count = 0, end[DEVICES] = { 0 };

	if (!labels)
		return err_oom(err);
	for (size_t i = 0; i < doc->rule_count; i++) {
		const char *name = find_value(doc, &doc->rules[i], "LABEL");

		if (name)
			labels[count++] = (struct label){ name, i };
	}
	if (count > 0)
		qsort(labels, count, sizeof(*labels), by_name);
	for (size_t i = 0; i < doc->rule_count; i++) {
		struct rule_line *rule = &doc->rules[i];
		const char *name = find_value(doc, rule, "GOTO");
		size_t to = name ? find_label(labels, count, name, i) : 0;

		rule->reached = 0;
		for (enum rule_device device = 0; device < DEVICES; device++) {
			rule->reached |= (uint8_t)((i >= end[device]) << device);
			if (to > end[device] && ask_rule(doc, rule, device) != NO)
				end[device] = to;
		}
	}
	return 0;
}

/* Neither udev's $… and %…, nor the shell's. */
static bool is_known(const char *value, size_t len)
{
	return !memchr(value, '$', len) && !memchr(value, '%', len) && !memchr(value, '`', len);
}

/* `echo VALUE > …/timeout` in a shell's command line. */
static bool find_echo(const char *command, struct rule_effect *effect)
{
	const char *value = strstr(command, "echo"), *path;
	size_t len;

	if (!value)
		return false;
	value += strlen("echo");
	value += strspn(value, " ");
	if (strncmp(value, "-n ", 3) == 0)
		value += 3;
	value += strspn(value, " \"'");
	len = strcspn(value, " >\"'");
	path = value + len;
	path += strspn(path, " \"'");
	if (*path != '>')
		return false;
	path += strspn(path, "> \"'");
	path = strstr(path, "/timeout");
	if (!path)
		return false;
	*effect = (struct rule_effect){
		.known = is_known(value, len),
		.shell = true,
		.block = path - value >= 7 && strncmp(path - 7, "/device", 7) == 0,
		.value = value,
		.len = len,
	};
	return true;
}

const struct rule_token *rule_timeout_token(const struct document *doc,
					    const struct rule_line *rule)
{
	const struct rule_token *found = NULL, *token;

	for (size_t i = rule->first; i < rule->first + rule->count; i++) {
		token = &doc->tokens[i];
		if (!rule_matches(token) && strcmp(token->key, "ATTR") == 0 &&
		    strcmp(token->attr, "timeout") == 0)
			found = token;
	}
	return found;
}

bool rule_effect(const struct document *doc, const struct rule_line *rule,
		 struct rule_effect *effect)
{
	const struct rule_token *token;
	bool found = false;

	for (size_t i = rule->first; i < rule->first + rule->count; i++) {
		token = &doc->tokens[i];
		if (rule_matches(token))
			continue;
		if (strcmp(token->key, "RUN") == 0 && find_echo(token->value, effect)) {
			found = true;
		} else if (strcmp(token->key, "ATTR") == 0 && !(found && effect->shell) &&
			   (strcmp(token->attr, "timeout") == 0 ||
			    strcmp(token->attr, "device/timeout") == 0)) {
			*effect = (struct rule_effect){
				.block = strcmp(token->attr, "timeout") != 0,
				.value = token->value,
				.len = strlen(token->value),
				.known = is_known(token->value, strlen(token->value)),
			};
			found = true;
		}
	}
	return found;
}

bool rule_acts(const struct document *doc, const struct rule_line *rule)
{
	for (size_t i = rule->first; i < rule->first + rule->count; i++) {
		if (!rule_matches(&doc->tokens[i]))
			return true;
	}
	return false;
}
