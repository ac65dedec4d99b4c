/* SPDX-License-Identifier: MIT */
/* A range of portals as text: 10.0.1.0/24, 10.0.1.0/24:3261, [2001:db8::]/120:3261. */
#ifndef SGW_ISCSI_RANGE_H
#define SGW_ISCSI_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "iscsi/portal.h"

struct err;

struct range {
	uint8_t network[ADDRESS_LEN];
	uint64_t first, count; /* hosts: offsets from the network's address */
	uint16_t port;
};

/* Whether a text means a range: no portal has a '/'. */
bool range_is(const char *text) __attribute__((nonnull));

/*
 * Parse what an administrator wrote: an IPv4 or IPv6 address, '/', the
 * prefix's length, maybe ':' and a port; the brackets of an IPv6 address may
 * stand around either or be left out. Bits behind the prefix count for
 * nothing. An IPv4 range shorter than /31 has no host at its first (network)
 * and its last (broadcast) address, an IPv6 range shorter than /127 none at
 * its first (RFC 4291, 2.6.1). A count that would not fit is UINT64_MAX.
 * 0, or -EINVAL with what is wrong.
 */
int range_parse(const char *text, struct range *out, struct err *err) __attribute__((nonnull));

/* The host of that number, 0 … count - 1. */
void range_portal(const struct range *range, uint64_t number, struct portal *out)
	__attribute__((nonnull));
/* Whether the range has that host at that port. */
bool range_has(const struct range *range, const struct portal *portal) __attribute__((nonnull));

#endif
