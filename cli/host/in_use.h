/* SPDX-License-Identifier: MIT */
/*
 * Who uses a device of this host: what host_use.h sees of it, of its
 * partitions, and of what is built on them (dm, md), looked through to the end.
 */
#ifndef SGW_IN_USE_H
#define SGW_IN_USE_H

#include <stdbool.h>
#include <stddef.h>

#include "host/host_use.h"

struct err;
struct nodes;

struct use {
	enum use_kind kind;
	char *by; /* "mounted on /data (sdb1)", "open by dd, process 123 (sdb)" */
	char *next; /* what ends it: "umount /data"; NULL where nothing that could be typed does */
	bool passing; /* udevd's or a rule's program, which look at new devices, and keep none */
	char *look; /* of a mount: what tells who is in it, so that it cannot end; else NULL */
	unsigned pid; /* of USE_OPEN, and of a mount in the namespace of others; else 0 */
	char mounted[64]; /* of USE_MOUNT: the device that the file system is on, "sdb1"; else "" */
};

struct uses {
	struct use *items;
	size_t count;
};

/* The uses of a device by all of its nodes; none is an empty list. */
int in_use_find(const struct host_use *host, const struct nodes *nodes, struct uses *uses,
		struct err *err);
void uses_done(struct uses *uses);

/* "root", "mount", "swap", "open", "loop", "holder" */
const char *use_word(enum use_kind kind);

#endif
