/* SPDX-License-Identifier: MIT */
#include "task_pool.h"

#include <stdlib.h>

#include "buf.h"
#include "connection.h"
#include "iscsi/status.h"

void task_pool_forget(struct task_pool *pool, struct task *task)
{
	deadline_disarm(&task->stall);
	task->due = false;
	free(TAKE_PTR(task->list));
	task->state = TASK_FREE;
	pool->tags[task - pool->tasks] = TAG_NONE;
	pool->count--;
}

static struct task_pool *pool_of(struct session *session)
{
	struct task_pool *pool = session->pool;

	if (pool)
		return pool;
	pool = calloc(1, sizeof(*pool));
	if (!pool)
		return NULL;
	for (int i = 0; i < POOL_TASKS; i++)
		pool->tags[i] = TAG_NONE;
	session->pool = pool;
	return pool;
}

/*
 * A slot; of those taken only aborted ones can be more than the window admits,
 * and they make room.
 */
static struct task *free_slot(struct task_pool *pool)
{
	struct task *aborted = NULL;

	for (int i = 0; i < POOL_TASKS; i++) {
		if (pool->tags[i] == TAG_NONE)
			return &pool->tasks[i];
		if (pool->tasks[i].state == TASK_ABORTED)
			aborted = &pool->tasks[i];
	}
	if (aborted)
		task_pool_forget(pool, aborted);
	return aborted;
}

struct task *task_pool_keep(struct task *task, enum task_state state)
{
	struct connection *connection = task->connection;
	struct session *session = connection->session;
	struct task_pool *pool = pool_of(session);
	struct task *kept = pool ? free_slot(pool) : NULL;
	uint16_t generation;

	if (!kept) {
		free(TAKE_PTR(task->list));
		connection_end(connection, "no memory for a command");
		return NULL;
	}
	generation = (uint16_t)(kept->generation + 1);
	*kept = *task;
	kept->generation = generation;
	kept->state = state;
	pool->tags[kept - pool->tasks] = task->tag;
	pool->count++;
	if (state == TASK_SENDS)
		pool->sends = kept;
	else if (kept->numbered)
		session->waiting++;
	else
		pool->immediate++;
	return kept;
}

struct task *task_pool_find(struct session *session, uint32_t tag)
{
	struct task_pool *pool = session->pool;

	for (int i = 0; pool && pool->count > 0 && i < POOL_TASKS; i++)
		if (pool->tags[i] == tag)
			return &pool->tasks[i];
	return NULL;
}

struct task *task_pool_find_waiting(struct session *session, uint32_t tag)
{
	struct task *task = task_pool_find(session, tag);

	return task && task->state == TASK_WAITS ? task : NULL;
}

uint8_t task_pool_check(struct session *session, uint32_t tag, bool numbered)
{
	struct task *task = task_pool_find(session, tag);

	if (task && task->state != TASK_ABORTED)
		return REJECT_TASK_IN_PROGRESS;
	if (!numbered && session->pool && session->pool->immediate >= POOL_IMMEDIATE)
		return REJECT_TOO_MANY_IMMEDIATE;
	/* Who uses its tag again sends nothing more for the old one. */
	if (task)
		task_pool_forget(session->pool, task);
	return 0;
}

void task_pool_end_wait(struct task *task)
{
	struct session *session = task->connection->session;

	if (task->numbered)
		session->waiting--;
	else
		session->pool->immediate--;
}

void task_pool_abort(struct task *task)
{
	task_pool_end_wait(task);
	task->due = false;
	deadline_disarm(&task->stall);
	task->state = TASK_ABORTED;
}

unsigned int task_pool_abort_all(struct session *session, bool await)
{
	struct task_pool *pool = session->pool;
	unsigned int count = 0;

	for (int i = 0; pool && i < POOL_TASKS; i++) {
		struct task *task = &pool->tasks[i];

		if (pool->tags[i] == TAG_NONE || task->state != TASK_WAITS)
			continue;
		task_pool_abort(task);
		task->awaited = await && task->out.ended < task->out.r2t_sn;
		count++;
	}
	return count;
}

bool task_pool_awaits(const struct session *session)
{
	const struct task_pool *pool = session->pool;

	for (int i = 0; pool && i < POOL_TASKS; i++)
		if (pool->tags[i] != TAG_NONE && pool->tasks[i].awaited)
			return true;
	return false;
}

void task_pool_drop(struct session *session)
{
	struct task_pool *pool = session->pool;

	for (int i = 0; pool && i < POOL_TASKS; i++)
		if (pool->tags[i] != TAG_NONE)
			task_pool_forget(pool, &pool->tasks[i]);
	free(TAKE_PTR(session->pool));
	session->waiting = 0;
}

struct task *task_pool_take_due(struct task_pool *pool)
{
	for (int i = 0; pool->due > 0 && i < POOL_TASKS; i++) {
		struct task *task = &pool->tasks[i];

		if (!task->due)
			continue;
		task->due = false;
		task->stall_ms = 0;
		pool->due--;
		return task;
	}
	pool->due = 0;
	return NULL;
}
