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
 * The built-in profiles, the site's, and files (--profile, ended by NULL, or
 * NULL), whose profile must be one of the kinds'. On error the caller still
 * calls wanted_done(), as after the next two.
 */
int wanted_load(struct wanted *wanted, const struct paths *paths, const char *const *files,
		struct err *err);
/* sets are --set as given (ended by NULL, or NULL); each must be known to at least one kind. */
int wanted_set(struct wanted *wanted, const char *const *sets, struct err *err);
/* Whether it all fits together: profile_check() of each, once all is laid. */
int wanted_check(const struct wanted *wanted, struct err *err);
void wanted_done(struct wanted *wanted);

/*
 * What a target is, by its name: AWS's prefix, and the suffix of a tape
 * device (never by model: STK and IBM are also real hardware's strings).
 */
enum gateway_kind gateway_kind(const char *target);
/* "volume", "tape", "other": also the profiles' names. */
const char *gateway_word(enum gateway_kind kind);

#endif
