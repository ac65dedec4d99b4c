/* SPDX-License-Identifier: MIT */
/*
 * Many targets probed side by side, and what they would wrongly accept tried
 * out where asked for.
 */
#ifndef SGW_PROBING_H
#define SGW_PROBING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "credentials.h"
#include "iscsi/probe.h"

struct err;

/* What --audit tries, each with a login of its own. */
enum audit {
	AUDIT_NO_CHAP, /* a login without CHAP where CHAP is demanded */
	AUDIT_WRONG_SECRET,
	AUDIT_REFLECTED, /* the right secret, and the target's own challenge sent back to it */
	AUDIT_ONE_WAY, /* the right secret, no proof asked for */
	AUDIT_DISCOVERY, /* a discovery session without CHAP */
	AUDITS,
};

enum audit_outcome {
	AUDIT_NOT_TRIED, /* it makes no sense here */
	AUDIT_REFUSED, /* as it should be */
	AUDIT_ALLOWED, /* accepted, and the standard leaves that to the target */
	AUDIT_WRONG, /* wrongly accepted */
	AUDIT_UNKNOWN, /* no verdict: the connection did not come so far */
};

/* "no-chap" … for programs, and "a login without CHAP" */
const char *audit_word(enum audit audit);
const char *audit_text(enum audit audit);
const char *audit_outcome_word(enum audit_outcome outcome);

struct probed {
	/* Set by the caller. */
	const char *target;
	struct portal portal;
	struct credentials credentials;
	struct params offers;
	bool proofs_only; /* no session is to begin: see login.h */
	const char *live; /* a session of this host that stands in the way; NULL: none */

	/* What came of it. */
	struct probe_result result;
	enum audit_outcome audits[AUDITS];
};

void probed_done(struct probed *probed);
/* Logged in, proven as far as asked for, all units told; nothing was wrongly accepted. */
bool probed_is_fine(const struct probed *probed);
enum probe_cause probed_cause(const struct probed *probed);
/* probe_cause_remedy, or what is better to do with these credentials; may be NULL. */
const char *probed_remedy(const struct probed *probed);

/*
 * Probe all but those with a live session, some at a time. initiator and what
 * the list points to outlive the call. 0, or a negative errno where it could
 * not be run as a whole.
 */
int probing_run(struct probed *list, size_t count, const char *initiator, uint32_t timeout_ms,
		bool audit, struct err *err);

#endif
