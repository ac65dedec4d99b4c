/* SPDX-License-Identifier: MIT */
/* The full feature phase of an initiator with one connection: numbers, window, and the PDUs that
 * every initiator answers alike (RFC 7143, 4.2.2, 11.9, 11.14, 11.18); no I/O. */
#ifndef SGW_ISCSI_SESSION_H
#define SGW_ISCSI_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "iscsi/login.h"
#include "iscsi/pdu.h"
#include "iscsi/states.h"

struct err;

struct session {
	uint32_t cmd_sn, exp_stat_sn; /* what we send next */
	uint32_t exp_cmd_sn, max_cmd_sn; /* the target's window */
	bool header_digest, data_digest; /* of what we send */
	struct buf held; /* requests that wait for the window: BHS and padded data each */
};

/* All zero before; the login is complete. */
void session_begin(struct session *session, const struct login *login) __attribute__((nonnull));
void session_done(struct session *session) __attribute__((nonnull));

/*
 * Send a request, sealed, into out, or hold it while the window is shut
 * (4.2.2.1). CmdSN, ExpStatSN and the lengths are filled in.
 */
void session_request(struct session *session, uint8_t bhs[BHS_LEN], const void *data, size_t len,
		     struct buf *out) __attribute__((nonnull(1, 2, 5)));
/* Send a Logout Request that closes the session; what is held is given up. */
int session_logout(struct session *session, enum connection_state *state, struct buf *out,
		   struct err *err) __attribute__((nonnull));

enum session_outcome {
	SESSION_SERVED, /* nothing is left to do but to send what is in out */
	SESSION_PDU, /* it is the caller's */
	SESSION_LOGOUT_ASKED, /* log out soon (Asynchronous Message 1) */
	SESSION_CLOSED, /* the Logout Response has come */
};
/*
 * Take a PDU. Answers, and requests that the window now lets pass, go into out.
 * Returns an enum session_outcome, or a negative errno where the connection
 * must be closed.
 */
int session_receive(struct session *session, enum connection_state *state, const struct pdu *pdu,
		    struct buf *out, struct err *err) __attribute__((nonnull));

#endif
