/* SPDX-License-Identifier: MIT */
/*
 * The gathered write: what all PDUs of one receive are answered with, and what
 * of it a full socket leaves behind.
 */
#ifndef SGW_TARGET_OUT_H
#define SGW_TARGET_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/sockets.h"

enum {
	OUT_PIECES = SOCKET_PIECES_MAX,
	OUT_ARENA = 640 * 1024,
	/* What one request may be answered with in the arena: a text part, and its headers. */
	OUT_RESERVE = 272 * 1024,
	OUT_RESERVE_PIECES = 16,
};

/*
 * One for all connections: it is filled and flushed for one before the next is
 * looked at, so that its first pages stay in the cache. Headers and small
 * answers lie in the arena, in order; data of devices stays where it is.
 */
struct out {
	struct socket_piece pieces[OUT_PIECES];
	bool lasting[OUT_PIECES]; /* outlives this write: a full socket keeps a pointer, no copy */
	size_t count;
	size_t bytes; /* in all pieces */
	size_t used; /* of the arena */
	uint8_t arena[OUT_ARENA];
};

/* Whether there is room for whatever the next request is answered with. */
static inline bool out_ready(const struct out *out)
{
	return out->used + OUT_RESERVE <= OUT_ARENA &&
	       out->count + OUT_RESERVE_PIECES <= OUT_PIECES;
}

static inline void out_reset(struct out *out)
{
	out->count = out->bytes = out->used = 0;
}

/*
 * Take len bytes of the arena, to be filled and then added. There is always
 * room: one request takes OUT_RESERVE at most, and out_ready was asked before it.
 */
static inline uint8_t *out_room(struct out *out, size_t len)
{
	uint8_t *room = out->arena + out->used;

	out->used += len;
	return room;
}

/* Give back what was taken last and is not needed. */
static inline void out_give_back(struct out *out, size_t len)
{
	out->used -= len;
}

/* Add bytes by reference; false where all pieces are taken. What follows its neighbour joins it. */
static inline bool out_add(struct out *out, const void *bytes, size_t len, bool lasting)
{
	if (len == 0)
		return true;
	if (out->count > 0 && out->lasting[out->count - 1] == lasting) {
		struct socket_piece *last = &out->pieces[out->count - 1];

		if ((const uint8_t *)last->bytes + last->len == bytes) {
			last->len += len;
			out->bytes += len;
			return true;
		}
	}
	if (out->count == OUT_PIECES)
		return false;
	out->lasting[out->count] = lasting;
	out->pieces[out->count++] = (struct socket_piece){ bytes, len };
	out->bytes += len;
	return true;
}

/* What a full socket did not take: the pieces from `next` on, all of which stay valid. */
struct backlog {
	size_t next, count;
	struct socket_piece pieces[];
};

/*
 * Keep all but the first `sent` bytes: lasting pieces by reference, the rest
 * copied. NULL: no memory.
 */
struct backlog *out_keep(const struct out *out, size_t sent) __attribute__((nonnull));
/* Forget the next `sent` bytes. Returns whether that was all. */
bool backlog_sent(struct backlog *backlog, size_t sent) __attribute__((nonnull));

#endif
