/* SPDX-License-Identifier: MIT */
/* Text exchanges of the full feature phase: SendTargets, and what may be negotiated anew (RFC 7143, 11.10). */
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

#endif
