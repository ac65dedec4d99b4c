/* SPDX-License-Identifier: MIT */
/*
 * Linked into a sgw-init of its own, ahead of the C library (ld --wrap): counts
 * the system calls that touch the tree FAULT_ROOT, and at the one numbered
 * FAULT_AT kills the program (FAULT_ERROR 0), stops it (-1), or fails once with that errno.
 * FAULT_PLACE, "rename *iscsid.conf", is for that call at places of that form alone: others are not
 * counted. FAULT_LOG gets a line for each: whether it changes the tree, its name, its path.
 * Before the one numbered FAULT_COPY_AT somebody else writes: FAULT_COPY_FROM's
 * bytes into FAULT_COPY_TO; without the former what is there is moved to FAULT_MOVE_TO.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static long counted;

static bool below_root(const char *path)
{
	const char *root = getenv("FAULT_ROOT");
	size_t len = root ? strlen(root) : 0;

	return root && strncmp(path, root, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* Where the call goes, into place; false where that is outside the tree. */
static bool touches(int fd, const char *path, char place[PATH_MAX])
{
	char link[64];
	ssize_t len = 0;

	if (path && path[0] == '/') {
		snprintf(place, PATH_MAX, "%s", path);
		return below_root(place);
	}
	if (fd < 0)
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, place, PATH_MAX - 1);
	if (len < 0)
		len = 0;
	snprintf(place + len, PATH_MAX - (size_t)len, "%s%s", path ? "/" : "", path ? path : "");
	return below_root(place);
}

static void note(const char *name, bool changes, const char *place)
{
	const char *path = getenv("FAULT_LOG");
	FILE *log = path ? fopen(path, "a") : NULL;

	if (log) {
		fprintf(log, "%c %s %s\n", changes ? 'c' : '-', name,
			place + strlen(getenv("FAULT_ROOT")));
		fclose(log);
	}
}

static bool is_meant(const char *name, const char *place)
{
	const char *form = getenv("FAULT_PLACE");
	char text[PATH_MAX + 32];

	snprintf(text, sizeof(text), "%s %s", name, place + strlen(getenv("FAULT_ROOT")));
	return !form || fnmatch(form, text, 0) == 0;
}

static long number_of(const char *variable)
{
	const char *text = getenv(variable);

	return text ? strtol(text, NULL, 10) : 0;
}

int __real_open64(const char *path, int flags, ...);
ssize_t __real_read(int fd, void *out, size_t len);
ssize_t __real_write(int fd, const void *bytes, size_t len);

/* Into the file as it is, as iscsiadm does it. */
static void copy_over(void)
{
	char bytes[65536];
	int from = __real_open64(getenv("FAULT_COPY_FROM"), O_RDONLY | O_CLOEXEC);
	int to = __real_open64(getenv("FAULT_COPY_TO"), O_WRONLY | O_TRUNC | O_CLOEXEC);
	ssize_t len = __real_read(from, bytes, sizeof(bytes));

	if (len <= 0 || __real_write(to, bytes, (size_t)len) != len)
		abort();
	close(from);
	close(to);
}

static void interfere(void)
{
	if (getenv("FAULT_COPY_FROM"))
		copy_over();
	else if (rename(getenv("FAULT_COPY_TO"), getenv("FAULT_MOVE_TO")) < 0)
		abort();
}

/* true where the call is to fail, errno set. */
static bool fault(const char *name, bool changes, int fd, const char *path)
{
	long error = number_of("FAULT_ERROR");
	char place[PATH_MAX];

	if (!touches(fd, path, place))
		return false;
	note(name, changes, place);
	if (!is_meant(name, place))
		return false;
	if (++counted == number_of("FAULT_COPY_AT"))
		interfere();
	if (counted != number_of("FAULT_AT"))
		return false;
	if (error <= 0) {
		raise(error == 0 ? SIGKILL : SIGSTOP);
		return false;
	}
	errno = (int)error;
	return true;
}

#define WRAP(type, name, params, args, failed, ...) \
	type __real_##name params;                  \
	type __wrap_##name params;                  \
	type __wrap_##name params                   \
	{                                           \
		if (fault(__VA_ARGS__))             \
			return failed;              \
		return __real_##name args;          \
	}

int __real_openat64(int fd, const char *path, int flags, ...);
int __wrap_openat64(int fd, const char *path, int flags, ...);
int __wrap_openat64(int fd, const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	if (fault("open", flags & O_CREAT, fd, path))
		return -1;
	return __real_openat64(fd, path, flags, mode);
}

int __wrap_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	if (fault("open", flags & O_CREAT, AT_FDCWD, path))
		return -1;
	return __real_open64(path, flags, mode);
}

WRAP(ssize_t, read, (int fd, void *out, size_t len), (fd, out, len), -1, "read", false, fd, NULL)
WRAP(ssize_t, write, (int fd, const void *bytes, size_t len), (fd, bytes, len), -1, "write", true,
     fd, NULL)
WRAP(int, fsync, (int fd), (fd), -1, "fsync", true, fd, NULL)
WRAP(int, mkdirat, (int fd, const char *path, mode_t mode), (fd, path, mode), -1, "mkdir", true, fd,
     path)
WRAP(int, unlinkat, (int fd, const char *path, int flags), (fd, path, flags), -1, "unlink", true,
     fd, path)
WRAP(int, renameat, (int from, const char *old, int to, const char *new), (from, old, to, new), -1,
     "rename", true, to, new)
WRAP(int, linkat, (int from, const char *old, int to, const char *new, int flags),
     (from, old, to, new, flags), -1, "link", true, to, new)
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode), -1, "chmod", true, fd, NULL)
WRAP(int, fchown, (int fd, uid_t uid, gid_t gid), (fd, uid, gid), -1, "chown", true, fd, NULL)
WRAP(int, fsetxattr, (int fd, const char *name, const void *value, size_t len, int flags),
     (fd, name, value, len, flags), -1, "setxattr", true, fd, NULL)
WRAP(int, fstat64, (int fd, struct stat *st), (fd, st), -1, "stat", false, fd, NULL)
WRAP(int, fstatat64, (int fd, const char *path, struct stat *st, int flags), (fd, path, st, flags),
     -1, "stat", false, fd, path)
WRAP(struct dirent *, readdir64, (DIR * dir), (dir), NULL, "readdir", false, dirfd(dir), NULL)
