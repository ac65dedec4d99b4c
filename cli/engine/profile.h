/* SPDX-License-Identifier: MIT */
/*
 * What is wanted: the settings of a kind of gateway, out of XML profiles
 * checked against templates/profile.rng. The numbers of this project stand in
 * templates/profiles/ and nowhere else.
 */
#ifndef SGW_PROFILE_H
#define SGW_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum rule {
	RULE_EXACT,
	RULE_AT_LEAST, /* the highest of wanted, OS default and current: never lowers */
	RULE_AT_MOST, /* the lowest of wanted, OS default and current: never raises */
};

enum severity {
	SEVERITY_INFO,
	SEVERITY_WARNING,
	SEVERITY_ERROR,
	SEVERITY_CRITICAL,
};

/* Where a setting lives. The order is that of the layers, as `check` prints them. */
enum place_kind {
	PLACE_ISCSID_CONF, /* key: a line's, "node.session.timeo.replacement_timeout" */
	PLACE_RECORD, /* key: as in iscsid.conf */
	PLACE_SESSION, /* key: a file of /sys/class/iscsi_session/sessionN or …connection… */
	PLACE_UDEV_RULE, /* key: the attribute the rule writes, "timeout" */
	PLACE_DEVICE, /* key: a file of /sys/block/X/device, "timeout" */
	PLACE_REGISTRY, /* key: KEY\VALUE below HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet */
	PLACE_KINDS,
};

/* What a value written there needs to take effect. */
enum needs {
	NEEDS_NOTHING,
	NEEDS_LOGIN,
	NEEDS_REBOOT,
};

struct setting_place {
	enum place_kind kind;
	enum needs needs;
	char *key;
	uint32_t os_default;
	bool has_default;
	bool negotiated; /* the value seen is the lower of both ends' */
};

struct setting {
	char *name; /* "replacement-timeout": what --set and --output json call it */
	uint32_t value;
	uint32_t min, max; /* what a profile or --set may ask for */
	enum rule rule;
	enum severity severity; /* of a finding where the wanted value is not in effect */
	char *unit; /* "seconds", "bytes", "count" */
	char *source; /* headings of AWS's page, joined by "; "; "" where there is none */
	char *why;
	char *origin; /* where the value comes from: "built-in profile", FILE:LINE, "--set" */
	struct setting_place *places;
	size_t place_count;
};

struct profile {
	char *name; /* "volume", "tape" */
	char *title;
	char *note; /* what whoever applies it should know: backup software may want other values */
	char *origin; /* "built-in profile", then the files laid over it, joined by ", " */
	struct setting *settings;
	size_t setting_count;
};

/*
 * The built-in profile of that name, or -ENOENT with the names there are. The
 * caller ends it with profile_done(), here and below also after an error.
 */
int profile_builtin(struct profile *profile, const char *name, struct err *err);

/*
 * Lay a file's XML over the profile: what it says of a setting of the same
 * name replaces what stood (its places all or none), a new one is added; a
 * file for another profile name (its `name` attribute) is passed over,
 * returning 1. bytes are checked against the schema first; on any error
 * (-EINVAL: place FILE:LINE and the reason) the profile is as it was. A
 * document type declaration is refused, so nothing is loaded or expanded.
 * That settings fit one another is profile_check()'s to say, once all is laid.
 */
int profile_overlay(struct profile *profile, const char *bytes, size_t len, const char *file,
		    struct err *err);

/*
 * `--set KEY=VALUE`: KEY is a setting's name or one of its places' keys.
 * -EINVAL for an unknown key (with the names there are) or a bad number.
 */
int profile_set(struct profile *profile, const char *assignment, struct err *err);

/*
 * Check what only the whole can tell, after the last overlay and --set:
 * noop-out interval and timeout both 0 or both not (open-iscsi), FirstBurst
 * at most MaxBurst (RFC 7143, 13.14). -EINVAL, the place is the values' origin.
 */
int profile_check(const struct profile *profile, struct err *err);

/* Names of the built-in profiles, ended by NULL. */
const char *const *profile_names(void);

/* The setting that lives at a place of that kind under that key, or NULL. */
const struct setting *profile_find(const struct profile *profile, enum place_kind kind,
				   const char *key, const struct setting_place **place);

/*
 * What the rule asks for, given what is there: current is NULL where nothing
 * is set. A value above (below) the wanted one that the rule lets stand is
 * returned as it is. In a session lengths are rounded down to a multiple of
 * 4, as open-iscsi does before it declares them.
 */
uint32_t setting_wanted(const struct setting *setting, const struct setting_place *place,
			const uint32_t *current);

void profile_done(struct profile *profile);

/* The words used in XML, JSON and tables. */
const char *rule_word(enum rule rule);
const char *severity_word(enum severity severity);
const char *place_word(enum place_kind kind);
const char *needs_word(enum needs needs);

#endif
