/* SPDX-License-Identifier: MIT */
#include "os/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "quote.h"

enum {
	READ_STEP = 64 * 1024,
	TEMP_TRIES = 16,
	PRIVATE_OTHERS = 077, /* an ACL shows in the group bits, as its mask */
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static int read_all(int fd, size_t max, struct buf *out, struct err *err)
{
	size_t limit = max < SIZE_MAX ? max + 1 : max; /* one more tells "all" from "too much" */
	size_t total = 0;

	while (total < limit) {
		size_t step = limit - total < READ_STEP ? limit - total : READ_STEP;
		char *room = buf_room(out, step);
		ssize_t got;

		if (!room)
			return err_oom(err);
		got = read(fd, room, step);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(err, errno, "cannot be read");
		if (got == 0)
			break;
		total += (size_t)got;
		out->len += (size_t)got;
		out->data[out->len] = '\0';
	}
	if (total > max)
		return err_set(err, EFBIG, "has more than %zu bytes, so it is not what is expected",
			       max);
	buf_add(out, "", 0); /* an empty file is an empty text, not NULL */
	return out->failed ? err_oom(err) : 0;
}

static int open_regular(const char *path, struct stat *st, struct err *err)
{
	/* Not blocking: a fifo without a writer would hang the open. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return err_sys(err, errno, "cannot be opened");
	if (fstat(fd, st) < 0) {
		err_sys(err, errno, "cannot be examined");
	} else if (!S_ISREG(st->st_mode)) {
		err_set(err, S_ISDIR(st->st_mode) ? EISDIR : EINVAL,
			S_ISDIR(st->st_mode)
				? "is a directory, not a file"
				: "is not a regular file: to read from a pipe, name -");
	} else {
		return fd;
	}
	close(fd);
	return -err->code;
}

static int check_private(const char *path, const struct stat *st, struct err *err)
{
	CLEANUP(buf_done) struct buf command = { 0 };

	if (st->st_uid != geteuid() && st->st_uid != 0) {
		err_set(err, EPERM,
			"holds secrets, but belongs to user %u, who could read and change them",
			(unsigned)st->st_uid);
		buf_addf(&command, "chown %u ", (unsigned)geteuid());
	} else if (st->st_mode & PRIVATE_OTHERS) {
		err_set(err, EPERM, "holds secrets, but its mode %04o lets other users at them",
			(unsigned)(st->st_mode & 07777));
		buf_adds(&command, "chmod 600 ");
	} else {
		return 0;
	}
	quote_path(&command, path);
	if (!command.failed)
		err_add_command(err, ": run: ", command.data);
	return -err->code;
}

int file_read(const char *path, size_t max, struct buf *out, struct err *err)
{
	CLEANUP(close_fd) int fd = -1;
	struct stat st;

	if (strcmp(path, "-") == 0) {
		if (read_all(STDIN_FILENO, max, out, err) < 0)
			return err_at(err, "standard input");
		return 0;
	}
	fd = open_regular(path, &st, err);
	if (fd < 0 || read_all(fd, max, out, err) < 0)
		return err_at(err, "%s", path);
	return 0;
}

int file_read_private(const char *path, size_t max, struct buf *out, struct err *err)
{
	CLEANUP(close_fd) int fd = -1;
	struct stat st;

	out->secret = true;
	if (strcmp(path, "-") == 0)
		return file_read(path, max, out, err);
	fd = open_regular(path, &st, err);
	if (fd < 0 || check_private(path, &st, err) < 0 || read_all(fd, max, out, err) < 0)
		return err_at(err, "%s", path);
	return 0;
}

static int write_all(int fd, const char *bytes, size_t len, struct err *err)
{
	while (len > 0) {
		ssize_t put = write(fd, bytes, len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return err_sys(err, errno, "cannot be written");
		bytes += put;
		len -= (size_t)put;
	}
	if (fsync(fd) < 0)
		return err_sys(err, errno, "cannot be written to disk");
	return 0;
}

/*
 * The file behind path, for the caller to free. A link is followed to its
 * file, since the rename would replace the link; and what is no regular file
 * (/dev/stdout!) is refused, since the rename would replace that too.
 */
static int write_destination(const char *path, char **out, struct err *err)
{
	struct stat st;

	if (lstat(path, &st) < 0) {
		if (errno != ENOENT)
			return err_sys(err, errno, "cannot be examined");
		*out = strdup(path);
		return *out ? 0 : err_oom(err);
	}
	*out = realpath(path, NULL);
	if (!*out)
		return err_sys(err, errno, "cannot be followed to its file");
	if (stat(*out, &st) < 0)
		return err_sys(err, errno, "cannot be examined");
	if (!S_ISREG(st.st_mode))
		return err_set(err, S_ISDIR(st.st_mode) ? EISDIR : EINVAL,
			       "is not a regular file, and it would be replaced by one");
	return 0;
}

/* Open a new file in dir, which ends in '/' or is empty; *temp is for the caller to free. */
static int open_temp(const char *dir, unsigned mode, char **temp, struct err *err)
{
	for (int i = 0; i < TEMP_TRIES; i++) {
		CLEANUP(buf_done) struct buf name = { 0 };
		uint64_t random;
		int fd;

		if (getrandom(&random, sizeof(random), 0) != sizeof(random))
			return err_sys(err, errno, "no random number for the temporary file");
		buf_addf(&name, "%s.sgw-%016llx.tmp", dir, (unsigned long long)random);
		if (name.failed)
			return err_oom(err);
		fd = open(buf_text(&name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
			  (mode_t)mode);
		if (fd < 0 && errno == EEXIST)
			continue;
		if (fd < 0)
			return err_sys(err, errno, "cannot be created");
		*temp = buf_take(&name);
		return fd;
	}
	return err_set(err, EEXIST, "no free name for a temporary file beside it");
}

static int sync_directory(const char *dir, struct err *err)
{
	CLEANUP(close_fd) int fd = open(*dir ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* Some file systems cannot sync a directory and say EINVAL; there is nothing to be done. */
	if (fd < 0 || (fsync(fd) < 0 && errno != EINVAL))
		return err_sys(err, errno, "its directory cannot be written to disk");
	return 0;
}

static int replace(const char *path, const void *bytes, size_t len, unsigned mode, struct err *err)
{
	const char *slash = strrchr(path, '/');
	CLEANUP(free_ptr) char *dir = strndup(path, slash ? (size_t)(slash - path) + 1 : 0);
	CLEANUP(free_ptr) char *temp = NULL;
	int fd, rc;

	if (!dir)
		return err_oom(err);
	fd = open_temp(dir, mode, &temp, err);
	if (fd < 0)
		return fd;
	rc = write_all(fd, bytes, len, err);
	if (close(fd) < 0 && rc == 0)
		rc = err_sys(err, errno, "cannot be written");
	if (rc == 0 && rename(temp, path) < 0)
		rc = err_sys(err, errno, "cannot be put in place");
	if (rc < 0) {
		unlink(temp);
		return rc;
	}
	return sync_directory(dir, err);
}

int file_write(const char *path, const void *bytes, size_t len, unsigned mode, struct err *err)
{
	CLEANUP(free_ptr) char *destination = NULL;

	if (write_destination(path, &destination, err) < 0 ||
	    replace(destination, bytes, len, mode, err) < 0)
		return err_at(err, "%s", path);
	return 0;
}
