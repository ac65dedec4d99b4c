/* SPDX-License-Identifier: MIT */
/* What the key of a place may be. */
#ifndef SGW_PROFILE_KEY_H
#define SGW_PROFILE_KEY_H

#include "engine/profile.h"

struct err;

/* 0, or -EINVAL where the key does not fit that kind of place, or is not for profiles to set. */
int profile_key_check(enum place_kind kind, const char *key, struct err *err);

#endif
