/* SPDX-License-Identifier: MIT */
/* The nodes of a SCSI device (sdb; st0, nst0; sg3; sch0) out of sysfs, and their by-path links. */
#ifndef SGW_NODES_H
#define SGW_NODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct paths;
struct device;

enum node_kind {
	NODE_BLOCK,
	NODE_TAPE,
	NODE_CHANGER,
	NODE_GENERIC,
};

/* SPC-4, 6.6.2: peripheral device types of which a gateway has some. */
enum {
	DEVICE_DISK = 0,
	DEVICE_TAPE = 1,
	DEVICE_CHANGER = 8,
};

struct node {
	enum node_kind kind;
	char name[32]; /* below /dev: "sdb", "nst0" */
	char path[320]; /* its directory in sysfs */
	uint32_t major, minor;
	char **links; /* below /dev/disk/by-path or /dev/tape/by-path, sorted */
	size_t link_count;
};

struct nodes {
	struct node *items; /* by kind, then name */
	size_t count;
};

/*
 * Those that the device has now, none where it is gone; of a tape all of its
 * modes (st0, st0a, nst0 …). What is there and cannot be read fails, with its
 * place: a node that is not seen would pass for unused.
 */
int nodes_load(struct nodes *nodes, const struct paths *paths, const struct device *device,
	       struct err *err);
void nodes_done(struct nodes *nodes);

/* "8:16" of a node by its directory in sysfs; 0 and 0 where it has gone, or tells no numbers. */
int node_numbers(const struct paths *paths, const char *dir, uint32_t *major, uint32_t *minor,
		 struct err *err);

/*
 * What the device is used by: the disk, the tape that rewinds, the changer's
 * generic node; or NULL.
 */
const struct node *nodes_main(const struct nodes *nodes, const struct device *device);
/* Whether an administrator would name that node: of a tape's modes only st0 and nst0. */
bool node_is_plain(const struct node *node);

/* "disk", "tape", "changer"; "type 12". */
const char *device_word(const struct device *device, char out[16]);
/* What has to be loaded for its main node: "sd_mod"; of one that device_has_node(). */
const char *device_module(const struct device *device);
/* Whether it is one that gets a node of its own: not an enclosure, not an array's controller. */
bool device_has_node(const struct device *device);

#endif
