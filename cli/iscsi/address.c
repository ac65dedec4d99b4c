/* SPDX-License-Identifier: MIT */
#include "iscsi/address.h"

#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "iscsi/bytes.h"

static const uint8_t v4_prefix[12] = { [10] = 0xff, [11] = 0xff };

bool address_is_v4(const uint8_t address[ADDRESS_LEN])
{
	return memcmp(address, v4_prefix, sizeof(v4_prefix)) == 0;
}

static bool parse_v4(const char *text, size_t len, uint8_t out[4])
{
	const char *p = text, *end = text + len;

	for (int part = 0; part < 4; part++) {
		unsigned int value = 0;
		const char *start = p;

		if (part > 0 && (p == end || *p++ != '.'))
			return false;
		start = p;
		for (; p < end && *p >= '0' && *p <= '9' && p - start < 4; p++)
			value = value * 10 + (unsigned int)(*p - '0');
		/* A leading zero means octal to some and nothing to others. */
		if (p == start || value > 255 || (*start == '0' && p - start > 1))
			return false;
		out[part] = (uint8_t)value;
	}
	return p == end;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Up to four digits; returns how many. */
static size_t parse_group(const char *p, const char *end, uint16_t *out)
{
	size_t digits = 0;
	unsigned int value = 0;

	while (p + digits < end && digits < 5 && hex_digit(p[digits]) >= 0)
		value = value << 4 | (unsigned int)hex_digit(p[digits++]);
	*out = (uint16_t)value;
	return digits <= 4 ? digits : 0;
}

static bool parse_v6(const char *text, size_t len, uint8_t out[ADDRESS_LEN])
{
	const char *p = text, *end = text + len;
	size_t used = 0, gap = SIZE_MAX; /* bytes written; where :: stands */

	memset(out, 0, ADDRESS_LEN);
	if (len >= 2 && p[0] == ':' && p[1] == ':') {
		gap = 0;
		p += 2;
	}
	while (p < end) {
		uint16_t group = 0;
		size_t digits = parse_group(p, end, &group);

		if (digits > 0 && p + digits < end && p[digits] == '.') {
			if (used > ADDRESS_LEN - 4 || !parse_v4(p, (size_t)(end - p), out + used))
				return false;
			used += 4;
			break;
		}
		if (digits == 0 || used > ADDRESS_LEN - 2)
			return false;
		put_be16(out + used, group);
		used += 2;
		p += digits;
		if (p == end)
			break;
		if (*p++ != ':' || p == end)
			return false;
		if (*p == ':') {
			if (gap != SIZE_MAX)
				return false;
			gap = used;
			p++;
		}
	}
	if (gap == SIZE_MAX)
		return used == ADDRESS_LEN;
	if (used == ADDRESS_LEN)
		return false; /* :: stands for one group at least */
	memmove(out + ADDRESS_LEN - (used - gap), out + gap, used - gap);
	memset(out + gap, 0, ADDRESS_LEN - used);
	return true;
}

bool address_parse(const char *text, size_t len, uint8_t out[ADDRESS_LEN])
{
	if (memchr(text, ':', len))
		return parse_v6(text, len, out);
	memcpy(out, v4_prefix, sizeof(v4_prefix));
	return parse_v4(text, len, out + sizeof(v4_prefix));
}

void address_text(const uint8_t address[ADDRESS_LEN], char out[ADDRESS_TEXT_MAX])
{
	int best = -1, best_len = 1; /* the longest run of zero groups, from two on */
	size_t used = 0;

	if (address_is_v4(address)) {
		snprintf(out, ADDRESS_TEXT_MAX, "%u.%u.%u.%u", address[12], address[13],
			 address[14], address[15]);
		return;
	}
	for (int i = 0; i < 8; i++) {
		int len = 0;

		while (i + len < 8 && get_be16(address + 2 * (i + len)) == 0)
			len++;
		if (len > best_len) {
			best = i;
			best_len = len;
		}
	}
	out[0] = '\0';
	for (int i = 0; i < 8; i++) {
		if (i == best) {
			used += (size_t)snprintf(out + used, ADDRESS_TEXT_MAX - used, "::");
			i += best_len - 1;
			continue;
		}
		used += (size_t)snprintf(out + used, ADDRESS_TEXT_MAX - used, "%s%x",
					 used > 0 && out[used - 1] != ':' ? ":" : "",
					 get_be16(address + 2 * i));
	}
}

/* Networks in the order in which they are tried: the narrow ones before those that hold them. */
static const struct {
	uint8_t prefix[ADDRESS_LEN];
	int bits;
	enum address_kind kind;
} networks[] = {
#define V4(a, b, c, d)                                                           \
	{                                                                        \
		[10] = 0xff, [11] = 0xff, [12] = a, [13] = b, [14] = c, [15] = d \
	}
	{ V4(0, 0, 0, 0), 128, ADDRESS_UNSPECIFIED },
	{ V4(10, 0, 0, 0), 104, ADDRESS_PRIVATE },
	{ V4(172, 16, 0, 0), 108, ADDRESS_PRIVATE },
	{ V4(192, 168, 0, 0), 112, ADDRESS_PRIVATE },
	{ V4(100, 64, 0, 0), 106, ADDRESS_PRIVATE },
	{ V4(169, 254, 0, 0), 112, ADDRESS_LINK_LOCAL },
	{ V4(127, 0, 0, 0), 104, ADDRESS_LOOPBACK },
	{ V4(224, 0, 0, 0), 100, ADDRESS_MULTICAST },
	{ V4(192, 0, 2, 0), 120, ADDRESS_RESERVED },
	{ V4(198, 51, 100, 0), 120, ADDRESS_RESERVED },
	{ V4(203, 0, 113, 0), 120, ADDRESS_RESERVED },
	{ V4(198, 18, 0, 0), 111, ADDRESS_RESERVED },
	{ V4(0, 0, 0, 0), 104, ADDRESS_RESERVED },
	{ V4(240, 0, 0, 0), 100, ADDRESS_RESERVED },
	{ { 0 }, 128, ADDRESS_UNSPECIFIED },
	{ { [15] = 1 }, 128, ADDRESS_LOOPBACK },
	{ { 0xfc }, 7, ADDRESS_PRIVATE },
	{ { 0xfe, 0x80 }, 10, ADDRESS_LINK_LOCAL },
	{ { 0xff }, 8, ADDRESS_MULTICAST },
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32, ADDRESS_RESERVED },
#undef V4
};

static bool has_prefix(const uint8_t *address, const uint8_t *prefix, int bits)
{
	int bytes = bits / 8, rest = bits % 8;

	return memcmp(address, prefix, (size_t)bytes) == 0 &&
	       (rest == 0 || (address[bytes] ^ prefix[bytes]) >> (8 - rest) == 0);
}

enum address_kind address_kind(const uint8_t address[ADDRESS_LEN])
{
	for (size_t i = 0; i < ARRAY_LEN(networks); i++)
		if (has_prefix(address, networks[i].prefix, networks[i].bits))
			return networks[i].kind;
	return ADDRESS_PUBLIC;
}

const char *address_kind_name(enum address_kind kind)
{
	static const char *const names[] = {
		[ADDRESS_PUBLIC] = "public",	       [ADDRESS_PRIVATE] = "private",
		[ADDRESS_LINK_LOCAL] = "link-local",   [ADDRESS_LOOPBACK] = "loopback",
		[ADDRESS_UNSPECIFIED] = "unspecified", [ADDRESS_MULTICAST] = "multicast",
		[ADDRESS_RESERVED] = "reserved",
	};

	return names[kind];
}
