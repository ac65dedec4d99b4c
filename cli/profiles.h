/* SPDX-License-Identifier: MIT */
/* The profiles in force for a command line: built in, the site's, --profile and --set. */
#ifndef SGW_PROFILES_H
#define SGW_PROFILES_H

#include "engine/wanted.h"
#include "options.h"

struct err;
struct paths;

/*
 * -ERR_USAGE for a bad --set, -EINVAL for a bad file. The caller calls
 * wanted_done() in any case.
 */
int profiles_load(struct wanted *wanted, const struct paths *paths, const struct options *opt,
		  struct err *err);

#endif
