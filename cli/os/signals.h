/* SPDX-License-Identifier: MIT */
/* Signals that end a program, kept waiting while it must not end. */
#ifndef SGW_OS_SIGNALS_H
#define SGW_OS_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

struct signals_held {
	sigset_t former;
};

/* From here to signals_release() an interrupt, a hang-up or a SIGTERM only waits. They nest. */
void signals_hold(struct signals_held *held);
void signals_release(const struct signals_held *held);
bool signals_are_held(void);

/* One of them is waiting: whoever sits out a delay should give up. */
bool signals_pending(void);

#endif
