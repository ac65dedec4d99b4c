/* SPDX-License-Identifier: MIT */
/*
 * CHAP (RFC 7143, 12.1.3, 9.2.1; RFC 1994), for the side that challenges and
 * the side that answers.
 */
#ifndef SGW_ISCSI_CHAP_H
#define SGW_ISCSI_CHAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

/* Values of CHAP_A. */
enum chap_algorithm {
	CHAP_MD5 = 5,
	CHAP_SHA1 = 6,
	CHAP_SHA256 = 7,
	CHAP_SHA3_256 = 8,
};

enum {
	CHAP_ALGORITHMS_MAX = 4,
	CHAP_RESPONSE_MAX = 32,
	CHAP_CHALLENGE_LEN = 16, /* what we send */
	CHAP_CHALLENGE_MIN =
		8, /* what we answer: under this, tables of answers are made too easily */
	CHAP_CHALLENGE_WEAK = 16, /* under this, warn */
	CHAP_CHALLENGE_MAX = 1024,
	CHAP_SECRET_MIN = 12, /* 9.2.1: 96 random bits, warn below */
};

struct chap_challenge {
	uint8_t id;
	size_t len;
	uint8_t bytes[CHAP_CHALLENGE_MAX];
};

/* One direction's credentials; the caller owns the bytes and wipes them. No NUL is needed. */
struct chap_secret {
	const void *bytes;
	size_t len;
};

/* Words for an algorithm ("MD5"), or NULL where it is none of ours. */
const char *chap_algorithm_name(unsigned int algorithm);
/* Whether it is one of the four and this system can do it. */
bool chap_algorithm_available(unsigned int algorithm);
/* Bytes of a response: 16, 20, 32, 32; 0 for any other number. */
size_t chap_response_len(unsigned int algorithm);

/*
 * Append CHAP_A for those of the list (0 ends it; at most CHAP_ALGORITHMS_MAX)
 * that this system can do, in the list's order. 0, or -ENOTSUP where none is left.
 */
int chap_offer(const uint8_t *list, struct buf *out, struct err *err) __attribute__((nonnull));
/*
 * Choose from an offered CHAP_A list: the first, in the offer's order, that
 * `list` (as above) names and this system can do. Returns it, or -EPROTO for a
 * malformed list, -ENOTSUP where there is none.
 */
int chap_choose(const char *offer, const uint8_t *list, struct err *err) __attribute__((nonnull));

/* A new challenge: random id, CHAP_CHALLENGE_LEN random bytes. For each attempt a new one. */
int chap_challenge_new(struct chap_challenge *challenge, struct err *err) __attribute__((nonnull));
/* Append CHAP_I and CHAP_C. */
void chap_challenge_add(const struct chap_challenge *challenge, struct buf *out)
	__attribute__((nonnull));
/*
 * Read the peer's CHAP_I (0 … 255, nothing else) and CHAP_C (CHAP_CHALLENGE_MIN
 * to CHAP_CHALLENGE_MAX bytes). 0, or -EPROTO.
 */
int chap_challenge_parse(struct chap_challenge *challenge, const char *id, const char *bytes,
			 struct err *err) __attribute__((nonnull));
/* Whether two challenges have the same bytes: a peer that sends ours back wants us to answer it. */
bool chap_challenge_equal(const struct chap_challenge *a, const struct chap_challenge *b)
	__attribute__((nonnull));

/* Our response to the peer's challenge into out (chap_response_len bytes). 0, or -ENOTSUP. */
int chap_respond(unsigned int algorithm, const struct chap_challenge *challenge,
		 struct chap_secret secret, uint8_t *out, struct err *err) __attribute__((nonnull));
/* The same, appended as CHAP_R. */
int chap_respond_add(unsigned int algorithm, const struct chap_challenge *challenge,
		     struct chap_secret secret, struct buf *out, struct err *err)
	__attribute__((nonnull));

/*
 * Check the peer's CHAP_R against our challenge and its secret. `own` is the
 * secret that we prove ourselves with (len 0 where there is none): a response
 * made with that is a reflection, or one secret serves both ways, and is
 * refused. 0; -EACCES where it is wrong; -ELOOP for a reflection; -EPROTO where
 * the value is no response at all. *err shows neither response nor secret. The
 * time does not depend on what is wrong.
 */
int chap_verify(unsigned int algorithm, const struct chap_challenge *challenge,
		struct chap_secret secret, struct chap_secret own, const char *response,
		struct err *err) __attribute__((nonnull));

/* For load time: 0; -EINVAL where one is empty or both are equal; 1 where one is under 12 bytes. */
int chap_secrets_check(struct chap_secret secret, struct chap_secret mutual, struct err *err)
	__attribute__((nonnull));

/*
 * Challenges that were sent lately, so that one of them is not answered when
 * it comes back on another connection. Fixed memory, constant time; the
 * oldest give way. All zero is empty.
 */
enum { CHAP_MEMORY_SETS = 1024, CHAP_MEMORY_WAYS = 4 };
struct chap_memory {
	uint8_t challenges[CHAP_MEMORY_SETS][CHAP_MEMORY_WAYS][CHAP_CHALLENGE_LEN];
	uint8_t next[CHAP_MEMORY_SETS];
};
void chap_memory_add(struct chap_memory *memory, const struct chap_challenge *challenge)
	__attribute__((nonnull));
bool chap_memory_has(const struct chap_memory *memory, const struct chap_challenge *challenge)
	__attribute__((nonnull));

#endif
