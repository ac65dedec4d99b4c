/* SPDX-License-Identifier: MIT */
/* SendTargets discovery of many portals at once (RFC 7143, 4.3, Appendix C). */
#ifndef SGW_ISCSI_INITIATOR_H
#define SGW_ISCSI_INITIATOR_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "iscsi/login.h"
#include "iscsi/portal.h"
#include "iscsi/targets.h"
#include "os/sockets.h"

struct discovery;
struct loop;

/* The first field must be set; 0 and NULL elsewhere take the defaults. */
struct discovery_options {
	const char *initiator_name; /* outlives the discovery, as all that is pointed to */
	uint32_t connect_ms; /* each address of a portal: 3000 */
	uint32_t answer_ms; /* silence while an answer is due: 10000 */
	uint32_t total_ms; /* one portal in all, its host's look-up included: 30000 */
	unsigned int max_in_flight; /* portals at a time: 64 */
	size_t max_bytes; /* of one answer: 16 MiB */
	/* CHAP for the discovery session; see login.h. LOGIN_AUTH_NONE is the default. */
	enum login_auth auth;
	uint8_t algorithms[CHAP_ALGORITHMS_MAX];
	const char *user;
	struct chap_secret secret;
	struct chap_secret target_secret;
	const char *target_user;
};

/* How far a portal's discovery came. */
enum discovery_stage {
	DISCOVERY_RESOLVE,
	DISCOVERY_CONNECT,
	DISCOVERY_LOGIN,
	DISCOVERY_TEXT,
	DISCOVERY_LOGOUT, /* all targets are there */
};
/* "host look-up", "connect", "login", "SendTargets", "logout" */
const char *discovery_stage_name(enum discovery_stage stage);

struct discovery_result {
	size_t number; /* of the portal, in the order in which they were added, from 0 */
	struct portal asked; /* as it was added */
	/*
	 * 0, or the negative errno in err: its place is the portal, its reason
	 * names stage and cause. targets.refused > 0 with rc 0: some records were
	 * bad, and the notes say which.
	 */
	int rc;
	struct err err;
	enum discovery_stage stage;
	uint16_t status; /* of the last Login Response; enum login_status */
	enum login_verdict ours, theirs;
	bool moved_for_good; /* it redirected us, and for good (0102) */
	struct portal answered; /* who gave the answer: asked, or where it redirected us to */
	struct socket_address address; /* the same as an address; len 0 before a connect */
	uint64_t connect_us; /* what the connect took, in microseconds */
	struct targets targets;
	struct buf notes; /* remarks that belong to no target, a line each, escaped */
};

/* Frees what the result holds, not the result. All zero is fine. */
void discovery_result_done(struct discovery_result *result) __attribute__((nonnull));

/*
 * Portals are added at any time, also from within the calls back. found is
 * called inside the loop for each as soon as its result is there; to keep the
 * result, copy the struct and set *result to all zero. idle is called whenever
 * nothing is left to do; it may free the discovery. Both get arg.
 */
struct discovery *discovery_new(struct loop *loop, const struct discovery_options *options,
				void (*found)(void *arg, struct discovery_result *result),
				void (*idle)(void *arg), void *arg, struct err *err)
	__attribute__((nonnull(1, 2, 3, 6)));
/* Gives up what is under way, without a word to anybody. NULL is fine. */
void discovery_free(struct discovery *discovery);
/* Queue a portal; its tag has no meaning here. 0 or -ENOMEM. */
int discovery_add(struct discovery *discovery, const struct portal *portal, struct err *err)
	__attribute__((nonnull));

/*
 * The same in one call with a loop of its own: results[i] belongs to
 * portals[i]; each is due discovery_result_done. 0, or a negative errno where
 * the discovery as a whole could not be run (a portal's failure is its result's).
 */
int discovery_run(const struct portal *portals, size_t count,
		  const struct discovery_options *options, struct discovery_result *results,
		  struct err *err) __attribute__((nonnull));

#endif
