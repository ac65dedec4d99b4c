/* SPDX-License-Identifier: MIT */
#include "host/obstacles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "err.h"
#include "host/spot.h"

/*
 * The mount that a descriptor lies on; -1 where /proc does not tell. Device
 * numbers do not show a bind mount of the same file system, and statx() tells
 * mounts only from Linux 5.8 on.
 */
static int mount_of(int fd)
{
	char path[64], text[512];
	const char *line;
	ssize_t len;
	int info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	if (info < 0)
		return -1;
	len = read(info, text, sizeof(text) - 1);
	close(info);
	if (len <= 0)
		return -1;
	text[len] = '\0';
	line = strstr(text, "mnt_id:");
	return line ? (int)strtol(line + strlen("mnt_id:"), NULL, 10) : -1;
}

static int check_flags(int fd, struct err *err)
{
	struct statx about;

	/* What the file system does not know is not set; a system without statx() tells nothing. */
	if (statx(fd, "", AT_EMPTY_PATH, 0, &about) < 0)
		return 0;
	if (about.stx_attributes & STATX_ATTR_IMMUTABLE)
		return err_set(err, EPERM, "it is immutable; to allow a change: chattr -i");
	if (about.stx_attributes & STATX_ATTR_APPEND)
		return err_set(err, EPERM, "it is append-only; to allow a change: chattr -a");
	return 0;
}

int obstacle_file(const struct spot *spot, struct err *err)
{
	int fd, rc, own, around;

	fd = openat(spot->dirfd, spot->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "cannot look at this file");
	own = mount_of(fd);
	around = mount_of(spot->dirfd);
	if (own != around)
		rc = err_set(err, EBUSY,
			     "it is a bind mount, which no new file can take the place of: "
			     "change the file that is mounted there, or unmount it");
	else
		rc = check_flags(fd, err);
	close(fd);
	return rc;
}

int obstacle_dir(int dirfd, struct err *err)
{
	int rc;

	rc = check_flags(dirfd, err);
	if (rc < 0)
		return rc;
	if (faccessat(dirfd, ".", W_OK | X_OK, AT_EACCESS) < 0)
		return err_sys(err, errno, "cannot write in this directory");
	return 0;
}

int obstacle_room(int dirfd, uint64_t bytes, struct err *err)
{
	struct statvfs fs;
	uint64_t room;

	if (fstatvfs(dirfd, &fs) < 0 || fs.f_blocks == 0)
		return 0; /* of unlimited size, or it does not tell */
	room = (uint64_t)fs.f_frsize * (geteuid() == 0 ? fs.f_bfree : fs.f_bavail);
	if (room < bytes)
		return err_set(err, ENOSPC, "only %ju bytes are free, and %ju are needed",
			       (uintmax_t)room, (uintmax_t)bytes);
	return 0;
}

int obstacle_between(int from, int to, struct err *err)
{
	struct stat a, b;

	if (fstat(from, &a) < 0 || fstat(to, &b) < 0)
		return err_sys(err, errno, "cannot look at this directory");
	if (a.st_dev != b.st_dev || mount_of(from) != mount_of(to))
		return err_set(err, EXDEV,
			       "it lies on another file system than the database's own directory, "
			       "from which new records are moved there");
	return 0;
}
