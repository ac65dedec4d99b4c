/* SPDX-License-Identifier: MIT */
#include "host/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "err.h"
#include "host/dirs.h"
#include "host/owner.h"
#include "host/paths.h"
#include "os/signals.h"

#define WRITE_NAME "lock.write" /* what open-iscsi links to lock */
#define OWN_NAME "sgw-init." /* and our process number */

enum { STEP_MS = 10 };

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* false once the time is up. */
static bool wait_step(int64_t until)
{
	const struct timespec step = { .tv_nsec = STEP_MS * 1000000L };

	if (now_ms() >= until)
		return false;
	nanosleep(&step, NULL);
	return true;
}

static int open_program_lock(int dirfd, struct err *err)
{
	const char *name = strrchr(LOCK_PROGRAM, '/') + 1;
	int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	struct stat st;
	int fd, tries;

	/* Debian's /run/lock is for everybody: neither follow a link nor trust another's file. */
	for (tries = 0, fd = -1; fd < 0 && tries < 3; tries++) {
		fd = openat(dirfd, name, flags);
		if (fd < 0 && errno == ENOENT)
			fd = openat(dirfd, name, flags | O_CREAT | O_EXCL, 0600);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	if (fd < 0)
		return err_sys(err, errno, "cannot open sgw-init's lock");
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (st.st_uid != 0 && st.st_uid != geteuid())) {
		close(fd);
		return err_set(err, EPERM, "this is no file of root: look who made it, remove it");
	}
	return fd;
}

/* A lock of fcntl(2): the kernel tells its owner, so that nothing is ever written. */
static int lock_or_wait(int fd, unsigned wait_ms, struct err *err)
{
	struct flock want = { .l_type = F_WRLCK, .l_whence = SEEK_SET }, other;
	int64_t until = now_ms() + wait_ms;

	while (fcntl(fd, F_SETLK, &want) < 0) {
		if (errno != EAGAIN && errno != EACCES)
			return err_sys(err, errno, "cannot lock");
		other = want;
		if (fcntl(fd, F_GETLK, &other) < 0 || other.l_type == F_UNLCK)
			other.l_pid = 0;
		if (!wait_step(until))
			return err_set(err, EBUSY,
				       "another sgw-init (process %d) is still at work after %u "
				       "seconds: wait for its end",
				       (int)other.l_pid, wait_ms / 1000);
	}
	return 0;
}

int lock_program(const struct paths *paths, unsigned wait_ms, struct err *err)
{
	CLEANUP(free_ptr) char *dir = dir_of(LOCK_PROGRAM);
	int dirfd, fd, rc;

	if (!dir)
		return err_oom(err);
	dirfd = dir_open_made(paths, dir, 0755, err);
	if (dirfd < 0)
		return dirfd;
	fd = open_program_lock(dirfd, err);
	close(dirfd);
	if (fd < 0)
		return paths_at(paths, LOCK_PROGRAM, err);
	rc = lock_or_wait(fd, wait_ms, err);
	if (rc < 0) {
		close(fd);
		return paths_at(paths, LOCK_PROGRAM, err);
	}
	return fd;
}

/* Make the file that lock.write is to be a link to. */
static int make_own(struct lock *lock, struct err *err)
{
	struct owner self;
	char text[OWNER_TEXT_MAX];
	int fd, len;

	owner_self(&self);
	snprintf(lock->own, sizeof(lock->own), OWN_NAME "%u", self.pid);
	len = owner_format(&self, text, sizeof(text));
	if (unlinkat(lock->dirfd, lock->own, 0) < 0 && errno != ENOENT)
		return err_sys(err, errno, "cannot remove %s", lock->own);
	fd = openat(lock->dirfd, lock->own, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return err_sys(err, errno, "cannot make %s", lock->own);
	if (write(fd, text, (size_t)len) != len) {
		err_sys(err, errno ? errno : ENOSPC, "cannot write %s", lock->own);
		close(fd);
		unlinkat(lock->dirfd, lock->own, 0);
		return -err->code;
	}
	close(fd);
	return 0;
}

/* 1: ours, and its owner is dead; 0: somebody's; *owner->pid is 0 where it is none of ours. */
static int look_at_lock(int dirfd, struct owner *owner, struct stat *st)
{
	int fd = openat(dirfd, WRITE_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char text[OWNER_TEXT_MAX];
	ssize_t len;

	*owner = (struct owner){ 0 };
	if (fd < 0)
		return 0;
	len = fstat(fd, st) < 0 || !S_ISREG(st->st_mode) ? -1 : read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len <= 0)
		return 0;
	text[len] = '\0';
	if (!owner_parse(owner, text)) {
		*owner = (struct owner){ 0 };
		return 0;
	}
	return owner_dead(owner);
}

/* 1 where there was one. */
static int remove_dead_lock(int dirfd, struct owner *owner, struct err *err)
{
	struct stat seen, now;

	if (look_at_lock(dirfd, owner, &seen) != 1 ||
	    fstatat(dirfd, WRITE_NAME, &now, AT_SYMLINK_NOFOLLOW) < 0 ||
	    now.st_ino != seen.st_ino || now.st_dev != seen.st_dev)
		return 0;
	if (unlinkat(dirfd, WRITE_NAME, 0) < 0 && errno != ENOENT)
		return err_sys(err, errno, "cannot remove the lock of a process that died");
	return 1;
}

static int link_lock(struct lock *lock, unsigned wait_ms, struct err *err)
{
	int64_t until = now_ms() + wait_ms;
	struct owner owner;
	int rc;

	while (linkat(lock->dirfd, lock->own, lock->dirfd, WRITE_NAME, 0) < 0) {
		if (errno != EEXIST)
			return err_sys(err, errno, "cannot link %s", WRITE_NAME);
		if (signals_pending()) /* held while files are written */
			return err_set(err, EINTR, "interrupted while the database was locked");
		rc = remove_dead_lock(lock->dirfd, &owner, err);
		if (rc < 0)
			return rc;
		if (rc > 0 || wait_step(until))
			continue;
		if (owner.pid != 0)
			return err_set(err, EBUSY,
				       "sgw-init, process %u, has locked open-iscsi's database for "
				       "%u seconds: wait for its end",
				       owner.pid, wait_ms / 1000);
		return err_set(err, EBUSY,
			       "another program has locked open-iscsi's database for %u seconds: "
			       "if no iscsiadm and no iscsid is at work, remove this file",
			       wait_ms / 1000);
	}
	return 0;
}

int lock_database(struct lock *lock, const struct paths *paths, unsigned wait_ms, struct err *err)
{
	int rc;

	*lock = (struct lock)LOCK_NONE;
	lock->dirfd = dir_open_made(paths, LOCK_DATABASE_DIR, 0755, err);
	if (lock->dirfd < 0)
		return lock->dirfd;
	rc = make_own(lock, err);
	if (rc == 0) {
		rc = link_lock(lock, wait_ms, err);
		if (rc < 0)
			unlinkat(lock->dirfd, lock->own, 0);
	}
	if (rc < 0) {
		close(lock->dirfd);
		*lock = (struct lock)LOCK_NONE;
		return paths_at(paths, LOCK_DATABASE_DIR "/" WRITE_NAME, err);
	}
	return 0;
}

/* Once more where it fails: a lock that stays stalls others; but the failure is told. */
static int remove_name(int dirfd, const char *name, struct err *err)
{
	int code;

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	code = errno;
	unlinkat(dirfd, name, 0);
	return err_sys(err, code, "cannot remove %s", name);
}

/* 0: lock.write is not ours any more, since it was thought stale; negative: who knows. */
static int is_ours(const struct lock *lock, struct err *err)
{
	struct stat own, now;

	if (fstatat(lock->dirfd, lock->own, &own, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fstatat(lock->dirfd, WRITE_NAME, &now, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(err, errno, "cannot look at the lock");
	return own.st_ino == now.st_ino;
}

int lock_release(struct lock *lock, const struct paths *paths, struct err *err)
{
	int ours, rc = 0;

	if (lock->dirfd < 0)
		return 0;
	ours = is_ours(lock, err);
	if (ours < 0)
		rc = ours;
	if (ours != 0 && remove_name(lock->dirfd, WRITE_NAME, err) < 0)
		rc = -err->code;
	if (remove_name(lock->dirfd, lock->own, err) < 0)
		rc = -err->code;
	close(lock->dirfd);
	*lock = (struct lock)LOCK_NONE;
	return rc < 0 ? paths_at(paths, LOCK_DATABASE_DIR, err) : 0;
}

int lock_sweep(const struct paths *paths, struct err *err)
{
	struct owner owner;
	char **names;
	size_t count, i;
	int fd, rc;

	rc = paths_list(paths, LOCK_DATABASE_DIR, &names, &count, err);
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	fd = dir_open(paths, LOCK_DATABASE_DIR, err);
	rc = fd < 0 ? fd : 0;
	for (i = 0; rc >= 0 && i < count; i++) {
		if (strcmp(names[i], WRITE_NAME) == 0)
			rc = remove_dead_lock(fd, &owner, err);
		else if (strncmp(names[i], OWN_NAME, strlen(OWN_NAME)) == 0)
			rc = remove_name(fd, names[i], err);
	}
	if (fd >= 0)
		close(fd);
	paths_list_free(names, count);
	return rc < 0 ? paths_at(paths, LOCK_DATABASE_DIR, err) : 0;
}
