/* SPDX-License-Identifier: MIT */
#include "iscsi/digest.h"

#include "os/crc32c.h"

/*
 * table[k][n] is the remainder of byte n with k zero bytes behind it. A CRC is
 * linear: each entry is the sum of those of its bits, so that eight numbers a
 * row (the remainders of 1, 2, 4 … 128) give all 256. The polynomial is
 * 0x1edc6f41, bit-reversed.
 */
#define BIT(n, b, v) ((n) >> (b)&1 ? (v) : UINT32_C(0))
#define ENTRY(n, b0, b1, b2, b3, b4, b5, b6, b7)                                         \
	(BIT(n, 0, b0) ^ BIT(n, 1, b1) ^ BIT(n, 2, b2) ^ BIT(n, 3, b3) ^ BIT(n, 4, b4) ^ \
	 BIT(n, 5, b5) ^ BIT(n, 6, b6) ^ BIT(n, 7, b7))
#define ENTRIES_4(n, ...)                                                                \
	ENTRY(n, __VA_ARGS__), ENTRY((n) + 1, __VA_ARGS__), ENTRY((n) + 2, __VA_ARGS__), \
		ENTRY((n) + 3, __VA_ARGS__)
#define ENTRIES_16(n, ...)                                          \
	ENTRIES_4(n, __VA_ARGS__), ENTRIES_4((n) + 4, __VA_ARGS__), \
		ENTRIES_4((n) + 8, __VA_ARGS__), ENTRIES_4((n) + 12, __VA_ARGS__)
#define ENTRIES_64(n, ...)                                             \
	ENTRIES_16(n, __VA_ARGS__), ENTRIES_16((n) + 16, __VA_ARGS__), \
		ENTRIES_16((n) + 32, __VA_ARGS__), ENTRIES_16((n) + 48, __VA_ARGS__)
#define ROW(...)                                                                   \
	{                                                                          \
		ENTRIES_64(0, __VA_ARGS__), ENTRIES_64(64, __VA_ARGS__),           \
			ENTRIES_64(128, __VA_ARGS__), ENTRIES_64(192, __VA_ARGS__) \
	}

/* clang-format off */
static const uint32_t table[8][256] = {
	ROW(0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf,
	    0x105ec76f, 0x20bd8ede, 0x417b1dbc, 0x82f63b78),
	ROW(0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8,
	    0x3fc5f181, 0x7f8be302, 0xff17c604, 0xfbc3faf9),
	ROW(0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5,
	    0x70a27d8a, 0xe144fb14, 0xc76580d9, 0x8b277743),
	ROW(0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6,
	    0xe964b13d, 0xd725148b, 0xaba65fe7, 0x52a0c93f),
	ROW(0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91,
	    0x8f2261d3, 0x1ba8b557, 0x37516aae, 0x6ea2d55c),
	ROW(0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f,
	    0xc00c303e, 0x85f4168d, 0x0e045beb, 0x1c08b7d6),
	ROW(0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53,
	    0x9c5bfaa6, 0x3d5b83bd, 0x7ab7077a, 0xf56e0ef4),
	ROW(0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da,
	    0x847609b4, 0x0d006599, 0x1a00cb32, 0x34019664),
};
/* clang-format on */

uint32_t digest_update_portable(uint32_t state, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	for (; len >= 8; p += 8, len -= 8)
		state = table[7][(state ^ p[0]) & 0xff] ^ table[6][(state >> 8 ^ p[1]) & 0xff] ^
			table[5][(state >> 16 ^ p[2]) & 0xff] ^ table[4][state >> 24 ^ p[3]] ^
			table[3][p[4]] ^ table[2][p[5]] ^ table[1][p[6]] ^ table[0][p[7]];
	for (; len > 0; p++, len--)
		state = state >> 8 ^ table[0][(state ^ *p) & 0xff];
	return state;
}

uint32_t digest_update(uint32_t state, const void *bytes, size_t len)
{
	if (crc32c_native())
		return crc32c_native_update(state, bytes, len);
	return digest_update_portable(state, bytes, len);
}

void digest_finish(uint32_t state, uint8_t out[DIGEST_LEN])
{
	/* The lowest-order byte goes first (RFC 7143, 13.1: bit reflection, then network order). */
	state = ~state;
	for (int i = 0; i < DIGEST_LEN; i++)
		out[i] = (uint8_t)(state >> 8 * i);
}
