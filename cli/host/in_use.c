/* SPDX-License-Identifier: MIT */
#include "host/in_use.h"

#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "buf.h"
#include "err.h"
#include "host/nodes.h"
#include "host/paths.h"
#include "quote.h"

/* The device, a partition of it, or what is built on either. */
struct part {
	struct device_id id; /* major 0: its name alone is known */
	char *path; /* in sysfs; NULL where it cannot be told */
};

struct parts {
	struct part *items;
	size_t count;
};

/* Takes the texts of use over. */
static int add_use(struct uses *uses, struct use use, struct err *err)
{
	if (!use.by || !ARRAY_ROOM(uses->items, uses->count)) {
		free(use.by);
		free(use.next);
		free(use.look);
		return err_oom(err);
	}
	uses->items[uses->count++] = use;
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

/* COMMAND and a name, of others' choosing, as one word of a shell. */
static char *command(const char *prefix, const char *name)
{
	CLEANUP(buf_done) struct buf path = { 0 }, line = { 0 };
	const char *space = strrchr(prefix, ' '); /* behind it the name's own beginning: /dev/ */

	buf_addf(&path, "%s%s", space + 1, name);
	/* Whatever follows -- is no option. */
	buf_addf(&line, "%.*s %s", (int)(space - prefix), prefix,
		 buf_text(&path)[0] == '-' ? "-- " : "");
	quote_word(&line, buf_text(&path));
	return path.failed ? NULL : buf_take(&line);
}

/* As list of sysfs: none where the device has gone, or is of a kind that has none. */
static int list(const struct paths *paths, const char *dir, char ***names, size_t *count,
		struct err *err)
{
	struct err why = { 0 };

	return paths_unless_gone(paths_list(paths, dir, names, count, &why), &why, err);
}

/* 1, or 0 where one of that name is there already. id's numbers may be unknown, path NULL. */
static int add_part(struct parts *parts, const struct device_id *id, const char *path,
		    struct err *err)
{
	char *copy = NULL;

	for (size_t i = 0; i < parts->count; i++) {
		if (strcmp(parts->items[i].id.name, id->name) == 0)
			return 0;
	}
	if (!ARRAY_ROOM(parts->items, parts->count) || (path && !(copy = strdup(path))))
		return err_oom(err);
	parts->items[parts->count++] = (struct part){ .id = *id, .path = copy };
	return 1;
}

/* A block device by its directory in sysfs. Without numbers there it is known by its name. */
static int add_block(struct parts *parts, const struct paths *paths, const char *path,
		     const char *name, struct err *err)
{
	struct device_id id = { .block = true };
	struct err ignored = { 0 };

	snprintf(id.name, sizeof(id.name), "%s", name);
	if (path)
		node_numbers(paths, path, &id.major, &id.minor, &ignored);
	return add_part(parts, &id, path, err);
}

/* A partition is a directory below its disk that has a number of its own. */
static int add_partitions(struct parts *parts, size_t at, const struct paths *paths,
			  struct err *err)
{
	char **names = NULL;
	size_t count = 0;
	struct err ignored = { 0 };
	int rc = list(paths, parts->items[at].path, &names, &count, err);

	for (size_t i = 0; rc >= 0 && i < count; i++) {
		CLEANUP(buf_done) struct buf below = { 0 }, number = { 0 };

		buf_addf(&below, "%s/%s", parts->items[at].path, names[i]);
		buf_addf(&number, "%s/partition", buf_text(&below));
		if (below.failed || number.failed)
			rc = err_oom(err);
		else if (paths_exists(paths, number.data, &ignored) != 0)
			rc = add_block(parts, paths, below.data, names[i], err);
	}
	paths_list_free(names, count);
	return rc < 0 ? rc : 0;
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
	char uuid[256], map[256], level[64];
	struct err ignored = { 0 };
	size_t i = 0;

	if (path && paths_read_text(paths, path, "dm/name", map, sizeof(map), &ignored) == 0) {
		paths_read_text(paths, path, "dm/uuid", uuid, sizeof(uuid), &ignored);
		while (strncmp(uuid, kinds[i].prefix, strlen(kinds[i].prefix)) != 0)
			i++;
		use.by = text("%s %s (%s on %s)", kinds[i].what, map, name, of);
		use.next = command(kinds[i].next, map);
	} else if (path &&
		   paths_read_text(paths, path, "md/level", level, sizeof(level), &ignored) == 0) {
		use.by = text("the %s array %s (on %s)", level, name, of);
		use.next = command("mdadm --stop /dev/", name);
	} else {
		use.by = text("%s, which is built on %s", name, of);
	}
	return use;
}

/* Any name there is a use, whatever else can be learned of it. */
static int add_holder(struct parts *parts, size_t at, const struct paths *paths, const char *dir,
		      const char *name, struct uses *uses, struct err *err)
{
	CLEANUP(buf_done) struct buf link = { 0 };
	/* Where the link leads, since the names of links to links would grow for ever. */
	CLEANUP(free_ptr) char *real = NULL;
	struct err ignored = { 0 };
	int rc;

	buf_addf(&link, "%s/%s", dir, name);
	if (link.failed)
		return err_oom(err);
	real = paths_real(paths, link.data, &ignored);
	rc = add_block(parts, paths, real, name, err);
	return rc <= 0 ? rc
		       : add_use(uses, holder_use(paths, real, name, parts->items[at].id.name),
				 err);
}

static int add_holders(struct parts *parts, size_t at, const struct paths *paths, struct uses *uses,
		       struct err *err)
{
	CLEANUP(buf_done) struct buf dir = { 0 };
	char **names = NULL;
	size_t count = 0;
	int rc;

	buf_addf(&dir, "%s/holders", parts->items[at].path);
	if (dir.failed)
		return err_oom(err);
	rc = list(paths, dir.data, &names, &count, err);
	for (size_t i = 0; rc >= 0 && i < count; i++)
		rc = add_holder(parts, at, paths, dir.data, names[i], uses, err);
	paths_list_free(names, count);
	return rc < 0 ? rc : 0;
}

/*
 * All that the nodes stand for, whatever is built on it included; holders are
 * uses by themselves.
 */
static int find_parts(struct parts *parts, const struct paths *paths, const struct nodes *nodes,
		      struct uses *uses, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < nodes->count; i++) {
		const struct node *node = &nodes->items[i];
		struct device_id id = { .block = node->kind == NODE_BLOCK,
					.major = node->major,
					.minor = node->minor };

		snprintf(id.name, sizeof(id.name), "%s", node->name);
		rc = add_part(parts, &id, node->path, err);
	}
	for (size_t i = 0; rc >= 0 && i < parts->count; i++) {
		if (!parts->items[i].id.block || !parts->items[i].path)
			continue;
		rc = add_partitions(parts, i, paths, err);
		if (rc == 0)
			rc = add_holders(parts, i, paths, uses, err);
	}
	return rc < 0 ? rc : 0;
}

static void parts_done(struct parts *parts)
{
	for (size_t i = 0; i < parts->count; i++)
		free(parts->items[i].path);
	free(parts->items);
}

/* By numbers, which no node's place or name can hide; by name where either has none. */
static bool is_same(const struct device_id *part, const struct device_id *used)
{
	if (part->major != 0 && used->major != 0)
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

static struct use use_of(const struct host_use_item *item, const char *name)
{
	struct use use = { .kind = item->kind, .pid = item->pid };
	CLEANUP(buf_done) struct buf point = { 0 };

	quote_word(&point, item->text);
	switch (item->kind) {
	case USE_MOUNT:
		snprintf(use.mounted, sizeof(use.mounted), "%s", name);
		/*
		 * Of process 1 too: we may be in a container, or in a unit with
		 * mounts of its own.
		 */
		if (item->pid <= 1 && is_system(item->text)) {
			use.kind = USE_ROOT;
			use.by = text("this host's %s (%s)", item->text, name);
		} else if (item->pid == 0) {
			use.by = text("mounted on %s (%s)", item->text, name);
			use.next = text("umount %s", buf_text(&point));
			use.look = text("fuser -vm %s", buf_text(&point));
		} else {
			use.by = text("mounted on %s in the namespace of process %u (%s)",
				      item->text, item->pid, name);
			use.next = text("nsenter -m -t %u umount %s", item->pid, buf_text(&point));
			use.look =
				text("nsenter -m -t %u fuser -vm %s", item->pid, buf_text(&point));
		}
		break;
	case USE_SWAP:
		use.by = text("swap%s%s (%s)", item->text[0] ? " in " : "", item->text, name);
		use.next = item->text[0] ? text("swapoff %s", buf_text(&point))
					 : command("swapoff /dev/", name);
		break;
	case USE_OPEN:
		use.by = text("open by %s, process %u (%s)", item->text, item->pid, name);
		use.next = text("kill %u", item->pid);
		use.passing = item->of_udevd;
		break;
	default:
		use.by = text("%s (%s)", item->text, name);
		use.next = command("losetup -d /dev/", item->text);
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
	parts_done(&parts);
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
		free(uses->items[i].look);
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
