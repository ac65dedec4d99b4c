/* SPDX-License-Identifier: MIT */
#include "host/host_use.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "array.h"
#include "buf.h"
#include "err.h"
#include "host/dirs.h"
#include "host/paths.h"
#include "host/spot.h"

enum { TABLE_MAX = 16 << 20 }; /* bytes of one mountinfo */

static int add(struct host_use *host, struct host_use_item item, const char *text, struct err *err)
{
	item.text = ARRAY_ROOM(host->items, host->count) ? strdup(text) : NULL;
	if (!item.text)
		return err_oom(err);
	host->items[host->count++] = item;
	return 0;
}

/* The kernel writes blanks and backslashes of a path as \040 (proc(5)). */
static void unescape(char *path)
{
	char *out = path;

	for (; *path; path++) {
		if (path[0] == '\\' && path[1] >= '0' && path[1] <= '3' && path[2] >= '0' &&
		    path[2] <= '7' && path[3] >= '0' && path[3] <= '7') {
			*out++ = (char)((path[1] - '0') * 64 + (path[2] - '0') * 8 + path[3] - '0');
			path += 3;
		} else {
			*out++ = *path;
		}
	}
	*out = '\0';
}

/* "sdb1" of "/dev/disk/by-path/…-part1": where its links lead. */
static void name_of(const struct paths *paths, char *path, char *out, size_t size)
{
	static const char deleted[] = " (deleted)"; /* as d_path() shows a node that was removed */
	struct err ignored = { 0 };
	CLEANUP(free_ptr) char *real = NULL;
	const size_t len = strlen(path), mark = strlen(deleted);

	out[0] = '\0';
	if (len > mark && strcmp(path + len - mark, deleted) == 0)
		path[len - mark] = '\0';
	if (path[0] != '/')
		return;
	real = paths_real(paths, path, &ignored);
	snprintf(out, size, "%s", strrchr(real ? real : path, '/') + 1);
}

static bool known_mount(const struct host_use *host, const struct device_id *id, const char *point)
{
	for (size_t i = 0; i < host->count; i++) {
		const struct host_use_item *item = &host->items[i];

		if (item->kind == USE_MOUNT && item->id.major == id->major &&
		    item->id.minor == id->minor && strcmp(item->text, point) == 0)
			return true;
	}
	return false;
}

/* The text cut into its words, at most max of them; how many. */
static size_t split(char *line, char **words, size_t max)
{
	size_t count = 0;
	char *rest = line;

	while (count < max && (words[count] = strsep(&rest, " \t"))) {
		if (words[count][0] != '\0')
			count++;
	}
	return count;
}

/* Of these a look at a file may hang for as long as the server is away. */
static bool is_remote(const char *type)
{
	static const char *const types[] = { "nfs", "nfs4", "cifs", "smb3", "ceph", "9p", "afs" };

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (strcmp(types[i], type) == 0)
			return true;
	}
	return strncmp(type, "fuse", strlen("fuse")) == 0;
}

/*
 * proc(5): 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
 * Any number of fields may stand before the dash; a line without one has a device all the same.
 */
static int add_mount(struct host_use *host, char *line, unsigned pid, struct err *err)
{
	enum { NUMBERS = 2, POINT = 4, FIELDS };
	struct host_use_item item = { .kind = USE_MOUNT, .id.block = true, .pid = pid };
	char *words[FIELDS], *kind[2], *dash = strstr(line, " - "), *source = NULL;

	if (dash) {
		*dash = '\0';
		if (split(dash + strlen(" - "), kind, ARRAY_LEN(kind)) == ARRAY_LEN(kind))
			source = kind[1];
	}
	if (split(line, words, FIELDS) < FIELDS ||
	    sscanf(words[NUMBERS], "%u:%u", &item.id.major, &item.id.minor) != 2)
		return 0;
	unescape(words[POINT]);
	if (known_mount(host, &item.id, words[POINT]))
		return 0;
	if (source) {
		unescape(source);
		name_of(host->paths, source, item.id.name, sizeof(item.id.name));
	}
	item.remote = source && is_remote(kind[0]);
	/*
	 * A file system of its own kind of number, as btrfs, tells its device by name
	 * alone. One without a device is no use of any, but files are found below it.
	 */
	if (item.id.major == 0 && item.id.name[0] == '\0' && pid != 0)
		return 0;
	return add(host, item, words[POINT], err);
}

static int for_each_line(struct host_use *host, struct buf *table, unsigned pid,
			 int (*fn)(struct host_use *host, char *line, unsigned pid,
				   struct err *err),
			 struct err *err)
{
	char *rest = table->data, *line;
	int rc = 0;

	while (rc == 0 && rest && (line = strsep(&rest, "\n")))
		rc = fn(host, line, pid, err);
	return rc;
}

/* The mount of ours that a file lies in, or NULL; of those at one point the last is on top. */
static const struct host_use_item *mount_of(const struct host_use *host, const char *path)
{
	const struct host_use_item *found = NULL;
	size_t longest = 0;

	for (size_t i = 0; i < host->count; i++) {
		const struct host_use_item *item = &host->items[i];
		size_t len = strcmp(item->text, "/") == 0 ? 0 : strlen(item->text);

		if (item->kind == USE_MOUNT && item->pid == 0 && len >= longest &&
		    strncmp(path, item->text, len) == 0 && path[len] == '/') {
			found = item;
			longest = len;
		}
	}
	return found;
}

/* "Filename Type Size Used Priority" and a line each; a swap file is on the disk of its mount. */
static int add_swap(struct host_use *host, char *line, unsigned pid, struct err *err)
{
	struct host_use_item item = { .kind = USE_SWAP, .id.block = true };
	const struct host_use_item *mount;
	char *words[2];

	(void)pid;
	if (split(line, words, 2) < 2)
		return 0;
	unescape(words[0]);
	if (strcmp(words[1], "partition") == 0) {
		name_of(host->paths, words[0], item.id.name, sizeof(item.id.name));
		return add(host, item, "", err);
	}
	mount = strcmp(words[1], "file") == 0 ? mount_of(host, words[0]) : NULL;
	if (!mount)
		return 0;
	item.id = mount->id;
	return add(host, item, words[0], err);
}

/* Whether a look at a process failed because it has ended, or is not ours to look at. */
static bool may_be_left(int code)
{
	switch (-code) {
	case ENOENT:
	case ESRCH:
	case EINVAL: /* a namespace that has been left already */
	case EACCES:
	case EPERM:
		return true;
	default:
		return false;
	}
}

bool host_use_sees_all(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	return geteuid() == 0 && syscall(SYS_capget, &header, sets) == 0 &&
	       (sets[CAP_TO_INDEX(CAP_SYS_PTRACE)].effective & CAP_TO_MASK(CAP_SYS_PTRACE));
}

static int add_table(struct host_use *host, const char *path, unsigned pid,
		     int (*fn)(struct host_use *host, char *line, unsigned pid, struct err *err),
		     struct err *err)
{
	CLEANUP(buf_done) struct buf table = { 0 };
	int rc = paths_read(host->paths, path, TABLE_MAX, &table, NULL, err);

	return rc < 0 ? rc : for_each_line(host, &table, pid, fn, err);
}

/*
 * What must be known before anything is said to be unused: our own mounts and
 * those of process 1, which the host runs from, and swap, which a kernel may
 * lack. A tree of --root may lack all of it.
 */
static int add_tables(struct host_use *host, struct err *err)
{
	static const struct {
		const char *path;
		unsigned pid;
		int (*fn)(struct host_use *host, char *line, unsigned pid, struct err *err);
		bool needed;
	} tables[] = {
		{ "/proc/self/mountinfo", 0, add_mount, true },
		{ "/proc/1/mountinfo", 1, add_mount, true },
		{ "/proc/swaps", 0, add_swap, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		struct err failure = { 0 };
		int rc = add_table(host, tables[i].path, tables[i].pid, tables[i].fn, &failure);

		if (rc == -ENOENT && (!tables[i].needed || !host->paths->live))
			continue;
		/* Where /proc hides others from all but root (hidepid), and nothing is ended. */
		if (rc < 0 && tables[i].pid != 0 && may_be_left(rc) && host->paths->live &&
		    !host_use_sees_all())
			continue;
		if (rc < 0) {
			*err = failure;
			return rc;
		}
	}
	return 0;
}

/* The device that a descriptor is of. Under --root a link names it, and only by its path. */
static bool look_at_descriptor(const struct host_use *host, int dirfd, const char *name,
			       struct device_id *id)
{
	char path[PATH_MAX];
	struct statx st;
	ssize_t len = readlinkat(dirfd, name, path, sizeof(path) - 1);

	path[len < 0 ? 0 : len] = '\0';
	if (path[0] != '/') /* a pipe or a socket */
		return false;
	*id = (struct device_id){ 0 };
	snprintf(id->name, sizeof(id->name), "%s", strrchr(path, '/') + 1);
	if (!host->paths->live)
		return strstr(path, "/dev/");
	/* A node may lie anywhere; for a file of a dead server the server is not to be asked. */
	if (statx(dirfd, name, AT_STATX_DONT_SYNC, STATX_TYPE, &st) < 0 ||
	    (!S_ISBLK(st.stx_mode) && !S_ISCHR(st.stx_mode)))
		return false;
	id->block = S_ISBLK(st.stx_mode);
	id->major = st.stx_rdev_major;
	id->minor = st.stx_rdev_minor;
	return id->major > 1; /* not /dev/null and its like, which all have open */
}

static void process_name(const struct host_use *host, unsigned pid, char *out, size_t size)
{
	struct err ignored = { 0 };
	char dir[64];

	snprintf(dir, sizeof(dir), "/proc/%u", pid);
	paths_read_text(host->paths, dir, "comm", out, size, &ignored);
	out[strcspn(out, "\n")] = '\0'; /* a process gives itself any name */
}

/* As it calls itself since systemd 252, before, and elsewhere. */
static bool is_udevd(const char *process)
{
	return strcmp(process, "(udev-worker)") == 0 || strcmp(process, "systemd-udevd") == 0 ||
	       strcmp(process, "udevd") == 0;
}

/* 0 where it is gone. */
static unsigned parent_of(const struct host_use *host, unsigned pid)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	struct err ignored = { 0 };
	const char *line;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	paths_read(host->paths, path, 1 << 16, &text, NULL, &ignored);
	line = strstr(buf_text(&text), "\nPPid:");
	return line ? (unsigned)strtoul(line + strlen("\nPPid:"), NULL, 10) : 0;
}

static bool same_open(const struct host_use_item *item, const struct device_id *id, unsigned pid)
{
	return item->kind == USE_OPEN && item->pid == pid && item->id.major == id->major &&
	       item->id.minor == id->minor && item->id.block == id->block &&
	       strcmp(item->id.name, id->name) == 0;
}

static int add_open(struct host_use *host, const struct device_id *id, unsigned pid,
		    struct err *err)
{
	struct host_use_item item = { .kind = USE_OPEN, .id = *id, .pid = pid };
	char name[64], parent[64];

	for (size_t i = host->count; i > 0 && host->items[i - 1].pid == pid; i--) {
		if (same_open(&host->items[i - 1], id, pid))
			return 0;
	}
	process_name(host, pid, name, sizeof(name));
	process_name(host, parent_of(host, pid), parent, sizeof(parent));
	item.of_udevd = is_udevd(name) || is_udevd(parent);
	return add(host, item, name, err);
}

static int add_descriptors(struct host_use *host, unsigned pid, struct err *err)
{
	char path[64];
	char **names = NULL;
	size_t count = 0;
	struct device_id id;
	int fd, rc = 0;

	snprintf(path, sizeof(path), "/proc/%u/fd", pid);
	fd = dir_open(host->paths, path, err);
	if (fd < 0)
		return fd;
	rc = paths_list(host->paths, path, &names, &count, err);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		if (look_at_descriptor(host, fd, names[i], &id))
			rc = add_open(host, &id, pid, err);
	}
	paths_list_free(names, count);
	close(fd);
	return rc;
}

static int add_process(struct host_use *host, unsigned pid, struct err *err)
{
	struct err failure = { 0 };
	char path[64];
	int rc;

	snprintf(path, sizeof(path), "/proc/%u/mountinfo", pid);
	rc = add_table(host, path, pid, add_mount, &failure);
	if ((rc == 0 || may_be_left(rc)) && !(host->paths->live && pid == (unsigned)getpid())) {
		failure = (struct err){ 0 };
		rc = add_descriptors(host, pid, &failure);
	}
	if (rc == 0 || may_be_left(rc))
		return 0;
	*err = failure;
	return rc;
}

static int add_processes(struct host_use *host, struct err *err)
{
	char **names = NULL;
	size_t count = 0;
	int rc = paths_list(host->paths, "/proc", &names, &count, err);

	if (rc == -ENOENT && !host->paths->live)
		return 0;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		unsigned pid = (unsigned)strtoul(names[i], NULL, 10);

		if (isdigit((unsigned char)names[i][0]) && pid != 0)
			rc = add_process(host, pid, err);
	}
	paths_list_free(names, count);
	return rc;
}

/* What device a loop device's file is: by its number, wherever its node lies, else by its name. */
static bool file_device(const struct host_use *host, char *path, struct device_id *id)
{
	const struct paths *paths = host->paths;
	const struct host_use_item *mount = mount_of(host, path);
	struct spot spot = SPOT_NONE;
	struct err ignored = { 0 };

	if (mount && !mount->remote && paths_find(paths, path, &spot, &ignored) == 0 &&
	    spot.exists && S_ISBLK(spot.st.st_mode)) {
		id->major = major(spot.st.st_rdev);
		id->minor = minor(spot.st.st_rdev);
	}
	spot_done(&spot);
	if (strncmp(path, "/dev/", strlen("/dev/")) == 0)
		name_of(paths, path, id->name, sizeof(id->name));
	return id->major != 0 || id->name[0] != '\0';
}

/* A loop device holds its file open without any process. */
static int add_loops(struct host_use *host, struct err *err)
{
	char **names = NULL;
	size_t count = 0;
	struct err ignored = { 0 };
	int rc = 0;

	if (paths_list(host->paths, "/sys/block", &names, &count, &ignored) < 0)
		return 0;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		struct host_use_item item = { .kind = USE_LOOP, .id.block = true };
		char dir[320], file[PATH_MAX];

		if (strncmp(names[i], "loop", strlen("loop")) != 0)
			continue;
		snprintf(dir, sizeof(dir), "/sys/block/%s/loop", names[i]);
		paths_read_text(host->paths, dir, "backing_file", file, sizeof(file), &ignored);
		if (file_device(host, file, &item.id))
			rc = add(host, item, names[i], err);
	}
	paths_list_free(names, count);
	return rc;
}

int host_use_load(struct host_use *host, const struct paths *paths, struct err *err)
{
	int rc;

	*host = (struct host_use){ .paths = paths };
	rc = add_tables(host, err);
	if (rc == 0)
		rc = add_loops(host, err);
	return rc < 0 ? rc : add_processes(host, err);
}

void host_use_done(struct host_use *host)
{
	for (size_t i = 0; i < host->count; i++)
		free(host->items[i].text);
	free(host->items);
	*host = (struct host_use){ 0 };
}
