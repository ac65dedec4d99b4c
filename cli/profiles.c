/* SPDX-License-Identifier: MIT */
#include "profiles.h"

#include <errno.h>
#include <string.h>

#include "err.h"

int profiles_load(struct wanted *wanted, const struct paths *paths, const struct options *opt,
		  struct err *err)
{
	int rc = wanted_load(wanted, paths, opt->profiles, err);

	if (rc < 0)
		return rc;
	if (wanted_set(wanted, opt->sets, err) < 0) {
		err->code = ERR_USAGE;
		return -ERR_USAGE;
	}
	rc = wanted_check(wanted, err);
	/* Two values may not go together, of which one is the command line's. */
	if (rc == -EINVAL && strcmp(err->place, "--set") == 0)
		err->code = ERR_USAGE;
	return rc < 0 ? -err->code : 0;
}
