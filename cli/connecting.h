/* SPDX-License-Identifier: MIT */
/*
 * What connect, apply --connect and --relogin share: log in to exact records
 * one after the other, and wait until the devices behind them can be used. Of
 * the live host alone.
 */
#ifndef SGW_CONNECTING_H
#define SGW_CONNECTING_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "host/nodes.h"
#include "host/sessions.h"

struct paths;
struct record;

enum connected_state {
	CONNECTED_NOW, /* logged in, and all of its devices are there */
	CONNECTED_ALREADY, /* it had a session: nothing was done but to wait for it */
	CONNECTED_ELSEWHERE, /* it has one through another portal or interface: nothing was done */
	CONNECTED_NO_DEVICE, /* the session is up, but a device did not come in time; see err */
	CONNECTED_DOWN, /* there is a session, which did not come up again in time; see err */
	CONNECTED_FAILED, /* see err */
};

/* A SCSI device of the session, and its nodes. */
struct connected_device {
	struct device device;
	struct nodes nodes;
	bool ready; /* it runs, its main node is there, and udevd is through with it */
};

struct connected {
	const struct record *record; /* as given */
	enum connected_state state;
	char session[32]; /* "session3"; empty: none */
	char down[24]; /* "FAILED": the state of the session, where it is not up; else empty */
	struct connected_device *devices; /* as they are at the end, ready or not */
	size_t device_count;
	struct err err; /* cause and remedy, its place is TARGET at PORTAL */
};

struct connect_options {
	unsigned device_ms; /* how long all devices together may take; 0: CONNECTING_DEVICE_MS */
	bool again; /* it was just logged out of: other sessions of the target were there, too */
};

enum { CONNECTING_DEVICE_MS = 30000 };

/*
 * Log in to each of the records that has no session yet, by iscsiadm with -T
 * and -p, then wait for the devices of them all, and for sessions that were
 * there and are down, which iscsid logs in again. A login that somebody else
 * has begun is waited for, for minutes if need be. One that fails does not stop
 * the others: *out (one a record, in their order, ended by connected_free())
 * tells of each. A record is left as it is. Negative errno where nothing could
 * be tried at all (iscsid does not run: -ECONNREFUSED; --root: -EINVAL); then
 * *out is NULL. Progress goes to a terminal's standard error.
 */
int connecting_run(const struct paths *paths, const struct record *const *records, size_t count,
		   const struct connect_options *options, struct connected **out, struct err *err);
void connected_free(struct connected *list, size_t count);

/* There is a session by its record. */
bool connected_is_up(const struct connected *connected);
/* Nothing is amiss: that and all of its devices can be used, or one stands elsewhere. */
bool connected_is_fine(const struct connected *connected);
/* "connected", "already connected" …; for programs "connected", "already", "elsewhere" …. */
const char *connected_text(enum connected_state state);
const char *connected_word(enum connected_state state);

#endif
