/* SPDX-License-Identifier: MIT */
#include "os/local_socket.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "err.h"

/* Whether a socket is there, and which one. */
static bool find_socket(const char *path, struct local_socket_file *out)
{
	struct stat st;

	if (lstat(path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return false;
	*out = (struct local_socket_file){ .device = st.st_dev, .inode = st.st_ino };
	return true;
}

static int new_socket(struct err *err)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return fd < 0 ? err_sys(err, errno, "cannot make a socket") : fd;
}

/* Remove what a process that has died left; 0, or why it must stay. */
static int remove_stale(const struct sockaddr_un *address, struct err *err)
{
	struct local_socket_file file;
	int fd, rc;

	if (!find_socket(address->sun_path, &file))
		return err_set(err, EEXIST,
			       "%s is there and is no socket; move it away, or take another path",
			       address->sun_path);
	fd = new_socket(err);
	if (fd < 0)
		return fd;
	rc = connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? errno : 0;
	close(fd);
	if (rc != ECONNREFUSED)
		return err_set(err, EADDRINUSE, "%s is in use by another process",
			       address->sun_path);
	if (unlink(address->sun_path) < 0 && errno != ENOENT)
		return err_sys(err, errno, "cannot replace %s", address->sun_path);
	return 0;
}

static int bind_private(int fd, const struct sockaddr_un *address)
{
	mode_t mask = umask(0177);
	int rc = bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? errno : 0;

	umask(mask);
	return rc;
}

int local_socket_listen(const char *path, int backlog, struct local_socket_file *file,
			struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, rc;

	if (strlen(path) >= sizeof(address.sun_path))
		return err_set(err, ENAMETOOLONG,
			       "the path of a socket has %zu bytes at the most: %s is too long",
			       sizeof(address.sun_path) - 1, path);
	memcpy(address.sun_path, path, strlen(path));
	fd = new_socket(err);
	if (fd < 0)
		return fd;
	rc = bind_private(fd, &address);
	if (rc == EADDRINUSE && remove_stale(&address, err) == 0)
		rc = bind_private(fd, &address);
	else if (rc == EADDRINUSE)
		goto fail;
	*file = (struct local_socket_file){ 0 };
	if (rc == 0 && listen(fd, backlog) == 0) {
		find_socket(path, file);
		return fd;
	}
	err_sys(err, rc != 0 ? rc : errno, "cannot listen at %s", path);
fail:
	close(fd);
	return -err->code;
}

void local_socket_close(int fd, const char *path, const struct local_socket_file *file)
{
	struct local_socket_file now;
	bool ours;

	if (fd < 0)
		return;
	/* As long as it is open nobody else's has its number. */
	ours = find_socket(path, &now) && now.device == file->device && now.inode == file->inode;
	if (ours)
		(void)unlink(path);
	close(fd);
}
