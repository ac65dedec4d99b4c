/* SPDX-License-Identifier: MIT */
/*
 * Faults that take time: connections that are not served for a while, commands
 * whose answer is late.
 */
#ifndef SGW_TARGET_STALL_H
#define SGW_TARGET_STALL_H

#include <stdint.h>

struct connection;
struct gateway;
struct task;

#define STALL_FOR_EVER UINT64_MAX

/* No stalls yet. */
void stall_init(struct gateway *gateway) __attribute__((nonnull));
/*
 * What is answered from here on waits, and nothing more is served, for `ms`.
 * Its deadlines wait as well. Of several stalls the longest counts.
 */
void stall_connection(struct connection *connection, uint64_t ms) __attribute__((nonnull));
/* For task->stall_ms, a task of the pool is neither done nor answered. */
void stall_task(struct task *task) __attribute__((nonnull));
/* When stall_expire has something to do; UINT64_MAX: never as things stand. */
uint64_t stall_next(const struct gateway *gateway) __attribute__((nonnull));
/*
 * The next connection that can be served again, or that has a task to be
 * answered; NULL: none yet.
 */
struct connection *stall_expire(struct gateway *gateway) __attribute__((nonnull));
/* All of them are over as soon as stall_expire is called. */
void stall_end_all(struct gateway *gateway) __attribute__((nonnull));

#endif
