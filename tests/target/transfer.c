/* SPDX-License-Identifier: MIT */
#include "transfer.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "connection.h"
#include "gateway.h"
#include "iscsi/bytes.h"
#include "iscsi/status.h"
#include "scsi.h"
#include "session.h"
#include "stall.h"

/* ---- Commands that wait ---- */

static uint32_t smaller(uint64_t a, uint32_t b)
{
	return a < b ? (uint32_t)a : b;
}

static void forget(struct task_pool *pool, struct task *task)
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
	for (int i = 0; i < SESSION_TASKS; i++)
		pool->tags[i] = TAG_NONE;
	session->pool = pool;
	return pool;
}

/* A slot; of those taken only aborted ones can be more than the window admits, and they make room. */
static struct task *free_slot(struct task_pool *pool)
{
	struct task *aborted = NULL;

	for (int i = 0; i < SESSION_TASKS; i++) {
		if (pool->tags[i] == TAG_NONE)
			return &pool->tasks[i];
		if (pool->tasks[i].state == TASK_ABORTED)
			aborted = &pool->tasks[i];
	}
	if (aborted)
		forget(pool, aborted);
	return aborted;
}

/* Move a task from the stack into the pool; NULL: no memory, and the connection has ended. */
static struct task *keep(struct task *task, enum task_state state)
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

static struct task *find_any(struct session *session, uint32_t tag)
{
	struct task_pool *pool = session->pool;

	for (int i = 0; pool && pool->count > 0 && i < SESSION_TASKS; i++)
		if (pool->tags[i] == tag)
			return &pool->tasks[i];
	return NULL;
}

struct task *transfer_find(struct session *session, uint32_t tag)
{
	struct task *task = find_any(session, tag);

	return task && task->state == TASK_WAITS ? task : NULL;
}

uint8_t transfer_check(struct session *session, uint32_t tag, bool numbered)
{
	struct task *task = find_any(session, tag);

	if (task && task->state != TASK_ABORTED)
		return REJECT_TASK_IN_PROGRESS;
	if (!numbered && session->pool && session->pool->immediate >= SESSION_IMMEDIATE)
		return REJECT_TOO_MANY_IMMEDIATE;
	/* Who uses its tag again sends nothing more for the old one. */
	if (task)
		forget(session->pool, task);
	return 0;
}

/* It waits no more: the window is open again by its place. */
static void end_wait(struct task *task)
{
	struct session *session = task->connection->session;

	if (task->numbered)
		session->waiting--;
	else
		session->pool->immediate--;
}

void transfer_abort(struct task *task)
{
	end_wait(task);
	task->due = false;
	deadline_disarm(&task->stall);
	task->state = TASK_ABORTED;
}

unsigned int transfer_abort_all(struct session *session)
{
	struct task_pool *pool = session->pool;
	unsigned int count = 0;

	for (int i = 0; pool && i < SESSION_TASKS; i++) {
		if (pool->tags[i] == TAG_NONE || pool->tasks[i].state != TASK_WAITS)
			continue;
		transfer_abort(&pool->tasks[i]);
		count++;
	}
	return count;
}

void transfer_drop(struct session *session)
{
	struct task_pool *pool = session->pool;

	for (int i = 0; pool && i < SESSION_TASKS; i++)
		if (pool->tags[i] != TAG_NONE)
			forget(pool, &pool->tasks[i]);
	free(TAKE_PTR(session->pool));
	session->waiting = 0;
}

/* ---- To the initiator ---- */

/* O and U with their count (11.4.5): what was there against what was expected. */
static void put_residual(const struct task *task, uint64_t there, uint32_t moved, uint8_t *bhs,
			 size_t count_at)
{
	if (there > moved) {
		bhs[BHS_FLAGS] |= RESIDUAL_OVERFLOW;
		put_be32(bhs + count_at, smaller(there - moved, UINT32_MAX));
	} else if (task->expected > moved) {
		bhs[BHS_FLAGS] |= RESIDUAL_UNDERFLOW;
		put_be32(bhs + count_at, task->expected - moved);
	}
}

/* The next Data-In PDU (11.7); the last one brings the status, which is GOOD. */
static void send_data_in(struct task *task)
{
	struct connection *connection = task->connection;
	struct data_in *in = &task->in;
	uint32_t left = in->total - in->offset, len = left;
	uint32_t most = connection->max_send & ~UINT32_C(3);
	bool last, final;
	uint8_t *bhs;

	if (in->burst == 0)
		in->burst = connection->session->value[PARAM_MAX_BURST_LENGTH] & ~UINT32_C(3);
	if (len > most)
		len = most;
	if (len > in->burst)
		len = in->burst;
	in->burst -= len;
	last = len == left;
	final = last || in->burst == 0;

	bhs = connection_answer(connection, OP_DATA_IN, final ? FLAG_FINAL : 0);
	put_be32(bhs + BHS_ITT, task->tag);
	put_be32(bhs + BHS_TTT, TAG_NONE);
	if (last) {
		bhs[BHS_FLAGS] |= DATA_STATUS_PRESENT;
		bhs[DATA_STATUS] = task->status;
		put_residual(task, task->data_len, in->total, bhs, DATA_RESIDUAL);
	}
	connection_number(connection, bhs, last);
	put_be32(bhs + DATA_SN, in->data_sn++);
	put_be32(bhs + DATA_OFFSET, in->offset);
	connection_send(connection, bhs, task->data + in->offset, len, task->place);
	in->offset += len;
}

static void send_response(struct task *task)
{
	struct connection *connection = task->connection;
	uint8_t *bhs = connection_answer(connection, OP_SCSI_RESPONSE, FLAG_FINAL);
	uint32_t moved = smaller(task->out.received, task->out.wanted);
	uint8_t sense[2 + SENSE_LEN];

	bhs[RESPONSE_STATUS] = task->status;
	put_be32(bhs + BHS_ITT, task->tag);
	connection_number(connection, bhs, true);
	if (task->status != STATUS_CHECK_CONDITION) {
		put_residual(task, task->data_len + task->takes, moved, bhs, RESPONSE_RESIDUAL);
		connection_send(connection, bhs, NULL, 0, DATA_SCRATCH);
		return;
	}
	put_residual(task, moved, moved, bhs, RESPONSE_RESIDUAL);
	put_be16(sense, SENSE_LEN);
	memcpy(sense + 2, task->sense, SENSE_LEN);
	connection_send(connection, bhs, sense, sizeof(sense), DATA_SCRATCH);
}

/* Send as much as there is room for. Returns whether that was all. */
static bool send_some(struct task *task)
{
	const struct out *out = &task->connection->gateway->out;

	while (task->in.offset < task->in.total) {
		/* What was made up has gone by the next time; it is short. */
		if (task->place == DATA_LASTING && !out_ready(out))
			return false;
		send_data_in(task);
	}
	return true;
}

/* The answer: Data-In, with the status, or a Response. */
static void answer(struct task *task)
{
	if (task->read && !task->write && task->status == STATUS_GOOD)
		task->in.total = smaller(task->data_len, task->expected);
	if (task->in.total == 0)
		send_response(task);
	else if (!send_some(task))
		keep(task, TASK_SENDS);
}

/* ---- From the initiator ---- */

/* The Target Transfer Tag of a task's R2T: its slot, the slot's generation, the R2TSN. */
static uint32_t transfer_tag(const struct task *task, uint32_t r2t_sn)
{
	const struct task_pool *pool = task->connection->session->pool;

	return (uint32_t)(task - pool->tasks) << 24 | (uint32_t)task->generation << 8 |
	       (r2t_sn & 0xff);
}

static uint32_t burst_of(const struct task *task)
{
	return task->connection->session->value[PARAM_MAX_BURST_LENGTH] & ~UINT32_C(3);
}

/* Ask for what is wanted, as far as MaxOutstandingR2T allows (11.8). */
static void ask(struct task *task)
{
	struct connection *connection = task->connection;
	struct data_out *out = &task->out;
	uint32_t most = connection->session->value[PARAM_MAX_OUTSTANDING_R2T];

	while (out->asked < out->wanted && out->r2t_sn - out->ended < most) {
		uint32_t len = smaller(out->wanted - out->asked, burst_of(task));
		uint8_t *bhs = connection_answer(connection, OP_R2T, FLAG_FINAL);

		memcpy(bhs + BHS_LUN, task->lun, sizeof(task->lun));
		put_be32(bhs + BHS_ITT, task->tag);
		put_be32(bhs + BHS_TTT, transfer_tag(task, out->r2t_sn));
		connection_number(connection, bhs, false);
		put_be32(bhs + BHS_STAT_SN, connection->stat_sn); /* the next one, not used up */
		put_be32(bhs + R2T_SN, out->r2t_sn++);
		put_be32(bhs + R2T_OFFSET, out->asked);
		put_be32(bhs + R2T_LENGTH, len);
		connection_send(connection, bhs, NULL, 0, DATA_SCRATCH);
		out->asked += len;
	}
}

/* Only the first fault is told. Nothing that follows is taken. */
static void fault(struct task *task, enum sense sense)
{
	if (task->out.fault == SENSE_NONE)
		task->out.fault = sense;
}

/* Give the device what came; more than it wants (11.4.5: EDTL above the CDB's length) is dropped. */
static void take(struct task *task, const uint8_t *bytes, size_t len)
{
	struct data_out *out = &task->out;
	uint32_t offset = out->received;

	out->received += (uint32_t)len;
	if (offset >= out->wanted || len == 0)
		return;
	task->take(task, offset, bytes, smaller(len, out->wanted - offset));
}

/* Whether the initiator still owes data: of a sequence that is open, or that is to be asked for. */
static bool owes(const struct task *task)
{
	const struct data_out *out = &task->out;

	if (out->unasked || out->ended < out->r2t_sn)
		return true;
	return out->fault == SENSE_NONE && out->received < out->wanted;
}

static void complete(struct task *task)
{
	if (task->out.fault != SENSE_NONE)
		task_fail(task, task->out.fault);
	else if (task->done && task->status == STATUS_GOOD)
		task->done(task);
	answer(task);
}

/* Between two sequences of a task that waits: ask for the next, or be done. */
static void go_on(struct task *task)
{
	struct data_out *out = &task->out;

	if (!owes(task) && task->stall_ms > 0) {
		stall_task(task);
	} else if (!owes(task)) {
		end_wait(task);
		complete(task);
		forget(task->connection->session->pool, task);
	} else if (!out->unasked && out->fault == SENSE_NONE) {
		if (out->r2t_sn == 0)
			out->base = out->asked = out->received;
		ask(task);
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
	const uint32_t *value = task->connection->session->value;
	struct data_out *out = &task->out;
	struct task *kept;

	if (task->write) {
		uint32_t most = smaller(task->expected, value[PARAM_FIRST_BURST_LENGTH]);

		/* F=0 where nothing unsolicited may follow is read as F=1. */
		out->unasked = !(pdu->bhs[BHS_FLAGS] & FLAG_FINAL) && !value[PARAM_INITIAL_R2T];
		out->unasked_end = most;
		out->wanted = task->take ? smaller(task->takes, task->expected) : 0;
		if (pdu->data_len > 0 && (!value[PARAM_IMMEDIATE_DATA] || pdu->data_len > most))
			fault(task, SENSE_UNEXPECTED_DATA);
		else
			take(task, pdu->data, pdu->data_len);
	}
	if (!owes(task) && task->stall_ms == 0) {
		complete(task);
		free(task->list);
		return;
	}
	kept = keep(task, TASK_WAITS);
	if (!kept)
		return;
	if (kept->stall_ms > 0 && !keep_data(kept))
		connection_end(task->connection, "no memory for a command");
	else
		go_on(kept);
}

/* Answer one whose stall is over; false where there is none. */
static bool finish_due(struct task_pool *pool)
{
	for (int i = 0; i < SESSION_TASKS; i++) {
		struct task *task = &pool->tasks[i];

		if (!task->due)
			continue;
		task->due = false;
		task->stall_ms = 0;
		pool->due--;
		go_on(task);
		return true;
	}
	pool->due = 0;
	return false;
}

bool transfer_send_more(struct connection *connection)
{
	struct task_pool *pool = connection->session->pool;

	if (!pool)
		return false;
	if (!pool->sends)
		return pool->due > 0 && finish_due(pool);
	if (send_some(pool->sends))
		forget(pool, TAKE_PTR(pool->sends));
	return true;
}

static uint32_t sequence_end(const struct task *task)
{
	const struct data_out *out = &task->out;

	if (out->unasked)
		return out->unasked_end;
	return smaller(out->base + (uint64_t)(out->ended + 1) * burst_of(task), out->wanted);
}

/* What is wrong with a Data-Out PDU of the sequence that is open (7.8, 11.7). */
static enum sense check_data(const struct task *task, const struct pdu *pdu)
{
	const struct data_out *out = &task->out;
	uint32_t end = sequence_end(task);

	if (pdu->data_digest_bad || get_be32(pdu->bhs + DATA_SN) != out->data_sn)
		return SENSE_PROTOCOL_CRC;
	if (get_be32(pdu->bhs + DATA_OFFSET) != out->received)
		return SENSE_INCORRECT_DATA;
	if (pdu->data_len > end - out->received)
		return out->unasked ? SENSE_UNEXPECTED_DATA : SENSE_INCORRECT_DATA;
	if ((pdu->bhs[BHS_FLAGS] & FLAG_FINAL) && pdu->data_len < end - out->received)
		return SENSE_INCORRECT_DATA;
	return SENSE_NONE;
}

/* The task that a Data-Out is for and its sequence in turn; NULL: it is nobody's. */
static struct task *addressee(struct session *session, const uint8_t *bhs)
{
	uint32_t ttt = get_be32(bhs + BHS_TTT), tag = get_be32(bhs + BHS_ITT);
	struct task *task = NULL;

	if (ttt == TAG_NONE)
		return find_any(session, tag);
	if (session->pool && ttt >> 24 < SESSION_TASKS && session->pool->tags[ttt >> 24] == tag)
		task = &session->pool->tasks[ttt >> 24];
	if (!task || task->out.ended == task->out.r2t_sn ||
	    ttt != transfer_tag(task, task->out.ended))
		return NULL;
	return task;
}

/* The last PDU of the sequence in turn was this. */
static void end_sequence(struct data_out *out)
{
	out->data_sn = 0;
	if (out->unasked)
		out->unasked = false;
	else
		out->ended++;
}

void transfer_data_out(struct connection *connection, const struct pdu *pdu)
{
	struct session *session = connection->session;
	struct task *task = addressee(session, pdu->bhs);
	bool solicited = get_be32(pdu->bhs + BHS_TTT) != TAG_NONE;
	enum sense wrong;

	if (pdu->data_digest_bad)
		connection_reject(connection, pdu->bhs, REJECT_DATA_DIGEST);
	if (!task || task->state == TASK_SENDS) {
		if (!pdu->data_digest_bad)
			connection_reject(connection, pdu->bhs, REJECT_INVALID_FIELD);
		return;
	}
	if (!solicited && !task->out.unasked) {
		/* Nothing unsolicited is open: told when what is open has come. */
		if (task->state == TASK_WAITS)
			fault(task, SENSE_UNEXPECTED_DATA);
		return;
	}
	if (task->state == TASK_WAITS && task->out.fault == SENSE_NONE) {
		wrong = check_data(task, pdu);
		if (wrong == SENSE_NONE)
			take(task, pdu->data, pdu->data_len);
		else
			fault(task, wrong);
	}
	task->out.data_sn++;
	if (!(pdu->bhs[BHS_FLAGS] & FLAG_FINAL))
		return;
	end_sequence(&task->out);
	if (task->state == TASK_WAITS)
		go_on(task);
	else if (!task->out.unasked && task->out.ended == task->out.r2t_sn)
		forget(session->pool, task);
}
