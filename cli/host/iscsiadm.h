/* SPDX-License-Identifier: MIT */
/*
 * iscsiadm: log in and out of exactly one record, and what its exit codes
 * mean. The only place that runs it. Secrets are in the record, never on its
 * command line.
 */
#ifndef SGW_ISCSIADM_H
#define SGW_ISCSIADM_H

#include <stdint.h>

#include "host/records.h"

struct err;
struct paths;

/* What to make of an exit code. */
enum iscsiadm_advice {
	ISCSIADM_HARMLESS, /* as it should be already, of a login or of a logout */
	ISCSIADM_RETRY, /* it may go by itself */
	ISCSIADM_NEVER, /* trying again changes nothing */
	ISCSIADM_LOOK, /* it depends on the cause */
};

struct iscsiadm_code {
	int code;
	const char *name; /* as iscsiadm(8) spells it */
	const char *words; /* what happened */
	const char *cause; /* the likely one; may be NULL */
	const char *next; /* what to type or to do; may be NULL */
	enum iscsiadm_advice advice;
};

/* The row of an exit code; never NULL. */
const struct iscsiadm_code *iscsiadm_code(int code);

/* One session that is to be or is: what -T, -p and -I say. */
struct iscsiadm_target {
	const char *target;
	const char *address; /* without brackets */
	uint16_t port;
	int32_t tag; /* -1: not known */
	const char *interface; /* NULL or empty: not said */
};

struct iscsiadm_target iscsiadm_of(const struct record *record);

/*
 * Whether iscsid can be asked: it listens, or systemd listens for it.
 * Without it iscsiadm works by its compiled-in defaults and never says so.
 * -ECONNREFUSED with the command that starts it on this distribution.
 */
int iscsiadm_ready(const struct paths *paths, struct err *err);

/*
 * 1 where iscsiadm says that it is so already, 0 where it did it. Else -ENOENT
 * of a login whose record it does not find, -EACCES for a code that never gets
 * better by trying again, -EAGAIN for one that may, -EIO for all others,
 * with the words of the code in *err; -ETIMEDOUT where it did not end, -EINTR
 * where somebody killed it: iscsid may go on with it then. What is true is for
 * sysfs to say: look there.
 */
int iscsiadm_login(const struct paths *paths, const struct iscsiadm_target *target,
		   unsigned deadline_ms, struct err *err);
int iscsiadm_logout(const struct paths *paths, const struct iscsiadm_target *target,
		    unsigned deadline_ms, struct err *err);

#endif
