/* SPDX-License-Identifier: MIT */
/*
 * A knob is a live value of the kernel that may be written: read, validate,
 * write, read back. Its undo is best effort. There are two: a session's
 * recovery_tmo and a disk's timeout; all else of a session needs a login.
 */
#ifndef SGW_KNOB_H
#define SGW_KNOB_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/profile.h"

struct err;
struct paths;

struct knob {
	enum place_kind kind;
	const char *key; /* the attribute's file */
	uint32_t min, max; /* seconds */
	const char *word; /* what it may be instead of a number, or NULL */
};

/* The knob of that key at that kind of place, or NULL. */
const struct knob *knob_find(enum place_kind kind, const char *key);

/*
 * Whether value may be written, in the very form in which the kernel shows it
 * again: -EINVAL. The kernel takes anything for a disk's timeout ("abc" is 0,
 * -1 is 17179868), so nothing goes there unchecked.
 */
int knob_check(const struct knob *knob, const char *value, struct err *err);

/*
 * Write the value to the knob in that directory of /sys and read it back, some
 * more times where something else (a udev rule) got in between. -EINVAL
 * for no such value, -EIO where it does not hold, -ENOENT where the session or
 * device is gone. err's place is the file.
 */
int knob_set(const struct paths *paths, const struct knob *knob, const char *dir, const char *value,
	     struct err *err);

#endif
