/* SPDX-License-Identifier: MIT */
/*
 * Which record of a target the host logs in by at boot (node.startup): one,
 * since a volume has one path, and two sessions show its device twice.
 */
#ifndef SGW_STARTUP_H
#define SGW_STARTUP_H

#include <stdbool.h>

struct err;
struct place;
struct plan;
struct survey;

/* Whether open-iscsi's service logs in by that record at boot, whatever others its target has. */
bool startup_is_automatic(const struct place *place);

/* Whether somebody does: that service, by that record or another like it, or the initramfs (onboot). */
bool startup_is_at_boot(const struct place *place);

/* Whether it is a record of that target. */
bool startup_is_of(const struct place *place, const char *target);

/*
 * The record that a target is, or would be, connected by, of those among the
 * survey's places: the one of its session; without one that of a portal that
 * the run was asked for, then one that is automatic, then the first.
 */
const struct place *startup_place(const struct survey *survey, const char *target);

/* Whether --connect leaves it automatic beside another: somebody has it in use so. */
bool startup_is_kept(const struct survey *survey, const struct place *place);

/* More changes for --connect: startup_place() automatic, other records of its target manual. */
int plan_startup(struct plan *plan, struct survey *survey, struct err *err);

/* Of new records: one beside another that is automatic is manual, whatever iscsid.conf says. */
int plan_new_startup(struct plan *plan, struct survey *survey, struct err *err);

#endif
