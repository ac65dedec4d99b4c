/* SPDX-License-Identifier: MIT */
#include "iscsi/portal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "err.h"
#include "iscsi/text.h"

enum { LABEL_MAX = 63, ZONE_MAX = 32 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char to_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Digits alone (no sign, no hex) from min to max. */
static int parse_number(const char *what, const char *text, size_t len, uint32_t min, uint32_t max,
			uint32_t *out, struct err *err)
{
	uint32_t value = 0;

	for (size_t i = 0; i < len; i++) {
		if (!is_digit(text[i]) || i >= 6)
			return err_set(err, EINVAL, "'%.*s' is no %s (%u to %u)",
				       len > 40 ? 40 : (int)len, text, what, min, max);
		value = value * 10 + (uint32_t)(text[i] - '0');
	}
	if (len == 0)
		return err_set(err, EINVAL, "the %s is missing (%u to %u)", what, min, max);
	if (value < min || value > max)
		return err_set(err, EINVAL, "%s %u is out of range (%u to %u)", what, value, min,
			       max);
	*out = value;
	return 0;
}

/* Letters, digits, '-', '_' in labels of 1 to 63; a dot at the end is fine. */
static bool is_name(const char *text, size_t len)
{
	size_t label = 0;
	bool letters = false;

	for (size_t i = 0; i < len; i++) {
		char c = to_lower(text[i]);

		if (c == '.') {
			if (label == 0 || text[i - 1] == '-')
				return false;
			label = 0;
			continue;
		}
		if (!(c >= 'a' && c <= 'z') && !is_digit(c) && c != '_' && !(c == '-' && label > 0))
			return false;
		letters |= !is_digit(c);
		if (++label > LABEL_MAX)
			return false;
	}
	/* Digits and dots alone are an IPv4 address that is wrong somewhere. */
	return len > 0 && letters && text[len - 1] != '-';
}

static bool is_zone(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_digit(text[i]) && !(to_lower(text[i]) >= 'a' && to_lower(text[i]) <= 'z') &&
		    text[i] != '-' && text[i] != '_' && text[i] != '.')
			return false;
	return len > 0 && len <= ZONE_MAX;
}

static int bad_host(const char *text, size_t len, struct err *err)
{
	if (memchr(text, ':', len))
		return err_set(
			err, EINVAL,
			"'%.*s' is no portal; an IPv6 address goes in brackets: [2001:db8::1]:%d",
			len > 100 ? 100 : (int)len, text, PORTAL_PORT);
	return err_set(err, EINVAL, "'%.*s' is neither a host name nor an address",
		       len > 100 ? 100 : (int)len, text);
}

/* The inside of brackets: an IPv6 address, and maybe %zone. */
static int parse_bracketed(const char *text, size_t len, bool keep_zone, struct portal *out,
			   struct err *err)
{
	const char *percent = memchr(text, '%', len);
	size_t address_len = percent ? (size_t)(percent - text) : len;
	size_t zone_len = percent ? len - address_len - 1 : 0;

	if (!address_parse(text, address_len, out->address) || !memchr(text, ':', address_len) ||
	    (percent && !is_zone(percent + 1, zone_len)))
		return err_set(err, EINVAL, "'%.*s' is no IPv6 address", len > 100 ? 100 : (int)len,
			       text);
	out->numeric = true;
	address_text(out->address, out->host);
	if (percent && keep_zone) {
		size_t used = strlen(out->host);

		snprintf(out->host + used, sizeof(out->host) - used, "%%%.*s", (int)zone_len,
			 percent + 1);
	}
	return percent && !keep_zone;
}

static int parse_host(const char *text, size_t len, struct portal *out, struct err *err)
{
	if (len == 0)
		return err_set(err, EINVAL, "the host is missing");
	if (len > PORTAL_HOST_MAX)
		return err_set(err, EINVAL, "a host of %zu bytes is too long (%d at most)", len,
			       PORTAL_HOST_MAX);
	if (memchr(text, ':', len))
		return bad_host(text, len, err);
	if (address_parse(text, len, out->address)) {
		out->numeric = true;
		address_text(out->address, out->host);
		return 0;
	}
	if (!is_name(text, len))
		return bad_host(text, len, err);
	for (size_t i = 0; i < len; i++)
		out->host[i] = to_lower(text[i]);
	return 0;
}

static int parse(const char *text, size_t len, bool keep_zone, struct portal *out, struct err *err)
{
	const char *comma = memchr(text, ',', len), *colon, *close;
	size_t host_len = comma ? (size_t)(comma - text) : len;
	uint32_t number = 0;
	int rc;

	*out = (struct portal){ .port = PORTAL_PORT, .tag = PORTAL_NO_TAG };
	if (comma) {
		rc = parse_number("portal group tag", comma + 1, len - host_len - 1, 0, 65535,
				  &number, err);
		if (rc < 0)
			return rc;
		out->tag = (int32_t)number;
	}
	if (host_len > 0 && text[0] == '[') {
		close = memchr(text, ']', host_len);
		if (!close)
			return err_set(err, EINVAL, "'%.*s' lacks its ']'",
				       host_len > 100 ? 100 : (int)host_len, text);
		rc = parse_bracketed(text + 1, (size_t)(close - text - 1), keep_zone, out, err);
		colon = close + 1;
		if (rc >= 0 && colon < text + host_len && *colon != ':')
			return err_set(err, EINVAL, "a ':' and the port are expected after ']'");
	} else {
		colon = memchr(text, ':', host_len);
		/* More than one colon is an IPv6 address without its brackets. */
		if (colon && memchr(colon + 1, ':', (size_t)(text + host_len - colon - 1)))
			return bad_host(text, host_len, err);
		if (!colon)
			colon = text + host_len;
		rc = parse_host(text, (size_t)(colon - text), out, err);
	}
	if (rc < 0 || colon >= text + host_len)
		return rc;
	if (parse_number("port", colon + 1, (size_t)(text + host_len - colon - 1), 1, 65535,
			 &number, err) < 0)
		return -EINVAL;
	out->port = (uint16_t)number;
	return rc;
}

int portal_parse(const char *text, struct portal *out, struct err *err)
{
	return parse(text, strlen(text), true, out, err);
}

int portal_parse_peer(const char *text, size_t len, struct portal *out, struct err *err)
{
	if (len > TEXT_VALUE_MAX)
		return err_set(err, EINVAL, "an address of %zu bytes is too long (%d at most)", len,
			       TEXT_VALUE_MAX);
	return parse(text, len, false, out, err);
}

void portal_text_of(const char *host, uint16_t port, char out[PORTAL_TEXT_MAX])
{
	snprintf(out, PORTAL_TEXT_MAX, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
}

void portal_text(const struct portal *portal, char out[PORTAL_TEXT_MAX])
{
	portal_text_of(portal->host, portal->port, out);
}

void portal_text_tag(const struct portal *portal, char out[PORTAL_TEXT_MAX])
{
	size_t used;

	portal_text(portal, out);
	used = strlen(out);
	if (portal->tag != PORTAL_NO_TAG)
		snprintf(out + used, PORTAL_TEXT_MAX - used, ",%d", (int)portal->tag);
}

bool portal_equal(const struct portal *a, const struct portal *b)
{
	return a->port == b->port && strcmp(a->host, b->host) == 0;
}
