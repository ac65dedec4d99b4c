/* SPDX-License-Identifier: MIT */
#include "disconnect_flush.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "array.h"
#include "command.h"
#include "err.h"
#include "host/in_use.h"
#include "host/nodes.h"
#include "host/paths.h"
#include "host/sessions.h"
#include "host/spot.h"
#include "os/loop.h"

enum {
	FLUSH_MS = 20000, /* how long a disk may take to write its cache out */
	HELD_MS = 1000, /* the kernel looks for a claim before it asks the disk */
	LOOK_MS = 2,
};

/*
 * A device whose gateway is away takes no flush, and whoever asks for one waits
 * for minutes. 1, 0, or negative errno where that cannot be told.
 */
static int answers(const struct paths *paths, const struct host_session *session,
		   const struct device *device, struct err *err)
{
	CLEANUP(buf_done) struct buf session_state = { 0 }, state = { 0 };
	struct err why = { 0 };
	int rc = session_read(session, paths, "state", &session_state, &why);

	if (rc == 0)
		rc = device_read(device, paths, "state", &state, &why);
	if (rc == 0)
		return strcmp(buf_text(&session_state), "LOGGED_IN") == 0 &&
		       strcmp(buf_text(&state), "running") == 0;
	return paths_unless_gone(rc, &why, err);
}

/* 0 or an errno: EBUSY where somebody has claimed it. */
static int claim(struct claims *claims, const struct spot *spot)
{
	if (!ARRAY_ROOM(claims->fds, claims->count))
		return ENOMEM;
	claims->fds[claims->count] =
		openat(spot->dirfd, spot->name, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC);
	if (claims->fds[claims->count] < 0)
		return errno;
	claims->count++;
	return 0;
}

void claims_done(struct claims *claims)
{
	while (claims->count > 0)
		close(claims->fds[--claims->count]);
	free(claims->fds);
}

/*
 * Write out what the disk's own cache holds. Opened exclusively (O_EXCL), it
 * fails where the kernel itself has claimed the disk for something that
 * in_use.h does not know. Else (0) what a file system on it has not written
 * yet goes first: that is what BLKFLSBUF does beside its name. 0 or an errno.
 */
static int flush_disk(const struct spot *spot, int exclusive)
{
	int fd = openat(spot->dirfd, spot->name, O_RDONLY | exclusive | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return errno;
	if (!exclusive && ioctl(fd, BLKFLSBUF, 0) < 0)
		return errno;
	return fsync(fd) < 0 ? errno : 0;
}

/* Whether somebody has claimed the disk, for all else that comes of opening it: 0 or EBUSY. */
static int find_claim(const struct spot *spot, int exclusive)
{
	int fd = openat(spot->dirfd, spot->name, O_RDONLY | exclusive | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 && errno == EBUSY ? EBUSY : 0;
}

/* In a process of its own: on a gateway that went silent it hangs, and cannot be interrupted. */
static int in_time(int (*fn)(const struct spot *spot, int exclusive), const struct spot *spot,
		   const struct claims *claims, unsigned ms)
{
	const uint64_t end = loop_clock_us() + ms * (uint64_t)1000;
	pid_t child = fork();
	int status;

	if (child < 0)
		return errno;
	if (child == 0) {
		/* Whoever reads our output is not to wait for it, too. */
		for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
			close(fd);
		/* Nor is what is claimed to stay so for as long as it hangs. */
		for (size_t i = 0; claims && i < claims->count; i++)
			close(claims->fds[i]);
		_exit(fn(spot, claims ? O_EXCL : 0) & 0xff);
	}
	while (waitpid(child, &status, WNOHANG) == 0) {
		if (loop_clock_us() >= end) {
			kill(child, SIGKILL);
			return ETIMEDOUT;
		}
		poll(NULL, 0, LOOK_MS);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

static int flush_and_claim(const struct spot *spot, struct claims *claims)
{
	int failed = in_time(flush_disk, spot, claims, FLUSH_MS);

	return failed == 0 && claims ? claim(claims, spot) : failed;
}

static int look_for_claim(const struct spot *spot, const struct claims *claims)
{
	return claims && in_time(find_claim, spot, claims, HELD_MS) == EBUSY ? EBUSY : 0;
}

static int flush_by_name(const struct paths *paths, const char *name, bool answering,
			 struct claims *claims, struct err *err)
{
	struct spot spot = SPOT_NONE;
	char path[64];
	int rc, failed = 0;

	snprintf(path, sizeof(path), "/dev/%s", name);
	rc = paths_find(paths, path, &spot, err);
	if (rc == 0 && spot.exists && S_ISBLK(spot.st.st_mode))
		failed = answering ? flush_and_claim(&spot, claims) : look_for_claim(&spot, claims);
	spot_done(&spot);
	if (failed == EBUSY)
		rc = err_set(
			err, EBUSY,
			"in use: the kernel holds %s for something that no table shows, as a file "
			"system that was unmounted lazily (umount -l) and is still in use: "
			"fuser -v %s may tell by whom",
			name, path);
	else if (failed == ETIMEDOUT)
		rc = err_set(err, ETIMEDOUT,
			     "%s does not take a flush of its cache within %d s: is the gateway "
			     "away? Wait for it, or leave what is in the cache behind by iscsiadm "
			     "--logout",
			     name, FLUSH_MS / 1000);
	else if (failed != 0)
		rc = err_sys(err, failed, "%s cannot be opened and its cache written out", name);
	return rc;
}

static int flush_session(const struct paths *paths, const struct host_session *session,
			 struct claims *claims, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < session->device_count; i++) {
		const struct device *device = &session->devices[i];

		if (device->type != DEVICE_DISK || strchr(device->name, ':'))
			continue;
		rc = answers(paths, session, device, err);
		if (rc >= 0)
			rc = flush_by_name(paths, device->name, rc > 0, claims, err);
	}
	return rc;
}

int disconnect_flush_mounts(const struct paths *paths, const struct host_session *session,
			    const struct uses *uses, struct err *err)
{
	int rc = 1;

	for (size_t i = 0; rc > 0 && i < session->device_count; i++)
		rc = answers(paths, session, &session->devices[i], err);
	if (rc == 0)
		warn("%s: it does not answer: what was not written out yet is lost",
		     session->target);
	if (rc <= 0)
		return rc;
	for (size_t i = 0; rc >= 0 && i < uses->count; i++) {
		const char *name = uses->items[i].mounted;

		if (name[0] != '\0')
			rc = flush_by_name(paths, name, true, NULL, err);
	}
	return rc < 0 ? rc : 0;
}

int disconnect_flush(const struct paths *paths, const struct host_session *session,
		     struct claims *claims, struct err *err)
{
	struct sessions sessions;
	int rc = sessions_load(&sessions, paths, err);

	for (size_t i = 0; rc == 0 && i < sessions.count; i++) {
		if (session_shares_logout(session, &sessions.items[i]))
			rc = flush_session(paths, &sessions.items[i], claims, err);
	}
	sessions_done(&sessions);
	return rc;
}
