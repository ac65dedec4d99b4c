/* SPDX-License-Identifier: MIT */
/*
 * What is wrong with sessions whatever their values are: they are down, or
 * there are two of a target.
 */
#ifndef SGW_COMPARE_SESSIONS_H
#define SGW_COMPARE_SESSIONS_H

struct err;
struct findings;
struct survey;

/*
 * Add a finding for each session and device of the survey's places that cannot
 * be used now, and for each session beside another of its target.
 */
int compare_sessions(const struct survey *survey, struct findings *findings, struct err *err);

#endif
