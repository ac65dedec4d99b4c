/* SPDX-License-Identifier: MIT */
/* apply --relogin: out of a session and in again by its record, one target after the other. */
#ifndef SGW_RELOGIN_H
#define SGW_RELOGIN_H

#include <stdbool.h>

struct actions;
struct apply_report;
struct err;
struct inspection;
struct options;
struct paths;

/*
 * Carry out the actions that log in again. A session whose devices are in use
 * is left as it is: with --force only that of a tape or changer, of the root
 * disk, of swap, and of what the kernel alone knows. One whose portal takes no
 * connection is not logged out of, and the others are tried. After each the
 * host is looked at, and the next one is begun only where all came up as
 * wanted; of the others it is told that they were not tried. The actions must
 * not point into the inspection's survey. EXIT_DONE, EXIT_FAILED where one was
 * left or failed, or negative errno.
 */
int relogin_run(struct inspection *in, const struct actions *actions, const struct options *opt,
		struct apply_report *report, struct err *err);

/* Of a dry run: a warning for each that would be left, or taken from its users, being in use. */
void relogin_warn(const struct paths *paths, const struct actions *actions, bool force);

#endif
