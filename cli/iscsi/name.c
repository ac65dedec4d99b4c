/* SPDX-License-Identifier: MIT */
#include "iscsi/name.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "buf.h"
#include "err.h"
#include "escape.h"

static int bad(const char *name, size_t len, const char *why, struct err *err)
{
	return err_set(err, EINVAL, "name '%.*s%s' %s", len > 100 ? 100 : (int)len, name,
		       len > 100 ? "…" : "", why);
}

static bool all_digits(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] < '0' || p[i] > '9')
			return false;
	return true;
}

static bool all_hex(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!memchr("0123456789abcdefABCDEF", p[i], 22))
			return false;
	return true;
}

/* iqn.yyyy-mm.naming-authority[:string] (4.2.7.4) */
static bool is_iqn(const char *name, size_t len)
{
	int month;

	if (len < 13 || memcmp(name, "iqn.", 4) != 0 || !all_digits(name + 4, 4) ||
	    name[8] != '-' || !all_digits(name + 9, 2) || name[11] != '.')
		return false;
	month = (name[9] - '0') * 10 + name[10] - '0';
	return month >= 1 && month <= 12 && name[12] != ':' && name[12] != '.';
}

/* What stringprep's profile for names (RFC 3722) forbids outside ASCII, as far as it can hide. */
static bool is_forbidden(unsigned int code)
{
	static const struct {
		unsigned int from, to;
	} ranges[] = {
		{ 0x80, 0xa0 }, /* C1, no-break space */
		{ 0xad, 0xad }, /* soft hyphen */
		{ 0x34f, 0x34f },   { 0x61c, 0x61c },	  { 0x1680, 0x1680 },
		{ 0x180b, 0x180e }, { 0x2000, 0x206f }, /* spaces, marks of direction, dashes */
		{ 0x3000, 0x3002 }, /* ideographic space and stops */
		{ 0xd800, 0xf8ff }, /* surrogates, private use */
		{ 0xfdd0, 0xfdef }, { 0xfe00, 0xfe0f },	  { 0xfeff, 0xfeff },
		{ 0xff01, 0xff5e }, /* full width: ASCII in disguise */
		{ 0xfff0, 0xffff }, { 0x1d173, 0x1d17a }, { 0xe0000, 0x10ffff },
	};

	for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
		if (code >= ranges[i].from && code <= ranges[i].to)
			return true;
	return false;
}

/* 0 allowed by 4.2.7.2, 1 met in the field, -1 neither. */
static int judge(unsigned int code)
{
	if ((code >= 'a' && code <= 'z') || (code >= '0' && code <= '9') || code == '-' ||
	    code == '.' || code == ':')
		return 0;
	if ((code >= 'A' && code <= 'Z') || code == '_' || code == ';')
		return 1;
	return code < 0x80 || is_forbidden(code) ? -1 : 0;
}

int name_check(const char *name, size_t len, struct err *err)
{
	bool odd = false;

	if (len > NAME_MAX_LEN)
		return err_set(err, EINVAL, "a name of %zu bytes is too long (%d at most)", len,
			       NAME_MAX_LEN);
	for (size_t i = 0; i < len;) {
		unsigned int code = 0;
		size_t step = utf8_char(name + i, len - i, &code);
		int verdict = step == 0 ? -1 : judge(code);

		if (step == 0)
			return bad(name, len, "is not UTF-8", err);
		if (verdict < 0)
			return bad(name, len, "has a character that no iSCSI name may have", err);
		odd |= verdict > 0;
		i += step;
	}
	if (len > 4 && memcmp(name, "eui.", 4) == 0)
		return len == 20 && all_hex(name + 4, 16)
			       ? 0
			       : bad(name, len, "is not eui. and 16 hex digits", err);
	if (len > 4 && memcmp(name, "naa.", 4) == 0)
		return (len == 20 || len == 36) && all_hex(name + 4, len - 4)
			       ? 0
			       : bad(name, len, "is not naa. and 16 or 32 hex digits", err);
	if (!is_iqn(name, len))
		return bad(name, len, "does not begin as iqn.YYYY-MM.DOMAIN, eui. or naa.", err);
	if (odd) {
		bad(name, len, "has characters that RFC 7143, 4.2.7.2 does not allow", err);
		return 1;
	}
	return 0;
}
