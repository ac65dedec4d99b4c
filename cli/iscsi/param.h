/* SPDX-License-Identifier: MIT */
/* The keys of RFC 7143 as one table: what each may be, who may send it when, how it is merged. */
#ifndef SGW_ISCSI_PARAM_H
#define SGW_ISCSI_PARAM_H

#include <stdint.h>

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

#endif
