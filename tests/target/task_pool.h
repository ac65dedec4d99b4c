/* SPDX-License-Identifier: MIT */
/* The commands of a session that wait: for Data-Out, for room to send, for the end of a stall. */
#ifndef SGW_TARGET_TASK_POOL_H
#define SGW_TARGET_TASK_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "scsi.h"
#include "session.h"

enum {
	POOL_IMMEDIATE = 8, /* immediate commands that may wait beside those of the window */
	/* Slots: one that sends, and aborted ones, of which the oldest make room. */
	POOL_TASKS = SESSION_QUEUE + POOL_IMMEDIATE + 24,
};

struct task_pool {
	uint32_t tags[POOL_TASKS]; /* Initiator Task Tags; TAG_NONE: a free slot */
	uint32_t count; /* of taken slots */
	uint32_t immediate; /* of those that wait and are not numbered */
	uint32_t due; /* stalled ones whose time has come */
	struct task *sends; /* nothing else is served before it is done; or NULL */
	struct task tasks[POOL_TASKS];
};

/*
 * Move a task from the stack into its session's pool; NULL: no memory, and the
 * connection has ended.
 */
struct task *task_pool_keep(struct task *task, enum task_state state) __attribute__((nonnull));
/* Free its slot, unanswered or answered. */
void task_pool_forget(struct task_pool *pool, struct task *task) __attribute__((nonnull));
/* It waits no more: the window is open again by its place. */
void task_pool_end_wait(struct task *task) __attribute__((nonnull));

/* One by its Initiator Task Tag, whatever its state; NULL: none. */
struct task *task_pool_find(struct session *session, uint32_t tag) __attribute__((nonnull));
/* The same if it waits. */
struct task *task_pool_find_waiting(struct session *session, uint32_t tag) __attribute__((nonnull));
/* The next one whose stall is over, which is done with that; NULL: none. */
struct task *task_pool_take_due(struct task_pool *pool) __attribute__((nonnull));
/*
 * Whether a command may begin: 0, or a reason to reject it, because its tag is
 * in use or too many immediate ones wait (RFC 7143, 4.2.2.1).
 */
uint8_t task_pool_check(struct session *session, uint32_t tag, bool numbered)
	__attribute__((nonnull));

/* End one without an answer; data that still comes for it is dropped. */
void task_pool_abort(struct task *task) __attribute__((nonnull));
/* All of a session's, those that R2Ts are open of being awaited if so told. Returns how many. */
unsigned int task_pool_abort_all(struct session *session, bool await) __attribute__((nonnull));
/* Whether one of those that are awaited still has R2Ts open. */
bool task_pool_awaits(const struct session *session) __attribute__((nonnull));
/* Forget all of them, for the session or its connection is gone. */
void task_pool_drop(struct session *session) __attribute__((nonnull));

#endif
