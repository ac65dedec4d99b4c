/* SPDX-License-Identifier: MIT */
#include "connect_reach.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "err.h"
#include "host/records.h"
#include "os/sockets.h"

enum {
	REACH_MS = 3000, /* to connect, before iscsid is left to try it for minutes */
	ADDRESSES_MAX = 4, /* of a host name */
};

static int reach_address(const struct socket_address *address, struct err *err)
{
	int fd = socket_connect(address, err), rc;
	struct pollfd wait = { .fd = fd, .events = POLLOUT };

	if (fd < 0)
		return fd;
	rc = poll(&wait, 1, REACH_MS) > 0 ? socket_connected(fd) : -ETIMEDOUT;
	socket_close(fd);
	if (rc == -ECONNREFUSED)
		err_set(err, ECONNREFUSED,
			"it refuses connections: is the gateway running, is the port right?");
	else if (rc == -ETIMEDOUT)
		err_set(err, ETIMEDOUT,
			"no answer within %d s: is the gateway running, is a firewall in between?",
			REACH_MS / 1000);
	else if (rc < 0)
		err_sys(err, -rc, "it cannot be reached");
	return rc;
}

/*
 * iscsid tries a dead portal for up to two minutes and says little: look first.
 * A record bound to an interface may go another way than we would.
 */
static int reach(const struct record *record, struct err *err)
{
	struct socket_address addresses[ADDRESSES_MAX];
	int count, rc = 0;

	if (strcmp(record->interface, "default") != 0 && record->interface[0] != '\0')
		return 0;
	count = socket_resolve(record->address, record->port, addresses, ADDRESSES_MAX, err);
	if (count < 0)
		return count;
	for (int i = 0; i < count; i++) {
		rc = reach_address(&addresses[i], err);
		if (rc == 0)
			return 0;
	}
	return rc;
}

int connect_reach(const struct record *record, struct err *err)
{
	int rc = reach(record, err);

	return rc < 0 ? record_at(record, err) : 0;
}
