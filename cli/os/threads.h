/* SPDX-License-Identifier: MIT */
/* A thread of its own for what blocks. */
#ifndef SGW_OS_THREADS_H
#define SGW_OS_THREADS_H

struct err;

/*
 * Call run(arg) in a thread that nobody waits for, with stack enough for any
 * name service; signals stay with the other threads. 0 or a negative errno.
 */
int thread_start(void (*run)(void *arg), void *arg, struct err *err) __attribute__((nonnull(1, 3)));

#endif
