/* SPDX-License-Identifier: MIT */
/*
 * A SCSI command from its handler to its answer, whatever it has to wait for
 * (RFC 7143, 4.2.5.2).
 */
#ifndef SGW_TARGET_TRANSFER_H
#define SGW_TARGET_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "iscsi/pdu.h"

struct connection;
struct task;

/*
 * After the handler of a command: take its immediate data, then answer it, or
 * keep a copy that waits for data. The task may be on the stack.
 */
void transfer_begin(struct task *task, const struct pdu *pdu) __attribute__((nonnull));
/* Take a Data-Out PDU. */
void transfer_data_out(struct connection *connection, const struct pdu *pdu)
	__attribute__((nonnull));
/*
 * Send on where a Data-In had no room, or answer what was stalled; returns
 * whether there was one.
 */
bool transfer_send_more(struct connection *connection) __attribute__((nonnull));

#endif
