/* SPDX-License-Identifier: MIT */
#include "host/nodes.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "buf.h"
#include "err.h"
#include "host/paths.h"
#include "host/sessions.h"

/* The directories below a scsi_device that the kernel's drivers put their nodes in. */
static const char *const drivers[] = {
	[NODE_BLOCK] = "block",
	[NODE_TAPE] = "scsi_tape",
	[NODE_CHANGER] = "scsi_changer",
	[NODE_GENERIC] = "scsi_generic",
};

static const char *const link_dirs[] = { "/dev/disk/by-path", "/dev/tape/by-path" };

int node_numbers(const struct paths *paths, const char *dir, uint32_t *major, uint32_t *minor,
		 struct err *err)
{
	struct err why = { 0 };
	char text[32];
	int rc = paths_read_text(paths, dir, "dev", text, sizeof(text), &why);

	if (sscanf(text, "%u:%u", major, minor) != 2)
		*major = *minor = 0;
	return paths_unless_gone(rc, &why, err);
}

static int add_node(struct nodes *nodes, const struct paths *paths, enum node_kind kind,
		    const char *dir, const char *name, struct err *err)
{
	struct node node = { .kind = kind };
	int rc;

	if (snprintf(node.name, sizeof(node.name), "%s", name) >= (int)sizeof(node.name) ||
	    snprintf(node.path, sizeof(node.path), "%s/%s", dir, name) >= (int)sizeof(node.path))
		return 0; /* nothing the kernel makes */
	rc = node_numbers(paths, node.path, &node.major, &node.minor, err);
	if (rc < 0)
		return rc;
	if (!ARRAY_ROOM(nodes->items, nodes->count))
		return err_oom(err);
	nodes->items[nodes->count++] = node;
	return 0;
}

static int add_link(struct nodes *nodes, const char *link, const char *real, struct err *err)
{
	const char *name = strrchr(real, '/') + 1;

	for (size_t i = 0; i < nodes->count; i++) {
		struct node *node = &nodes->items[i];
		char *copy;

		if (strcmp(node->name, name) != 0)
			continue;
		copy = ARRAY_ROOM(node->links, node->link_count) ? strdup(link) : NULL;
		if (!copy)
			return err_oom(err);
		node->links[node->link_count++] = copy;
	}
	return 0;
}

static int add_links(struct nodes *nodes, const struct paths *paths, const char *dir,
		     struct err *err)
{
	char **names = NULL;
	size_t count = 0;
	struct err why = { 0 };
	int rc = paths_list(paths, dir, &names, &count, &why);

	for (size_t i = 0; rc == 0 && i < count; i++) {
		CLEANUP(free_ptr) char *real = NULL;
		char link[512];

		if (snprintf(link, sizeof(link), "%s/%s", dir, names[i]) >= (int)sizeof(link))
			continue;
		real = paths_real(paths, link, &why);
		if (real)
			rc = add_link(nodes, link, real, &why);
		else if (why.code != ENOENT && why.code != ELOOP) /* else it leads to no node */
			rc = -why.code;
	}
	paths_list_free(names, count);
	return paths_unless_gone(rc, &why, err);
}

/* Those that one of the kernel's drivers made. */
static int add_nodes(struct nodes *nodes, const struct paths *paths, const struct device *device,
		     enum node_kind kind, struct err *err)
{
	char dir[sizeof(device->path) + 16];
	char **names = NULL;
	size_t count = 0;
	struct err why = { 0 };
	int rc;

	snprintf(dir, sizeof(dir), "%s/%s", device->path, drivers[kind]);
	rc = paths_list(paths, dir, &names, &count, &why);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = add_node(nodes, paths, kind, dir, names[i], &why);
	paths_list_free(names, count);
	return paths_unless_gone(rc, &why, err);
}

int nodes_load(struct nodes *nodes, const struct paths *paths, const struct device *device,
	       struct err *err)
{
	int rc = 0;

	*nodes = (struct nodes){ 0 };
	for (size_t kind = 0; rc == 0 && kind < ARRAY_LEN(drivers); kind++)
		rc = add_nodes(nodes, paths, device, (enum node_kind)kind, err);
	for (size_t i = 0; rc == 0 && nodes->count > 0 && i < ARRAY_LEN(link_dirs); i++)
		rc = add_links(nodes, paths, link_dirs[i], err);
	if (rc < 0)
		nodes_done(nodes);
	return rc;
}

void nodes_done(struct nodes *nodes)
{
	for (size_t i = 0; i < nodes->count; i++) {
		for (size_t j = 0; j < nodes->items[i].link_count; j++)
			free(nodes->items[i].links[j]);
		free(nodes->items[i].links);
	}
	free(nodes->items);
	*nodes = (struct nodes){ 0 };
}

/* A changer's driver, ch, is often not there; mtx and backup software use the generic node. */
static enum node_kind main_kind(const struct device *device)
{
	switch (device->type) {
	case DEVICE_TAPE:
		return NODE_TAPE;
	case DEVICE_CHANGER:
		return NODE_GENERIC;
	default:
		return NODE_BLOCK;
	}
}

const struct node *nodes_main(const struct nodes *nodes, const struct device *device)
{
	for (size_t i = 0; i < nodes->count; i++) {
		const struct node *node = &nodes->items[i];

		if (node->kind == main_kind(device) && node_is_plain(node) && node->name[0] != 'n')
			return node;
	}
	return NULL;
}

bool node_is_plain(const struct node *node)
{
	size_t len = strlen(node->name);

	return node->kind != NODE_TAPE || (len > 0 && isdigit((unsigned char)node->name[len - 1]));
}

const char *device_word(const struct device *device, char out[16])
{
	switch (device->type) {
	case DEVICE_DISK:
		return "disk";
	case DEVICE_TAPE:
		return "tape";
	case DEVICE_CHANGER:
		return "changer";
	default:
		snprintf(out, 16, "type %u", device->type & 0x1f);
		return out;
	}
}

const char *device_module(const struct device *device)
{
	switch (main_kind(device)) {
	case NODE_TAPE:
		return "st";
	case NODE_GENERIC:
		return "sg";
	default:
		return "sd_mod";
	}
}

bool device_has_node(const struct device *device)
{
	return device->type == DEVICE_DISK || device->type == DEVICE_TAPE ||
	       device->type == DEVICE_CHANGER;
}
