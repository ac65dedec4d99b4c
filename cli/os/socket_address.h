/* SPDX-License-Identifier: MIT */
/* A socket_address as the system's calls take it. Private to os/socket*.c. */
#ifndef SGW_OS_SOCKET_ADDRESS_H
#define SGW_OS_SOCKET_ADDRESS_H

#ifdef _WIN32
#include <winsock2.h>
#include <ws2tcpip.h>
#else
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#endif
#include <string.h>

#include "os/sockets.h"

_Static_assert(sizeof(struct sockaddr_storage) <= sizeof(((struct socket_address *)0)->bytes),
	       "an address of any family fits");

static inline const struct sockaddr *sockaddr_of(const struct socket_address *address)
{
	return (const struct sockaddr *)address->bytes;
}

static inline void set_address(struct socket_address *out, const void *sockaddr, socklen_t len)
{
	*out = (struct socket_address){ .len = len };
	memcpy(out->bytes, sockaddr, len);
}

/* Say why an address cannot be had. */
int socket_cannot_listen(const struct socket_address *address, int code, struct err *err)
	__attribute__((nonnull));

#endif
