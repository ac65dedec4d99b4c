/* SPDX-License-Identifier: MIT */
/* A portal as text: HOST, HOST:PORT, [IPV6]:PORT, each with ,TAG (RFC 7143, 13.8). */
#ifndef SGW_ISCSI_PORTAL_H
#define SGW_ISCSI_PORTAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iscsi/address.h"

struct err;

enum {
	PORTAL_PORT = 3260,
	PORTAL_HOST_MAX = 253, /* RFC 1035, 2.3.4, as text */
	PORTAL_NO_TAG = -1,
	PORTAL_TEXT_MAX = PORTAL_HOST_MAX + 16, /* brackets, port, tag, NUL */
};

struct portal {
	char host[PORTAL_HOST_MAX +
		  1]; /* canonical: an address without brackets, or a name in lower case */
	bool numeric; /* host is an address */
	uint8_t address[ADDRESS_LEN]; /* where numeric */
	uint16_t port; /* 1 … 65535 */
	int32_t tag; /* portal group tag 0 … 65535, or PORTAL_NO_TAG */
};

/*
 * Parse what an administrator wrote. An IPv6 address needs its brackets; a
 * zone ([fe80::1%eth0]) stays in host. 0, or -EINVAL with what is wrong.
 */
int portal_parse(const char *text, struct portal *out, struct err *err) __attribute__((nonnull));
/*
 * Parse what a target sent, len bytes. A zone is dropped: it is a name of the
 * target's own interfaces. Returns 0; 1 where a zone was dropped; -EINVAL.
 */
int portal_parse_peer(const char *text, size_t len, struct portal *out, struct err *err)
	__attribute__((nonnull));

/* The canonical form: "10.0.1.130:3260", "[2001:db8::1]:3260", "gw.example:3260". */
void portal_text(const struct portal *portal, char out[PORTAL_TEXT_MAX]) __attribute__((nonnull));
/* The same of a host without brackets and a port that stand apart. */
void portal_text_of(const char *host, uint16_t port, char out[PORTAL_TEXT_MAX])
	__attribute__((nonnull));
/* portal_text() with ",1" where there is a tag. */
void portal_text_tag(const struct portal *portal, char out[PORTAL_TEXT_MAX])
	__attribute__((nonnull));
/* Same host and port, whatever their tags. */
bool portal_equal(const struct portal *a, const struct portal *b) __attribute__((nonnull));

#endif
