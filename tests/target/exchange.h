/* SPDX-License-Identifier: MIT */
/*
 * Text exchanges of the full feature phase: SendTargets, and what may be
 * negotiated anew (RFC 7143, 11.10).
 */
#ifndef SGW_TARGET_EXCHANGE_H
#define SGW_TARGET_EXCHANGE_H

#include "iscsi/pdu.h"

struct connection;
struct exchange;

/* Take a Text Request and answer it; connection->exchange is the one under way. */
void exchange_receive(struct connection *connection, const struct pdu *pdu)
	__attribute__((nonnull));
/* NULL is fine. */
void exchange_free(struct exchange *exchange);

/*
 * What an answer to SendTargets, which is about to be sent, is made to be
 * (EVENT_SEND_TARGETS): one record more, before all others, with any bytes as
 * its name; another TargetAddress in all records that follow; or nothing but
 * these bytes.
 */
void exchange_add_name(struct connection *connection, const void *name, size_t len)
	__attribute__((nonnull));
void exchange_set_address(struct connection *connection, const char *address)
	__attribute__((nonnull));
void exchange_set_answer(struct connection *connection, const void *bytes, size_t len)
	__attribute__((nonnull(1)));

#endif
