/* SPDX-License-Identifier: MIT */
/* Whether a login by a record would get past CHAP, asked before its session is given up. */
#ifndef SGW_PROVING_H
#define SGW_PROVING_H

struct err;
struct paths;
struct record;

/*
 * Log in from user space with the record's credentials as far as the proofs,
 * and no further: no session begins. -EACCES where either side would refuse
 * the other; 0 also where the target does not let that be told.
 */
int proving_try(const struct paths *paths, const struct record *record, struct err *err);

#endif
