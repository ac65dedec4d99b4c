/* SPDX-License-Identifier: MIT */
#include "transfer.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "connection.h"
#include "data_in.h"
#include "data_out.h"
#include "iscsi/bytes.h"
#include "iscsi/status.h"
#include "scsi.h"
#include "session.h"
#include "stall.h"
#include "task_pool.h"

static void complete(struct task *task)
{
	if (task->out.fault != SENSE_NONE)
		task_fail(task, task->out.fault);
	else if (task->done && task->status == STATUS_GOOD)
		task->done(task);
	if (!data_in_answer(task))
		task_pool_keep(task, TASK_SENDS);
}

/* Between two sequences of a task that waits: ask for the next, or be done. */
static void go_on(struct task *task)
{
	const struct data_out *out = &task->out;
	bool owed = data_out_is_owed(task);

	if (!owed && task->stall_ms > 0) {
		stall_task(task);
	} else if (!owed) {
		task_pool_end_wait(task);
		complete(task);
		task_pool_forget(task->connection->session->pool, task);
	} else if (!out->unasked && out->fault == SENSE_NONE) {
		data_out_ask(task);
	}
}

/* Data that was made up goes away with its function: one that is answered later has a copy. */
static bool keep_data(struct task *task)
{
	if (task->place != DATA_SCRATCH || task->data_len == 0)
		return true;
	task->list = malloc(task->data_len);
	if (!task->list)
		return false;
	memcpy(task->list, task->data, task->data_len);
	task->data = task->list;
	return true;
}

void transfer_begin(struct task *task, const struct pdu *pdu)
{
	struct task *kept;

	if (task->write)
		data_out_begin(task, pdu);
	if (!data_out_is_owed(task) && task->stall_ms == 0) {
		complete(task);
		free(task->list);
		return;
	}
	kept = task_pool_keep(task, TASK_WAITS);
	if (!kept)
		return;
	if (kept->stall_ms > 0 && !keep_data(kept))
		connection_end(task->connection, "no memory for a command");
	else
		go_on(kept);
}

bool transfer_send_more(struct connection *connection)
{
	struct task_pool *pool = connection->session->pool;
	struct task *due;

	if (!pool)
		return false;
	if (!pool->sends) {
		due = task_pool_take_due(pool);
		if (due)
			go_on(due);
		return due != NULL;
	}
	if (data_in_go_on(pool->sends))
		task_pool_forget(pool, TAKE_PTR(pool->sends));
	return true;
}

void transfer_data_out(struct connection *connection, const struct pdu *pdu)
{
	struct session *session = connection->session;
	struct task *task = data_out_addressee(session, pdu->bhs);

	if (pdu->data_digest_bad)
		connection_reject(connection, pdu->bhs, REJECT_DATA_DIGEST);
	if (!task || task->state == TASK_SENDS) {
		if (!pdu->data_digest_bad)
			connection_reject(connection, pdu->bhs, REJECT_INVALID_FIELD);
		return;
	}
	if (!data_out_receive(task, pdu))
		return;
	if (task->state == TASK_WAITS)
		go_on(task);
	else if (!data_out_is_open(task))
		task_pool_forget(session->pool, task);
}
