/* SPDX-License-Identifier: MIT */
/* CHAP as one more source of a plan's changes: per record, never in iscsid.conf. */
#ifndef SGW_PLAN_CHAP_H
#define SGW_PLAN_CHAP_H

#include <stdbool.h>
#include <stddef.h>

struct chap_file;
struct err;
struct plan;
struct survey;

/*
 * Lay the credentials of every target that has a record here over that
 * record: authmethod, username (this host's InitiatorName), password, and for
 * mutual CHAP username_in (the target's IQN: open-iscsi compares it exactly)
 * and password_in; without a target secret the last two are unset.
 *
 * -EINVAL where a target's only entries are for other initiators. unused (one
 * flag an entry, the caller's) tells which entries have no record here.
 */
int plan_chap(struct plan *plan, struct survey *survey, const struct chap_file *file,
	      const char *initiator, bool *unused, struct err *err);

#endif
