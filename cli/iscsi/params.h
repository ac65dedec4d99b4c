/* SPDX-License-Identifier: MIT */
/* The keys of RFC 7143: what each may be, who may send it when, and how two sides agree on it. */
#ifndef SGW_ISCSI_PARAMS_H
#define SGW_ISCSI_PARAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "iscsi/pdu.h"
#include "iscsi/text.h"

struct buf;
struct err;

enum param {
	/* security (12) */
	PARAM_AUTH_METHOD,
	PARAM_CHAP_A,
	PARAM_CHAP_I,
	PARAM_CHAP_C,
	PARAM_CHAP_N,
	PARAM_CHAP_R,
	/* names and addresses, declared (13) */
	PARAM_INITIATOR_NAME,
	PARAM_INITIATOR_ALIAS,
	PARAM_TARGET_NAME,
	PARAM_TARGET_ALIAS,
	PARAM_TARGET_ADDRESS,
	PARAM_TARGET_PORTAL_GROUP_TAG,
	PARAM_SESSION_TYPE,
	PARAM_SEND_TARGETS,
	/* operational (13) */
	PARAM_HEADER_DIGEST,
	PARAM_DATA_DIGEST,
	PARAM_MAX_CONNECTIONS,
	PARAM_INITIAL_R2T,
	PARAM_IMMEDIATE_DATA,
	PARAM_MAX_RECV_DATA_SEGMENT_LENGTH,
	PARAM_MAX_BURST_LENGTH,
	PARAM_FIRST_BURST_LENGTH,
	PARAM_DEFAULT_TIME2WAIT,
	PARAM_DEFAULT_TIME2RETAIN,
	PARAM_MAX_OUTSTANDING_R2T,
	PARAM_DATA_PDU_IN_ORDER,
	PARAM_DATA_SEQUENCE_IN_ORDER,
	PARAM_ERROR_RECOVERY_LEVEL,
	PARAM_TASK_REPORTING,
	PARAM_PROTOCOL_LEVEL,
	/* obsolete (13.25) */
	PARAM_IF_MARKER,
	PARAM_OF_MARKER,
	PARAM_IF_MARK_INT,
	PARAM_OF_MARK_INT,
	PARAM_COUNT,
	PARAM_UNKNOWN = PARAM_COUNT,
};

enum param_kind {
	PARAM_BOOL, /* Yes, No: 1, 0 */
	PARAM_NUMBER,
	PARAM_LIST, /* one of `choices`, its index */
	PARAM_TEXT, /* kept by nobody here: the caller reads the pair */
};

enum param_merge {
	MERGE_DECLARED, /* each side says its own; no answer */
	MERGE_OR,
	MERGE_AND,
	MERGE_MIN,
	MERGE_MAX,
	MERGE_FIRST, /* the first of the offered list that the other side does */
	MERGE_SECURITY, /* chap.h decides */
	MERGE_OBSOLETE, /* refused, but known (13.25) */
};

/* Choices of PARAM_LIST keys: the values of params->value. */
enum { AUTH_NONE = 0, AUTH_CHAP = 1 };
enum { DIGEST_NONE = 0, DIGEST_CRC32C = 1 };
enum { SESSION_NORMAL = 0, SESSION_DISCOVERY = 1 };
enum { TASK_RFC3720 = 0, TASK_RESPONSE_FENCE = 1, TASK_FAST_ABORT = 2 };

enum { PARAM_CHOICES_MAX = 4 };

enum {
	PARAM_FROM_INITIATOR = 0x01, /* who may send it */
	PARAM_FROM_TARGET = 0x02,
	PARAM_FROM_BOTH = 0x03,
	PARAM_REPEATS = 0x04, /* may stand more than once (TargetAddress) */
	PARAM_NO_DISCOVERY = 0x08, /* Irrelevant when SessionType=Discovery */
	PARAM_LEADING_ONLY = 0x10, /* the session's first login alone */
};

/* One row for each key; `stages` has bit 1 << login_stage for each stage it may stand in. */
struct param_def {
	const char *key;
	enum param_kind kind;
	enum param_merge merge;
	uint32_t min, max, fallback; /* range and default */
	uint8_t stages;
	uint8_t flags;
	const char *section; /* of RFC 7143 */
	const char *const *choices; /* PARAM_LIST, ends in NULL */
};

extern const struct param_def param_defs[PARAM_COUNT];

/* The key's number, or PARAM_UNKNOWN. Case counts (6.1). */
enum param param_find(const char *key) __attribute__((nonnull));

/* A value as it is written: "Yes", "CRC32C", "262144". The text is constant or within out. */
const char *param_text(enum param key, uint32_t value, char out[16]) __attribute__((nonnull));

enum params_role { PARAMS_INITIATOR, PARAMS_TARGET };

/*
 * One side of a negotiation. It is a plain value: a copy is a transaction, so
 * a text negotiation works on a copy and keeps it when the exchange ends (6.4).
 */
struct params {
	enum params_role role;
	/*
	 * What is in force: the RFC's defaults, then what was agreed. Of
	 * MaxRecvDataSegmentLength and the names it is what the peer declared.
	 */
	uint32_t value[PARAM_COUNT];
	/* What this side offers, and the limit or wish its answers respect (PARAM_LIST: see below). */
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
