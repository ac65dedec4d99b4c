/* SPDX-License-Identifier: MIT */
/* Which devices a rule hits, and what timeout it would give them. */
#include "documents/rule_lines.h"

#include <string.h>

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
 * What is known of a device when it appears; of other keys nothing is. The
 * vendor of a real gateway's disks is not known for sure. A model is padded
 * to 16 bytes.
 */
/* clang-format off */
static const struct property devices[DEVICES][8] = {
	[DEVICE_GATEWAY] = { SCSI_DEVICE("0", "Storage Gateway "), { "DRIVER", "", "sd" } },
	[DEVICE_GATEWAY_BLOCK] = { BLOCK_DEVICE("0", "Storage Gateway ") },
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

/* Whether a condition holds for sure. */
static bool token_holds(const struct rule_token *token, enum rule_device device)
{
	const struct property *property = devices[device];

	if (strcmp(token->key, "ACTION") == 0)
		return match(token->value, "add") == (token->op == RULE_IS);
	for (; property->key; property++) {
		if (is_key(token->key, property->key) && strcmp(token->attr, property->attr) == 0)
			return match(token->value, property->value) == (token->op == RULE_IS);
	}
	return false;
}

bool rule_hits(const struct document *doc, const struct rule_line *rule, enum rule_device device)
{
	if (rule->fault)
		return false;
	for (size_t i = rule->first; i < rule->first + rule->count; i++) {
		if (rule_matches(&doc->tokens[i]) && !token_holds(&doc->tokens[i], device))
			return false;
	}
	return true;
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
