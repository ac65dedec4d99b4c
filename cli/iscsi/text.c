/* SPDX-License-Identifier: MIT */
#include "iscsi/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "err.h"

int text_next(struct text_iter *it, struct text_pair *out, struct err *err)
{
	const char *end, *equals;
	size_t key_len;

	while (it->left > 0 && *it->p == '\0') { /* some peers pad with NULs */
		it->p++;
		it->left--;
	}
	if (it->left == 0)
		return 0;

	end = memchr(it->p, '\0', it->left);
	if (!end)
		return err_set(err, EPROTO, "text segment ends inside a pair");
	equals = memchr(it->p, '=', (size_t)(end - it->p));
	if (!equals)
		return err_set(err, EPROTO, "text pair '%.*s' has no '='", TEXT_KEY_MAX, it->p);
	key_len = (size_t)(equals - it->p);
	if (key_len == 0 || key_len > TEXT_KEY_MAX)
		return err_set(err, EPROTO, "text key of %zu bytes (1 to %d allowed)", key_len,
			       TEXT_KEY_MAX);

	memcpy(out->key, it->p, key_len);
	out->key[key_len] = '\0';
	out->value = equals + 1;
	out->value_len = (size_t)(end - out->value);
	it->left -= (size_t)(end + 1 - it->p);
	it->p = end + 1;
	return 1;
}

void text_add(struct buf *out, const char *key, const char *value)
{
	buf_adds(out, key);
	buf_add(out, "=", 1);
	buf_add(out, value, strlen(value) + 1);
}

void text_addf(struct buf *out, const char *key, const char *fmt, ...)
{
	char value[TEXT_VALUE_MAX + 1];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(value, sizeof(value), fmt, args);
	va_end(args);
	if (len < 0 || len > TEXT_VALUE_MAX)
		out->failed = true;
	else
		text_add(out, key, value);
}

void text_add_binary(struct buf *out, const char *key, const void *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = bytes;

	buf_adds(out, key);
	buf_add(out, "=0x", 3);
	for (size_t i = 0; i < len; i++) {
		char pair[2] = { digits[p[i] >> 4], digits[p[i] & 0xf] };

		buf_add(out, pair, 2);
	}
	buf_add(out, "", 1);
}

/* The value of a digit in any base up to 16, or -1. */
static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool has_prefix(const char *value, char letter)
{
	return value[0] == '0' && (value[1] | 0x20) == letter;
}

int text_number(const char *value, uint64_t min, uint64_t max, uint64_t *out, struct err *err)
{
	bool hex = has_prefix(value, 'x');
	const char *p = hex ? value + 2 : value;
	unsigned int base = hex ? 16 : 10;
	uint64_t number = 0;
	bool fits = true;

	if (*p == '\0' || (!hex && p[0] == '0' && p[1] != '\0'))
		return err_set(err, EINVAL, "'%.64s' is no number", value);
	for (; *p != '\0'; p++) {
		int digit = digit_value(*p);

		if (digit < 0 || (unsigned int)digit >= base)
			return err_set(err, EINVAL, "'%.64s' is no number", value);
		if (number > (UINT64_MAX - (unsigned int)digit) / base)
			fits = false;
		number = number * base + (unsigned int)digit;
	}
	if (!fits || number < min || number > max)
		return err_set(err, ERANGE, "%.64s is out of range (%" PRIu64 " to %" PRIu64 ")",
			       value, min, max);
	*out = number;
	return 0;
}

static int too_long(size_t size, struct err *err)
{
	return err_set(err, EMSGSIZE, "binary value is longer than %zu bytes", size);
}

/* RFC 7143, 6.1: of an odd count of digits the leading 0 is the one that was left out. */
static int decode_hex(const char *p, uint8_t *out, size_t size, size_t *len, struct err *err)
{
	size_t digits = strlen(p), used = 0;
	int high = 0;

	if (digits == 0)
		return err_set(err, EINVAL, "binary value is empty");
	if ((digits + 1) / 2 > size)
		return too_long(size, err);
	for (size_t i = digits & 1; *p != '\0'; p++, i++) {
		int digit = digit_value(*p);

		if (digit < 0)
			return err_set(err, EINVAL, "binary value has a byte that is no hex digit");
		if (i & 1)
			out[used++] = (uint8_t)(high << 4 | digit);
		high = i & 1 ? 0 : digit;
	}
	*len = used;
	return 0;
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* RFC 4648, 4: whole groups of four, padding at the end alone, the bits it hides zero. */
static int decode_base64(const char *p, uint8_t *out, size_t size, size_t *len, struct err *err)
{
	size_t chars = strlen(p), padding = 0, used = 0;
	uint32_t bits = 0;

	while (padding < 2 && padding < chars && p[chars - 1 - padding] == '=')
		padding++;
	if (chars == 0 || chars % 4 != 0)
		return err_set(err, EINVAL, "binary value of %zu base64 characters is cut short",
			       chars);
	if (chars / 4 * 3 - padding > size)
		return too_long(size, err);
	for (size_t i = 0; i < chars; i++) {
		int value = i >= chars - padding ? 0 : base64_value(p[i]);

		if (value < 0)
			return err_set(err, EINVAL, "binary value has a byte that is no base64");
		bits = bits << 6 | (uint32_t)value;
		if (i % 4 != 3)
			continue;
		for (int shift = 16; shift >= 0; shift -= 8) {
			if (i + 1 < chars || shift >= (int)padding * 8)
				out[used++] = (uint8_t)(bits >> shift);
			else if ((bits >> shift & 0xff) != 0)
				return err_set(err, EINVAL, "binary value ends in stray bits");
		}
		bits = 0;
	}
	*len = used;
	return 0;
}

int text_binary(const char *value, uint8_t *out, size_t size, size_t *len, struct err *err)
{
	if (has_prefix(value, 'x'))
		return decode_hex(value + 2, out, size, len, err);
	if (has_prefix(value, 'b'))
		return decode_base64(value + 2, out, size, len, err);
	return err_set(err, EINVAL, "binary value begins with neither 0x nor 0b");
}

int text_list_next(const char **list, const char **item, size_t *len)
{
	const char *comma;

	if (!*list)
		return 0;
	comma = strchr(*list, ',');
	*item = *list;
	*len = comma ? (size_t)(comma - *list) : strlen(*list);
	*list = comma ? comma + 1 : NULL;
	return 1;
}
