/* SPDX-License-Identifier: MIT */
/*
 * The profiles in force on this host, one a kind of gateway: built-in, then
 * the site's (/etc/sgw-init/profile.d, in order of name), then --profile,
 * then --set.
 */
#ifndef SGW_WANTED_H
#define SGW_WANTED_H

#include "engine/profile.h"

struct err;
struct paths;

#define WANTED_SITE_DIR "/etc/sgw-init/profile.d"

enum gateway_kind {
	GATEWAY_VOLUME,
	GATEWAY_TAPE,
	GATEWAY_OTHER, /* not a Storage Gateway's target: no profile */
};

struct wanted {
	struct profile profiles[GATEWAY_OTHER]; /* by enum gateway_kind */
};

/*
 * files and sets are --profile and --set as given, each ended by NULL, or
 * NULL. A file's profile must be one of the kinds'; a set must be known to at
 * least one of them. On error the caller still calls wanted_done().
 */
int wanted_load(struct wanted *wanted, const struct paths *paths, const char *const *files,
		const char *const *sets, struct err *err);
void wanted_done(struct wanted *wanted);

/*
 * What a target is, by its name: AWS's prefix, and the suffix of a tape
 * device (never by model: STK and IBM are also real hardware's strings).
 */
enum gateway_kind gateway_kind(const char *target);
/* "volume", "tape", "other": also the profiles' names. */
const char *gateway_word(enum gateway_kind kind);

#endif
