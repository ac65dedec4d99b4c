/* SPDX-License-Identifier: MIT */
/*
 * apply --relogin and --connect: log in again where a session has former
 * values, log in what has no session, and see that all came up as wanted.
 */
#ifndef SGW_LOGINS_H
#define SGW_LOGINS_H

#include <stdbool.h>

struct apply_report;
struct err;
struct inspection;
struct options;

/*
 * Do what the options ask for, by the records as they are now; the
 * inspection's survey is the last look at the host, before and after. The
 * exit code, or negative errno where nothing could be tried or a session came
 * up with other values than it should. *any: there was something to log in to,
 * or to wait for.
 */
int logins_run(struct inspection *in, const struct options *opt, struct apply_report *report,
	       bool *any, struct err *err);

#endif
