/* SPDX-License-Identifier: MIT */
/* What the host logs in to by itself at boot, compared with what it is logged in to now. */
#ifndef SGW_COMPARE_BOOT_H
#define SGW_COMPARE_BOOT_H

struct err;
struct findings;
struct survey;

/*
 * Findings for records: a second one by which a target is logged in to at boot,
 * none for one that has a session, and none of the sessions that boot should
 * have brought.
 */
int compare_boot(const struct survey *survey, struct findings *findings, struct err *err);

#endif
