/* SPDX-License-Identifier: MIT */
#include "host/sessions.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#include "array.h"
#include "err.h"
#include "host/nodes.h"
#include "host/paths.h"
#include "host/spot.h"
#include "number.h"

#define SESSIONS "/sys/class/iscsi_session"
#define CONNECTIONS "/sys/class/iscsi_connection"

int session_read(const struct host_session *session, const struct paths *paths, const char *key,
		 struct buf *out, struct err *err)
{
	int rc = paths_read_attribute(paths, session->path, key, out, err);

	if (rc == -ENOENT && session->connection[0] != '\0')
		rc = paths_read_attribute(paths, session->connection, key, out, err);
	return rc;
}

int device_read(const struct device *device, const struct paths *paths, const char *key,
		struct buf *out, struct err *err)
{
	return paths_read_attribute(paths, device->path, key, out, err);
}

bool session_is_up(const struct host_session *session)
{
	return session->state[0] == '\0' || strcmp(session->state, "LOGGED_IN") == 0;
}

bool device_runs(const struct device *device)
{
	return device->state[0] == '\0' || strcmp(device->state, "running") == 0;
}

bool session_is_bare(const struct host_session *session)
{
	if (session->state[0] == '\0' || !session_is_up(session))
		return false;
	for (size_t i = 0; i < session->device_count; i++) {
		if (device_has_node(&session->devices[i]))
			return false;
	}
	return true;
}

bool session_is_usable(const struct host_session *session)
{
	if (!session_is_up(session) || session_is_bare(session))
		return false;
	for (size_t i = 0; i < session->device_count; i++) {
		if (device_has_node(&session->devices[i]) && !device_runs(&session->devices[i]))
			return false;
	}
	return true;
}

bool session_is(const struct host_session *session, const char *target, const char *address,
		uint16_t port)
{
	char canonical[64];

	return session->port == port && strcmp(session->target, target) == 0 &&
	       address_canonical(session->address, canonical, sizeof(canonical)) == 0 &&
	       strcmp(canonical, address) == 0;
}

bool session_is_by(const struct host_session *session, const struct record *record)
{
	return session_is(session, record->target, record->address, record->port) &&
	       (session->interface[0] == '\0' || record->interface[0] == '\0' ||
		strcmp(session->interface, record->interface) == 0);
}

static bool knows_portal(const struct host_session *session, char canonical[64])
{
	return session->port != 0 && address_canonical(session->address, canonical, 64) == 0;
}

bool session_may_be(const struct host_session *session, const char *target, const char *address,
		    uint16_t port)
{
	char canonical[64];

	if (strcmp(session->target, target) != 0)
		return false;
	return !knows_portal(session, canonical) || session_is(session, target, address, port);
}

const struct host_session *sessions_find(const struct sessions *sessions, const char *target,
					 const char *address, uint16_t port)
{
	for (size_t i = 0; i < sessions->count; i++) {
		if (session_is(&sessions->items[i], target, address, port))
			return &sessions->items[i];
	}
	return NULL;
}

const struct host_session *sessions_find_by(const struct sessions *sessions,
					    const struct record *record)
{
	for (size_t i = 0; i < sessions->count; i++) {
		if (session_is_by(&sessions->items[i], record))
			return &sessions->items[i];
	}
	return NULL;
}

const struct host_session *sessions_find_target(const struct sessions *sessions, const char *target)
{
	for (size_t i = 0; i < sessions->count; i++) {
		if (strcmp(sessions->items[i].target, target) == 0)
			return &sessions->items[i];
	}
	return NULL;
}

const struct host_session *sessions_find_possible(const struct sessions *sessions,
						  const char *target, const char *address,
						  uint16_t port)
{
	for (size_t i = 0; i < sessions->count; i++) {
		if (session_may_be(&sessions->items[i], target, address, port))
			return &sessions->items[i];
	}
	return NULL;
}

bool session_shares_logout(const struct host_session *session, const struct host_session *other)
{
	char canonical[64];

	if (strcmp(session->target, other->target) != 0)
		return false;
	if (knows_portal(session, canonical) &&
	    !session_may_be(other, session->target, canonical, session->port))
		return false;
	return session->interface[0] == '\0' || other->interface[0] == '\0' ||
	       strcmp(session->interface, other->interface) == 0;
}

/* A holder that device mapper made for multipathd; the others are LVM's, dm-crypt's, md's. */
static bool holder_is_multipath(const struct paths *paths, const char *holder, char out[128])
{
	char dir[128], uuid[256];
	struct err ignored = { 0 };

	if (snprintf(dir, sizeof(dir), "/sys/block/%s/dm", holder) >= (int)sizeof(dir))
		return false;
	paths_read_text(paths, dir, "uuid", uuid, sizeof(uuid), &ignored);
	if (strncmp(uuid, "mpath-", strlen("mpath-")) != 0)
		return false;
	if (paths_read_text(paths, dir, "name", out, 128, &ignored) < 0)
		snprintf(out, 128, "%s", holder);
	return true;
}

int device_multipath(const struct device *device, const struct paths *paths, char out[128],
		     struct err *err)
{
	char dir[sizeof(device->path) + 64];
	char **names = NULL;
	size_t count = 0;
	bool found = false;
	int rc;

	snprintf(dir, sizeof(dir), "%s/block/%s/holders", device->path, device->name);
	rc = paths_list(paths, dir, &names, &count, err);
	for (size_t i = 0; rc == 0 && !found && i < count; i++)
		found = holder_is_multipath(paths, names[i], out);
	paths_list_free(names, count);
	return rc == -ENOENT || rc == 0 ? found : rc;
}

const char *device_unit(const struct device *device)
{
	const char *slash = strrchr(device->path, '/');
	const char *colon = strchr(slash ? slash : device->path, ':');

	return colon ? colon + 1 : device->path;
}

static int add_device(struct host_session *session, const struct paths *paths, const char *dir,
		      const char *name, struct err *err)
{
	struct device device = { 0 };
	char blocks[320], type[16];
	char **names = NULL;
	size_t count = 0;
	struct err ignored = { 0 };

	if (snprintf(device.path, sizeof(device.path), "%s/%s", dir, name) >=
		    (int)sizeof(device.path) ||
	    strlen(name) >= sizeof(device.name))
		return 0; /* nothing the kernel makes */
	/* What has no type is no device: it went, or it is "power", "uevent"… */
	paths_read_text(paths, device.path, "type", type, sizeof(type), &ignored);
	if (parse_u32(type, 0, 0x1f, &device.type, &ignored) < 0)
		return 0;
	paths_read_text(paths, device.path, "state", device.state, sizeof(device.state), &ignored);
	snprintf(device.name, sizeof(device.name), "%s", name);
	snprintf(blocks, sizeof(blocks), "%s/block", device.path);
	if (paths_list(paths, blocks, &names, &count, &ignored) == 0 && count > 0 &&
	    strlen(names[0]) < sizeof(device.name))
		snprintf(device.name, sizeof(device.name), "%s", names[0]);
	paths_list_free(names, count);

	if (!ARRAY_ROOM(session->devices, session->device_count))
		return err_oom(err);
	session->devices[session->device_count++] = device;
	return 0;
}

/* SESSION/device/targetH:B:T/H:B:T:L */
static int load_devices(struct host_session *session, const struct paths *paths, struct err *err)
{
	char dir[160], target[256];
	char **targets = NULL, **names = NULL;
	size_t target_count = 0, count = 0;
	struct err ignored = { 0 };
	int rc = 0;

	snprintf(dir, sizeof(dir), "%s/device", session->path);
	if (paths_list(paths, dir, &targets, &target_count, &ignored) < 0)
		return 0;
	for (size_t i = 0; rc == 0 && i < target_count; i++) {
		if (strncmp(targets[i], "target", strlen("target")) != 0 ||
		    snprintf(target, sizeof(target), "%s/%s", dir, targets[i]) >=
			    (int)sizeof(target))
			continue;
		if (paths_list(paths, target, &names, &count, &ignored) < 0)
			continue;
		for (size_t j = 0; rc == 0 && j < count; j++) {
			if (strchr(names[j], ':'))
				rc = add_device(session, paths, target, names[j], err);
		}
		paths_list_free(names, count);
		names = NULL;
	}
	paths_list_free(targets, target_count);
	return rc;
}

/* What was not set, or not yet, the kernel shows as "<NULL>" or "(null)". */
static bool is_unset(const char *value)
{
	return strchr("<(", value[0]) != NULL;
}

/* 1 where the session went while it was read, 2 where it is there but tells no target. */
static int load_session(struct host_session *session, const struct paths *paths, const char *name,
			struct err *err)
{
	struct err ignored = { 0 };
	char port[16] = "";
	uint32_t number = 0;
	int rc;

	*session = (struct host_session){ 0 };
	if (strncmp(name, "session", strlen("session")) != 0 ||
	    strlen(name) >= sizeof(session->name))
		return 1;
	snprintf(session->name, sizeof(session->name), "%s", name);
	snprintf(session->path, sizeof(session->path), SESSIONS "/%s", name);
	if (paths_read_text(paths, session->path, "targetname", session->target,
			    sizeof(session->target), &ignored) < 0 ||
	    is_unset(session->target)) {
		rc = paths_exists(paths, session->path, err);
		return rc < 0 ? rc : rc == 0 ? 1 : 2;
	}
	paths_read_text(paths, session->path, "ifacename", session->interface,
			sizeof(session->interface), &ignored);
	if (is_unset(session->interface))
		session->interface[0] = '\0';
	paths_read_text(paths, session->path, "state", session->state, sizeof(session->state),
			&ignored);
	snprintf(session->connection, sizeof(session->connection), CONNECTIONS "/connection%s:0",
		 name + strlen("session"));
	rc = paths_exists(paths, session->connection, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		session->connection[0] = '\0';
	else if (paths_read_text(paths, session->connection, "persistent_address", session->address,
				 sizeof(session->address), &ignored) == 0 &&
		 paths_read_text(paths, session->connection, "persistent_port", port, sizeof(port),
				 &ignored) == 0 &&
		 parse_u32(port, 1, 65535, &number, &ignored) == 0)
		session->port = (uint16_t)number;
	return load_devices(session, paths, err);
}

static int by_number(const void *a, const void *b)
{
	const struct host_session *x = a, *y = b;
	size_t x_len = strlen(x->name), y_len = strlen(y->name);

	return x_len != y_len ? (x_len > y_len) - (x_len < y_len) : strcmp(x->name, y->name);
}

int sessions_of_another(const struct paths *paths, struct err *err)
{
	struct spot spot = SPOT_NONE;
	struct statfs st;
	int rc;

	if (paths->live)
		return 0;
	rc = paths_find(paths, SESSIONS, &spot, err);
	if (rc == 0 && fstatfs(spot.dirfd, &st) < 0) {
		err_sys(err, errno, "the kind of its file system cannot be told");
		rc = paths_at(paths, SESSIONS, err);
	} else if (rc == 0) {
		rc = st.f_type == SYSFS_MAGIC;
	}
	spot_done(&spot);
	return rc == -ENOENT ? 0 : rc;
}

int sessions_load(struct sessions *sessions, const struct paths *paths, struct err *err)
{
	char **names = NULL;
	size_t count = 0;
	int rc = paths_list(paths, SESSIONS, &names, &count, err);

	*sessions = (struct sessions){ 0 };
	if (rc == -ENOENT)
		return 0;
	if (rc < 0)
		return rc;
	sessions->items = calloc(count + 1, sizeof(*sessions->items));
	if (!sessions->items)
		rc = err_oom(err);
	for (size_t i = 0; rc >= 0 && i < count; i++) {
		rc = load_session(&sessions->items[sessions->count], paths, names[i], err);
		if (rc == 0)
			sessions->count++;
		else if (rc == 2)
			snprintf(sessions->nameless, sizeof(sessions->nameless), "%s", names[i]);
	}
	paths_list_free(names, count);
	if (rc < 0) {
		sessions_done(sessions);
		return rc;
	}
	qsort(sessions->items, sessions->count, sizeof(*sessions->items), by_number);
	return 0;
}

void sessions_done(struct sessions *sessions)
{
	for (size_t i = 0; i < sessions->count; i++)
		free(sessions->items[i].devices);
	free(sessions->items);
	*sessions = (struct sessions){ 0 };
}
