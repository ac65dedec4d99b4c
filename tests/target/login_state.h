/* SPDX-License-Identifier: MIT */
/* The state of a login, for the files of login.c alone. */
#ifndef SGW_TARGET_LOGIN_STATE_H
#define SGW_TARGET_LOGIN_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth.h"
#include "buf.h"
#include "events.h"
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

static inline bool target_login_answer_waits(const struct target_login *login)
{
	return login->answered < login->answer.len;
}

/* login_answer.c: send the next part of the answer; the flags are those of the last (11.13.7). */
void target_login_send_part(struct connection *connection, uint8_t flags) __attribute__((nonnull));
/* Refuse it, Status-Class ≠ 0, and close the connection. */
void target_login_refuse(struct connection *connection, unsigned int status, const struct err *err)
	__attribute__((nonnull));
/* Whether the rules let it go on; where they do not it was answered, or will never be. */
bool target_login_goes_on(struct connection *connection, enum event event) __attribute__((nonnull));
/* The last response, and everything of the full feature phase in force behind it. */
void target_login_finish(struct connection *connection, uint8_t flags) __attribute__((nonnull));

/* login_keys.c: what we offer, before all else. */
void target_login_wish(struct target_login *login) __attribute__((nonnull));

/*
 * All of these return 0, or the status of a refusal with *err set.
 *
 * Who logs in to what: names, session type and TSIH of the first request,
 * whatever the order of its keys is (login_names.c).
 */
unsigned int target_login_names(struct connection *connection, struct text_iter it, struct err *err)
	__attribute__((nonnull));
/* All pairs of a whole request, and the answer to them (login_keys.c). */
unsigned int target_login_keys(struct connection *connection, struct text_iter it, struct err *err)
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
