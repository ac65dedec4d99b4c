/* SPDX-License-Identifier: MIT */
#include "iscsi/param.h"

#include <stdio.h>
#include <string.h>

#include "iscsi/name.h"
#include "iscsi/pdu.h"
#include "iscsi/text.h"

enum {
	IN_SECURITY = 1 << STAGE_SECURITY,
	IN_OPERATIONAL = 1 << STAGE_OPERATIONAL,
	IN_LOGIN = IN_SECURITY | IN_OPERATIONAL,
	IN_FULL = 1 << STAGE_FULL_FEATURE,
	ANYWHERE = IN_LOGIN | IN_FULL,

	LENGTH_MIN = 512,
	LENGTH_MAX = 16777215,
};

static const char *const auth_choices[] = { "None", "CHAP", NULL };
static const char *const digest_choices[] = { "None", "CRC32C", NULL };
static const char *const session_choices[] = { "Normal", "Discovery", NULL };
static const char *const task_choices[] = { "RFC3720", "ResponseFence", "FastAbort", NULL };

#define BOTH PARAM_FROM_BOTH
#define LEADING (PARAM_FROM_BOTH | PARAM_LEADING_ONLY)
#define NORMAL (PARAM_FROM_BOTH | PARAM_LEADING_ONLY | PARAM_NO_DISCOVERY)
#define INITIATOR PARAM_FROM_INITIATOR
#define TARGET PARAM_FROM_TARGET

/* clang-format off */
const struct param_def param_defs[PARAM_COUNT] = {
	/*
	 * key, kind, merge rule, min, max, default, stages, flags, section,
	 * choices; text: max is its length
	 */
	[PARAM_AUTH_METHOD] = { "AuthMethod", PARAM_LIST, MERGE_FIRST,
		0, 1, AUTH_NONE, IN_SECURITY, BOTH, "12.1", auth_choices },
	[PARAM_CHAP_A] = { "CHAP_A", PARAM_TEXT, MERGE_SECURITY,
		0, TEXT_VALUE_MAX, 0, IN_SECURITY, BOTH, "12.1.3", NULL },
	[PARAM_CHAP_I] = { "CHAP_I", PARAM_TEXT, MERGE_SECURITY,
		0, TEXT_VALUE_MAX, 0, IN_SECURITY, BOTH, "12.1.3", NULL },
	[PARAM_CHAP_C] = { "CHAP_C", PARAM_TEXT, MERGE_SECURITY,
		0, TEXT_BINARY_TEXT_MAX, 0, IN_SECURITY, BOTH, "12.1.3", NULL },
	[PARAM_CHAP_N] = { "CHAP_N", PARAM_TEXT, MERGE_SECURITY,
		0, TEXT_VALUE_MAX, 0, IN_SECURITY, BOTH, "12.1.3", NULL },
	[PARAM_CHAP_R] = { "CHAP_R", PARAM_TEXT, MERGE_SECURITY,
		0, TEXT_BINARY_TEXT_MAX, 0, IN_SECURITY, BOTH, "12.1.3", NULL },

	[PARAM_INITIATOR_NAME] = { "InitiatorName", PARAM_TEXT, MERGE_DECLARED,
		1, NAME_MAX_LEN, 0, IN_LOGIN, INITIATOR, "13.5", NULL },
	[PARAM_INITIATOR_ALIAS] = { "InitiatorAlias", PARAM_TEXT, MERGE_DECLARED,
		0, TEXT_VALUE_MAX, 0, ANYWHERE, INITIATOR, "13.7", NULL },
	[PARAM_TARGET_NAME] = { "TargetName", PARAM_TEXT, MERGE_DECLARED,
		1, NAME_MAX_LEN, 0, IN_LOGIN, INITIATOR, "13.4", NULL },
	[PARAM_TARGET_ALIAS] = { "TargetAlias", PARAM_TEXT, MERGE_DECLARED,
		0, TEXT_VALUE_MAX, 0, ANYWHERE, TARGET, "13.6", NULL },
	[PARAM_TARGET_ADDRESS] = { "TargetAddress", PARAM_TEXT, MERGE_DECLARED,
		1, TEXT_VALUE_MAX, 0, ANYWHERE, TARGET | PARAM_REPEATS, "13.8", NULL },
	[PARAM_TARGET_PORTAL_GROUP_TAG] = { "TargetPortalGroupTag", PARAM_NUMBER, MERGE_DECLARED,
		0, 65535, 0, IN_LOGIN, TARGET, "13.9", NULL },
	[PARAM_SESSION_TYPE] = { "SessionType", PARAM_LIST, MERGE_DECLARED,
		0, 1, SESSION_NORMAL, IN_LOGIN, INITIATOR | PARAM_LEADING_ONLY, "13.21",
		session_choices },
	[PARAM_SEND_TARGETS] = { "SendTargets", PARAM_TEXT, MERGE_DECLARED,
		0, TEXT_VALUE_MAX, 0, IN_FULL, INITIATOR, "C", NULL },

	[PARAM_HEADER_DIGEST] = { "HeaderDigest", PARAM_LIST, MERGE_FIRST,
		0, 1, DIGEST_NONE, IN_OPERATIONAL, BOTH, "13.1", digest_choices },
	[PARAM_DATA_DIGEST] = { "DataDigest", PARAM_LIST, MERGE_FIRST,
		0, 1, DIGEST_NONE, IN_OPERATIONAL, BOTH, "13.1", digest_choices },
	[PARAM_MAX_CONNECTIONS] = { "MaxConnections", PARAM_NUMBER, MERGE_MIN,
		1, 65535, 1, IN_OPERATIONAL, NORMAL, "13.2", NULL },
	[PARAM_INITIAL_R2T] = { "InitialR2T", PARAM_BOOL, MERGE_OR,
		0, 1, 1, IN_OPERATIONAL, NORMAL, "13.10", NULL },
	[PARAM_IMMEDIATE_DATA] = { "ImmediateData", PARAM_BOOL, MERGE_AND,
		0, 1, 1, IN_OPERATIONAL, NORMAL, "13.11", NULL },
	[PARAM_MAX_RECV_DATA_SEGMENT_LENGTH] = { "MaxRecvDataSegmentLength", PARAM_NUMBER,
		MERGE_DECLARED, LENGTH_MIN, LENGTH_MAX, PDU_LOGIN_DATA_MAX,
		IN_OPERATIONAL | IN_FULL, BOTH, "13.12", NULL },
	[PARAM_MAX_BURST_LENGTH] = { "MaxBurstLength", PARAM_NUMBER, MERGE_MIN,
		LENGTH_MIN, LENGTH_MAX, 262144, IN_OPERATIONAL, NORMAL, "13.13", NULL },
	[PARAM_FIRST_BURST_LENGTH] = { "FirstBurstLength", PARAM_NUMBER, MERGE_MIN,
		LENGTH_MIN, LENGTH_MAX, 65536, IN_OPERATIONAL, NORMAL, "13.14", NULL },
	[PARAM_DEFAULT_TIME2WAIT] = { "DefaultTime2Wait", PARAM_NUMBER, MERGE_MAX,
		0, 3600, 2, IN_OPERATIONAL, LEADING, "13.15", NULL },
	[PARAM_DEFAULT_TIME2RETAIN] = { "DefaultTime2Retain", PARAM_NUMBER, MERGE_MIN,
		0, 3600, 20, IN_OPERATIONAL, LEADING, "13.16", NULL },
	[PARAM_MAX_OUTSTANDING_R2T] = { "MaxOutstandingR2T", PARAM_NUMBER, MERGE_MIN,
		1, 65535, 1, IN_OPERATIONAL, NORMAL, "13.17", NULL },
	[PARAM_DATA_PDU_IN_ORDER] = { "DataPDUInOrder", PARAM_BOOL, MERGE_OR,
		0, 1, 1, IN_OPERATIONAL, NORMAL, "13.18", NULL },
	[PARAM_DATA_SEQUENCE_IN_ORDER] = { "DataSequenceInOrder", PARAM_BOOL, MERGE_OR,
		0, 1, 1, IN_OPERATIONAL, NORMAL, "13.19", NULL },
	[PARAM_ERROR_RECOVERY_LEVEL] = { "ErrorRecoveryLevel", PARAM_NUMBER, MERGE_MIN,
		0, 2, 0, IN_OPERATIONAL, LEADING, "13.20", NULL },
	[PARAM_TASK_REPORTING] = { "TaskReporting", PARAM_LIST, MERGE_FIRST,
		0, 2, TASK_RFC3720, IN_OPERATIONAL, NORMAL, "13.23", task_choices },
	[PARAM_PROTOCOL_LEVEL] = { "iSCSIProtocolLevel", PARAM_NUMBER, MERGE_MIN,
		0, 31, 1, IN_OPERATIONAL, NORMAL, "13.24", NULL },

	[PARAM_IF_MARKER] = { "IFMarker", PARAM_BOOL, MERGE_OBSOLETE,
		0, 1, 0, IN_OPERATIONAL, BOTH, "13.25", NULL },
	[PARAM_OF_MARKER] = { "OFMarker", PARAM_BOOL, MERGE_OBSOLETE,
		0, 1, 0, IN_OPERATIONAL, BOTH, "13.25", NULL },
	[PARAM_IF_MARK_INT] = { "IFMarkInt", PARAM_NUMBER, MERGE_OBSOLETE,
		1, 65535, 2048, IN_OPERATIONAL, BOTH, "13.25", NULL },
	[PARAM_OF_MARK_INT] = { "OFMarkInt", PARAM_NUMBER, MERGE_OBSOLETE,
		1, 65535, 2048, IN_OPERATIONAL, BOTH, "13.25", NULL },
};
/* clang-format on */

enum param param_find(const char *key)
{
	for (unsigned int i = 0; i < PARAM_COUNT; i++)
		if (param_defs[i].key[0] == key[0] && strcmp(param_defs[i].key, key) == 0)
			return (enum param)i;
	return PARAM_UNKNOWN;
}

const char *param_text(enum param key, uint32_t value, char out[16])
{
	const struct param_def *def = &param_defs[key];

	if (def->kind == PARAM_BOOL)
		return value ? "Yes" : "No";
	if (def->kind == PARAM_LIST)
		return def->choices[value];
	snprintf(out, 16, "%u", value);
	return out;
}
