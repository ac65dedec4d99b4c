/* SPDX-License-Identifier: MIT */
#include "connecting.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/owed.h"
#include "host/iscsiadm.h"
#include "host/paths.h"
#include "host/records.h"
#include "iscsi/portal.h"
#include "os/loop.h"
#include "os/signals.h"
#include "os/sockets.h"
#include "progress.h"
#include "quote.h"
#include "udev/monitor.h"

enum {
	/* Past iscsid's own patience: 8 attempts of 15 s by iscsid.conf, 4 of 30 s by default. */
	LOGIN_MS = 240000,
	LOGOUT_MS = 60000,
	REACH_MS = 3000, /* to connect, before iscsid is left to try it for minutes */
	LOOK_MS = 500, /* between two looks where no event comes */
	ADDRESSES_MAX = 4, /* of a host name */
};

/* One connecting_run(). */
struct connecting {
	const struct paths *paths;
	bool again;
	struct monitor *monitor;
	struct connected *list;
	size_t count;
	struct progress progress;
};

static uint64_t now_ms(void)
{
	return loop_clock_us() / 1000;
}

int connecting_at(const struct record *record, struct err *err)
{
	char portal[PORTAL_TEXT_MAX];

	portal_text_of(record->address, record->port, portal);
	return err_at(err, "%s at %s", record->target, portal);
}

static const struct host_session *session_of(const struct sessions *sessions,
					     const struct record *record)
{
	for (size_t i = 0; i < sessions->count; i++) {
		if (session_is_by(&sessions->items[i], record))
			return &sessions->items[i];
	}
	return NULL;
}

/* Another way to the same target. */
static const struct host_session *other_session(const struct sessions *sessions, const char *target)
{
	for (size_t i = 0; i < sessions->count; i++) {
		if (strcmp(sessions->items[i].target, target) == 0)
			return &sessions->items[i];
	}
	return NULL;
}

static int reach_address(const struct socket_address *address, struct err *err)
{
	int fd = socket_connect(address, err), rc;
	struct pollfd wait = { .fd = fd, .events = POLLOUT };

	if (fd < 0)
		return fd;
	rc = poll(&wait, 1, REACH_MS) > 0 ? socket_connected(fd) : -ETIMEDOUT;
	socket_close(fd);
	if (rc == -ECONNREFUSED)
		err_set(err, ECONNREFUSED,
			"it refuses connections: is the gateway running, is the port right?");
	else if (rc == -ETIMEDOUT)
		err_set(err, ETIMEDOUT,
			"no answer within %d s: is the gateway running, is a firewall in between?",
			REACH_MS / 1000);
	else if (rc < 0)
		err_sys(err, -rc, "it cannot be reached");
	return rc;
}

/*
 * iscsid tries a dead portal for up to two minutes and says little: look first.
 * A record bound to an interface may go another way than we would.
 */
static int reach(const struct record *record, struct err *err)
{
	struct socket_address addresses[ADDRESSES_MAX];
	int count, rc = 0;

	if (strcmp(record->interface, "default") != 0 && record->interface[0] != '\0')
		return 0;
	count = socket_resolve(record->address, record->port, addresses, ADDRESSES_MAX, err);
	if (count < 0)
		return count;
	for (int i = 0; i < count; i++) {
		rc = reach_address(&addresses[i], err);
		if (rc == 0)
			return 0;
	}
	return rc;
}

int connecting_reach(const struct record *record, struct err *err)
{
	int rc = reach(record, err);

	return rc < 0 ? connecting_at(record, err) : 0;
}

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
	rc = reach(record, err);
	if (rc == 0)
		rc = iscsiadm_login(c->paths, &target, LOGIN_MS, err);
	return rc;
}

/* iscsiadm's word is not enough: what sysfs shows is there. */
static int look_for_session(struct connecting *c, struct connected *connected, struct err *err)
{
	const struct host_session *session;
	struct sessions sessions;
	int rc = sessions_load(&sessions, c->paths, err);

	if (rc < 0)
		return rc;
	session = session_of(&sessions, connected->record);
	if (session)
		snprintf(connected->session, sizeof(connected->session), "%s", session->name);
	else
		rc = err_set(err, EIO,
			     "iscsiadm says it is logged in, but there is no session: look at "
			     "journalctl -u iscsid");
	sessions_done(&sessions);
	return rc;
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
	session = session_of(&sessions, record);
	other = session || c->again ? NULL : other_session(&sessions, record->target);
	if (session) {
		connected->state = CONNECTED_ALREADY;
		snprintf(connected->session, sizeof(connected->session), "%s", session->name);
	} else if (other) {
		connected->state = CONNECTED_ELSEWHERE;
		snprintf(connected->session, sizeof(connected->session), "%s", other->name);
		tell_other(other, &connected->err);
		connecting_at(record, &connected->err);
	}
	sessions_done(&sessions);
	return session || other;
}

static void connect_one(struct connecting *c, size_t at)
{
	struct connected *connected = &c->list[at];
	struct err why = { 0 };
	int rc;

	progress_show(&c->progress, "logging in to %s (%zu of %zu)", connected->record->target,
		      at + 1, c->count);
	rc = find_session(c, connected, &why);
	if (rc > 0)
		return;
	if (rc == 0)
		rc = log_in(c, at, &why);
	if (rc >= 0)
		rc = look_for_session(c, connected, &why);
	connected->state = rc < 0 ? CONNECTED_FAILED : CONNECTED_NOW;
	if (rc >= 0 && owed_settle(c->paths, connected->record, &why) < 0)
		err_print("sgw-init", &why);
	if (rc < 0) {
		connected->err = why;
		connecting_at(connected->record, &connected->err);
	}
}

static void forget_devices(struct connected *connected)
{
	for (size_t i = 0; i < connected->device_count; i++)
		nodes_done(&connected->devices[i].nodes);
	free(connected->devices);
	connected->devices = NULL;
	connected->device_count = 0;
}

/* What udevd is through with can be opened by its links, too: a tape's are those of st0 and nst0. */
static bool is_through(const struct connecting *c, const struct connected_device *found)
{
	for (size_t i = 0; i < found->nodes.count; i++) {
		const struct node *node = &found->nodes.items[i];

		if (node_is_plain(node) && !monitor_is_through(c->monitor, node->path))
			return false;
	}
	return nodes_main(&found->nodes, &found->device) != NULL;
}

static int look_at_device(const struct connecting *c, struct connected_device *found,
			  struct err *err)
{
	int rc = nodes_load(&found->nodes, c->paths, &found->device, err);

	if (rc < 0 || !device_runs(&found->device) || !is_through(c, found))
		return rc;
	/* The links that stand now: udevd may have made them since. */
	nodes_done(&found->nodes);
	rc = nodes_load(&found->nodes, c->paths, &found->device, err);
	found->ready = rc == 0 && nodes_main(&found->nodes, &found->device);
	return rc;
}

static int look_at_devices(struct connecting *c, struct connected *connected,
			   const struct host_session *session, struct err *err)
{
	int rc = 0;

	forget_devices(connected);
	connected->devices = calloc(session->device_count + 1, sizeof(*connected->devices));
	if (!connected->devices)
		return err_oom(err);
	for (size_t i = 0; rc == 0 && i < session->device_count; i++) {
		struct connected_device *found = &connected->devices[connected->device_count];

		found->device = session->devices[i];
		if (!device_has_node(&found->device))
			continue;
		rc = look_at_device(c, found, err);
		connected->device_count += rc == 0;
	}
	return rc;
}

static bool is_up(const struct connected *connected)
{
	return connected->state == CONNECTED_NOW || connected->state == CONNECTED_ALREADY;
}

/* A session without any device is one whose scan goes on, or one that lost it. */
static bool is_pending(const struct connected *connected)
{
	if (connected->down[0] != '\0')
		return true;
	if (!is_up(connected))
		return false;
	for (size_t i = 0; i < connected->device_count; i++) {
		if (!connected->devices[i].ready)
			return true;
	}
	return connected->device_count == 0;
}

static const struct host_session *session_now(const struct sessions *sessions,
					      const struct connected *connected)
{
	if (is_up(connected))
		return session_of(sessions, connected->record);
	return connected->state == CONNECTED_ELSEWHERE
		       ? other_session(sessions, connected->record->target)
		       : NULL;
}

static int look_at(struct connecting *c, struct connected *connected,
		   const struct host_session *session, struct err *err)
{
	connected->down[0] = '\0';
	if (!session) {
		err_set(&connected->err, ENOTCONN, "%s is gone again: look at journalctl -u iscsid",
			connected->session);
		connecting_at(connected->record, &connected->err);
		connected->state = CONNECTED_FAILED;
		return 0;
	}
	if (!session_is_up(session))
		snprintf(connected->down, sizeof(connected->down), "%s", session->state);
	return is_up(connected) ? look_at_devices(c, connected, session, err) : 0;
}

/* How many of those that have a session still lack it, or a device. */
static int look(struct connecting *c, size_t *pending, struct err *err)
{
	struct sessions sessions;
	int rc = sessions_load(&sessions, c->paths, err);

	*pending = 0;
	if (rc < 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < c->count; i++) {
		struct connected *connected = &c->list[i];

		if (!connected_is_fine(connected))
			continue;
		rc = look_at(c, connected, session_now(&sessions, connected), err);
		*pending += is_pending(connected);
	}
	sessions_done(&sessions);
	return rc;
}

/* iscsid logs in again by itself, for as long as it takes; elsewhere it may try in vain. */
static void tell_down(const struct connected *connected, double seconds, struct err *err)
{
	const struct record *record = connected->record;
	CLEANUP(buf_done) struct buf command = { 0 };
	char portal[PORTAL_TEXT_MAX];

	portal_text_of(record->address, record->port, portal);
	if (connected->state == CONNECTED_ELSEWHERE) {
		err_set(err, ETIMEDOUT,
			"%s, by which this target is connected elsewhere, is down (%s), and was "
			"for %g s: sgw-init devices shows its portal",
			connected->session, connected->down, seconds);
		buf_adds(&command, "sgw-init disconnect --target ");
		quote_word(&command, record->target);
		err_add_command(
			err, "; if that is no more, connect once more after: ", buf_text(&command));
	} else {
		err_set(err, ETIMEDOUT,
			"%s is down (%s), and did not come up within %g s: does the gateway run "
			"(sgw-init discover %s)? iscsid tries on; journalctl -u iscsid says what "
			"it meets",
			connected->session, connected->down, seconds, portal);
	}
}

static void give_up(struct connected *connected, unsigned ms)
{
	const struct connected_device *late = NULL;
	const double seconds = ms / 1000.0;
	struct err *err = &connected->err;
	char word[16];

	for (size_t i = 0; !late && i < connected->device_count; i++) {
		if (!connected->devices[i].ready)
			late = &connected->devices[i];
	}
	if (connected->down[0] != '\0')
		tell_down(connected, seconds, err);
	else if (!late && connected->state == CONNECTED_ALREADY)
		err_set(err, ETIMEDOUT,
			"%s is up, but it has no device, and none came within %g s: have the "
			"kernel look for it: iscsiadm -m session -r %s --rescan",
			connected->session, seconds, connected->session + strlen("session"));
	else if (!late)
		err_set(err, ETIMEDOUT, "%s is up, but no device came within %g s: look at dmesg",
			connected->session, seconds);
	else if (!device_runs(&late->device))
		err_set(err, ETIMEDOUT,
			"%s is up, but %s is %s after %g s, not running: once the gateway is "
			"well: echo running >/sys/bus/scsi/devices/%s/state",
			connected->session, late->device.name, late->device.state, seconds,
			strrchr(late->device.path, '/') + 1);
	else if (!nodes_main(&late->nodes, &late->device))
		err_set(err, ETIMEDOUT,
			"%s is up, but the %s %s has no node after %g s: look at dmesg%s",
			connected->session, device_word(&late->device, word), late->device.name,
			seconds,
			late->device.type == DEVICE_TAPE      ? "; is the module st loaded?"
			: late->device.type == DEVICE_CHANGER ? "; is the module sg loaded?"
							      : "");
	else
		err_set(err, ETIMEDOUT,
			"%s is up, but udev was not through with %s within %g s: look at "
			"journalctl -u systemd-udevd",
			connected->session, late->device.name, seconds);
	connecting_at(connected->record, err);
	connected->state = connected->down[0] ? CONNECTED_DOWN : CONNECTED_NO_DEVICE;
}

static int await_devices(struct connecting *c, unsigned ms, struct err *err)
{
	const uint64_t end = now_ms() + ms;
	size_t pending = 0;
	int rc;

	for (;;) {
		uint64_t now = now_ms();

		rc = look(c, &pending, err);
		if (rc < 0 || pending == 0 || now >= end || signals_pending())
			break;
		progress_show(&c->progress, "waiting for the devices of %zu %s", pending,
			      pending == 1 ? "target" : "targets");
		monitor_wait(c->monitor, end - now < LOOK_MS ? (unsigned)(end - now) : LOOK_MS);
	}
	for (size_t i = 0; rc == 0 && i < c->count; i++) {
		if (is_pending(&c->list[i]))
			give_up(&c->list[i], ms);
	}
	return rc;
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
		rc = await_devices(&c, device_ms, err);
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
		forget_devices(&list[i]);
	free(list);
}

bool connected_is_fine(const struct connected *connected)
{
	return is_up(connected) || connected->state == CONNECTED_ELSEWHERE;
}

const char *connected_text(enum connected_state state)
{
	static const char *const texts[] = {
		[CONNECTED_NOW] = "connected",
		[CONNECTED_ALREADY] = "already connected",
		[CONNECTED_ELSEWHERE] = "connected elsewhere",
		[CONNECTED_NO_DEVICE] = "connected, no device",
		[CONNECTED_DOWN] = "session is down",
		[CONNECTED_FAILED] = "failed",
	};

	return texts[state];
}

const char *connected_word(enum connected_state state)
{
	static const char *const words[] = {
		[CONNECTED_NOW] = "connected",	     [CONNECTED_ALREADY] = "already",
		[CONNECTED_ELSEWHERE] = "elsewhere", [CONNECTED_NO_DEVICE] = "no-device",
		[CONNECTED_DOWN] = "down",	     [CONNECTED_FAILED] = "failed",
	};

	return words[state];
}

/* Those that were there before, and that the logout should have ended. */
static int expect_gone(const struct paths *paths, const struct sessions *before,
		       const struct host_session *ended, struct err *err)
{
	struct sessions now;
	int rc = sessions_load(&now, paths, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < before->count; i++) {
		const struct host_session *session = &before->items[i];

		/* Of what cannot be read iscsiadm need not have taken it for one of them. */
		if (session->port == 0 || !session_shares_logout(ended, session))
			continue;
		for (size_t j = 0; rc == 0 && j < now.count; j++) {
			if (strcmp(now.items[j].name, session->name) == 0 &&
			    strcmp(now.items[j].target, session->target) == 0)
				rc = err_set(err, EIO,
					     "iscsiadm says it is logged out, but %s is still "
					     "there: look at journalctl -u iscsid",
					     session->name);
		}
	}
	sessions_done(&now);
	return rc;
}

static int log_out(const struct paths *paths, const struct host_session *session,
		   const struct iscsiadm_target *target, struct err *err)
{
	struct sessions before;
	bool any = false;
	int rc = sessions_load(&before, paths, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; !any && i < before.count; i++)
		any = session_shares_logout(session, &before.items[i]);
	if (any)
		rc = iscsiadm_ready(paths, err);
	if (any && rc == 0)
		rc = iscsiadm_logout(paths, target, LOGOUT_MS, err);
	if (any && rc >= 0)
		rc = expect_gone(paths, &before, session, err);
	sessions_done(&before);
	return rc < 0 ? rc : !any;
}

int connecting_log_out(const struct paths *paths, const struct host_session *session,
		       struct err *err)
{
	char address[64], portal[PORTAL_TEXT_MAX];
	const struct iscsiadm_target target = {
		.target = session->target,
		.address = address,
		.port = session->port,
		.tag = -1,
		.interface = session->interface,
	};
	int rc;

	if (session->port == 0 || address_canonical(session->address, address, sizeof(address)) < 0)
		return err_set(err, EINVAL,
			       "it has no connection, and so no portal to name to iscsiadm");
	rc = log_out(paths, session, &target, err);
	portal_text_of(address, session->port, portal);
	return rc < 0 ? err_at(err, "%s at %s", session->target, portal) : rc;
}
