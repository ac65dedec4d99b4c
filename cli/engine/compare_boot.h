/* SPDX-License-Identifier: MIT */
/* What the host logs in to by itself at boot, compared with what it is logged in to now. */
#ifndef SGW_COMPARE_BOOT_H
#define SGW_COMPARE_BOOT_H

struct err;
struct findings;
struct survey;

/*
 * Findings for records: a second one of a target that is logged in to at boot,
 * one with a session of whose target none is, and one that is though its target
 * has no session.
 */
int compare_boot(const struct survey *survey, struct findings *findings, struct err *err);

#endif
