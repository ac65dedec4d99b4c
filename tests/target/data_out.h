/* SPDX-License-Identifier: MIT */
/* What an initiator sends for a command, unasked or by R2T (RFC 7143, 4.2.5.2, 11.7, 11.8). */
#ifndef SGW_TARGET_DATA_OUT_H
#define SGW_TARGET_DATA_OUT_H

#include <stdbool.h>

#include "iscsi/pdu.h"

struct session;
struct task;

/* What the PDU of a writing command says of its data, and brings of it. */
void data_out_begin(struct task *task, const struct pdu *pdu) __attribute__((nonnull));
/* Whether a sequence is open: unsolicited, or of an R2T. */
bool data_out_is_open(const struct task *task) __attribute__((nonnull));
/* Whether the initiator still owes data: of a sequence that is open, or that is to be asked for. */
bool data_out_is_owed(const struct task *task) __attribute__((nonnull));
/* Ask for what is wanted, as far as MaxOutstandingR2T allows (11.8). */
void data_out_ask(struct task *task) __attribute__((nonnull));

/* The task that a Data-Out is for and its sequence in turn; NULL: it is nobody's. */
struct task *data_out_addressee(struct session *session, const uint8_t *bhs)
	__attribute__((nonnull));
/* Take one, or drop it where the task was aborted. Returns whether it ended a sequence. */
bool data_out_receive(struct task *task, const struct pdu *pdu) __attribute__((nonnull));

#endif
