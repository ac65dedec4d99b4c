/* SPDX-License-Identifier: MIT */
/* The target's side of a login: from the first request to the session (RFC 7143, 6.3). */
#ifndef SGW_TARGET_LOGIN_H
#define SGW_TARGET_LOGIN_H

#include <stdint.h>

#include "iscsi/pdu.h"

struct connection;
struct err;
struct target;
struct target_login;

/* What a connection needs until it is logged in. NULL: no memory. */
struct target_login *target_login_new(void);
/* NULL is fine. */
void target_login_free(struct target_login *login);

/* Take a PDU in the login phase and answer it. */
void target_login_receive(struct connection *connection, const struct pdu *pdu)
	__attribute__((nonnull));
/* The header at bhs announces more data than a login may have. */
void target_login_too_long(struct connection *connection, const uint8_t *bhs, const struct err *err)
	__attribute__((nonnull));
/* Who logs in to what, as far as it is known; else NULL. */
const char *target_login_initiator(const struct target_login *login) __attribute__((nonnull));
const struct target *target_login_target(const struct target_login *login) __attribute__((nonnull));
/* What refuses it, if anything does, also tells this address, HOST:PORT (13.8). */
void target_login_redirect(struct target_login *login, const char *address)
	__attribute__((nonnull));
/* ExpCmdSN while there is no session. */
uint32_t target_login_cmd_sn(const struct target_login *login) __attribute__((nonnull));

#endif
