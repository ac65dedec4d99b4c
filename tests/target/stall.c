/* SPDX-License-Identifier: MIT */
#include "stall.h"

#include "connection.h"
#include "gateway.h"
#include "scsi.h"
#include "session.h"
#include "task_pool.h"

void stall_init(struct gateway *gateway)
{
	deadline_queue_init(&gateway->stalled_connections, 0);
	deadline_queue_init(&gateway->stalled_tasks, 0);
}

void stall_connection(struct connection *connection, uint64_t ms)
{
	struct gateway *gateway = connection->gateway;
	uint64_t at = gateway->now + ms;

	if (!connection_is_stalled(connection))
		connection->answered = gateway->out.bytes;
	else if (connection->stall.at > at)
		at = connection->stall.at;
	connection->paused = true;
	deadline_disarm(&connection->deadline);
	deadline_arm_at(&gateway->stalled_connections, &connection->stall, at);
}

void stall_task(struct task *task)
{
	struct gateway *gateway = task->connection->gateway;
	uint64_t at = task->stall_ms == STALL_FOR_EVER ? UINT64_MAX : gateway->now + task->stall_ms;

	deadline_arm_at(&gateway->stalled_tasks, &task->stall, at);
}

uint64_t stall_next(const struct gateway *gateway)
{
	uint64_t connection = deadline_first(&gateway->stalled_connections);
	uint64_t task = deadline_first(&gateway->stalled_tasks);

	return connection < task ? connection : task;
}

struct connection *stall_expire(struct gateway *gateway)
{
	struct deadline *first = deadline_expired(&gateway->stalled_connections, gateway->now);

	if (first) {
		struct connection *connection = DEADLINE_OWNER(first, connection, stall);

		connection_resume(connection);
		return connection;
	}
	first = deadline_expired(&gateway->stalled_tasks, gateway->now);
	if (first) {
		struct task *task = DEADLINE_OWNER(first, task, stall);

		task->due = true;
		task->connection->session->pool->due++;
		return task->connection;
	}
	return NULL;
}

/* What is to be there for ever is: it stands at the end. */
static void end_all(struct deadline_queue *queue, uint64_t now)
{
	for (struct deadline *it = queue->head.next; it != &queue->head; it = it->next)
		if (it->at != UINT64_MAX)
			it->at = now;
}

void stall_end_all(struct gateway *gateway)
{
	end_all(&gateway->stalled_connections, gateway->now);
	end_all(&gateway->stalled_tasks, gateway->now);
}
