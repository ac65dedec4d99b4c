/* SPDX-License-Identifier: MIT */
/*
 * iSCSI sessions of this host as the kernel shows them below
 * /sys/class/iscsi_session, with the devices behind them. Read-only.
 */
#ifndef SGW_SESSIONS_H
#define SGW_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "host/records.h"

struct err;
struct paths;

enum { DEVICE_TYPE_DISK = 0 }; /* SPC-4's peripheral device type of a direct access block device */

/* A SCSI device: below the session's device/targetH:B:T/H:B:T:L. */
struct device {
	char name[32]; /* the block device's, "sda"; else H:B:T:L */
	char path[256]; /* the scsi_device, as the host names it */
	uint32_t type; /* SPC-4 peripheral device type: 0 disk, 1 tape, 8 changer */
	char state[24]; /* "running", "blocked", "offline" …; empty: not known */
};

struct host_session {
	char name[32]; /* "session3" */
	char target[ISCSI_NAME_SIZE];
	char address[64]; /* the portal it was told to use (persistent_address) */
	uint16_t port; /* 0: the portal cannot be read */
	char interface[64]; /* ifacename, "default"; empty: not known */
	char state[24]; /* "LOGGED_IN", "FAILED", "FREE"; empty: not known */
	char path[128]; /* /sys/class/iscsi_session/session3 */
	char connection[128]; /* /sys/class/iscsi_connection/connection3:0, or empty */
	struct device *devices;
	size_t device_count;
};

struct sessions {
	struct host_session *items; /* in the kernel's order of numbers */
	size_t count;
	char nameless[32]; /* one that is there, but whose target cannot be read; else empty */
};

/*
 * Whether they are the running host's, not the tree's: below --root a kernel's
 * own sysfs is mounted, as a chroot has it. Nobody is to write to those. 1 or 0.
 */
int sessions_of_another(const struct paths *paths, struct err *err);

/* All sessions; none where the kernel has no iSCSI. A session that goes meanwhile is left out. */
int sessions_load(struct sessions *sessions, const struct paths *paths, struct err *err);
void sessions_done(struct sessions *sessions);

/* Whether it is logged in now, and whether the device takes commands; what is not known does. */
bool session_is_up(const struct host_session *session);
bool device_runs(const struct device *device);
/* Whether it is up and known to lack a device that could be used: there is none with a node. */
bool session_is_bare(const struct host_session *session);
/* Whether it is up, and has devices, of which all run. */
bool session_is_usable(const struct host_session *session);

/*
 * The text of one attribute, blanks at its end cut off: of the session, or of
 * its connection where the session has none of that name. -ENOENT.
 */
int session_read(const struct host_session *session, const struct paths *paths, const char *key,
		 struct buf *out, struct err *err);
int device_read(const struct device *device, const struct paths *paths, const char *key,
		struct buf *out, struct err *err);

/* Whether it is the target's session through that portal; the address is a record's, canonical. */
bool session_is(const struct host_session *session, const char *target, const char *address,
		uint16_t port);
/* Whether it is the record's: by target, portal, and interface where both tell it. */
bool session_is_by(const struct host_session *session, const struct record *record);
/* session_is(), but a session of the target whose portal cannot be read counts as well. */
bool session_may_be(const struct host_session *session, const char *target, const char *address,
		    uint16_t port);
/* The first that session_is(), or NULL. */
const struct host_session *sessions_find(const struct sessions *sessions, const char *target,
					 const char *address, uint16_t port);
/* The first that session_is_by(), or NULL. */
const struct host_session *sessions_find_by(const struct sessions *sessions,
					    const struct record *record);
/* The first to that target, whichever way; or NULL. */
const struct host_session *sessions_find_target(const struct sessions *sessions,
						const char *target);
/* The first that session_may_be(), or NULL: what keeps a record in use. */
const struct host_session *sessions_find_possible(const struct sessions *sessions,
						  const char *target, const char *address,
						  uint16_t port);

/*
 * Whether a logout of one session, by its target, portal and interface, ends
 * the other too: nr_sessions above 1 and `iscsiadm --op new` make several that
 * only their numbers tell apart. What cannot be read of them counts as equal.
 * True of the session itself.
 */
bool session_shares_logout(const struct host_session *session, const struct host_session *other);

/*
 * Whether a multipath device holds the disk: 1 with its name ("mpatha") in
 * out, 0, or negative errno where that cannot be told.
 */
int device_multipath(const struct device *device, const struct paths *paths, char out[128],
		     struct err *err);

/* B:T:L of its H:B:T:L: the host's number is another after each login. */
const char *device_unit(const struct device *device);

#endif
