/* SPDX-License-Identifier: MIT */
#include "data_out.h"

#include <string.h>

#include "connection.h"
#include "iscsi/bytes.h"
#include "scsi.h"
#include "session.h"
#include "task_pool.h"

static uint32_t smaller(uint64_t a, uint32_t b)
{
	return a < b ? (uint32_t)a : b;
}

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

void data_out_ask(struct task *task)
{
	struct connection *connection = task->connection;
	struct data_out *out = &task->out;
	uint32_t most = connection->session->value[PARAM_MAX_OUTSTANDING_R2T];

	if (out->r2t_sn == 0)
		out->base = out->asked = out->received;
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

/*
 * Give the device what came; more than it wants (11.4.5: EDTL above the CDB's
 * length) is dropped.
 */
static void take(struct task *task, const uint8_t *bytes, size_t len)
{
	struct data_out *out = &task->out;
	uint32_t offset = out->received;

	out->received += (uint32_t)len;
	if (offset >= out->wanted || len == 0)
		return;
	task->take(task, offset, bytes, smaller(len, out->wanted - offset));
}

void data_out_begin(struct task *task, const struct pdu *pdu)
{
	const uint32_t *value = task->connection->session->value;
	struct data_out *out = &task->out;
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

bool data_out_is_open(const struct task *task)
{
	return task->out.unasked || task->out.ended < task->out.r2t_sn;
}

bool data_out_is_owed(const struct task *task)
{
	const struct data_out *out = &task->out;

	return data_out_is_open(task) || (out->fault == SENSE_NONE && out->received < out->wanted);
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

struct task *data_out_addressee(struct session *session, const uint8_t *bhs)
{
	uint32_t ttt = get_be32(bhs + BHS_TTT), tag = get_be32(bhs + BHS_ITT);
	struct task *task = NULL;

	if (ttt == TAG_NONE)
		return task_pool_find(session, tag);
	if (session->pool && ttt >> 24 < POOL_TASKS && session->pool->tags[ttt >> 24] == tag)
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

bool data_out_receive(struct task *task, const struct pdu *pdu)
{
	bool waits = task->state == TASK_WAITS;
	struct data_out *out = &task->out;
	enum sense wrong = SENSE_NONE;

	if (get_be32(pdu->bhs + BHS_TTT) == TAG_NONE && !out->unasked) {
		/* Nothing unsolicited is open: told when what is open has come. */
		if (waits)
			fault(task, SENSE_UNEXPECTED_DATA);
		return false;
	}
	if (waits && out->fault == SENSE_NONE) {
		wrong = check_data(task, pdu);
		if (wrong == SENSE_NONE)
			take(task, pdu->data, pdu->data_len);
		else
			fault(task, wrong);
	}
	out->data_sn++;
	if (!(pdu->bhs[BHS_FLAGS] & FLAG_FINAL))
		return false;
	end_sequence(out);
	return true;
}
