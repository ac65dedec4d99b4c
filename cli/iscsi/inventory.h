/* SPDX-License-Identifier: MIT */
/* What a target holds, asked in one session: how fast it answers, its units, what each is. */
#ifndef SGW_ISCSI_INVENTORY_H
#define SGW_ISCSI_INVENTORY_H

#include <stddef.h>
#include <stdint.h>

#include "iscsi/probe.h"
#include "iscsi/read_task.h"
#include "os/loop.h"

struct connection;
struct pdu;

/* What is asked, in this order; the last three of each unit. */
enum inventory_ask {
	ASK_PING,
	ASK_LUNS,
	ASK_IDENTITY,
	ASK_CAPACITY_10,
	ASK_CAPACITY_16,
};

struct inventory {
	struct connection *connection;
	struct probe_result *result; /* its ping_us, units and notes are filled in */
	enum inventory_ask ask;
	struct read_task task;
	uint32_t tag;
	size_t unit; /* the one that is asked */
	unsigned int pings, attentions, busy; /* in a row */
	uint64_t since; /* of a ping: microseconds */
	struct loop *loop;
	struct loop_timer again; /* of a command that found it busy */
	void (*over)(void *arg);
	void *arg;
};

/*
 * Begin over a connection in its full feature phase. Each PDU that comes goes
 * to inventory_receive(); over is called after the last answer. An answer that
 * breaks the standard fails the connection (connection_fail).
 */
void inventory_begin(struct inventory *inventory, struct loop *loop, struct connection *connection,
		     struct probe_result *result, void (*over)(void *arg), void *arg)
	__attribute__((nonnull(1, 2, 3, 4, 5)));
void inventory_receive(struct inventory *inventory, const struct pdu *pdu) __attribute__((nonnull));
/* The connection is gone. Again, or never begun (all zero), is fine. */
void inventory_end(struct inventory *inventory) __attribute__((nonnull));

#endif
