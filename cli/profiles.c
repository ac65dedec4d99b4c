/* SPDX-License-Identifier: MIT */
#include "profiles.h"

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
	return wanted_check(wanted, err);
}
