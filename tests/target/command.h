/* SPDX-License-Identifier: MIT */
/* Requests of the full feature phase: their order (CmdSN), and what serves each opcode. */
#ifndef SGW_TARGET_COMMAND_H
#define SGW_TARGET_COMMAND_H

#include <stdbool.h>

#include "iscsi/pdu.h"

struct connection;

/* Take a PDU in the full feature phase: run it, keep it until its turn, ignore or reject it. */
void command_receive(struct connection *connection, const struct pdu *pdu) __attribute__((nonnull));
/* Run one command that waited for its turn, if its turn has come. Returns whether there was one. */
bool command_run_held(struct connection *connection) __attribute__((nonnull));
/* Ask the initiator for a sign of life (NOP-In, 11.19). */
void command_ping(struct connection *connection) __attribute__((nonnull));

#endif
