/* SPDX-License-Identifier: MIT */
#include "os/local_socket.h"

#include <errno.h>

#include "err.h"

int local_socket_listen(const char *path, int backlog, struct err *err)
{
	(void)backlog;
	return err_set(err, ENOTSUP,
		       "%s: a socket has no path on Windows; use 127.0.0.1:PORT instead", path);
}

void local_socket_close(int fd, const char *path)
{
	(void)fd;
	(void)path;
}
