/* SPDX-License-Identifier: MIT */
#include "task_management.h"

#include "connection.h"
#include "gateway.h"
#include "iscsi/bytes.h"
#include "task_pool.h"

/* Responses (11.6.1). */
enum {
	TASK_COMPLETE = 0,
	TASK_NOT_THERE = 1,
	TASK_NO_UNIT = 2,
	TASK_NO_REASSIGNMENT = 4,
	TASK_NOT_SUPPORTED = 5,
};

/*
 * A task that waits for data ends. One that has not come yet, its CmdSN in the
 * window and below our own, counts as received and will not run.
 */
static uint8_t abort_task(struct connection *connection, const uint8_t *bhs)
{
	struct session *session = connection->session;
	uint32_t referenced = get_be32(bhs + TASK_REF_CMD_SN);
	struct task *task = task_pool_find_waiting(session, get_be32(bhs + TASK_REFERENCED_TAG));

	if (task) {
		task_pool_abort(task);
		return TASK_COMPLETE;
	}
	if (serial_before(referenced, session->exp_cmd_sn) ||
	    !serial_before_or_equal(referenced, session_max_cmd_sn(session)) ||
	    !serial_before(referenced, get_be32(bhs + BHS_CMD_SN)))
		return TASK_NOT_THERE;
	session_skip(session, referenced);
	return TASK_COMPLETE;
}

static uint8_t abort_task_set(struct connection *connection, const uint8_t *bhs)
{
	(void)bhs;
	task_pool_abort_all(connection->session);
	return TASK_COMPLETE;
}

/* Others whose commands went learn of it by a unit attention (SAM-5, 5.14; TAS=0). */
static uint8_t clear_task_set(struct connection *connection, const uint8_t *bhs)
{
	struct session *session = connection->session;

	(void)bhs;
	for (struct session *it = session->target->sessions; it; it = it->target_next)
		if (task_pool_abort_all(it) > 0 && it != session)
			session_attend(it, ATTENTION_CLEARED);
	return TASK_COMPLETE;
}

/* All learn of a reset, the one that asked for it as well (SAM-5, 6.3.3). */
static uint8_t reset_unit(struct connection *connection, const uint8_t *bhs)
{
	(void)bhs;
	for (struct session *it = connection->session->target->sessions; it; it = it->target_next) {
		task_pool_abort_all(it);
		session_attend(it, ATTENTION_RESET);
	}
	return TASK_COMPLETE;
}

static uint8_t reassign(struct connection *connection, const uint8_t *bhs)
{
	(void)connection;
	(void)bhs;
	return TASK_NO_REASSIGNMENT; /* ErrorRecoveryLevel 0 */
}

static const struct function {
	uint8_t (*run)(struct connection *connection, const uint8_t *bhs);
	bool of_unit; /* the LUN must be there */
} functions[] = {
	[TASK_ABORT_TASK] = { abort_task, true },
	[TASK_ABORT_TASK_SET] = { abort_task_set, true },
	[TASK_CLEAR_TASK_SET] = { clear_task_set, true },
	[TASK_LUN_RESET] = { reset_unit, true },
	[TASK_REASSIGN] = { reassign, false },
};

enum { FUNCTIONS = sizeof(functions) / sizeof(functions[0]) };

void task_management(struct connection *connection, const struct pdu *pdu)
{
	uint8_t number = pdu->bhs[BHS_FLAGS] & TASK_FUNCTION, response = TASK_NOT_SUPPORTED;
	const struct function *function = number < FUNCTIONS ? &functions[number] : &functions[0];
	uint8_t *bhs;

	if (function->of_unit && !lun_is_zero(pdu->bhs + BHS_LUN))
		response = TASK_NO_UNIT;
	else if (function->run)
		response = function->run(connection, pdu->bhs);

	bhs = connection_answer(connection, OP_TASK_RESPONSE, FLAG_FINAL);
	bhs[RESPONSE_CODE] = response;
	put_be32(bhs + BHS_ITT, get_be32(pdu->bhs + BHS_ITT));
	connection_number(connection, bhs, true);
	connection_send(connection, bhs, NULL, 0, DATA_SCRATCH);
}
