/* SPDX-License-Identifier: MIT */
#include "host/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"

enum {
	WALK_DEPTH_MAX = 128, /* directories open at once */
	WALK_LINKS_MAX = 40, /* as the kernel's own limit */
	ATTRIBUTE_MAX = 4096, /* one page, which each of them claims to have */
};

/*
 * A path on its way. Every directory entered stays open, so that `..` is the
 * one before it: asking the kernel for ".." could leave the tree where others
 * move directories meanwhile.
 */
struct walk {
	int fds[WALK_DEPTH_MAX];
	size_t ends[WALK_DEPTH_MAX]; /* length of real in each of them */
	size_t depth; /* fds[0] is the root and not ours to close */
	unsigned links;
	char real[PATH_MAX]; /* the directory as it is without links; "" is the root */
	char left[PATH_MAX]; /* what is still to be walked */
	char name[NAME_MAX + 1]; /* the component at hand; in the end the last one */
	bool exists; /* in the end: the last component is there, and st is its */
	struct stat st;
};

static void walk_up(struct walk *walk)
{
	if (walk->depth == 0)
		return;
	close(walk->fds[walk->depth--]);
	walk->real[walk->ends[walk->depth]] = '\0';
}

static void walk_done(struct walk *walk)
{
	while (walk->depth > 0)
		walk_up(walk);
}

/* Take the first component off walk->left; *last where nothing follows it. */
static int walk_next(struct walk *walk, bool *last)
{
	const char *start = walk->left + strspn(walk->left, "/");
	size_t len = strcspn(start, "/");
	const char *rest = start + len + strspn(start + len, "/");

	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(walk->name, start, len);
	walk->name[len] = '\0';
	*last = *rest == '\0';
	memmove(walk->left, rest, strlen(rest) + 1);
	return 0;
}

static int walk_down(struct walk *walk)
{
	const char *name = walk->name;
	size_t end = walk->ends[walk->depth];
	int fd;

	if (walk->depth + 1 == WALK_DEPTH_MAX || end + strlen(name) + 2 > sizeof(walk->real))
		return -ENAMETOOLONG;
	fd = openat(walk->fds[walk->depth], name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	snprintf(walk->real + end, sizeof(walk->real) - end, "/%s", name);
	walk->fds[++walk->depth] = fd;
	walk->ends[walk->depth] = end + 1 + strlen(name);
	return 0;
}

/* Put the text of the link at hand in front of what is left. */
static int walk_link(struct walk *walk)
{
	char text[PATH_MAX];
	ssize_t len = readlinkat(walk->fds[walk->depth], walk->name, text, sizeof(text));
	size_t left = strlen(walk->left);

	if (len < 0)
		return -errno;
	if (++walk->links > WALK_LINKS_MAX)
		return -ELOOP;
	if ((size_t)len + 1 + left + 1 > sizeof(walk->left))
		return -ENAMETOOLONG;
	memmove(walk->left + len + 1, walk->left, left + 1);
	memcpy(walk->left, text, (size_t)len);
	walk->left[len] = left > 0 ? '/' : '\0';
	if (text[0] == '/')
		walk_done(walk);
	return 0;
}

/* 1 where the walk ends at walk->name, whatever that is or will be; 0 to go on. */
static int walk_step(struct walk *walk, bool last)
{
	int rc;

	if (walk->name[0] == '\0' || strcmp(walk->name, ".") == 0)
		return 0;
	if (strcmp(walk->name, "..") == 0) {
		walk_up(walk);
		return 0;
	}
	if (last) {
		walk->exists = fstatat(walk->fds[walk->depth], walk->name, &walk->st,
				       AT_SYMLINK_NOFOLLOW) == 0;
		if (!walk->exists)
			return errno == ENOENT ? 1 : -errno;
		return S_ISLNK(walk->st.st_mode) ? walk_link(walk) : 1;
	}
	rc = walk_down(walk);
	if (rc != -ENOTDIR && rc != -ELOOP)
		return rc;
	rc = walk_link(walk);
	return rc == -EINVAL ? -ENOTDIR : rc;
}

static int walk_path(struct walk *walk, const struct paths *paths, const char *path)
{
	bool last;
	int rc;

	walk->fds[0] = paths->fd;
	walk->ends[0] = walk->depth = walk->links = 0;
	walk->real[0] = walk->name[0] = '\0';
	if (path[0] != '/')
		return -EINVAL;
	if (strlen(path) >= sizeof(walk->left))
		return -ENAMETOOLONG;
	memcpy(walk->left, path, strlen(path) + 1);
	do {
		rc = walk_next(walk, &last);
		if (rc == 0)
			rc = walk_step(walk, last);
		if (rc != 0)
			return rc < 0 ? rc : 0;
	} while (walk->left[0] != '\0');

	/* The path ended in the root, in `.` or in `..`: a directory, named by itself. */
	memcpy(walk->name, ".", 2);
	if (fstatat(walk->fds[walk->depth], ".", &walk->st, 0) < 0)
		return -errno;
	walk->exists = true;
	return 0;
}

/* walk_path() with its error told. */
static int walk_or_tell(struct walk *walk, const struct paths *paths, const char *path,
			struct err *err)
{
	int rc = walk_path(walk, paths, path);

	if (rc == 0)
		return 0;
	if (path[0] != '/')
		err_set(err, EINVAL, "a path that does not begin with /");
	else if (rc == -ENOENT)
		err_set(err, ENOENT, "there is no directory %s/%s", walk->real, walk->name);
	else
		err_sys(err, -rc, "cannot follow %s/%s", walk->real, walk->name);
	walk_done(walk);
	return paths_at(paths, path, err);
}

int paths_init(struct paths *paths, const char *dir, struct err *err)
{
	size_t len;

	*paths = (struct paths){ .fd = -1, .live = !dir };
	if (!dir)
		dir = "/";
	len = strlen(dir);
	while (len > 1 && dir[len - 1] == '/')
		len--;
	paths->dir = strndup(dir, len);
	if (!paths->dir)
		return err_oom(err);
	paths->fd = open(paths->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (paths->fd < 0) {
		err_sys(err, errno, "cannot open this directory");
		err_at(err, "%s", dir);
		paths_done(paths);
		return -err->code;
	}
	return 0;
}

void paths_done(struct paths *paths)
{
	if (paths->fd >= 0)
		close(paths->fd);
	free(paths->dir);
	*paths = (struct paths){ .fd = -1 };
}

void paths_show(const struct paths *paths, const char *path, char *out, size_t size)
{
	bool bare = strcmp(paths->dir, "/") == 0;

	snprintf(out, size, "%s%s", bare ? "" : paths->dir, path);
}

int paths_at(const struct paths *paths, const char *path, struct err *err)
{
	char shown[ERR_PLACE_MAX];

	paths_show(paths, path, shown, sizeof(shown));
	return err_at(err, "%s", shown);
}

static char *walk_real(const struct walk *walk)
{
	struct buf real = { 0 };

	buf_adds(&real, walk->real);
	if (strcmp(walk->name, ".") != 0)
		buf_addf(&real, "/%s", walk->name);
	else if (walk->depth == 0)
		buf_adds(&real, "/");
	return buf_take(&real);
}

int paths_resolve(const struct paths *paths, const char *path, struct spot *spot, char **real,
		  struct err *err)
{
	struct walk walk;
	int rc;

	*spot = (struct spot)SPOT_NONE;
	rc = walk_or_tell(&walk, paths, path, err);
	if (rc < 0)
		return rc;
	if (real) {
		*real = walk_real(&walk);
		if (!*real) {
			walk_done(&walk);
			return err_oom(err);
		}
	}
	spot->exists = walk.exists;
	if (walk.exists)
		spot->st = walk.st;
	memcpy(spot->name, walk.name, sizeof(spot->name));
	/* The root's own descriptor is not the caller's to close. */
	if (walk.depth > 0)
		spot->dirfd = walk.fds[walk.depth--];
	else
		spot->dirfd = fcntl(paths->fd, F_DUPFD_CLOEXEC, 0);
	walk_done(&walk);
	if (spot->dirfd >= 0)
		return 0;
	err_sys(err, errno, "cannot follow this path");
	if (real)
		free_ptr(real);
	return paths_at(paths, path, err);
}

int paths_find(const struct paths *paths, const char *path, struct spot *spot, struct err *err)
{
	return paths_resolve(paths, path, spot, NULL, err);
}

char *paths_real(const struct paths *paths, const char *path, struct err *err)
{
	struct walk walk;
	char *real;

	if (walk_or_tell(&walk, paths, path, err) < 0)
		return NULL;
	real = walk_real(&walk);
	walk_done(&walk);
	if (!real)
		err_oom(err);
	return real;
}

int paths_read(const struct paths *paths, const char *path, size_t max, struct buf *out,
	       struct stat *st, struct err *err)
{
	struct spot spot = SPOT_NONE;
	int rc;

	rc = paths_find(paths, path, &spot, err);
	if (rc == 0)
		rc = spot_read(&spot, max, out, st, err);
	spot_done(&spot);
	return rc < 0 ? paths_at(paths, path, err) : 0;
}

int paths_read_attribute(const struct paths *paths, const char *dir, const char *key,
			 struct buf *out, struct err *err)
{
	CLEANUP(buf_done) struct buf path = { 0 };
	int rc;

	buf_addf(&path, "%s/%s", dir, key);
	if (path.failed)
		return err_oom(err);
	rc = paths_read(paths, path.data, ATTRIBUTE_MAX, out, NULL, err);
	while (rc == 0 && out->len > 0 && strchr(" \n\t", out->data[out->len - 1]))
		out->data[--out->len] = '\0';
	return rc;
}

int paths_read_text(const struct paths *paths, const char *dir, const char *key, char *out,
		    size_t size, struct err *err)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	int rc = paths_read_attribute(paths, dir, key, &text, err);

	if (rc == 0 && text.len >= size) {
		err_set(err, EOVERFLOW, "%s is too long", key);
		rc = paths_at(paths, dir, err);
	}
	snprintf(out, size, "%s", rc == 0 ? buf_text(&text) : "");
	return rc;
}

int paths_unless_gone(int rc, const struct err *why, struct err *err)
{
	if (rc == 0 || rc == -ENOENT || rc == -ENODEV)
		return 0;
	*err = *why;
	return rc;
}

int paths_write_value(const struct paths *paths, const char *path, const char *value,
		      struct err *err)
{
	struct spot spot = SPOT_NONE;
	int rc;

	rc = paths_find(paths, path, &spot, err);
	if (rc == 0)
		rc = spot_write_value(&spot, value, err);
	spot_done(&spot);
	return rc < 0 ? paths_at(paths, path, err) : 0;
}

int paths_list(const struct paths *paths, const char *path, char ***names, size_t *count,
	       struct err *err)
{
	struct spot spot = SPOT_NONE;
	int rc;

	*names = NULL;
	*count = 0;
	rc = paths_find(paths, path, &spot, err);
	if (rc == 0)
		rc = spot_list(&spot, names, count, err);
	spot_done(&spot);
	return rc < 0 ? paths_at(paths, path, err) : 0;
}

void paths_list_free(char **names, size_t count)
{
	while (names && count > 0)
		free(names[--count]);
	free(names);
}

int paths_exists(const struct paths *paths, const char *path, struct err *err)
{
	struct walk walk;
	int rc = walk_or_tell(&walk, paths, path, err);

	if (rc == 0)
		walk_done(&walk);
	if (rc == -ENOENT || rc == -ENOTDIR || rc == -ELOOP)
		return 0;
	return rc < 0 ? rc : walk.exists;
}
