/* SPDX-License-Identifier: MIT */
/* What apply does to the running host once the files are written. */
#ifndef SGW_LIVE_H
#define SGW_LIVE_H

struct err;
struct paths;
struct plan;

/*
 * Set the plan's live values, all of them also where one fails; then the first
 * that failed is the error.
 */
int live_set(const struct plan *plan, const struct paths *paths, struct err *err);

#endif
