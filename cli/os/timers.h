/* SPDX-License-Identifier: MIT */
/* One-shot timers in a heap: the part of the event loop that is the same everywhere. */
#ifndef SGW_OS_TIMERS_H
#define SGW_OS_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Lives in the caller's struct; all zero but fire and arg is a timer that is not set. */
struct loop_timer {
	void (*fire)(void *arg);
	void *arg;

	/* Private. */
	uint64_t due; /* ms of the monotonic clock */
	size_t slot; /* place in the heap + 1; 0 while not set */
};

/* All zero is empty. */
struct timers {
	struct loop_timer **heap;
	size_t count;
	size_t size;
};

/* Set, or set anew. 0 or -ENOMEM (a timer that was set before cannot fail). */
int timers_set(struct timers *timers, struct loop_timer *timer, uint64_t due)
	__attribute__((nonnull));
/* Cancelling a timer that is not set is fine. */
void timers_cancel(struct timers *timers, struct loop_timer *timer) __attribute__((nonnull));
/* The earliest, or NULL. */
struct loop_timer *timers_first(const struct timers *timers) __attribute__((nonnull));
/*
 * Fire those that are due at `now`, until *stop; one that is set anew for now
 * waits for the next round.
 */
void timers_fire(struct timers *timers, uint64_t now, const bool *stop) __attribute__((nonnull));
/* Milliseconds until the earliest is due, INT_MAX at the most; -1 where none is set. */
int timers_wait_ms(const struct timers *timers, uint64_t now) __attribute__((nonnull));
void timers_done(struct timers *timers) __attribute__((nonnull));

#endif
