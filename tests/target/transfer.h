/* SPDX-License-Identifier: MIT */
/* Data of SCSI commands both ways, and the commands that wait for it (RFC 7143, 4.2.5.2, 11.7, 11.8). */
#ifndef SGW_TARGET_TRANSFER_H
#define SGW_TARGET_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "iscsi/pdu.h"

struct connection;
struct session;
struct task;

/*
 * After the handler of a command: take its immediate data, then answer it, or
 * keep a copy that waits for data. The task may be on the stack.
 */
void transfer_begin(struct task *task, const struct pdu *pdu) __attribute__((nonnull));
/* Take a Data-Out PDU. */
void transfer_data_out(struct connection *connection, const struct pdu *pdu)
	__attribute__((nonnull));
/* Send on where a Data-In had no room, or answer what was stalled; returns whether there was one. */
bool transfer_send_more(struct connection *connection) __attribute__((nonnull));

/* A command that waits, by its Initiator Task Tag; NULL: none. */
struct task *transfer_find(struct session *session, uint32_t tag) __attribute__((nonnull));
/*
 * Whether a command may begin: 0, or a reason to reject it, because its tag is
 * in use or too many immediate ones wait (4.2.2.1).
 */
uint8_t transfer_check(struct session *session, uint32_t tag, bool numbered)
	__attribute__((nonnull));
/* End one without an answer; data that still comes for it is dropped. */
void transfer_abort(struct task *task) __attribute__((nonnull));
/* All of a session's. Returns how many there were. */
unsigned int transfer_abort_all(struct session *session) __attribute__((nonnull));
/* Forget all of them, for the session or its connection is gone. */
void transfer_drop(struct session *session) __attribute__((nonnull));

#endif
