/* SPDX-License-Identifier: MIT */
#ifndef _WIN32
#include <arpa/inet.h>
#endif
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "err.h"
#include "os/socket_address.h"

/* getaddrinfo for TCP; the list is the caller's. */
static int look_up(const char *host, uint16_t port, int flags, struct addrinfo **out)
{
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV | flags,
	};
	char service[8];

	snprintf(service, sizeof(service), "%u", port);
	return getaddrinfo(host, service, &hints, out);
}

int socket_address_parse(const char *host, uint16_t port, struct socket_address *out)
{
	struct addrinfo *list = NULL;
	struct in_addr v4;

	/*
	 * getaddrinfo takes "10.1" and "0x7f000001" too, which is no address to
	 * an administrator.
	 */
	if (!strchr(host, ':') && inet_pton(AF_INET, host, &v4) != 1)
		return -EINVAL;
	if (look_up(host, port, AI_NUMERICHOST, &list) != 0)
		return -EINVAL;
	set_address(out, list->ai_addr, list->ai_addrlen);
	freeaddrinfo(list);
	return 0;
}

#ifdef _WIN32
enum { LOOK_UP_NO_ADDRESS = EAI_NODATA };

/* gai_strerror() is one buffer for all threads here, and its words end in a period and a blank. */
static const char *look_up_text(int rc)
{
	switch (rc) {
	case EAI_NONAME:
		return "no such host";
	case EAI_AGAIN:
		return "the name server does not answer";
	case EAI_FAIL:
		return "the name server fails";
	default:
		return "the system's resolver fails";
	}
}
#else
enum { LOOK_UP_NO_ADDRESS = EAI_ADDRFAMILY };

static const char *look_up_text(int rc)
{
	return rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc);
}
#endif

int socket_resolve(const char *host, uint16_t port, struct socket_address *out, size_t max,
		   struct err *err)
{
	struct addrinfo *list = NULL;
	int rc, count = 0;

	if (socket_address_parse(host, port, out) == 0)
		return 1;
	rc = look_up(host, port, AI_ADDRCONFIG, &list);
	/* AI_ADDRCONFIG hides ::1 on some hosts. */
	if (rc == EAI_NONAME || rc == LOOK_UP_NO_ADDRESS)
		rc = look_up(host, port, 0, &list);
	if (rc != 0)
		return err_set(err, rc == EAI_AGAIN ? EAGAIN : ENOENT,
			       "cannot look up host '%.255s': %s", host, look_up_text(rc));
	for (struct addrinfo *it = list; it && (size_t)count < max; it = it->ai_next)
		if (it->ai_family == AF_INET || it->ai_family == AF_INET6)
			set_address(&out[count++], it->ai_addr, it->ai_addrlen);
	freeaddrinfo(list);
	if (count == 0)
		return err_set(err, ENOENT, "host '%.255s' has no IPv4 or IPv6 address", host);
	return count;
}

void socket_address_host(const struct socket_address *address, char out[SOCKET_HOST_MAX])
{
	if (address->len == 0 || getnameinfo(sockaddr_of(address), address->len, out,
					     SOCKET_HOST_MAX, NULL, 0, NI_NUMERICHOST) != 0)
		snprintf(out, SOCKET_HOST_MAX, "?");
}

uint16_t socket_address_port(const struct socket_address *address)
{
	switch (sockaddr_of(address)->sa_family) {
	case AF_INET:
		return ntohs(((const struct sockaddr_in *)address->bytes)->sin_port);
	case AF_INET6:
		return ntohs(((const struct sockaddr_in6 *)address->bytes)->sin6_port);
	default:
		return 0;
	}
}

void socket_address_text(const struct socket_address *address, char out[SOCKET_TEXT_MAX])
{
	char host[SOCKET_HOST_MAX];

	socket_address_host(address, host);
	snprintf(out, SOCKET_TEXT_MAX, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host,
		 socket_address_port(address));
}

int socket_cannot_listen(const struct socket_address *address, int code, struct err *err)
{
	char text[SOCKET_TEXT_MAX];

	socket_address_text(address, text);
	return err_sys(err, code, "cannot listen on %s", text);
}

int socket_listen(const struct socket_address *address, int backlog, struct err *err)
{
	int fd = socket_hold(address, err);
	int rc;

	if (fd < 0)
		return fd;
	rc = socket_listen_held(fd, backlog, err);
	if (rc == 0)
		return fd;
	socket_close(fd);
	return rc;
}
