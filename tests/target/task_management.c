/* SPDX-License-Identifier: MIT */
#include "task_management.h"

#include <stdlib.h>

#include "buf.h"
#include "connection.h"
#include "deadline.h"
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

/* ---- Functions of one task, and none ---- */

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

static uint8_t reassign(struct connection *connection, const uint8_t *bhs)
{
	(void)connection;
	(void)bhs;
	return TASK_NO_REASSIGNMENT; /* ErrorRecoveryLevel 0 */
}

/* The tasks of the session that asked for it went before. */
static void abort_task_set(struct session *session)
{
	(void)session;
}

/* Others whose commands went learn of it by a unit attention (SAM-5, 5.14; TAS=0). */
static void clear_task_set(struct session *session)
{
	for (struct session *it = session->target->sessions; it; it = it->target_next)
		if (it != session && task_pool_abort_all(it, false) > 0)
			session_attend(it, ATTENTION_CLEARED);
}

/* All learn of a reset, the one that asked for it as well (SAM-5, 6.3.3). */
static void reset_unit(struct session *session)
{
	for (struct session *it = session->target->sessions; it; it = it->target_next) {
		if (it != session)
			task_pool_abort_all(it, false);
		session_attend(it, ATTENTION_RESET);
	}
}

static const struct function {
	uint8_t (*run)(struct connection *connection, const uint8_t *bhs);
	void (*settled)(struct session *session); /* of many tasks: in the end */
	bool of_unit; /* the LUN must be there */
} functions[] = {
	[TASK_ABORT_TASK] = { .run = abort_task, .of_unit = true },
	[TASK_ABORT_TASK_SET] = { .settled = abort_task_set, .of_unit = true },
	[TASK_CLEAR_TASK_SET] = { .settled = clear_task_set, .of_unit = true },
	[TASK_LUN_RESET] = { .settled = reset_unit, .of_unit = true },
	[TASK_REASSIGN] = { .run = reassign },
};

enum { FUNCTIONS = sizeof(functions) / sizeof(functions[0]) };

static void respond(struct connection *connection, uint32_t tag, uint8_t response)
{
	uint8_t *bhs = connection_answer(connection, OP_TASK_RESPONSE, FLAG_FINAL);

	bhs[RESPONSE_CODE] = response;
	put_be32(bhs + BHS_ITT, tag);
	connection_number(connection, bhs, true);
	connection_send(connection, bhs, NULL, 0, DATA_SCRATCH);
}

/* ---- Functions that end many tasks ---- */

struct settling {
	struct session *session;
	const struct function *function;
	uint32_t tag;
	uint32_t cmd_sn; /* commands before it are its, whether they are here or not */
	struct deadline deadline;
	bool over; /* it has waited enough */
};

static bool is_settled(const struct settling *settling)
{
	const struct session *session = settling->session;

	return settling->over || (!serial_before(session->exp_cmd_sn, settling->cmd_sn) &&
				  !task_pool_awaits(session));
}

static void settle(const struct settling *settling)
{
	settling->function->settled(settling->session);
	respond(settling->session->connection, settling->tag, TASK_COMPLETE);
}

void task_management_drop(struct session *session)
{
	if (!session->settling)
		return;
	deadline_disarm(&session->settling->deadline);
	free(TAKE_PTR(session->settling));
}

bool task_management_go_on(struct connection *connection)
{
	struct session *session = connection->session;

	if (!is_settled(session->settling))
		return false;
	settle(session->settling);
	task_management_drop(session);
	return true;
}

struct connection *task_management_expired(struct deadline *deadline)
{
	struct settling *settling = DEADLINE_OWNER(deadline, settling, deadline);

	settling->over = true;
	return settling->session->connection;
}

/* Of a command for the one logical unit that there is. */
static bool covers(const struct settling *settling, uint32_t cmd_sn, const uint8_t *bhs)
{
	return serial_before(cmd_sn, settling->cmd_sn) && pdu_opcode(bhs) == OP_SCSI_COMMAND &&
	       lun_is_zero(bhs + BHS_LUN);
}

bool task_management_covers(const struct session *session, const struct pdu *pdu)
{
	return covers(session->settling, get_be32(pdu->bhs + BHS_CMD_SN), pdu->bhs);
}

/* Commands that are held, waiting for others before them, are not run any more. */
static void skip_held(const struct settling *settling)
{
	struct session *session = settling->session;

	for (uint32_t sn = session->exp_cmd_sn; serial_before(sn, settling->cmd_sn); sn++) {
		const uint8_t *bytes = session_held_bytes(session, sn);

		if (bytes && covers(settling, sn, bytes))
			session_skip(session, sn);
	}
}

/* Who asks again waits no more for what was asked before. */
static void begin_settling(struct connection *connection, const struct function *function,
			   const uint8_t *bhs)
{
	struct session *session = connection->session;
	struct settling settling = {
		.session = session,
		.function = function,
		.tag = get_be32(bhs + BHS_ITT),
		.cmd_sn = get_be32(bhs + BHS_CMD_SN),
	};

	if (session->settling) {
		session->settling->over = true;
		task_management_go_on(connection);
	}
	/* An immediate one may carry a number out of the window, which says nothing. */
	if (!serial_before_or_equal(settling.cmd_sn, session->exp_cmd_sn + SESSION_QUEUE))
		settling.cmd_sn = session->exp_cmd_sn;
	task_pool_abort_all(session, true);
	skip_held(&settling);
	if (!is_settled(&settling)) {
		session->settling = malloc(sizeof(settling));
		if (session->settling) {
			*session->settling = settling;
			deadline_arm(&session->gateway->waits[WAIT_TASKS],
				     &session->settling->deadline, session->gateway->now);
			return;
		}
	}
	settle(&settling);
}

void task_management(struct connection *connection, const struct pdu *pdu)
{
	uint8_t number = pdu->bhs[BHS_FLAGS] & TASK_FUNCTION, response = TASK_NOT_SUPPORTED;
	const struct function *function = number < FUNCTIONS ? &functions[number] : &functions[0];

	if (function->of_unit && !lun_is_zero(pdu->bhs + BHS_LUN)) {
		response = TASK_NO_UNIT;
	} else if (function->settled) {
		begin_settling(connection, function, pdu->bhs);
		return;
	} else if (function->run) {
		response = function->run(connection, pdu->bhs);
	}
	respond(connection, get_be32(pdu->bhs + BHS_ITT), response);
}
