/* SPDX-License-Identifier: MIT */
/*
 * Deadlines of thousands of connections: one queue a kind of wait, each in the
 * order of its ends.
 */
#ifndef SGW_TARGET_DEADLINE_H
#define SGW_TARGET_DEADLINE_H

#include <stddef.h>
#include <stdint.h>

/* A member of at most one queue; all zero is none. */
struct deadline {
	struct deadline *prev, *next;
	uint64_t at; /* milliseconds */
};

/* The struct that a deadline is a member of. */
#define DEADLINE_OWNER(deadline, type, member) \
	((struct type *)((char *)(deadline)-offsetof(struct type, member)))

/* All members wait equally long, so that a new one goes to the end: nothing is sorted. */
struct deadline_queue {
	struct deadline head;
	uint32_t wait_ms;
};

void deadline_queue_init(struct deadline_queue *queue, uint32_t wait_ms) __attribute__((nonnull));
/* Leave the queue it is in, if any, and wait from now on in this one. */
void deadline_arm(struct deadline_queue *queue, struct deadline *deadline, uint64_t now)
	__attribute__((nonnull));
/* The same until a time of its own, in a queue where all have one. */
void deadline_arm_at(struct deadline_queue *queue, struct deadline *deadline, uint64_t at)
	__attribute__((nonnull));
void deadline_disarm(struct deadline *deadline) __attribute__((nonnull));
/* The first member whose time has come, taken out of the queue; or NULL. */
struct deadline *deadline_expired(struct deadline_queue *queue, uint64_t now)
	__attribute__((nonnull));
/* Let all of them wait `ms` longer. */
void deadline_queue_shift(struct deadline_queue *queue, uint64_t ms) __attribute__((nonnull));
/* When the first one ends; UINT64_MAX where the queue is empty. */
uint64_t deadline_first(const struct deadline_queue *queue) __attribute__((nonnull));

#endif
