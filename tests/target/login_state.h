/* SPDX-License-Identifier: MIT */
/* The state of a login, for the files of login.c alone. */
#ifndef SGW_TARGET_LOGIN_STATE_H
#define SGW_TARGET_LOGIN_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth.h"
#include "buf.h"
#include "iscsi/params.h"
#include "iscsi/pdu.h"
#include "iscsi/text.h"

struct connection;
struct err;
struct session;
struct target;

struct target_login {
	/* Of the first request; none of it may change (11.12). */
	bool begun;
	uint32_t tag;
	uint32_t cmd_sn;
	uint8_t isid[ISID_LEN];
	uint16_t tsih;
	uint16_t cid;

	enum login_stage stage;
	uint32_t requests;
	struct buf text; /* a request in parts (C bit), as far as it is here */
	struct buf answer; /* what is sent, from `answered` on in the next part */
	size_t answered;
	struct buf address; /* TargetAddress, as a pair, of a refusal that redirects; or empty */

	bool named; /* names and type were read */
	bool declared; /* our MaxRecvDataSegmentLength was sent */
	bool discovery;
	char *initiator; /* in lower case: the identity */
	char *sent_initiator;
	char *sent_target; /* NULL: none */
	struct target *target; /* NULL: discovery that names none */
	struct params params;
	struct auth auth;
};

/*
 * All of these return 0, or the status of a refusal with *err set.
 *
 * Who logs in to what: names, session type and TSIH of the first request,
 * whatever the order of its keys is (login_names.c).
 */
unsigned int target_login_names(struct connection *connection, struct text_iter it, struct err *err)
	__attribute__((nonnull));
/* The session that a TSIH names must be that of this very nexus (6.3.1). */
unsigned int target_login_check_tsih(const struct connection *connection, struct err *err)
	__attribute__((nonnull));
/*
 * Whether a pair may come again: the names and the type may in a later request,
 * as long as they say the same, as libiscsi sends them in each stage. Any other
 * key counts once (6.3). before: what the requests before this one brought.
 */
bool target_login_repeats(const struct target_login *login, uint64_t before,
			  const struct text_pair *pair) __attribute__((nonnull));
/* The session that the login leads to, tied to the connection (login_session.c). */
unsigned int target_login_session(struct connection *connection, struct err *err)
	__attribute__((nonnull));

#endif
