/* SPDX-License-Identifier: MIT */
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define JOURNAL "/var/lib/sgw-init/journal"

enum { RECORDS = 20, FILE_MAX = 1 << 20 };

static const char conf[] = "# iscsid.conf as a distribution ships it\n"
			   "iscsid.startup = /bin/true\n"
			   "node.startup = manual\n"
			   "node.session.timeo.replacement_timeout = 120\n"
			   "node.conn[0].timeo.noop_out_interval = 5\n"
			   "node.conn[0].timeo.noop_out_timeout = 5\n"
			   "node.session.iscsi.FirstBurstLength = 262144\n"
			   "node.session.iscsi.MaxBurstLength = 16776192\n"
			   "node.conn[0].iscsi.MaxRecvDataSegmentLength = 262144\n";

static const char record[] = "# BEGIN RECORD 2.1.8\n"
			     "node.name = iqn.1997-05.com.amazon:volume-%02d\n"
			     "node.tpgt = 1\n"
			     "node.startup = manual\n"
			     "iface.iscsi_ifacename = default\n"
			     "node.session.timeo.replacement_timeout = 120\n"
			     "node.conn[0].address = 10.0.0.1\n"
			     "node.conn[0].port = 3260\n"
			     "node.conn[0].timeo.noop_out_interval = 5\n"
			     "node.conn[0].timeo.noop_out_timeout = 5\n"
			     "# END RECORD\n";

void die(const char *fmt, ...)
{
	int code = errno;
	va_list args;

	va_start(args, fmt);
	fprintf(stderr, "crash: ");
	vfprintf(stderr, fmt, args);
	fprintf(stderr, " (%s)\n", strerror(code));
	va_end(args);
	exit(2);
}

static void path_of(char out[PATH_MAX], const char *root, const char *path)
{
	if (snprintf(out, PATH_MAX, "%s%s", root, path) >= PATH_MAX)
		die("%s%s: too long a path", root, path);
}

static void make_dirs(const char *root, const char *path, mode_t mode)
{
	char full[PATH_MAX], *slash;

	path_of(full, root, path);
	for (slash = strchr(full + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(full, mode) < 0 && errno != EEXIST)
			die("%s", full);
		*slash = '/';
	}
}

static void write_file(const char *path, const char *bytes, size_t len, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, mode);

	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len || fchmod(fd, mode) < 0)
		die("%s", path);
	close(fd);
}

static void make_file(const char *root, const char *path, mode_t mode, const char *text)
{
	char full[PATH_MAX];

	make_dirs(root, path, mode & 044 ? 0755 : 0700);
	path_of(full, root, path);
	write_file(full, text, strlen(text), mode);
}

void tree_make(const char *root)
{
	char path[256], text[sizeof(record) + 16];
	int i;

	if (mkdir(root, 0755) < 0)
		die("%s", root);
	make_file(root, "/etc/os-release", 0644, "ID=debian\nVERSION_ID=\"12\"\n");
	make_file(root, "/etc/iscsi/iscsid.conf", 0644, conf);
	make_file(root, "/etc/udev/rules.d/50-other.rules", 0644, "# a rule of others\n");
	make_dirs(root, "/var/lib/", 0755); /* for the journal: there on any host */
	for (i = 1; i <= RECORDS; i++) {
		snprintf(path, sizeof(path),
			 "/etc/iscsi/nodes/iqn.1997-05.com.amazon:volume-%02d/10.0.0.1,3260,1/"
			 "default",
			 i);
		snprintf(text, sizeof(text), record, i);
		make_file(root, path, 0600, text);
	}
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_node(struct tree *tree, const char *path, const struct stat *st, char *bytes)
{
	struct node *more = reallocarray(tree->nodes, tree->count + 1, sizeof(*more));

	if (!more)
		die("memory");
	tree->nodes = more;
	more[tree->count++] = (struct node){ strdup(path), st->st_mode, bytes };
}

static char *read_bytes(const char *path, const struct stat *st)
{
	char *bytes = calloc(1, FILE_MAX);
	ssize_t len = -1;
	int fd;

	if (S_ISLNK(st->st_mode)) {
		len = readlink(path, bytes, FILE_MAX - 1);
	} else if (S_ISREG(st->st_mode)) {
		fd = open(path, O_RDONLY);
		len = fd < 0 ? -1 : read(fd, bytes, FILE_MAX - 1);
		close(fd);
	} else {
		len = 0;
	}
	if (len < 0)
		die("%s", path);
	bytes[len] = '\0';
	return realloc(bytes, (size_t)len + 1);
}

static void read_dir(struct tree *tree, const char *root, const char *path)
{
	char full[PATH_MAX], below[PATH_MAX], **names = NULL;
	struct dirent *entry;
	size_t count = 0, i;
	struct stat st;
	DIR *dir;

	path_of(full, root, path);
	dir = opendir(full);
	if (!dir)
		die("%s", full);
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		names = reallocarray(names, count + 1, sizeof(*names));
		names[count++] = strdup(entry->d_name);
	}
	closedir(dir);
	if (count > 0)
		qsort(names, count, sizeof(*names), compare_names);
	for (i = 0; i < count; i++) {
		snprintf(below, sizeof(below), "%s/%s", path, names[i]);
		free(names[i]);
		if (strcmp(below, "/run") == 0 || strcmp(below, "/var/lib/sgw-init") == 0)
			continue;
		path_of(full, root, below);
		if (lstat(full, &st) < 0)
			die("%s", full);
		add_node(tree, below, &st, read_bytes(full, &st));
		if (S_ISDIR(st.st_mode))
			read_dir(tree, root, below);
	}
	free(names);
}

void tree_read(struct tree *tree, const char *root)
{
	*tree = (struct tree){ 0 };
	read_dir(tree, root, "");
}

void tree_done(struct tree *tree)
{
	while (tree->count > 0) {
		free(tree->nodes[--tree->count].path);
		free(tree->nodes[tree->count].bytes);
	}
	free(tree->nodes);
}

static const char *copied_from, *copied_to;

static int copy_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	char to[PATH_MAX], *bytes;

	(void)kind;
	(void)at;
	path_of(to, copied_to, path + strlen(copied_from));
	if (S_ISDIR(st->st_mode)) {
		if (mkdir(to, 0700) < 0 || chmod(to, st->st_mode & 07777) < 0)
			die("%s", to);
		return 0;
	}
	bytes = read_bytes(path, st);
	write_file(to, bytes, (size_t)st->st_size, st->st_mode & 07777);
	free(bytes);
	return 0;
}

void tree_copy(const char *from, const char *to)
{
	copied_from = from;
	copied_to = to;
	if (nftw(from, copy_one, 16, FTW_PHYS) != 0)
		die("%s", from);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

void tree_remove(const char *root)
{
	if (nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
		die("%s", root);
}

static const char *told(const char *fmt, ...)
{
	static char text[2 * PATH_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return text;
}

const char *tree_compare(const struct tree *is, const struct tree *should)
{
	size_t i;

	for (i = 0; i < is->count && i < should->count; i++) {
		const struct node *a = &is->nodes[i], *b = &should->nodes[i];

		if (strcmp(a->path, b->path) != 0)
			return told("%s is there, %s should be", a->path, b->path);
		if (a->mode != b->mode)
			return told("%s has the mode %o, not %o", a->path, a->mode, b->mode);
		if (strcmp(a->bytes, b->bytes) != 0)
			return told("%s has other bytes:\n%s", a->path, a->bytes);
	}
	if (is->count > i)
		return told("%s is there and should not be", is->nodes[i].path);
	return should->count > i ? told("%s is missing", should->nodes[i].path) : NULL;
}

static const struct node *find(const struct tree *tree, const char *path)
{
	size_t i;

	for (i = 0; i < tree->count; i++)
		if (strcmp(tree->nodes[i].path, path) == 0)
			return &tree->nodes[i];
	return NULL;
}

static bool same(const struct node *a, const struct node *b)
{
	return a && b && a->mode == b->mode && strcmp(a->bytes, b->bytes) == 0;
}

const char *tree_between(const struct tree *is, const struct tree *a, const struct tree *b)
{
	size_t i;

	for (i = 0; i < is->count; i++) {
		const struct node *node = &is->nodes[i];

		if (same(node, find(a, node->path)) || same(node, find(b, node->path)))
			continue;
		if (!strstr(node->path, "/.sgw-init-") || strstr(node->path, "/nodes/"))
			return told("%s is neither old nor new (mode %o):\n%s", node->path,
				    node->mode, node->bytes);
	}
	for (i = 0; i < a->count; i++)
		if (find(b, a->nodes[i].path) && !find(is, a->nodes[i].path))
			return told("%s is missing", a->nodes[i].path);
	return NULL;
}

static const char *unclean;

static int look_for_leftovers(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	const char *name = path + at->base;

	(void)kind;
	if (strcmp(name, "lock.write") == 0 || strncmp(name, "sgw-init.", 9) == 0)
		/* the program's own lock stays, and is no lock while nobody holds it */
		unclean = strcmp(name, "sgw-init.lock") == 0 ? unclean : told("%s is left", path);
	if (strncmp(name, ".sgw-init-", 10) == 0 || strncmp(name, ".new-", 5) == 0 ||
	    strncmp(name, ".old-", 5) == 0)
		unclean = told("%s is left", path);
	if (S_ISDIR(st->st_mode) && name > path + 8 && strncmp(name - 8, "journal/", 8) == 0) {
		char mark[2][PATH_MAX];

		path_of(mark[0], path, "/done");
		path_of(mark[1], path, "/undone");
		if (access(mark[0], F_OK) < 0 && access(mark[1], F_OK) < 0)
			unclean = told("%s is half applied", path);
		path_of(mark[0], path, "/undoing");
		if (access(mark[0], F_OK) == 0 && access(mark[1], F_OK) < 0)
			unclean = told("%s is half undone", path);
	}
	return 0;
}

const char *tree_unclean(const char *root)
{
	unclean = NULL;
	if (nftw(root, look_for_leftovers, 16, FTW_PHYS) != 0)
		die("%s", root);
	return unclean;
}

size_t tree_entries(const char *root)
{
	char path[PATH_MAX];
	struct dirent *entry;
	size_t count = 0;
	DIR *dir;

	path_of(path, root, JOURNAL);
	dir = opendir(path);
	if (!dir)
		die("%s", path);
	while ((entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}
