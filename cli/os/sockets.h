/* SPDX-License-Identifier: MIT */
/* Non-blocking TCP: everything that differs between POSIX and Winsock. */
#ifndef SGW_OS_SOCKETS_H
#define SGW_OS_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

/* An IPv4 or IPv6 address with its port; copy it freely. */
struct socket_address {
	_Alignas(8) uint8_t bytes[128];
	uint32_t len;
};

enum {
	SOCKET_HOST_MAX = 72, /* text of an address with a zone, and NUL */
	SOCKET_TEXT_MAX = 80, /* the same with brackets and port */
	SOCKET_PIECES_MAX = 1024, /* pieces of one gathered send */
};

/* A part of a gathered send. */
struct socket_piece {
	const void *bytes;
	size_t len;
};

/*
 * Once, before all else (Winsock wants it). Nothing raises SIGPIPE here on any
 * system. 0, or a negative errno.
 */
int sockets_start(struct err *err) __attribute__((nonnull));

/* How many sockets this process may have open; where there is a soft limit it is raised first. */
unsigned int sockets_limit(void);

/* A numeric IPv4 or IPv6 address, without brackets; no name is looked up. 0 or -EINVAL. */
int socket_address_parse(const char *host, uint16_t port, struct socket_address *out)
	__attribute__((nonnull));
/* "192.0.2.1:3260", "[2001:db8::1]:3260". */
void socket_address_text(const struct socket_address *address, char out[SOCKET_TEXT_MAX])
	__attribute__((nonnull));
/* "192.0.2.1", "2001:db8::1". */
void socket_address_host(const struct socket_address *address, char out[SOCKET_HOST_MAX])
	__attribute__((nonnull));
uint16_t socket_address_port(const struct socket_address *address) __attribute__((nonnull));

/*
 * Look a host name up, or take a numeric address as it is: up to max
 * addresses, in the system's order. BLOCKS for as long as the system's
 * resolver likes: inside a loop use os/resolve.h. Returns their count (at
 * least 1), or a negative errno with the resolver's words in *err.
 */
int socket_resolve(const char *host, uint16_t port, struct socket_address *out, size_t max,
		   struct err *err) __attribute__((nonnull));

/*
 * All sockets are non-blocking, close-on-exec and without Nagle's delay.
 * Calls that return a socket or a count return a negative errno on failure;
 * -EAGAIN means: wait until the loop says ready.
 */

/* A listening socket; port 0 takes a free one (see socket_local). IPv6 listens for IPv6 alone. */
int socket_listen(const struct socket_address *address, int backlog, struct err *err)
	__attribute__((nonnull));
/*
 * A socket that has an address and does not listen: who connects is refused,
 * nobody else gets it.
 */
int socket_hold(const struct socket_address *address, struct err *err) __attribute__((nonnull));
/*
 * Have one that socket_hold made listen. 0 or a negative errno; it is closed by
 * the caller alone.
 */
int socket_listen_held(int fd, int backlog, struct err *err) __attribute__((nonnull));
/* The next connection, its far end in *peer; -EAGAIN where none waits. */
int socket_accept(int listener, struct socket_address *peer) __attribute__((nonnull));
/* Begin to connect. When the socket turns writable, socket_connected says how it ended. */
int socket_connect(const struct socket_address *address, struct err *err) __attribute__((nonnull));
/*
 * 0, or the negative errno why not. A socket that met itself (port clash on
 * loopback) is refused.
 */
int socket_connected(int fd);

/* Two sockets that are connected with each other, for a thread to wake a loop. */
int socket_pair(int pair[2], struct err *err) __attribute__((nonnull));

/* Bytes received, 0 where the peer has closed, or a negative errno. */
ssize_t socket_receive(int fd, void *out, size_t len) __attribute__((nonnull));
/* Send up to SOCKET_PIECES_MAX pieces at once: bytes taken (maybe not all), or a negative errno. */
ssize_t socket_send(int fd, const struct socket_piece *pieces, size_t count)
	__attribute__((nonnull));

/* Our and the peer's end of a connection. 0 or a negative errno. */
int socket_local(int fd, struct socket_address *out) __attribute__((nonnull));
int socket_peer(int fd, struct socket_address *out) __attribute__((nonnull));

/* Say that no more will be sent (FIN), and go on receiving. */
void socket_finish(int fd);
/* Close; fd < 0 is fine. */
void socket_close(int fd);
/* Close with a reset (RST): what was not yet sent is thrown away. */
void socket_reset(int fd);

#endif
