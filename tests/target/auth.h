/* SPDX-License-Identifier: MIT */
/*
 * The target's side of CHAP: who must prove himself, the order of the keys, and
 * the proof (RFC 7143, 12.1.3).
 */
#ifndef SGW_TARGET_AUTH_H
#define SGW_TARGET_AUTH_H

#include <stdbool.h>

#include "iscsi/chap.h"
#include "iscsi/params.h"

struct buf;
struct err;
struct gateway;
struct target;

enum auth_step {
	AUTH_NO_METHOD, /* none was agreed on */
	AUTH_WAITS_ALGORITHM, /* CHAP was: CHAP_A is next */
	AUTH_WAITS_RESPONSE, /* the challenge is out: CHAP_N and CHAP_R are next */
	AUTH_DONE,
};

struct auth {
	enum auth_step step;
	bool demanded; /* without a proof there is no login */
	bool proven; /* the initiator has proven itself */
	bool mutual; /* so has the target */
	int algorithm;
	struct chap_challenge challenge;
};

/* Who logs in to what. */
struct auth_parties {
	const char *initiator; /* InitiatorName in lower case */
	const char *sent_name; /* as it was sent */
	const struct target *target; /* NULL: discovery that names none */
};

enum { AUTH_KEYS = PARAM_CHAP_R - PARAM_CHAP_A + 1 };

/*
 * The AuthMethods that are accepted, for params_set_list; *auth notes whether
 * a proof is demanded. A target with credentials demands one. Discovery that
 * names no target does not, but takes one made with any target's.
 */
const char *auth_methods(struct auth *auth, const struct gateway *gateway,
			 const struct target *target) __attribute__((nonnull(1, 2)));
/* AuthMethod was answered with this choice (AUTH_NONE, AUTH_CHAP). */
void auth_method(struct auth *auth, uint32_t choice) __attribute__((nonnull));

/*
 * Take the CHAP keys of one request (by key - PARAM_CHAP_A, NULL where it has
 * none; at least one is there) and append the answer to out. 0, or a login
 * status: 0201, or 0202 where the proof is right and the initiator another
 * one; *err says why, for the transcript alone.
 */
unsigned int auth_receive(struct auth *auth, struct gateway *gateway,
			  const struct auth_parties *parties,
			  const char *const keys[static AUTH_KEYS], struct buf *out,
			  struct err *err) __attribute__((nonnull));

/* "none", "one-way", "mutual". */
const char *auth_word(const struct auth *auth) __attribute__((nonnull));

#endif
