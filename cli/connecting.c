/* SPDX-License-Identifier: MIT */
#include "connecting.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connect_reach.h"
#include "connecting_state.h"
#include "engine/owed.h"
#include "host/iscsiadm.h"
#include "host/paths.h"
#include "host/records.h"
#include "iscsi/portal.h"
#include "os/loop.h"
#include "os/signals.h"
#include "udev/monitor.h"

enum {
	/* Past iscsid's own patience: 8 attempts of 15 s by iscsid.conf, 4 of 30 s by default. */
	LOGIN_MS = 240000,
	AGAIN_MS = 500, /* between two tries while iscsid has that login of somebody else */
};

/* The failure of a portal that was tried before, which many targets may share. */
static const struct connected *find_failed(const struct connecting *c, size_t until)
{
	const struct record *record = c->list[until].record;

	for (size_t i = 0; i < until; i++) {
		const struct connected *other = &c->list[i];

		if (other->state == CONNECTED_FAILED && other->err.code != EACCES &&
		    other->record->port == record->port &&
		    strcmp(other->record->address, record->address) == 0)
			return other;
	}
	return NULL;
}

static int log_in(struct connecting *c, size_t at, struct err *err)
{
	const struct record *record = c->list[at].record;
	const struct connected *failed = find_failed(c, at);
	const struct iscsiadm_target target = iscsiadm_of(record);
	int rc = 0;

	/* Whether it is worth another three seconds has been answered. */
	if (failed && (failed->err.code == ECONNREFUSED || failed->err.code == ETIMEDOUT)) {
		err_set(err, failed->err.code, "%s", failed->err.reason);
		return -failed->err.code;
	}
	rc = connect_reach(record, err);
	if (rc == 0)
		rc = iscsiadm_login(c->paths, &target, LOGIN_MS, err);
	return rc;
}

/* iscsiadm's word is not enough: what sysfs shows is there. 1: no session. */
static int look_for_session(struct connecting *c, struct connected *connected, struct err *err)
{
	const struct host_session *session;
	struct sessions sessions;
	int rc = sessions_load(&sessions, c->paths, err);

	if (rc < 0)
		return rc;
	session = sessions_find_by(&sessions, connected->record);
	if (session)
		snprintf(connected->session, sizeof(connected->session), "%s", session->name);
	sessions_done(&sessions);
	return !session;
}

static int log_in_and_look(struct connecting *c, size_t at, struct err *err)
{
	const uint64_t end = loop_clock_us() + LOGIN_MS * (uint64_t)1000;

	for (;;) {
		int login = log_in(c, at, err);
		int rc = login < 0 ? login : look_for_session(c, &c->list[at], err);

		if (rc <= 0)
			return rc;
		if (login == 0 || loop_clock_us() >= end)
			break;
		/* Somebody else's login is under way: it comes up, or the next try is ours. */
		poll(NULL, 0, AGAIN_MS);
	}
	return err_set(err, EIO,
		       "iscsiadm says it is logged in, but there is no session: look at "
		       "journalctl -u iscsid");
}

static void tell_other(const struct host_session *other, struct err *err)
{
	char portal[PORTAL_TEXT_MAX] = "another portal";

	if (other->port != 0)
		portal_text_of(other->address, other->port, portal);
	err_set(err, EEXIST,
		"%s of this target goes through %s%s%s, and a second one would show its device "
		"twice",
		other->name, portal, other->interface[0] ? " by the interface " : "",
		other->interface);
}

/* Nothing to do where there is a session; where it goes elsewhere, a volume has one path alone. */
static int find_session(struct connecting *c, struct connected *connected, struct err *err)
{
	const struct record *record = connected->record;
	const struct host_session *session, *other;
	struct sessions sessions;
	int rc = sessions_load(&sessions, c->paths, err);

	if (rc < 0)
		return rc;
	session = sessions_find_by(&sessions, record);
	other = session || c->again ? NULL : sessions_find_target(&sessions, record->target);
	if (session) {
		connected->state = CONNECTED_ALREADY;
		snprintf(connected->session, sizeof(connected->session), "%s", session->name);
	} else if (other) {
		connected->state = CONNECTED_ELSEWHERE;
		snprintf(connected->session, sizeof(connected->session), "%s", other->name);
		tell_other(other, &connected->err);
		record_at(record, &connected->err);
	}
	sessions_done(&sessions);
	return session || other;
}

static void connect_one(struct connecting *c, size_t at)
{
	struct connected *connected = &c->list[at];
	struct err why = { 0 };
	int rc;

	progress_show(&c->progress, "logging in to %s (%zu of %zu)%s", connected->record->target,
		      at + 1, c->count, signals_are_held() ? "; an interrupt waits for it" : "");
	rc = find_session(c, connected, &why);
	if (rc > 0)
		return;
	if (rc == 0)
		rc = log_in_and_look(c, at, &why);
	connected->state = rc < 0 ? CONNECTED_FAILED : CONNECTED_NOW;
	if (rc >= 0 && owed_settle(c->paths, connected->record, &why) < 0)
		err_print("sgw-init", &why);
	if (rc < 0) {
		connected->err = why;
		record_at(connected->record, &connected->err);
	}
}

int connecting_run(const struct paths *paths, const struct record *const *records, size_t count,
		   const struct connect_options *options, struct connected **out, struct err *err)
{
	struct connecting c = {
		.paths = paths,
		.again = options && options->again,
		.count = count,
	};
	unsigned device_ms =
		options && options->device_ms ? options->device_ms : CONNECTING_DEVICE_MS;
	int rc;

	*out = NULL;
	if (!paths->live)
		return err_set(err, EINVAL, "with --root nothing can be connected");
	rc = iscsiadm_ready(paths, err);
	if (rc == 0)
		rc = monitor_open(&c.monitor, err);
	if (rc < 0)
		return rc;
	c.list = calloc(count + 1, sizeof(*c.list));
	if (!c.list)
		rc = err_oom(err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		c.list[i].record = records[i];
	for (size_t i = 0; rc == 0 && i < count; i++)
		connect_one(&c, i);
	if (rc == 0)
		rc = connect_wait(&c, device_ms, err);
	progress_clear(&c.progress);
	monitor_close(c.monitor);
	if (rc < 0)
		connected_free(c.list, count);
	else
		*out = c.list;
	return rc;
}

void connected_free(struct connected *list, size_t count)
{
	for (size_t i = 0; list && i < count; i++)
		connect_forget_devices(&list[i]);
	free(list);
}

bool connected_is_up(const struct connected *connected)
{
	return connected->state == CONNECTED_NOW || connected->state == CONNECTED_ALREADY;
}

bool connected_is_fine(const struct connected *connected)
{
	return connected_is_up(connected) || connected->state == CONNECTED_ELSEWHERE;
}

static const struct {
	const char *text, *word;
} states[] = {
	[CONNECTED_NOW] = { "connected", "connected" },
	[CONNECTED_ALREADY] = { "already connected", "already" },
	[CONNECTED_ELSEWHERE] = { "connected elsewhere", "elsewhere" },
	[CONNECTED_NO_DEVICE] = { "connected, no device", "no-device" },
	[CONNECTED_DOWN] = { "session is down", "down" },
	[CONNECTED_FAILED] = { "failed", "failed" },
};

const char *connected_text(enum connected_state state)
{
	return states[state].text;
}

const char *connected_word(enum connected_state state)
{
	return states[state].word;
}
