/* SPDX-License-Identifier: MIT */
/* One side of a negotiation: offers, answers, and what is in force (RFC 7143, 6.2). */
#ifndef SGW_ISCSI_PARAMS_H
#define SGW_ISCSI_PARAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "iscsi/param.h"
#include "iscsi/pdu.h"
#include "iscsi/text.h"

struct buf;
struct err;

enum params_role { PARAMS_INITIATOR, PARAMS_TARGET };

/*
 * One side of a negotiation. It is a plain value: a copy is a transaction, so
 * a text negotiation works on a copy and keeps it when the exchange ends (6.4).
 */
struct params {
	enum params_role role;
	/* A login that joins a session: keys of the leading login have no place in it. */
	bool joining;
	/*
	 * What is in force: the RFC's defaults, then what was agreed. Of
	 * MaxRecvDataSegmentLength and the names it is what the peer declared.
	 */
	uint32_t value[PARAM_COUNT];
	/*
	 * What this side offers, and the limit or wish its answers respect
	 * (PARAM_LIST: see below).
	 */
	uint32_t ours[PARAM_COUNT];
	uint8_t order[PARAM_COUNT]
		     [PARAM_CHOICES_MAX]; /* PARAM_LIST: choices we do, + 1, best first */
	uint64_t wanted; /* keys set by params_set and params_set_list */
	uint64_t received; /* keys the peer sent in this negotiation */
	uint64_t sent; /* keys we sent: offers and declarations */
	uint64_t open; /* offers of ours that were not answered yet */
	uint32_t strangers; /* unknown keys so far: they are bounded */
	bool first_burst_waits; /* see params_settle */
};

/* RFC defaults in force; ours the same, digests None, AuthMethod None. */
void params_init(struct params *params, enum params_role role) __attribute__((nonnull));
/* A new text negotiation in the full feature phase: what was received and sent is forgotten. */
void params_restart(struct params *params) __attribute__((nonnull));

/* Set what this side wants. 0, or -ERANGE where the key's range does not have it. */
int params_set(struct params *params, enum param key, uint32_t value, struct err *err)
	__attribute__((nonnull));
/* Set the choices of a list key this side does, best first: "CRC32C,None". 0 or -EINVAL. */
int params_set_list(struct params *params, enum param key, const char *list, struct err *err)
	__attribute__((nonnull));

/*
 * Append our offer or declaration of a key to out. Nothing happens where the
 * key was already sent, was already offered by the peer, or is irrelevant in
 * this session.
 */
void params_offer(struct params *params, enum param key, struct buf *out) __attribute__((nonnull));
/* The same for every operational key that was set by params_set and params_set_list. */
void params_offer_wanted(struct params *params, struct buf *out) __attribute__((nonnull));

/* What became of a received pair. */
enum params_outcome {
	PARAMS_DECLARED, /* the peer declared it; PARAM_TEXT: read the pair */
	PARAMS_SECURITY, /* CHAP_x: for chap.h */
	PARAMS_ANSWERED, /* an offer, answered and in force */
	PARAMS_REJECTED, /* an offer we answered Reject: the default stays */
	PARAMS_IRRELEVANT, /* an offer answered Irrelevant */
	PARAMS_STRANGER, /* an unknown key, answered NotUnderstood */
	PARAMS_AGREED, /* the answer to our offer; it is in force */
	PARAMS_PEER_REJECTED, /* our offer was answered Reject: the default stays */
	PARAMS_PEER_IRRELEVANT,
	PARAMS_PEER_NOT_UNDERSTOOD,
};

/*
 * Take one pair the peer sent in `stage`: an offer is answered into out, an
 * answer is checked against our offer, a declaration is noted. *key receives
 * the key. Returns an enum params_outcome, or -EPROTO where the negotiation
 * has failed (a target answers 0200 or Reject and closes; an initiator closes):
 * a key twice, in the wrong stage, of the wrong side; a declaration out of
 * range; an answer that the merge rule cannot give; Reject, Irrelevant or
 * NotUnderstood as an offer; a value that is too long.
 */
int params_receive(struct params *params, enum login_stage stage, const struct text_pair *pair,
		   struct buf *out, enum param *key, struct err *err) __attribute__((nonnull));

/*
 * After all pairs of one PDU (or of a continued sequence): answer what had to
 * wait for other keys, which is FirstBurstLength: it must not exceed
 * MaxBurstLength, and may stand before it (13.14).
 */
void params_settle(struct params *params, struct buf *out) __attribute__((nonnull));

#endif
