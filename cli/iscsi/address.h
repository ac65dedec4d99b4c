/* SPDX-License-Identifier: MIT */
/* IPv4 and IPv6 addresses as text and bytes, and what kind of network they belong to. */
#ifndef SGW_ISCSI_ADDRESS_H
#define SGW_ISCSI_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ADDRESS_LEN = 16, /* an IPv4 address is kept as ::ffff:a.b.c.d */
	ADDRESS_TEXT_MAX = 46, /* with its NUL */
};

/*
 * Parse a.b.c.d (decimal, no leading zeros) or an IPv6 address (RFC 4291, 2.2)
 * of len bytes; no brackets, no zone. False where it is neither.
 */
bool address_parse(const char *text, size_t len, uint8_t out[ADDRESS_LEN]) __attribute__((nonnull));
/* The one canonical form (RFC 5952); an IPv4-mapped address is written as IPv4. */
void address_text(const uint8_t address[ADDRESS_LEN], char out[ADDRESS_TEXT_MAX])
	__attribute__((nonnull));
bool address_is_v4(const uint8_t address[ADDRESS_LEN]) __attribute__((nonnull));

enum address_kind {
	ADDRESS_PUBLIC,
	ADDRESS_PRIVATE, /* RFC 1918, 4193, and 100.64.0.0/10 of RFC 6598 */
	ADDRESS_LINK_LOCAL,
	ADDRESS_LOOPBACK,
	ADDRESS_UNSPECIFIED, /* 0.0.0.0, :: */
	ADDRESS_MULTICAST,
	ADDRESS_RESERVED, /* documentation, benchmarking, broadcast, class E */
};
enum address_kind address_kind(const uint8_t address[ADDRESS_LEN]) __attribute__((nonnull));
/* "public", "private", "link-local" … */
const char *address_kind_name(enum address_kind kind);

#endif
