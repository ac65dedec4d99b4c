/* SPDX-License-Identifier: MIT */
#include "host/in_use.h"

#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "err.h"
#include "host/nodes.h"
#include "host/paths.h"
#include "quote.h"

enum {
	PARTS_MAX = 256, /* of one device: partitions, and all that is built on them */
	TEXT_MAX = 4096, /* of one attribute */
};

/* The device, a partition of it, or what is built on either. */
struct part {
	struct device_id id;
	char path[512]; /* in sysfs */
};

struct parts {
	struct part *items;
	size_t count;
};

/* Takes the texts of use over. */
static int add_use(struct uses *uses, struct use use, struct err *err)
{
	struct use *grown = realloc(uses->items, (uses->count + 1) * sizeof(*grown));

	if (!grown || !use.by) {
		if (grown)
			uses->items = grown;
		free(use.by);
		free(use.next);
		return err_oom(err);
	}
	uses->items = grown;
	grown[uses->count++] = use;
	return 0;
}

static char *text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static char *text(const char *fmt, ...)
{
	va_list args;
	char *made = NULL;

	va_start(args, fmt);
	if (vasprintf(&made, fmt, args) < 0)
		made = NULL;
	va_end(args);
	return made;
}

static bool attribute(const struct paths *paths, const char *dir, const char *name, char *out,
		      size_t size)
{
	CLEANUP(buf_done) struct buf found = { 0 };
	struct err ignored = { 0 };
	char path[640];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (paths_read(paths, path, TEXT_MAX, &found, NULL, &ignored) < 0)
		return false;
	snprintf(out, size, "%s", buf_text(&found));
	out[strcspn(out, "\n")] = '\0';
	return true;
}

/* false where it is there already, or is none. */
static bool add_part(struct parts *parts, const struct paths *paths, const char *path,
		     const char *name)
{
	struct part *part = &parts->items[parts->count];
	char numbers[32];

	for (size_t i = 0; i < parts->count; i++) {
		if (strcmp(parts->items[i].id.name, name) == 0)
			return false;
	}
	if (parts->count == PARTS_MAX || !attribute(paths, path, "dev", numbers, sizeof(numbers)))
		return false;
	*part = (struct part){ .id.block = true };
	if (sscanf(numbers, "%u:%u", &part->id.major, &part->id.minor) != 2)
		return false;
	snprintf(part->id.name, sizeof(part->id.name), "%s", name);
	snprintf(part->path, sizeof(part->path), "%s", path);
	parts->count++;
	return true;
}

/* A partition is a directory below its disk that has a number of its own. */
static void add_partitions(struct parts *parts, const struct paths *paths, const char *path)
{
	char **names = NULL;
	size_t count = 0;
	struct err ignored = { 0 };

	if (paths_list(paths, path, &names, &count, &ignored) < 0)
		return;
	for (size_t i = 0; i < count; i++) {
		char below[512], number[16];

		if (snprintf(below, sizeof(below), "%s/%s", path, names[i]) < (int)sizeof(below) &&
		    attribute(paths, below, "partition", number, sizeof(number)))
			add_part(parts, paths, below, names[i]);
	}
	paths_list_free(names, count);
}

/* "the LVM volume vg-data (dm-0)", and how it is taken down. */
static struct use holder_use(const struct paths *paths, const char *path, const char *name,
			     const char *of)
{
	static const struct {
		const char *prefix, *what, *next;
	} kinds[] = {
		{ "LVM-", "the LVM volume", "lvchange -an /dev/mapper/" },
		{ "mpath-", "the multipath map", "multipath -f " },
		{ "CRYPT-", "the encrypted device", "cryptsetup close " },
		{ "", "the device-mapper device", "dmsetup remove " },
	};
	struct use use = { .kind = USE_HOLDER };
	char uuid[256] = "", map[256], level[64];
	size_t i = 0;

	if (attribute(paths, path, "dm/name", map, sizeof(map))) {
		attribute(paths, path, "dm/uuid", uuid, sizeof(uuid));
		while (strncmp(uuid, kinds[i].prefix, strlen(kinds[i].prefix)) != 0)
			i++;
		use.by = text("%s %s (%s on %s)", kinds[i].what, map, name, of);
		use.next = text("%s%s", kinds[i].next, map);
	} else if (attribute(paths, path, "md/level", level, sizeof(level))) {
		use.by = text("the %s array %s (on %s)", level, name, of);
		use.next = text("mdadm --stop /dev/%s", name);
	} else {
		use.by = text("%s, which is built on %s", name, of);
	}
	return use;
}

static int add_holders(struct parts *parts, size_t at, const struct paths *paths, struct uses *uses,
		       struct err *err)
{
	char dir[560];
	char **names = NULL;
	size_t count = 0;
	struct err ignored = { 0 };
	int rc = 0;

	snprintf(dir, sizeof(dir), "%s/holders", parts->items[at].path);
	if (paths_list(paths, dir, &names, &count, &ignored) < 0)
		return 0;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		/* Where the link leads, since the names of links to links would grow for ever. */
		CLEANUP(free_ptr) char *real = NULL;
		char link[640];

		snprintf(link, sizeof(link), "%s/%.64s", dir, names[i]);
		real = paths_real(paths, link, &ignored);
		if (real && strlen(real) < sizeof(parts->items[0].path) &&
		    add_part(parts, paths, real, names[i]))
			rc = add_use(uses,
				     holder_use(paths, real, names[i], parts->items[at].id.name),
				     err);
	}
	paths_list_free(names, count);
	return rc;
}

/* All that the nodes stand for, whatever is built on it included; holders are uses by themselves. */
static int find_parts(struct parts *parts, const struct paths *paths, const struct nodes *nodes,
		      struct uses *uses, struct err *err)
{
	int rc = 0;

	parts->items = calloc(PARTS_MAX + 1, sizeof(*parts->items));
	if (!parts->items)
		return err_oom(err);
	for (size_t i = 0; i < nodes->count && parts->count < PARTS_MAX; i++) {
		struct part *part = &parts->items[parts->count++];
		const struct node *node = &nodes->items[i];

		*part = (struct part){ .id = { .block = node->kind == NODE_BLOCK,
					       .major = node->major,
					       .minor = node->minor } };
		snprintf(part->id.name, sizeof(part->id.name), "%s", node->name);
		snprintf(part->path, sizeof(part->path), "%s", node->path);
	}
	for (size_t i = 0; rc == 0 && i < parts->count; i++) {
		if (!parts->items[i].id.block)
			continue;
		add_partitions(parts, paths, parts->items[i].path);
		rc = add_holders(parts, i, paths, uses, err);
	}
	return rc;
}

static bool is_same(const struct device_id *part, const struct device_id *used)
{
	if (used->major != 0)
		return part->block == used->block && part->major == used->major &&
		       part->minor == used->minor;
	return used->name[0] != '\0' && strcmp(part->name, used->name) == 0;
}

/* The host would not live on without these. */
static bool is_system(const char *point)
{
	static const char *const points[] = { "/", "/boot", "/boot/efi", "/usr", "/var" };

	for (size_t i = 0; i < ARRAY_LEN(points); i++) {
		if (strcmp(points[i], point) == 0)
			return true;
	}
	return false;
}

/* As it calls itself since systemd 252, before, and elsewhere. */
static bool is_udevd(const char *process)
{
	return strcmp(process, "(udev-worker)") == 0 || strcmp(process, "systemd-udevd") == 0 ||
	       strcmp(process, "udevd") == 0;
}

static struct use use_of(const struct host_use_item *item, const char *name)
{
	struct use use = { .kind = item->kind, .pid = item->pid };
	CLEANUP(buf_done) struct buf point = { 0 };

	quote_word(&point, item->text);
	switch (item->kind) {
	case USE_MOUNT:
		if (item->pid == 0 && is_system(item->text)) {
			use.kind = USE_ROOT;
			use.by = text("this host's %s (%s)", item->text, name);
		} else if (item->pid == 0) {
			use.by = text("mounted on %s (%s)", item->text, name);
			use.next = text("umount %s", buf_text(&point));
		} else {
			use.by = text("mounted on %s in the namespace of process %u (%s)",
				      item->text, item->pid, name);
			use.next = text("nsenter -m -t %u umount %s", item->pid, buf_text(&point));
		}
		break;
	case USE_SWAP:
		use.by = text("swap (%s)", name);
		use.next = text("swapoff /dev/%s", name);
		break;
	case USE_OPEN:
		use.by = text("open by %s, process %u (%s)", item->text, item->pid, name);
		use.next = text("end process %u", item->pid);
		use.passing = is_udevd(item->text);
		break;
	default:
		use.by = text("%s (%s)", item->text, name);
		use.next = text("losetup -d /dev/%s", item->text);
		break;
	}
	return use;
}

/* By kind, and those of a kind as they came. */
static void sort_uses(struct uses *uses)
{
	for (size_t i = 1; i < uses->count; i++) {
		struct use use = uses->items[i];
		size_t j = i;

		for (; j > 0 && uses->items[j - 1].kind > use.kind; j--)
			uses->items[j] = uses->items[j - 1];
		uses->items[j] = use;
	}
}

/* Holders were found from below, and are taken down from above. */
static void turn_around(struct uses *uses)
{
	const size_t count = uses->count;

	for (size_t i = 0; i < count / 2; i++) {
		struct use kept = uses->items[i];

		uses->items[i] = uses->items[count - 1 - i];
		uses->items[count - 1 - i] = kept;
	}
}

int in_use_find(const struct host_use *host, const struct nodes *nodes, struct uses *uses,
		struct err *err)
{
	struct parts parts = { 0 };
	int rc;

	*uses = (struct uses){ 0 };
	rc = find_parts(&parts, host->paths, nodes, uses, err);
	turn_around(uses);
	for (size_t i = 0; rc == 0 && i < host->count; i++) {
		const struct host_use_item *item = &host->items[i];

		for (size_t j = 0; rc == 0 && j < parts.count; j++) {
			if (is_same(&parts.items[j].id, &item->id))
				rc = add_use(uses, use_of(item, parts.items[j].id.name), err);
		}
	}
	free(parts.items);
	if (rc < 0)
		uses_done(uses);
	else
		sort_uses(uses);
	return rc;
}

void uses_done(struct uses *uses)
{
	for (size_t i = 0; i < uses->count; i++) {
		free(uses->items[i].by);
		free(uses->items[i].next);
	}
	free(uses->items);
	*uses = (struct uses){ 0 };
}

const char *use_word(enum use_kind kind)
{
	static const char *const words[] = {
		[USE_ROOT] = "root", [USE_MOUNT] = "mount", [USE_SWAP] = "swap",
		[USE_OPEN] = "open", [USE_LOOP] = "loop",   [USE_HOLDER] = "holder",
	};

	return words[kind];
}
