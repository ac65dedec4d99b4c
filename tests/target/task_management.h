/* SPDX-License-Identifier: MIT */
/* Task management functions (RFC 7143, 11.5 and 11.6). */
#ifndef SGW_TARGET_TASK_MANAGEMENT_H
#define SGW_TARGET_TASK_MANAGEMENT_H

#include <stdbool.h>

#include "iscsi/pdu.h"

struct connection;
struct deadline;
struct session;

/* Serve a Task Management Function Request. */
void task_management(struct connection *connection, const struct pdu *pdu) __attribute__((nonnull));

/*
 * One that ends many tasks is done and answered when the data that R2Ts asked
 * for and the commands before it have come (4.2.3.3); not all initiators send
 * them (open-iscsi's FastAbort), so that this has its time (WAIT_TASKS).
 *
 * Answer session->settling if it has waited enough; returns whether it has.
 */
bool task_management_go_on(struct connection *connection) __attribute__((nonnull));
/* Whether a command that is numbered comes late for it: it counts as received, and is not run. */
bool task_management_covers(const struct session *session, const struct pdu *pdu)
	__attribute__((nonnull));
/* Its time is over. Returns its connection. */
struct connection *task_management_expired(struct deadline *deadline) __attribute__((nonnull));
/* Forget it, for the session or its connection is gone. */
void task_management_drop(struct session *session) __attribute__((nonnull));

#endif
