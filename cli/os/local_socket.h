/* SPDX-License-Identifier: MIT */
/* A listening socket that has a path in the file system in place of an address. */
#ifndef SGW_OS_LOCAL_SOCKET_H
#define SGW_OS_LOCAL_SOCKET_H

#include <stdint.h>

struct err;

/* Which file a socket is. */
struct local_socket_file {
	uint64_t device, inode;
};

/*
 * Listen at a path, for this user alone; see os/sockets.h for what a socket is
 * like. A socket that nobody listens at any more is replaced; one that is in
 * use, and whatever is no socket, is left as it is (-EADDRINUSE, -EEXIST).
 * -ENOTSUP where the system has none.
 */
int local_socket_listen(const char *path, int backlog, struct local_socket_file *file,
			struct err *err) __attribute__((nonnull));
/* Close it, and remove it from the file system where it is still this one that has the path. */
void local_socket_close(int fd, const char *path, const struct local_socket_file *file)
	__attribute__((nonnull));

#endif
