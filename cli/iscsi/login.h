/* SPDX-License-Identifier: MIT */
/* The initiator's side of a login (RFC 7143, 6.3, 11.12, 12.1): PDUs in, PDUs out, no I/O. */
#ifndef SGW_ISCSI_LOGIN_H
#define SGW_ISCSI_LOGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "iscsi/chap.h"
#include "iscsi/params.h"
#include "iscsi/pdu.h"
#include "iscsi/portal.h"

struct err;

enum {
	LOGIN_REDIRECTS_MAX = 8, /* addresses of one redirection that are kept */
	LOGIN_ROUNDS_MAX = 64, /* responses of one login */
	LOGIN_TEXT_MAX = 65536, /* bytes of one continued answer */
};

enum login_auth {
	LOGIN_AUTH_NONE, /* offer None: log in without CHAP or not at all */
	LOGIN_AUTH_CHAP, /* offer CHAP: never without it */
	LOGIN_AUTH_EITHER, /* offer CHAP,None: as the target likes */
};

/* What to log in with. All that is pointed to stays the caller's and outlives the login. */
struct login_config {
	const char *initiator_name;
	const char *target_name; /* NULL: a discovery session */
	uint8_t isid[ISID_LEN]; /* login_isid_random */
	int32_t portal_group_tag; /* as discovered, or PORTAL_NO_TAG */

	enum login_auth auth;
	uint8_t algorithms[CHAP_ALGORITHMS_MAX]; /* CHAP_A in order, 0 ends it; all 0: MD5 */
	const char *user; /* we prove ourselves as this, with … */
	struct chap_secret secret;
	/* The target has to prove itself with this; len 0: it has not to (one-way CHAP). */
	struct chap_secret target_secret;
	const char *target_user; /* under this very name; NULL: any */
	/*
	 * End with -ECANCELED once both sides are proven: no session begins,
	 * and none is touched.
	 */
	bool proofs_only;
	bool reflect; /* an audit: send the target's own challenge back to it */
	struct chap_memory *memory; /* challenges of this process; may be NULL */
};

/* Where a login stands. */
enum login_step {
	STEP_METHOD, /* AuthMethod was offered */
	STEP_ALGORITHM, /* CHAP_A was offered */
	STEP_PROOF, /* CHAP_N and CHAP_R were sent, CHAP_I and CHAP_C too where we ask for proof */
	STEP_LEAVE, /* all is proven; the target does not move on yet */
	STEP_OPERATIONAL, /* operational keys were offered */
	STEP_DONE,
	STEP_FAILED,
};

/* What came of the proof in one direction. */
enum login_verdict {
	VERDICT_NONE, /* the login ended before it */
	VERDICT_NOT_ASKED, /* nobody asked for it */
	VERDICT_ACCEPTED,
	VERDICT_WRONG, /* the proof was refused: the secret, or the user name, is another */
	VERDICT_WRONG_NAME, /* the target proved itself under a name that is not expected */
	VERDICT_MISSING, /* a proof was demanded, and none was given */
	VERDICT_NO_METHOD, /* the two sides have no AuthMethod in common */
	VERDICT_NO_ALGORITHM, /* … no CHAP_A in common */
	VERDICT_REFLECTED, /* a challenge or a response of ours came back */
	VERDICT_MALFORMED, /* a challenge or a response was none */
};
/* "accepted", "wrong secret or name" … */
const char *login_verdict_name(enum login_verdict verdict);

struct login {
	const struct login_config *config;
	struct params params; /* what is in force once the login is done */
	enum login_step step;

	/* Numbers for what follows the login: the first command carries cmd_sn. */
	uint32_t itt, cmd_sn, exp_stat_sn, exp_cmd_sn, max_cmd_sn;
	uint16_t tsih;

	/* What came of it, also after a failure. */
	uint16_t status; /* enum login_status of the target's last response */
	enum login_verdict ours; /* the target's verdict on our proof */
	enum login_verdict theirs; /* our verdict on the target's */
	struct portal redirects[LOGIN_REDIRECTS_MAX];
	size_t redirect_count;
	struct buf notes; /* remarks, a line each, escaped */

	/* Private. */
	unsigned int rounds;
	struct buf in; /* the text of a continued answer */
	struct buf text; /* our text, and how much of it was sent */
	size_t text_sent;
	bool transit; /* the last request had T */
	const char *section; /* of the row in hand */
	unsigned int waiting; /* answers to the target's own offers in text */
	int algorithm;
	struct chap_challenge challenge; /* ours */
};

/* An ISID of the random format (11.12.5, T=10b): it can never be that of another initiator here. */
int login_isid_random(uint8_t isid[ISID_LEN], struct err *err) __attribute__((nonnull));

/*
 * Begin: the first request is appended to out. params hold what was set by
 * params_set and params_set_list for the operational stage; they are copied.
 * 0, or a negative errno. login_done is due either way.
 */
int login_start(struct login *login, const struct login_config *config, const struct params *params,
		struct buf *out, struct err *err) __attribute__((nonnull));
void login_done(struct login *login) __attribute__((nonnull));

enum login_outcome {
	LOGIN_GOES_ON, /* out has the next request */
	LOGIN_COMPLETE, /* full feature phase: digests and lengths of params are in force */
	LOGIN_REDIRECTED, /* log in at one of `redirects` instead; status says for how long */
};
/*
 * Take a PDU of the target. Returns an enum login_outcome; or a negative errno
 * when the login has failed and the connection must be closed: *err says which
 * side refused and why, `status`, `ours` and `theirs` say it to a program.
 */
int login_receive(struct login *login, const struct pdu *pdu, struct buf *out, struct err *err)
	__attribute__((nonnull));

/* "security stage, waiting for the challenge" …: for errors of those who do the I/O. */
const char *login_step_name(enum login_step step);

#endif
