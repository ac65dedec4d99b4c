/* SPDX-License-Identifier: MIT */
/* Task management functions (RFC 7143, 11.5 and 11.6). */
#ifndef SGW_TARGET_TASK_MANAGEMENT_H
#define SGW_TARGET_TASK_MANAGEMENT_H

#include "iscsi/pdu.h"

struct connection;

/* Serve a Task Management Function Request. */
void task_management(struct connection *connection, const struct pdu *pdu) __attribute__((nonnull));

#endif
