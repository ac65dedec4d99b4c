/* SPDX-License-Identifier: MIT */
#include "iscsi/inventory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iscsi/bytes.h"
#include "iscsi/connection.h"

enum {
	FIRST_TAG = 0x100,
	LUNS_LEN = 8 + 8 * PROBE_UNITS_MAX,
	ATTENTIONS_MAX = 8, /* unit attentions of one command in a row */
	BUSY_MAX = 3,
	BUSY_MS = 100, /* and twice as long each time */
};

static const struct {
	const char *name, *awaited;
} asks[] = {
	[ASK_PING] = { "NOP-Out", "answer to NOP-Out" },
	[ASK_LUNS] = { "REPORT LUNS", "answer to REPORT LUNS" },
	[ASK_IDENTITY] = { "INQUIRY", "answer to INQUIRY" },
	[ASK_CAPACITY_10] = { "READ CAPACITY(10)", "answer to READ CAPACITY(10)" },
	[ASK_CAPACITY_16] = { "READ CAPACITY(16)", "answer to READ CAPACITY(16)" },
};

static void send_ping(struct inventory *inventory)
{
	uint8_t bhs[BHS_LEN] = { OP_NOP_OUT, FLAG_FINAL };
	struct err err;

	put_be32(bhs + BHS_ITT, ++inventory->tag);
	put_be32(bhs + BHS_TTT, TAG_NONE);
	inventory->since = loop_clock_us();
	if (connection_request(inventory->connection, bhs, NULL, 0, asks[ASK_PING].awaited, &err) <
	    0)
		connection_fail(inventory->connection, &err);
}

static void send_command(struct inventory *inventory)
{
	static const uint8_t lun_zero[8];
	const uint8_t *lun = inventory->ask == ASK_LUNS
				     ? lun_zero
				     : inventory->result->units[inventory->unit].lun;
	uint8_t cdb[CDB_LEN], bhs[BHS_LEN];
	uint32_t len = CDB_CAPACITY_16_LEN;
	struct err err;

	switch (inventory->ask) {
	case ASK_LUNS:
		cdb_report_luns(cdb, len = LUNS_LEN);
		break;
	case ASK_IDENTITY:
		cdb_inquiry(cdb, len = CDB_INQUIRY_LEN);
		break;
	case ASK_CAPACITY_10:
		cdb_read_capacity_10(cdb);
		len = CDB_CAPACITY_10_LEN;
		break;
	default:
		cdb_read_capacity_16(cdb, len);
		break;
	}
	read_task_begin(&inventory->task, ++inventory->tag, lun, cdb, len, bhs);
	if (connection_request(inventory->connection, bhs, NULL, 0, asks[inventory->ask].awaited,
			       &err) < 0)
		connection_fail(inventory->connection, &err);
}

static void send_again(void *arg)
{
	send_command(arg);
}

static void start_ask(struct inventory *inventory, enum inventory_ask ask)
{
	inventory->ask = ask;
	inventory->attentions = inventory->busy = 0;
	send_command(inventory);
}

static void next_unit(struct inventory *inventory)
{
	if (++inventory->unit < inventory->result->unit_count)
		start_ask(inventory, ASK_IDENTITY);
	else
		inventory->over(inventory->arg);
}

/* What one unit would not tell is its own problem. */
static void tell_problem(struct inventory *inventory)
{
	const struct read_task *task = &inventory->task;
	struct probe_unit *unit = &inventory->result->units[inventory->unit];
	char sense[CDB_SENSE_TEXT_MAX] = "";

	if (task->has_sense)
		cdb_sense_text(&task->sense, sense);
	snprintf(unit->problem, sizeof(unit->problem), "%s: %s%s%s", asks[inventory->ask].name,
		 cdb_status_name(task->status), sense[0] ? ", " : "", sense);
}

static void tell_short(struct inventory *inventory)
{
	struct probe_unit *unit = &inventory->result->units[inventory->unit];

	snprintf(unit->problem, sizeof(unit->problem), "%s: %u bytes are too few for an answer",
		 asks[inventory->ask].name, inventory->task.received);
}

static int add_units(struct inventory *inventory, const uint8_t *luns, size_t count)
{
	struct probe_result *result = inventory->result;

	result->units = calloc(count + 1, sizeof(*result->units));
	if (!result->units)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		memcpy(result->units[i].lun, luns + 8 * i, 8);
	result->unit_count = count;
	return 0;
}

static void take_luns(struct inventory *inventory)
{
	static const uint8_t lun_zero[8];
	const struct read_task *task = &inventory->task;
	size_t there = task->received >= 8 ? (task->received - 8) / 8 : 0;
	uint32_t told = task->received >= 8 ? get_be32(task->data) / 8 : 0;
	struct err err;
	int rc;

	if (task->status == CDB_GOOD && told > there)
		probe_result_note(inventory->result,
				  "it has more logical units than are asked here");
	if (told < there)
		there = told;
	if (task->status == CDB_GOOD && task->received >= 8) {
		rc = add_units(inventory, task->data + 8, there);
	} else {
		probe_result_note(inventory->result,
				  "REPORT LUNS failed: only logical unit 0 is asked");
		rc = add_units(inventory, lun_zero, 1);
	}
	if (rc < 0) {
		err_oom(&err);
		connection_fail(inventory->connection, &err);
		return;
	}
	if (inventory->result->unit_count == 0)
		probe_result_note(inventory->result, "it has no logical units for this host");
	inventory->unit = (size_t)-1;
	next_unit(inventory);
}

static void take_identity(struct inventory *inventory)
{
	struct probe_unit *unit = &inventory->result->units[inventory->unit];

	unit->identified =
		cdb_identity_parse(inventory->task.data, inventory->task.received, &unit->identity);
	if (!unit->identified)
		tell_short(inventory);
	if (unit->identified && unit->identity.qualifier == 0 &&
	    unit->identity.type == CDB_TYPE_DISK)
		start_ask(inventory, ASK_CAPACITY_10);
	else
		next_unit(inventory);
}

static void take_capacity(struct inventory *inventory)
{
	struct probe_unit *unit = &inventory->result->units[inventory->unit];
	const struct read_task *task = &inventory->task;
	bool good = inventory->ask == ASK_CAPACITY_10
			    ? cdb_capacity_10_parse(task->data, task->received, &unit->blocks,
						    &unit->block_size)
			    : cdb_capacity_16_parse(task->data, task->received, &unit->blocks,
						    &unit->block_size);

	if (!good)
		tell_short(inventory);
	if (good && inventory->ask == ASK_CAPACITY_10 && unit->blocks == 0)
		start_ask(inventory, ASK_CAPACITY_16); /* 2 TiB or more */
	else
		next_unit(inventory);
}

/* Whether the command goes out once more: I-FFP-5 of the conformance list. */
static bool retry(struct inventory *inventory)
{
	const struct read_task *task = &inventory->task;
	struct err err;

	if (task->status == CDB_CHECK_CONDITION && task->sense.key == CDB_KEY_UNIT_ATTENTION &&
	    inventory->attentions < ATTENTIONS_MAX) {
		inventory->attentions++;
		send_command(inventory);
		return true;
	}
	if ((task->status != CDB_BUSY && task->status != CDB_TASK_SET_FULL) ||
	    inventory->busy == BUSY_MAX)
		return false;
	connection_rest(inventory->connection);
	return loop_timer_set(inventory->loop, &inventory->again,
			      (uint64_t)BUSY_MS << inventory->busy++, &err) == 0;
}

static void command_over(struct inventory *inventory)
{
	if (retry(inventory))
		return;
	if (inventory->ask == ASK_LUNS) {
		take_luns(inventory);
	} else if (inventory->task.status != CDB_GOOD) {
		tell_problem(inventory);
		next_unit(inventory);
	} else if (inventory->ask == ASK_IDENTITY) {
		take_identity(inventory);
	} else {
		take_capacity(inventory);
	}
}

static int take_ping(struct inventory *inventory, const struct pdu *pdu, struct err *err)
{
	uint64_t took = loop_clock_us() - inventory->since;
	char name[16];

	if (pdu_opcode(pdu->bhs) != OP_NOP_IN || get_be32(pdu->bhs + BHS_ITT) != inventory->tag)
		return err_set(err, EPROTO, "the target answers a NOP-Out with a %s",
			       pdu_opcode_name(pdu->bhs[BHS_OPCODE], name));
	if (inventory->pings == 0 || took < inventory->result->ping_us)
		inventory->result->ping_us = took;
	if (++inventory->pings < PROBE_PINGS)
		send_ping(inventory);
	else
		start_ask(inventory, ASK_LUNS);
	return 0;
}

void inventory_receive(struct inventory *inventory, const struct pdu *pdu)
{
	struct err why, err;
	int rc;

	rc = inventory->ask == ASK_PING ? take_ping(inventory, pdu, &why)
					: read_task_receive(&inventory->task, pdu, &why);
	if (rc > 0) {
		command_over(inventory);
	} else if (rc < 0) {
		err_set(&err, why.code, "%s failed: %s", asks[inventory->ask].name, why.reason);
		connection_fail(inventory->connection, &err);
	}
}

void inventory_begin(struct inventory *inventory, struct loop *loop, struct connection *connection,
		     struct probe_result *result, void (*over)(void *arg), void *arg)
{
	*inventory = (struct inventory){
		.loop = loop,
		.connection = connection,
		.result = result,
		.tag = FIRST_TAG,
		.again = { .fire = send_again, .arg = inventory },
		.over = over,
		.arg = arg,
	};
	send_ping(inventory);
}

void inventory_end(struct inventory *inventory)
{
	if (inventory->loop)
		loop_timer_cancel(inventory->loop, &inventory->again);
}
