/* SPDX-License-Identifier: MIT */
#include "os/local_socket.h"

#include <errno.h>

#include "err.h"

int local_socket_listen(const char *path, int backlog, struct local_socket_file *file,
			struct err *err)
{
	(void)file;
	(void)backlog;
	return err_set(err, ENOTSUP,
		       "%s: a socket has no path on Windows; use 127.0.0.1:PORT instead", path);
}

void local_socket_close(int fd, const char *path, const struct local_socket_file *file)
{
	(void)file;
	(void)fd;
	(void)path;
}
