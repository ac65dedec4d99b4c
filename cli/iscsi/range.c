/* SPDX-License-Identifier: MIT */
#include "iscsi/range.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "err.h"
#include "iscsi/bytes.h"
#include "number.h"

enum { PREFIX_DIGITS = 3 };

bool range_is(const char *text)
{
	return strchr(text, '/') != NULL;
}

/* The portal that is left when the prefix's length is cut out, and that length. */
static int split(const char *text, struct portal *portal, uint32_t *prefix, struct err *err)
{
	const char *slash = strchr(text, '/');
	size_t head = (size_t)(slash - text), digits = strspn(slash + 1, "0123456789");
	/* An IPv6 address may do without its brackets: the '/' ends it. */
	bool bare = memchr(text, ':', head) && text[0] != '[';
	char rest[PORTAL_TEXT_MAX], number[PREFIX_DIGITS + 1];
	int len = snprintf(rest, sizeof(rest), "%s%.*s%s%s", bare ? "[" : "", (int)head, text,
			   bare ? "]" : "", slash + 1 + digits);

	if (digits == 0 || digits > PREFIX_DIGITS || len < 0 || (size_t)len >= sizeof(rest))
		return err_set(err, EINVAL, "a prefix's length is expected after '/': 10.0.1.0/24");
	snprintf(number, sizeof(number), "%.*s", (int)digits, slash + 1);
	if (portal_parse(rest, portal, err) < 0)
		return -err->code;
	if (!portal->numeric || strchr(portal->host, '%') || portal->tag != PORTAL_NO_TAG)
		return err_set(
			err, EINVAL,
			"a range is made of an address, without a zone or a tag: 10.0.1.0/24");
	return parse_u32(number, 0, address_is_v4(portal->address) ? 32 : 128, prefix, err);
}

int range_parse(const char *text, struct range *out, struct err *err)
{
	unsigned int host_bits;
	struct portal portal;
	uint32_t prefix = 0;
	bool v4;

	if (split(text, &portal, &prefix, err) < 0)
		return -EINVAL;
	v4 = address_is_v4(portal.address);
	host_bits = (v4 ? 32 : 128) - prefix;
	memcpy(out->network, portal.address, ADDRESS_LEN);
	for (unsigned int bit = 0; bit < host_bits; bit++)
		out->network[ADDRESS_LEN - 1 - bit / 8] &= (uint8_t) ~(1u << bit % 8);
	out->port = portal.port;
	out->first = host_bits > 1;
	out->count = host_bits < 64 ? UINT64_C(1) << host_bits : UINT64_MAX;
	if (host_bits > 1 && host_bits < 64)
		out->count -= v4 ? 2 : 1;
	return 0;
}

void range_portal(const struct range *range, uint64_t number, struct portal *out)
{
	*out = (struct portal){ .numeric = true, .port = range->port, .tag = PORTAL_NO_TAG };
	memcpy(out->address, range->network, ADDRESS_LEN);
	put_be64(out->address + 8, get_be64(range->network + 8) + range->first + number);
	address_text(out->address, out->host);
}

bool range_has(const struct range *range, const struct portal *portal)
{
	uint64_t offset = get_be64(portal->address + 8) - get_be64(range->network + 8);

	return portal->numeric && portal->port == range->port &&
	       memcmp(portal->address, range->network, 8) == 0 && offset >= range->first &&
	       offset - range->first < range->count;
}
