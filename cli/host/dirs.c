/* SPDX-License-Identifier: MIT */
#include "host/dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "array.h"
#include "buf.h"
#include "err.h"
#include "host/paths.h"

char *dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == path || !slash ? strdup("/") : strndup(path, (size_t)(slash - path));
}

int dir_open(const struct paths *paths, const char *path, struct err *err)
{
	struct spot spot = SPOT_NONE;
	int fd, rc;

	rc = paths_find(paths, path, &spot, err);
	if (rc < 0)
		return rc;
	if (spot.exists) {
		fd = openat(spot.dirfd, spot.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			err_sys(err, errno, "cannot open this directory");
	} else {
		fd = err_set(err, ENOENT, "there is no such directory");
	}
	spot_done(&spot);
	return fd < 0 ? paths_at(paths, path, err) : fd;
}

/* Where path is, or would be: a directory sorts before what is in it. */
static size_t dirs_search(const struct dirs *dirs, const char *path, bool *found)
{
	size_t low = 0, high = dirs->count;

	*found = false;
	while (low < high && !*found) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(dirs->paths[middle], path);

		*found = order == 0;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return *found ? high : low;
}

int dirs_add(struct dirs *dirs, const char *path, struct err *err)
{
	char **after, *copy;
	bool found;
	size_t at;

	at = dirs_search(dirs, path, &found);
	if (found)
		return 0;
	copy = ARRAY_ROOM(dirs->paths, dirs->count) ? strdup(path) : NULL;
	if (!copy)
		return err_oom(err);
	after = dirs->paths + at;
	memmove(after + 1, after, (dirs->count - at) * sizeof(*after));
	*after = copy;
	dirs->count++;
	return 0;
}

bool dirs_hold(const struct dirs *dirs, const char *path)
{
	bool found;

	dirs_search(dirs, path, &found);
	return found;
}

void dirs_done(struct dirs *dirs)
{
	while (dirs->count > 0)
		free(dirs->paths[--dirs->count]);
	free(dirs->paths);
	*dirs = (struct dirs){ 0 };
}

int dirs_missing(struct dirs *dirs, const struct paths *paths, const char *path, struct err *err)
{
	CLEANUP(free_ptr) char *parent = NULL;
	struct spot spot = SPOT_NONE;
	bool exists, is_dir;
	int rc;

	if (dirs_hold(dirs, path))
		return 0;
	rc = paths_find(paths, path, &spot, err);
	exists = rc == 0 && spot.exists;
	is_dir = exists && S_ISDIR(spot.st.st_mode);
	spot_done(&spot);
	if (exists && !is_dir) {
		err_set(err, ENOTDIR, "this is no directory");
		return paths_at(paths, path, err);
	}
	if (exists || (rc < 0 && rc != -ENOENT))
		return rc;
	if (rc == -ENOENT) {
		parent = dir_of(path);
		if (!parent)
			return err_oom(err);
		rc = dirs_missing(dirs, paths, parent, err);
		if (rc < 0)
			return rc;
		/* The parent is there: then a link leads to nowhere, as err says. */
		if (!dirs_hold(dirs, parent))
			return -err->code;
	}
	return dirs_add(dirs, path, err);
}

int dirs_make_one(const struct paths *paths, const char *path, mode_t mode, struct err *err)
{
	struct spot spot = SPOT_NONE;
	int rc;

	rc = paths_find(paths, path, &spot, err);
	if (rc < 0)
		return rc;
	if (!spot.exists && mkdirat(spot.dirfd, spot.name, mode) < 0 && errno != EEXIST)
		rc = err_sys(err, errno, "cannot make this directory");
	spot_done(&spot);
	return rc < 0 ? paths_at(paths, path, err) : 0;
}

int dir_sync(const struct paths *paths, const char *path, struct err *err)
{
	int fd = dir_open(paths, path, err);
	int rc = 0;

	if (fd < 0)
		return fd;
	if (fsync(fd) < 0) {
		err_sys(err, errno, "cannot sync this directory");
		rc = paths_at(paths, path, err);
	}
	close(fd);
	return rc;
}

/* What was made survives a crash only once its parent is synced. */
static int sync_parent(const struct paths *paths, const char *path, struct err *err)
{
	CLEANUP(free_ptr) char *parent = dir_of(path);

	return parent ? dir_sync(paths, parent, err) : err_oom(err);
}

int dir_open_made(const struct paths *paths, const char *path, mode_t mode, struct err *err)
{
	struct dirs missing = { 0 };
	size_t i;
	int rc;

	rc = dirs_missing(&missing, paths, path, err);
	for (i = 0; rc == 0 && i < missing.count; i++) {
		rc = dirs_make_one(paths, missing.paths[i], i + 1 == missing.count ? mode : 0755,
				   err);
		if (rc == 0)
			rc = sync_parent(paths, missing.paths[i], err);
	}
	dirs_done(&missing);
	return rc < 0 ? rc : dir_open(paths, path, err);
}

/* Go up until the directory is path, or one above it. */
static void cursor_rise(struct dir_cursor *cursor, const char *path)
{
	size_t end;

	while (cursor->depth > 0) {
		end = cursor->ends[cursor->depth - 1];
		if (strncmp(cursor->path, path, end) == 0 &&
		    (path[end] == '/' || path[end] == '\0'))
			return;
		close(cursor->fds[--cursor->depth]);
	}
}

static int cursor_add(struct dir_cursor *cursor, int fd, const char *path, size_t end)
{
	if (cursor->depth == DIR_CURSOR_DEPTH || end >= sizeof(cursor->path)) {
		close(fd);
		return -ENAMETOOLONG;
	}
	memcpy(cursor->path, path, end);
	cursor->path[end] = '\0';
	cursor->ends[cursor->depth] = end;
	cursor->fds[cursor->depth++] = fd;
	return 0;
}

/* One directory further down the path; no link is followed. */
static int cursor_sink(struct dir_cursor *cursor, const struct paths *paths, const char *path)
{
	size_t start = cursor->depth > 0 ? cursor->ends[cursor->depth - 1] : 0;
	size_t len = strcspn(path + start + 1, "/");
	char name[NAME_MAX + 1];
	int fd;

	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, path + start + 1, len);
	name[len] = '\0';
	fd = openat(start > 0 ? cursor->fds[cursor->depth - 1] : paths->fd, name,
		    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : cursor_add(cursor, fd, path, start + 1 + len);
}

int dir_cursor_at(struct dir_cursor *cursor, const struct paths *paths, const char *path,
		  struct err *err)
{
	int fd, rc = 0;

	cursor_rise(cursor, path);
	while (rc == 0 && path[1] != '\0' &&
	       (cursor->depth == 0 || path[cursor->ends[cursor->depth - 1]] != '\0'))
		rc = cursor_sink(cursor, paths, path);
	if (rc == 0 && cursor->depth > 0)
		return cursor->fds[cursor->depth - 1];
	dir_cursor_done(cursor);
	if (rc < 0 && rc != -ENOTDIR && rc != -ELOOP && rc != -ENAMETOOLONG) {
		err_sys(err, -rc, "cannot open this directory");
		return paths_at(paths, path, err);
	}
	/* A link by now, the root, or too deep: by the long way, and nothing is kept of it. */
	fd = dir_open(paths, path, err);
	if (fd >= 0 && cursor_add(cursor, fd, path, strlen(path)) < 0)
		return err_set(err, ENAMETOOLONG, "too long a path");
	return fd;
}

int dir_cursor_at_parent(struct dir_cursor *cursor, const struct paths *paths, const char *path,
			 struct err *err)
{
	CLEANUP(free_ptr) char *parent = dir_of(path);

	return parent ? dir_cursor_at(cursor, paths, parent, err) : err_oom(err);
}

void dir_cursor_done(struct dir_cursor *cursor)
{
	while (cursor->depth > 0)
		close(cursor->fds[--cursor->depth]);
}
