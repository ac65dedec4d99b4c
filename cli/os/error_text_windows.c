/* SPDX-License-Identifier: MIT */
#include "os/error_text.h"

#include <errno.h>
#include <string.h>

#include "buf.h"

/* Codes above 42 have names in errno.h and no words in strerror(). */
static const struct {
	int code;
	const char *text;
} words[] = {
	{ EADDRINUSE, "address already in use" },
	{ EADDRNOTAVAIL, "no such address on this host" },
	{ EAFNOSUPPORT, "address family not supported" },
	{ EALREADY, "already under way" },
	{ ECONNABORTED, "connection aborted" },
	{ ECONNREFUSED, "connection refused" },
	{ ECONNRESET, "connection reset by peer" },
	{ EHOSTUNREACH, "no route to host" },
	{ ELOOP, "too many links" },
	{ ENETDOWN, "network is down" },
	{ ENETRESET, "connection broken by the network" },
	{ ENETUNREACH, "network is unreachable" },
	{ ENOBUFS, "no buffer space" },
	{ ENOTCONN, "not connected" },
	{ ENOTSOCK, "not a socket" },
	{ ENOTSUP, "not supported" },
	{ EPROTO, "protocol error" },
	{ ETIMEDOUT, "timed out" },
};

const char *error_text(int code)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (words[i].code == code)
			return words[i].text;
	return strerror(code);
}
