/* SPDX-License-Identifier: MIT */
#include "os/sockets.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <winsock2.h>

#include <ws2tcpip.h>

#include "buf.h"
#include "err.h"
#include "os/error_text.h"
#include "os/socket_address.h"

/*
 * A SOCKET is as wide as a pointer, but a handle, and of a handle 32 bits count
 * (Microsoft, "Interprocess Communication Between 32-bit and 64-bit
 * Applications"): an int holds it, as everywhere else.
 */

enum { PAIR_MS = 5000 };

/* Winsock's own numbers, as the rest of the program knows them. */
static const struct {
	int winsock;
	int code;
} codes[] = {
	{ WSAEWOULDBLOCK, EAGAIN },
	{ WSAEACCES, EACCES },
	{ WSAEADDRINUSE, EADDRINUSE },
	{ WSAEADDRNOTAVAIL, EADDRNOTAVAIL },
	{ WSAEAFNOSUPPORT, EAFNOSUPPORT },
	{ WSAECONNABORTED, ECONNABORTED },
	{ WSAECONNREFUSED, ECONNREFUSED },
	{ WSAECONNRESET, ECONNRESET },
	{ WSAEHOSTUNREACH, EHOSTUNREACH },
	{ WSAEINVAL, EINVAL },
	{ WSAEMFILE, EMFILE },
	{ WSAENETDOWN, ENETDOWN },
	{ WSAENETRESET, ENETRESET },
	{ WSAENETUNREACH, ENETUNREACH },
	{ WSAENOBUFS, ENOBUFS },
	{ WSAENOTCONN, ENOTCONN },
	{ WSAENOTSOCK, ENOTSOCK },
	{ WSAESHUTDOWN, EPIPE },
	{ WSAETIMEDOUT, ETIMEDOUT },
};

static int code_of(int winsock)
{
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (codes[i].winsock == winsock)
			return codes[i].code;
	return EIO;
}

static int last_code(void)
{
	return code_of(WSAGetLastError());
}

int sockets_start(struct err *err)
{
	WSADATA data;
	int rc = WSAStartup(MAKEWORD(2, 2), &data);

	if (rc != 0)
		return err_set(err, ENETDOWN, "Windows Sockets cannot be used: error %d", rc);
	return 0;
}

unsigned int sockets_limit(void)
{
	return 65536; /* no limit is told: memory alone bounds them */
}

static void prepare(SOCKET fd)
{
	u_long on = 1;
	int yes = 1;

	(void)ioctlsocket(fd, FIONBIO, &on);
	SetHandleInformation((HANDLE)fd, HANDLE_FLAG_INHERIT, 0);
	/* A PDU that waits for an acknowledgement would cost 40 ms; without it only that. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, (const char *)&yes, sizeof(yes));
}

static SOCKET new_socket(const struct socket_address *address, struct err *err)
{
	SOCKET fd = socket(sockaddr_of(address)->sa_family, SOCK_STREAM, IPPROTO_TCP);

	if (fd == INVALID_SOCKET)
		err_sys(err, last_code(), "cannot make a socket");
	else
		prepare(fd);
	return fd;
}

int socket_hold(const struct socket_address *address, struct err *err)
{
	SOCKET fd = new_socket(address, err);
	int on = 1, code;

	if (fd == INVALID_SOCKET)
		return -err->code;
	/* SO_REUSEADDR would let two listen on one port here ("Using SO_REUSEADDR and ..."). */
	if (setsockopt(fd, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (const char *)&on, sizeof(on)) == 0 &&
	    (sockaddr_of(address)->sa_family != AF_INET6 ||
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, (const char *)&on, sizeof(on)) == 0) &&
	    bind(fd, sockaddr_of(address), (int)address->len) == 0)
		return (int)fd;
	code = last_code();
	closesocket(fd);
	return socket_cannot_listen(address, code, err);
}

int socket_listen_held(int fd, int backlog, struct err *err)
{
	struct socket_address address;
	int code;

	if (listen((SOCKET)fd, backlog) == 0)
		return 0;
	code = last_code();
	(void)socket_local(fd, &address);
	return socket_cannot_listen(&address, code, err);
}

int socket_accept(int listener, struct socket_address *peer)
{
	int len = sizeof(peer->bytes), code;
	SOCKET fd;

	*peer = (struct socket_address){ .len = 0 };
	fd = accept((SOCKET)listener, (struct sockaddr *)peer->bytes, &len);
	if (fd == INVALID_SOCKET) {
		code = last_code();
		return code == ECONNABORTED || code == ECONNRESET ? -EAGAIN : -code;
	}
	peer->len = (uint32_t)len;
	prepare(fd);
	return (int)fd;
}

int socket_connect(const struct socket_address *address, struct err *err)
{
	char text[SOCKET_TEXT_MAX];
	SOCKET fd = new_socket(address, err);
	int code;

	if (fd == INVALID_SOCKET)
		return -err->code;
	if (connect(fd, sockaddr_of(address), (int)address->len) == 0 ||
	    WSAGetLastError() == WSAEWOULDBLOCK)
		return (int)fd;
	code = last_code();
	closesocket(fd);
	socket_address_text(address, text);
	return err_sys(err, code, "cannot connect to %s", text);
}

static bool same_address(const struct socket_address *a, const struct socket_address *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

int socket_connected(int fd)
{
	struct socket_address local, peer;
	int error = 0, len = sizeof(error);

	if (getsockopt((SOCKET)fd, SOL_SOCKET, SO_ERROR, (char *)&error, &len) != 0)
		return -last_code();
	if (error != 0)
		return -code_of(error);
	/* With nobody listening, a client that got that very port for its own end meets itself. */
	if (socket_local(fd, &local) == 0 && socket_peer(fd, &peer) == 0 &&
	    same_address(&local, &peer))
		return -ECONNREFUSED;
	return 0;
}

/* Wait until fd may be read (or written): what a loop does, for the one place that has none. */
static bool wait_ready(int fd, SHORT events)
{
	WSAPOLLFD poll = { .fd = (SOCKET)fd, .events = events };

	return WSAPoll(&poll, 1, PAIR_MS) == 1 && (poll.revents & events);
}

/* Connect over loopback; whoever else gets in first is not taken for our own end. */
int socket_pair(int pair[2], struct err *err)
{
	struct socket_address at, own, peer;
	int listener;

	pair[0] = pair[1] = -1;
	if (socket_address_parse("127.0.0.1", 0, &at) < 0)
		return err_set(err, EINVAL, "cannot make a pair of sockets");
	listener = socket_listen(&at, 1, err);
	if (listener < 0)
		return listener;
	if (socket_local(listener, &at) == 0)
		pair[1] = socket_connect(&at, err);
	if (pair[1] >= 0 && wait_ready(listener, POLLRDNORM))
		pair[0] = socket_accept(listener, &peer);
	socket_close(listener);
	if (pair[0] >= 0 && wait_ready(pair[1], POLLWRNORM) && socket_connected(pair[1]) == 0 &&
	    socket_local(pair[1], &own) == 0 && same_address(&own, &peer))
		return 0;
	socket_close(pair[0]);
	socket_close(pair[1]);
	pair[0] = pair[1] = -1;
	return err_set(err, EIO, "cannot make a pair of sockets over loopback");
}

ssize_t socket_receive(int fd, void *out, size_t len)
{
	int got = recv((SOCKET)fd, out, len > INT_MAX ? INT_MAX : (int)len, 0);

	return got < 0 ? -last_code() : got;
}

ssize_t socket_send(int fd, const struct socket_piece *pieces, size_t count)
{
	WSABUF buffers[SOCKET_PIECES_MAX];
	DWORD sent = 0;

	if (count > SOCKET_PIECES_MAX)
		count = SOCKET_PIECES_MAX;
	for (size_t i = 0; i < count; i++)
		buffers[i] = (WSABUF){ (ULONG)pieces[i].len, (CHAR *)(uintptr_t)pieces[i].bytes };
	if (WSASend((SOCKET)fd, buffers, (DWORD)count, &sent, 0, NULL, NULL) != 0)
		return -last_code();
	return (ssize_t)sent;
}

static int get_end(int(WINAPI *get)(SOCKET, struct sockaddr *, int *), int fd,
		   struct socket_address *out)
{
	int len = sizeof(out->bytes);

	*out = (struct socket_address){ .len = 0 };
	if (get((SOCKET)fd, (struct sockaddr *)out->bytes, &len) != 0)
		return -last_code();
	out->len = (uint32_t)len;
	return 0;
}

int socket_local(int fd, struct socket_address *out)
{
	return get_end(getsockname, fd, out);
}

int socket_peer(int fd, struct socket_address *out)
{
	return get_end(getpeername, fd, out);
}

void socket_finish(int fd)
{
	(void)shutdown((SOCKET)fd, SD_SEND);
}

void socket_close(int fd)
{
	if (fd >= 0)
		closesocket((SOCKET)fd);
}

void socket_reset(int fd)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	if (fd < 0)
		return;
	(void)setsockopt((SOCKET)fd, SOL_SOCKET, SO_LINGER, (const char *)&at_once,
			 sizeof(at_once));
	closesocket((SOCKET)fd);
}
