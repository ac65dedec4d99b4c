/* SPDX-License-Identifier: MIT */
#include "host/spot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "array.h"
#include "err.h"
#include "host/paths.h"

void spot_done(struct spot *spot)
{
	if (spot->dirfd >= 0)
		close(spot->dirfd);
	*spot = (struct spot)SPOT_NONE;
}

/* What the file is not, or NULL where it is a regular one. */
static const char *odd_kind(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return NULL;
	case S_IFDIR:
		return "a directory";
	case S_IFIFO:
		return "a pipe";
	case S_IFSOCK:
		return "a socket";
	default:
		return "a device";
	}
}

static int check_regular(const struct stat *st, size_t max, struct err *err)
{
	const char *kind = odd_kind(st->st_mode);

	if (kind)
		return err_set(err, S_ISDIR(st->st_mode) ? EISDIR : EINVAL,
			       "this is %s, not a file", kind);
	if (st->st_size > 0 && (uintmax_t)st->st_size > max)
		return err_set(err, EFBIG, "the file has %ju bytes, more than the %zu allowed",
			       (uintmax_t)st->st_size, max);
	return 0;
}

/* Sizes are hints: files of /sys and /proc have none or a page. */
static int read_all(int fd, size_t max, size_t hint, struct buf *out, struct err *err)
{
	size_t start = out->len, want = hint + 1;

	for (;;) {
		char *room = buf_room(out, want);
		ssize_t got;

		if (!room)
			return err_oom(err);
		do
			got = read(fd, room, want);
		while (got < 0 && errno == EINTR);
		if (got < 0)
			return err_sys(err, errno, "cannot read");
		out->len += (size_t)got;
		out->data[out->len] = '\0';
		if (got == 0)
			return 0;
		if (out->len - start > max)
			return err_set(err, EFBIG, "the file has more than the %zu bytes allowed",
				       max);
		if (out->len - start > hint)
			want = 4096;
		else
			want = hint + 1 - (out->len - start);
	}
}

int spot_open(const struct spot *spot, size_t max, struct stat *st, struct err *err)
{
	int fd, rc;

	if (!spot->exists)
		return err_set(err, ENOENT, "there is no such file");
	/* Looked at before it is opened: opening a device or a pipe has effects. */
	rc = check_regular(&spot->st, max, err);
	if (rc < 0)
		return rc;
	fd = openat(spot->dirfd, spot->name,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "cannot open");
	rc = fstat(fd, st) < 0 ? err_sys(err, errno, "cannot look at this file")
			       : check_regular(st, max, err);
	if (rc < 0)
		close(fd);
	return rc < 0 ? rc : fd;
}

int spot_read_open(int fd, size_t max, const struct stat *st, struct buf *out, struct err *err)
{
	return read_all(fd, max, (size_t)st->st_size, out, err);
}

int spot_read(const struct spot *spot, size_t max, struct buf *out, struct stat *st,
	      struct err *err)
{
	struct stat opened;
	int fd, rc;

	fd = spot_open(spot, max, &opened, err);
	if (fd < 0)
		return fd;
	rc = spot_read_open(fd, max, &opened, out, err);
	if (rc == 0 && st)
		*st = opened;
	close(fd);
	return rc;
}

int spot_write_value(const struct spot *spot, const char *value, struct err *err)
{
	CLEANUP(buf_done) struct buf line = { 0 };
	ssize_t wrote;
	int fd, rc;

	if (!spot->exists)
		return err_set(err, ENOENT, "there is no such file");
	rc = check_regular(&spot->st, SIZE_MAX, err);
	if (rc < 0)
		return rc;
	buf_addf(&line, "%s\n", value);
	if (line.failed)
		return err_oom(err);
	fd = openat(spot->dirfd, spot->name,
		    O_WRONLY | O_TRUNC | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "cannot open");
	do
		wrote = write(fd, line.data, line.len);
	while (wrote < 0 && errno == EINTR);
	if (wrote < 0)
		rc = err_sys(err, errno, "cannot write %s", value);
	else if ((size_t)wrote < line.len)
		rc = err_set(err, EIO, "only a part of %s was taken", value);
	close(fd);
	return rc;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int collect_names(DIR *dir, char ***names, size_t *count, struct err *err)
{
	struct dirent *entry;
	char *copy;

	while ((errno = 0, entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		copy = ARRAY_ROOM(*names, *count) ? strdup(entry->d_name) : NULL;
		if (!copy)
			return err_oom(err);
		(*names)[(*count)++] = copy;
	}
	if (errno != 0)
		return err_sys(err, errno, "cannot read this directory");
	if (*count > 0)
		qsort(*names, *count, sizeof(**names), compare_names);
	return 0;
}

int spot_list(const struct spot *spot, char ***names, size_t *count, struct err *err)
{
	DIR *dir;
	int fd, rc;

	*names = NULL;
	*count = 0;
	if (!spot->exists)
		return err_set(err, ENOENT, "there is no such directory");
	fd = openat(spot->dirfd, spot->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		rc = err_sys(err, errno, "cannot open this directory");
		if (fd >= 0)
			close(fd);
		return rc;
	}
	rc = collect_names(dir, names, count, err);
	closedir(dir);
	if (rc < 0) {
		paths_list_free(*names, *count);
		*names = NULL;
		*count = 0;
	}
	return rc;
}
