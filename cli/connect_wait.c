/* SPDX-License-Identifier: MIT */
#include "connecting_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connecting.h"
#include "err.h"
#include "host/paths.h"
#include "host/records.h"
#include "iscsi/portal.h"
#include "os/loop.h"
#include "os/signals.h"
#include "progress.h"
#include "quote.h"
#include "udev/monitor.h"

enum { LOOK_MS = 500 }; /* between two looks where no event comes */

static uint64_t now_ms(void)
{
	return loop_clock_us() / 1000;
}

void connect_forget_devices(struct connected *connected)
{
	for (size_t i = 0; i < connected->device_count; i++)
		nodes_done(&connected->devices[i].nodes);
	free(connected->devices);
	connected->devices = NULL;
	connected->device_count = 0;
}

/* The kernel has them before it tells of their disk, behind which udevd comes to them. */
static bool partitions_are_through(const struct connecting *c, const struct node *disk, bool is_new)
{
	char **names = NULL;
	size_t count = 0;
	struct err ignored = { 0 };
	bool through = true;

	(void)paths_list(c->paths, disk->path, &names, &count, &ignored);
	for (size_t i = 0; through && i < count; i++) {
		char path[512], number[sizeof(path) + 16];

		snprintf(path, sizeof(path), "%s/%s", disk->path, names[i]);
		snprintf(number, sizeof(number), "%s/partition", path);
		if (paths_exists(c->paths, number, &ignored) == 1)
			through = monitor_is_through(c->monitor, path, is_new);
	}
	paths_list_free(names, count);
	return through;
}

/* What udevd is through with can be opened by its links: those of a tape are st0's and nst0's. */
static bool is_through(const struct connecting *c, const struct connected_device *found,
		       bool is_new)
{
	for (size_t i = 0; i < found->nodes.count; i++) {
		const struct node *node = &found->nodes.items[i];

		if (node_is_plain(node) && !monitor_is_through(c->monitor, node->path, is_new))
			return false;
		if (node->kind == NODE_BLOCK && !partitions_are_through(c, node, is_new))
			return false;
	}
	return nodes_main(&found->nodes, &found->device) != NULL;
}

static int look_at_device(const struct connecting *c, struct connected_device *found, bool is_new,
			  struct err *err)
{
	int rc = nodes_load(&found->nodes, c->paths, &found->device, err);

	if (rc < 0 || !device_runs(&found->device) || !is_through(c, found, is_new))
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

	connect_forget_devices(connected);
	connected->devices = calloc(session->device_count + 1, sizeof(*connected->devices));
	if (!connected->devices)
		return err_oom(err);
	for (size_t i = 0; rc == 0 && i < session->device_count; i++) {
		struct connected_device *found = &connected->devices[connected->device_count];

		found->device = session->devices[i];
		if (!device_has_node(&found->device))
			continue;
		rc = look_at_device(c, found, connected->state == CONNECTED_NOW, err);
		connected->device_count += rc == 0;
	}
	return rc;
}

/* A session without any device is one whose scan goes on, or one that lost it. */
static bool is_pending(const struct connected *connected)
{
	if (connected->down[0] != '\0')
		return true;
	if (!connected_is_up(connected))
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
	if (connected_is_up(connected))
		return sessions_find_by(sessions, connected->record);
	return connected->state == CONNECTED_ELSEWHERE
		       ? sessions_find_target(sessions, connected->record->target)
		       : NULL;
}

static int look_at(struct connecting *c, struct connected *connected,
		   const struct host_session *session, struct err *err)
{
	connected->down[0] = '\0';
	if (!session) {
		err_set(&connected->err, ENOTCONN, "%s is gone again: look at journalctl -u iscsid",
			connected->session);
		record_at(connected->record, &connected->err);
		connected->state = CONNECTED_FAILED;
		return 0;
	}
	if (!session_is_up(session))
		snprintf(connected->down, sizeof(connected->down), "%s", session->state);
	return connected_is_up(connected) ? look_at_devices(c, connected, session, err) : 0;
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
			"%s is up, but the %s %s has no node after %g s: look at dmesg; is "
			"the module %s loaded?",
			connected->session, device_word(&late->device, word), late->device.name,
			seconds, device_module(&late->device));
	else
		err_set(err, ETIMEDOUT,
			"%s is up, but udev was not through with %s within %g s: look at "
			"journalctl -u systemd-udevd",
			connected->session, late->device.name, seconds);
	record_at(connected->record, err);
	connected->state = connected->down[0] ? CONNECTED_DOWN : CONNECTED_NO_DEVICE;
}

int connect_wait(struct connecting *c, unsigned ms, struct err *err)
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
