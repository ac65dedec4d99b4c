/* SPDX-License-Identifier: MIT */
/* The answer to a SCSI command: Data-In with the status, or a Response (RFC 7143, 11.4, 11.7). */
#ifndef SGW_TARGET_DATA_IN_H
#define SGW_TARGET_DATA_IN_H

#include <stdbool.h>

struct task;

/* Answer a task that is done, as far as there is room. Returns whether that was all. */
bool data_in_answer(struct task *task) __attribute__((nonnull));
/* Send more of it; the same. */
bool data_in_go_on(struct task *task) __attribute__((nonnull));

#endif
