/* SPDX-License-Identifier: MIT */
/* A listening socket that has a path in the file system in place of an address. */
#ifndef SGW_OS_LOCAL_SOCKET_H
#define SGW_OS_LOCAL_SOCKET_H

struct err;

/*
 * Listen at a path, for this user alone; see os/sockets.h for what a socket is
 * like. A socket that nobody listens at any more is replaced; one that is in
 * use, and whatever is no socket, is left as it is (-EADDRINUSE, -EEXIST).
 * -ENOTSUP where the system has none.
 */
int local_socket_listen(const char *path, int backlog, struct err *err) __attribute__((nonnull));
/* Close it, and remove it from the file system where it is still a socket. */
void local_socket_close(int fd, const char *path) __attribute__((nonnull));

#endif
