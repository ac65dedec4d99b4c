/* SPDX-License-Identifier: MIT */
#include "engine/profile_key.h"

#include <errno.h>
#include <string.h>

#include "buf.h"
#include "err.h"

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/*
 * Keys end up in file names and in files that others parse: open-iscsi
 * overflows its stack at 128 bytes of key, and a key of /sys must stay one
 * file name.
 */
static const struct key_rule {
	const char *others; /* characters beside letters and digits */
	size_t max;
} key_rules[PLACE_KINDS] = {
	[PLACE_ISCSID_CONF] = { "._-[]", 127 }, [PLACE_RECORD] = { "._-[]", 127 },
	[PLACE_SESSION] = { "_", 63 },		[PLACE_UDEV_RULE] = { "_", 63 },
	[PLACE_DEVICE] = { "_", 63 },		[PLACE_REGISTRY] = { "\\{}-_. *()", 255 },
};

static const struct foreign_key {
	const char *prefix;
	const char *reason;
} foreign_keys[] = {
	{ "node.session.auth.", "CHAP is set by apply --chap, never by a profile" },
	{ "discovery.sendtargets.auth.", "CHAP never stands in a profile" },
	{ "node.name", "it tells whose record it is" },
	{ "node.tpgt", "it tells whose record it is" },
	{ "node.conn[0].address", "it tells whose record it is" },
	{ "node.conn[0].port", "it tells whose record it is" },
};

static int check_registry_key(const char *key, struct err *err)
{
	size_t len = strlen(key);

	if (!strchr(key, '\\') || key[0] == '\\' || key[len - 1] == '\\' || strstr(key, "\\\\"))
		return err_set(err, EINVAL,
			       "key '%s' is not KEY\\VALUE below "
			       "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet",
			       key);
	return 0;
}

int profile_key_check(enum place_kind kind, const char *key, struct err *err)
{
	const struct key_rule *rule = &key_rules[kind];
	size_t len = strlen(key);

	if (len > rule->max)
		return err_set(err, EINVAL, "key '%.64s…' has %zu bytes; %s takes %zu at most", key,
			       len, place_word(kind), rule->max);
	for (const char *p = key; *p; p++) {
		if (!strchr(letters, *p) && !strchr(rule->others, *p))
			return err_set(err, EINVAL,
				       "key '%s' does not fit %s: only letters, digits and %s", key,
				       place_word(kind), rule->others);
	}
	if (kind == PLACE_REGISTRY)
		return check_registry_key(key, err);
	if (kind != PLACE_ISCSID_CONF && kind != PLACE_RECORD)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(foreign_keys); i++) {
		if (strncmp(key, foreign_keys[i].prefix, strlen(foreign_keys[i].prefix)) == 0)
			return err_set(err, EINVAL, "key '%s' is no setting: %s", key,
				       foreign_keys[i].reason);
	}
	return 0;
}
