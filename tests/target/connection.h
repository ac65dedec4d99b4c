/* SPDX-License-Identifier: MIT */
/* One connection: its phase, its numbers, PDUs out of what was received and into what is sent. */
#ifndef SGW_TARGET_CONNECTION_H
#define SGW_TARGET_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway.h"
#include "iscsi/pdu.h"
#include "os/sockets.h"
#include "scsi.h"

struct exchange;
struct target_login;

enum connection_phase {
	CONNECTION_LOGIN,
	CONNECTION_FULL, /* full feature phase */
	CONNECTION_CLOSING, /* all is said: send what waits, FIN, and let the peer close */
	CONNECTION_ENDED, /* close it now */
};

struct connection {
	struct gateway *gateway;
	enum connection_phase phase;
	bool blocked; /* its socket is full, some of what was sent waits: kept by who owns it */
	bool paused; /* a fault: nothing more is served before it is over */
	bool reset; /* it ends with a reset instead of FIN */
	bool over_limit; /* one too many: its login is answered 0302 */
	uint32_t number; /* in the transcript */
	size_t portal; /* index of the portal it came in by */
	struct socket_address local; /* its own end */

	struct session *session; /* from the full feature phase on */
	struct target_login *login; /* until then */
	struct exchange *exchange; /* a text exchange under way, or NULL */
	struct pdu_reader reader;
	bool header_digest, data_digest; /* of what is sent */
	bool counted; /* the request that runs has moved ExpCmdSN on */
	uint16_t cid;
	uint32_t stat_sn; /* of the next status */
	uint32_t max_send; /* MaxRecvDataSegmentLength of the initiator */
	uint32_t text_tag; /* TTT of the last text exchange */
	uint32_t ping_tag; /* TTT of the NOP-In that waits for its answer, or TAG_NONE */

	enum wait wait; /* what its deadline is for */
	struct deadline deadline;
	struct connection *ended_next;

	struct deadline stall; /* stall.c */
	size_t answered; /* of gateway->out, before the stall began */
};

/* What it answers from now on is kept back. */
static inline bool connection_is_stalled(const struct connection *connection)
{
	return connection->stall.next != NULL;
}

/*
 * Begin a connection that arrived at a portal; both ends are for the
 * transcript and SendTargets. 0 or -ENOMEM. connection_done in any case.
 */
int connection_init(struct connection *connection, struct gateway *gateway, size_t portal,
		    const struct socket_address *local, const char *peer) __attribute__((nonnull));
void connection_done(struct connection *connection) __attribute__((nonnull));

/*
 * Handle the PDUs that connection->reader holds; the answers gather in
 * gateway->out, which must be empty. True: out is full, some PDUs are left;
 * flush it and call again.
 */
bool connection_handle(struct connection *connection) __attribute__((nonnull));
/* The peer took some of what waited: a sign of life. */
void connection_alive(struct connection *connection) __attribute__((nonnull));
/* Its stall is over: deadlines run anew. */
void connection_resume(struct connection *connection) __attribute__((nonnull));
/* Its deadline has passed: ping it, or end it. */
void connection_expired(struct connection *connection) __attribute__((nonnull));
struct connection *connection_of_deadline(struct deadline *deadline) __attribute__((nonnull));

/* End it at once, with its session; `why` goes to the transcript. Again is fine. */
void connection_end(struct connection *connection, const char *why) __attribute__((nonnull));
/* The same once what gathers in gateway->out was sent; nothing more is read. */
void connection_close(struct connection *connection, const char *why) __attribute__((nonnull));

/*
 * Do what the rules say of it as far as any connection can. Returns whether
 * what was asked is served.
 */
bool connection_strike(struct connection *connection, enum verdict verdict)
	__attribute__((nonnull));

/* Who it is from and what it is to, as far as that is known by now; else NULL. */
const char *connection_initiator(const struct connection *connection) __attribute__((nonnull));
const struct target *connection_target(const struct connection *connection)
	__attribute__((nonnull));

/* Begin a PDU in gateway->out: its header, all zero but for opcode and flags, to be filled in. */
uint8_t *connection_answer(struct connection *connection, enum pdu_opcode opcode, uint8_t flags)
	__attribute__((nonnull));
/* Fill in StatSN where the PDU carries one (and count it), ExpCmdSN and MaxCmdSN. */
void connection_number(struct connection *connection, uint8_t *bhs, bool status)
	__attribute__((nonnull));
/* End the PDU that was begun last: lengths, data, padding, digests. */
void connection_send(struct connection *connection, uint8_t *bhs, const void *data, size_t len,
		     enum data_place place) __attribute__((nonnull(1, 2)));
/* Answer with a Reject (11.17); a CmdSN that was counted is open again (7.3). */
void connection_reject(struct connection *connection, const uint8_t *bhs, uint8_t reason)
	__attribute__((nonnull));

#endif
