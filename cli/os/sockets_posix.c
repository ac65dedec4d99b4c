/* SPDX-License-Identifier: MIT */
#include "os/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "err.h"
#include "os/socket_address.h"

enum { SEND_AHEAD = 640 * 1024 }; /* bytes that may wait to be sent: a queue of 4 KiB reads */

int sockets_start(struct err *err)
{
	(void)err;
	return 0; /* sends use MSG_NOSIGNAL */
}

unsigned int sockets_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 256;
	if (limit.rlim_cur < limit.rlim_max) {
		struct rlimit raised = { limit.rlim_max, limit.rlim_max };

		if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
			limit = raised;
	}
	return limit.rlim_cur > UINT_MAX ? UINT_MAX : (unsigned int)limit.rlim_cur;
}

static void no_delay(int fd)
{
	int on = 1;

	/* A PDU that waits for an acknowledgement would cost 40 ms; without it only that. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/*
 * The kernel would take four megabytes of an answer before the peer has seen any: by then they have
 * left the caches, which costs the peer a quarter more. It still keeps in flight what the way there
 * holds.
 */
static void send_late(int fd)
{
	int most = SEND_AHEAD;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most, sizeof(most));
}

int socket_hold(const struct socket_address *address, struct err *err)
{
	int on = 1, off = 0, saved;
	int fd = socket(sockaddr_of(address)->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			0);

	if (fd < 0)
		return err_sys(err, errno, "cannot make a socket");
	/*
	 * With SO_REUSEADDR it is had in spite of connections that were; kept
	 * on, others had it, too.
	 */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    (sockaddr_of(address)->sa_family != AF_INET6 ||
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == 0) &&
	    bind(fd, sockaddr_of(address), address->len) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &off, sizeof(off)) == 0)
		return fd;
	saved = errno;
	close(fd);
	return socket_cannot_listen(address, saved, err);
}

int socket_listen_held(int fd, int backlog, struct err *err)
{
	struct socket_address address;
	int on = 1, saved;

	/* What it accepts inherits all three. */
	no_delay(fd);
	send_late(fd);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    listen(fd, backlog) == 0)
		return 0;
	saved = errno;
	(void)socket_local(fd, &address);
	return socket_cannot_listen(&address, saved, err);
}

int socket_accept(int listener, struct socket_address *peer)
{
	socklen_t len = sizeof(peer->bytes);
	int fd;

	*peer = (struct socket_address){ .len = 0 };
	do {
		fd = accept4(listener, (struct sockaddr *)peer->bytes, &len,
			     SOCK_NONBLOCK | SOCK_CLOEXEC);
	} while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return errno == EWOULDBLOCK || errno == ECONNABORTED ? -EAGAIN : -errno;
	peer->len = len;
	return fd;
}

int socket_connect(const struct socket_address *address, struct err *err)
{
	char text[SOCKET_TEXT_MAX];
	int saved;
	int fd = socket(sockaddr_of(address)->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			0);

	if (fd < 0)
		return err_sys(err, errno, "cannot make a socket");
	no_delay(fd);
	if (connect(fd, sockaddr_of(address), address->len) == 0 || errno == EINPROGRESS ||
	    errno == EINTR)
		return fd;
	saved = errno;
	close(fd);
	socket_address_text(address, text);
	return err_sys(err, saved, "cannot connect to %s", text);
}

int socket_connected(int fd)
{
	struct socket_address local, peer;
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return -errno;
	if (error != 0)
		return -error;
	/* With nobody listening, a client that got that very port for its own end meets itself. */
	if (socket_local(fd, &local) == 0 && socket_peer(fd, &peer) == 0 && local.len == peer.len &&
	    memcmp(local.bytes, peer.bytes, local.len) == 0)
		return -ECONNREFUSED;
	return 0;
}

int socket_pair(int pair[2], struct err *err)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, errno, "cannot make a pair of sockets");
	return 0;
}

ssize_t socket_receive(int fd, void *out, size_t len)
{
	ssize_t got;

	do {
		got = recv(fd, out, len, 0);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	return got;
}

ssize_t socket_send(int fd, const struct socket_piece *pieces, size_t count)
{
	struct iovec vector[SOCKET_PIECES_MAX];
	struct msghdr message = { .msg_iov = vector };
	ssize_t sent;

	if (count > SOCKET_PIECES_MAX)
		count = SOCKET_PIECES_MAX;
	for (size_t i = 0; i < count; i++)
		vector[i] = (struct iovec){ (void *)(uintptr_t)pieces[i].bytes, pieces[i].len };
	message.msg_iovlen = count;
	do {
		sent = sendmsg(fd, &message, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	return sent;
}

static int get_end(int (*get)(int, struct sockaddr *, socklen_t *), int fd,
		   struct socket_address *out)
{
	socklen_t len = sizeof(out->bytes);

	*out = (struct socket_address){ .len = 0 };
	if (get(fd, (struct sockaddr *)out->bytes, &len) < 0)
		return -errno;
	out->len = len;
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
	(void)shutdown(fd, SHUT_WR);
}

void socket_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

void socket_reset(int fd)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	if (fd < 0)
		return;
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}
