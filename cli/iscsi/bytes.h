/* SPDX-License-Identifier: MIT */
/* Big-endian fields by bytes, and serial-number arithmetic. */
#ifndef SGW_ISCSI_BYTES_H
#define SGW_ISCSI_BYTES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t get_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t get_be24(const uint8_t *p)
{
	return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static inline uint32_t get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | get_be24(p + 1);
}

static inline uint64_t get_be64(const uint8_t *p)
{
	return (uint64_t)get_be32(p) << 32 | get_be32(p + 4);
}

static inline void put_be16(uint8_t *p, uint16_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

/* The low 24 bits of value. */
static inline void put_be24(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 16);
	p[1] = (uint8_t)(value >> 8);
	p[2] = (uint8_t)value;
}

static inline void put_be32(uint8_t *p, uint32_t value)
{
	uint32_t big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? value : __builtin_bswap32(value);

	memcpy(p, &big, sizeof(big));
}

static inline void put_be64(uint8_t *p, uint64_t value)
{
	put_be32(p, (uint32_t)(value >> 32));
	put_be32(p + 4, (uint32_t)value);
}

/*
 * CmdSN, StatSN, DataSN wrap (RFC 7143, 4.2.2.1; RFC 1982): a comes before b
 * where b - a, modulo 2^32, lies in 1 .. 2^31 - 1.
 */
static inline bool serial_before(uint32_t a, uint32_t b)
{
	return b - a - 1 < UINT32_C(0x7fffffff);
}

static inline bool serial_before_or_equal(uint32_t a, uint32_t b)
{
	return b - a < UINT32_C(0x80000000);
}

#endif
