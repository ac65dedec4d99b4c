/* SPDX-License-Identifier: MIT */
/* The event loop: sockets, timers and the request to quit, in one thread. */
#ifndef SGW_OS_LOOP_H
#define SGW_OS_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/timers.h"

struct err;
struct loop;

enum {
	LOOP_READ = 1, /* to receive or accept, or the peer closed, or an error waits */
	LOOP_WRITE = 2, /* to send, or a connect has ended, or an error waits */
};

/*
 * A socket under watch; lives in the caller's struct, from loop_add until
 * loop_remove. `ready` may add, change and remove any watch, its own included,
 * and may free the struct this one lives in after removing it.
 */
struct loop_watch {
	void (*ready)(void *arg, unsigned int events);
	void *arg;

	/* Private. */
	int fd;
	unsigned int events;
	size_t slot; /* where the system is handed a list */
};

struct loop *loop_new(struct err *err) __attribute__((nonnull));
/* NULL is fine. Sockets stay open: they are their owners'. */
void loop_free(struct loop *loop);

/* Watch fd for events (LOOP_READ | LOOP_WRITE, 0 for none yet). 0 or a negative errno. */
int loop_add(struct loop *loop, struct loop_watch *watch, int fd, unsigned int events,
	     struct err *err) __attribute__((nonnull));
/* Change what is watched for; costs nothing where nothing changes. */
void loop_change(struct loop *loop, struct loop_watch *watch, unsigned int events)
	__attribute__((nonnull));
/* Before the socket is closed. */
void loop_remove(struct loop *loop, struct loop_watch *watch) __attribute__((nonnull));

/* Fire once in delay_ms milliseconds; a timer that runs is set anew. 0, or -ENOMEM. */
int loop_timer_set(struct loop *loop, struct loop_timer *timer, uint64_t delay_ms, struct err *err)
	__attribute__((nonnull));
/* A timer that is not set is fine. */
void loop_timer_cancel(struct loop *loop, struct loop_timer *timer) __attribute__((nonnull));

/* Milliseconds of the monotonic clock when this round of events began. */
uint64_t loop_now(const struct loop *loop) __attribute__((nonnull));
/* Microseconds of the monotonic clock, now. */
uint64_t loop_clock_us(void);

/*
 * Call quit(arg) inside the loop on SIGTERM and SIGINT (Windows: Ctrl-C, close),
 * instead of dying. One loop of a process may ask for it, before threads are
 * started; they never kill it from then on, the loop being freed or not. 0 or
 * a negative errno.
 */
int loop_on_quit(struct loop *loop, void (*quit)(void *arg), void *arg, struct err *err)
	__attribute__((nonnull(1, 2, 4)));

/* Serve events until loop_stop. 0, or a negative errno. */
int loop_run(struct loop *loop, struct err *err) __attribute__((nonnull));
void loop_stop(struct loop *loop) __attribute__((nonnull));

#endif
