/* SPDX-License-Identifier: MIT */
/* An initiator's connection in an event loop: connect, log in, exchange PDUs, log out. */
#ifndef SGW_ISCSI_CONNECTION_H
#define SGW_ISCSI_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iscsi/address.h"
#include "iscsi/login.h"
#include "iscsi/pdu.h"
#include "iscsi/states.h"
#include "os/sockets.h"

struct connection;
struct err;
struct loop;

/* How long each thing may take, in milliseconds; 0 takes the default. */
struct connection_limits {
	uint32_t connect_ms; /* each address: 3000 */
	uint32_t answer_ms; /* silence while an answer is due: 10000 */
	uint32_t logout_ms; /* the Logout Response: 1000 */
	/*
	 * A target elsewhere named the addresses: those that mean this very
	 * host are not gone to.
	 */
	bool from_afar;
};

/* Each may send, log out, fail and free the connection. */
struct connection_handler {
	/* The login is through: connection_login tells what was agreed. */
	void (*ready)(void *arg);
	/*
	 * A PDU of the full feature phase, its digests right. Pings, Asynchronous
	 * Messages, Rejects and the Logout Response never come here. Good during
	 * the call alone.
	 */
	void (*pdu)(void *arg, const struct pdu *pdu);
	/*
	 * The end, called once: 0 after a logout; 1 after a logout with an oddity,
	 * which *err tells; CONNECTION_REDIRECTED; or a negative errno and why.
	 */
	void (*closed)(void *arg, int rc, const struct err *err);
};

enum { CONNECTION_REDIRECTED = LOGIN_REDIRECTED + 1 };

/*
 * Begin to connect to the first of the addresses, and go on to the next where
 * one fails. config outlives the connection; addresses and params are copied.
 * (count at least 1). Nothing is called back before the loop runs. NULL with *err set on failure.
 */
struct connection *connection_open(struct loop *loop, const struct socket_address *addresses,
				   size_t count, const struct login_config *config,
				   const struct params *params,
				   const struct connection_limits *limits,
				   const struct connection_handler *handler, void *arg,
				   struct err *err) __attribute__((nonnull(1, 2, 4, 5, 6, 7, 9)));
/* Close at once, without a word to handler or target. NULL is fine. */
void connection_free(struct connection *connection);

/*
 * Send a request of the full feature phase in its turn: I as the caller set it,
 * ITT the caller's; CmdSN, ExpStatSN and lengths are filled in. While the
 * target's command window is shut it waits (4.2.2.1). The answer is due within
 * answer_ms of the last PDU; `awaited` names it in errors and is kept by
 * pointer. 0 or -ENOMEM.
 */
int connection_request(struct connection *connection, uint8_t bhs[BHS_LEN], const void *data,
		       size_t len, const char *awaited, struct err *err)
	__attribute__((nonnull(1, 2, 6)));
/* Nothing is due any more. */
void connection_rest(struct connection *connection) __attribute__((nonnull));
/* Log out, closing the session; `closed` follows. */
void connection_logout(struct connection *connection) __attribute__((nonnull));
/* End with this error: for a handler that finds a PDU impossible. `closed` is called at once. */
void connection_fail(struct connection *connection, const struct err *err) __attribute__((nonnull));

/* The login, during and after it; params, verdicts, redirects and notes are in it. */
const struct login *connection_login(const struct connection *connection) __attribute__((nonnull));
enum connection_state connection_state(const struct connection *connection)
	__attribute__((nonnull));
/* The address in use, or the last one tried. */
const struct socket_address *connection_address(const struct connection *connection)
	__attribute__((nonnull));
enum address_kind connection_address_kind(const struct connection *connection)
	__attribute__((nonnull));
/* Microseconds that the connect took; 0 before. */
uint64_t connection_connect_us(const struct connection *connection) __attribute__((nonnull));
/* "3 s", "250 ms": how the messages of a connection write a time. */
const char *connection_duration(uint32_t ms, char out[16]) __attribute__((nonnull));

#endif
