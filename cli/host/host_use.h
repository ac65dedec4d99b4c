/* SPDX-License-Identifier: MIT */
/*
 * All uses of devices that the host shows at one moment: mounts of all mount
 * namespaces, swap, open files of processes, loop devices. Reads /proc and
 * /sys alone; no device is opened. Whose devices they are is in_use.h's.
 */
#ifndef SGW_HOST_USE_H
#define SGW_HOST_USE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct paths;

/* In the order in which they would be ended. */
enum use_kind {
	USE_ROOT, /* the host runs from it */
	USE_SWAP, /* before the mount that a swap file lies in */
	USE_MOUNT,
	USE_OPEN,
	USE_LOOP,
	USE_HOLDER, /* something is built on it */
};

struct device_id {
	bool block; /* else a character device */
	uint32_t major, minor; /* major 0: only the name is known */
	char name[64]; /* below /dev: "sdb1"; may be empty */
};

struct host_use_item {
	enum use_kind kind; /* USE_MOUNT, _SWAP, _OPEN or _LOOP */
	struct device_id id;
	char *text; /* mount point; swap file, or empty; name of the process, of the loop device */
	bool of_udevd; /* the process is udevd's, or a program of a rule, which one of those runs */
	bool remote; /* a mount whose server may not answer */
	unsigned pid; /* of a process; of a mount that our own namespace does not show; else 0 */
};

struct host_use {
	const struct paths *paths;
	struct host_use_item *items;
	size_t count;
};

/*
 * Whether this process sees what all others have open, and all mounts: root with
 * CAP_SYS_PTRACE, which a unit or a container may lack. Whoever ends something asks first.
 */
bool host_use_sees_all(void);

/*
 * Look at all of it, once for any number of devices. What the processes of
 * others have open is not seen without host_use_sees_all(). It fails where a table that is there
 * cannot be read, since what is not seen would pass for unused; processes that
 * end meanwhile are left out. End it by host_use_done(), also after an error;
 * all zero is one that saw nothing.
 */
int host_use_load(struct host_use *host, const struct paths *paths, struct err *err);
void host_use_done(struct host_use *host);

#endif
