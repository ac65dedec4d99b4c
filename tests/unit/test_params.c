/* SPDX-License-Identifier: MIT */
#include "iscsi/params.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"
#include "err.h"

/* Pairs are written "A=1;B=2"; in the segment a NUL ends each. */
static void add_pairs(struct buf *out, const char *pairs)
{
	size_t len = strlen(pairs);

	if (len == 0)
		return;
	buf_add(out, pairs, len + 1);
	for (size_t i = 0; i < out->len; i++)
		if (out->data[i] == ';')
			out->data[i] = '\0';
}

/* Run the pairs through; the answers into `answer` as "A=1;B=2". 0 or the error. */
static int receive(struct params *params, enum login_stage stage, const char *pairs, char *answer,
		   size_t size, struct err *err)
{
	CLEANUP(buf_done) struct buf in = { .data = NULL };
	CLEANUP(buf_done) struct buf out = { .data = NULL };
	struct text_iter it;
	struct text_pair pair;
	enum param key;
	int rc;

	add_pairs(&in, pairs);
	it = (struct text_iter){ in.data, in.len };
	while ((rc = text_next(&it, &pair, err)) > 0) {
		rc = params_receive(params, stage, &pair, &out, &key, err);
		if (rc < 0)
			return rc;
	}
	params_settle(params, &out);
	for (size_t i = 0; i + 1 < out.len; i++)
		if (out.data[i] == '\0')
			out.data[i] = ';';
	snprintf(answer, size, "%s", buf_text(&out));
	return rc;
}

#define S STAGE_SECURITY
#define O STAGE_OPERATIONAL
#define F STAGE_FULL_FEATURE

/* What a target answers; L-KEY-1 to L-KEY-16 of the conformance list. */
static void test_answers_of_a_target(void **state)
{
	static const struct {
		const char *id;
		enum login_stage stage;
		const char *offer;
		const char *answer; /* NULL: the login fails */
	} rows[] = {
		{ "L-KEY-1", O, "HeaderDigest=CRC32C,None", "HeaderDigest=CRC32C" },
		{ "L-KEY-1", O, "DataDigest=None,CRC32C", "DataDigest=None" },
		{ "L-KEY-1", O, "HeaderDigest=foo,CRC32C", "HeaderDigest=CRC32C" },
		{ "L-KEY-1", O, "HeaderDigest=foo", "HeaderDigest=Reject" },
		{ "L-KEY-1", O, "HeaderDigest=", "HeaderDigest=Reject" },
		{ "L-KEY-1", O, "HeaderDigest=crc32c", "HeaderDigest=Reject" },
		{ "L-KEY-2", O, "MaxConnections=1", "MaxConnections=1" },
		{ "L-KEY-2", O, "MaxConnections=8", "MaxConnections=1" },
		{ "L-KEY-2", O, "MaxConnections=65535", "MaxConnections=1" },
		{ "L-KEY-2", O, "MaxConnections=0", "MaxConnections=Reject" },
		{ "L-KEY-2", O, "MaxConnections=65536", "MaxConnections=Reject" },
		{ "L-KEY-3", O, "InitialR2T=Yes", "InitialR2T=Yes" },
		{ "L-KEY-3", O, "InitialR2T=No", "InitialR2T=No" },
		{ "L-KEY-3", O, "ImmediateData=Yes", "ImmediateData=Yes" },
		{ "L-KEY-3", O, "ImmediateData=No", "ImmediateData=No" },
		{ "L-KEY-3", O, "DataPDUInOrder=No", "DataPDUInOrder=Yes" },
		{ "L-KEY-3", O, "DataSequenceInOrder=No", "DataSequenceInOrder=Yes" },
		{ "L-KEY-3", O, "ImmediateData=yes", "ImmediateData=Reject" },
		{ "L-KEY-3", O, "ImmediateData=1", "ImmediateData=Reject" },
		{ "L-KEY-3", O, "InitialR2T=", "InitialR2T=Reject" },
		{ "L-KEY-4", O, "MaxRecvDataSegmentLength=512", "" },
		{ "L-KEY-4", O, "MaxRecvDataSegmentLength=16777215", "" },
		{ "L-KEY-4", O, "MaxRecvDataSegmentLength=0", NULL },
		{ "L-KEY-4", O, "MaxRecvDataSegmentLength=511", NULL },
		{ "L-KEY-4", O, "MaxRecvDataSegmentLength=16777216", NULL },
		{ "L-KEY-5", O, "MaxBurstLength=512", "MaxBurstLength=512" },
		{ "L-KEY-5", O, "MaxBurstLength=16777215", "MaxBurstLength=1048576" },
		{ "L-KEY-5", O, "MaxBurstLength=16777216", "MaxBurstLength=Reject" },
		{ "L-KEY-5", O, "MaxBurstLength=511", "MaxBurstLength=Reject" },
		{ "L-KEY-5", O, "FirstBurstLength=16777215", "FirstBurstLength=262144" },
		{ "L-KEY-5", O, "MaxBurstLength=1024;FirstBurstLength=65536",
		  "MaxBurstLength=1024;FirstBurstLength=1024" },
		{ "L-KEY-5", O, "FirstBurstLength=65536;MaxBurstLength=1024",
		  "MaxBurstLength=1024;FirstBurstLength=1024" },
		{ "L-KEY-6", O, "DefaultTime2Wait=0", "DefaultTime2Wait=2" },
		{ "L-KEY-6", O, "DefaultTime2Wait=3600", "DefaultTime2Wait=3600" },
		{ "L-KEY-6", O, "DefaultTime2Wait=3601", "DefaultTime2Wait=Reject" },
		{ "L-KEY-6", O, "DefaultTime2Retain=3600", "DefaultTime2Retain=20" },
		{ "L-KEY-6", O, "DefaultTime2Retain=0", "DefaultTime2Retain=0" },
		{ "L-KEY-6", O, "DefaultTime2Retain=3601", "DefaultTime2Retain=Reject" },
		{ "L-KEY-7", O, "MaxOutstandingR2T=1", "MaxOutstandingR2T=1" },
		{ "L-KEY-7", O, "MaxOutstandingR2T=65535", "MaxOutstandingR2T=8" },
		{ "L-KEY-7", O, "MaxOutstandingR2T=0", "MaxOutstandingR2T=Reject" },
		{ "L-KEY-7", O, "MaxOutstandingR2T=65536", "MaxOutstandingR2T=Reject" },
		{ "L-KEY-7", O, "ErrorRecoveryLevel=2", "ErrorRecoveryLevel=0" },
		{ "L-KEY-7", O, "ErrorRecoveryLevel=3", "ErrorRecoveryLevel=Reject" },
		{ "L-KEY-8", O, "TaskReporting=FastAbort,ResponseFence,RFC3720",
		  "TaskReporting=RFC3720" },
		{ "L-KEY-8", O, "iSCSIProtocolLevel=1", "iSCSIProtocolLevel=1" },
		{ "L-KEY-8", O, "iSCSIProtocolLevel=31", "iSCSIProtocolLevel=1" },
		{ "L-KEY-8", O, "iSCSIProtocolLevel=32", "iSCSIProtocolLevel=Reject" },
		{ "L-KEY-9", O, "IFMarker=Yes;OFMarker=No", "IFMarker=No;OFMarker=No" },
		{ "L-KEY-9", O, "IFMarkInt=2048;OFMarkInt=1~65535",
		  "IFMarkInt=Reject;OFMarkInt=Reject" },
		{ "L-KEY-10", O, "InitiatorAlias=gr\xc3\xbc\xc3\x9f", "" },
		{ "L-KEY-10", O, "X-com.example.a=1;X#NodeArchitecture=y;Foo=z",
		  "X-com.example.a=NotUnderstood;X#NodeArchitecture=NotUnderstood;"
		  "Foo=NotUnderstood" },
		{ "L-KEY-11", O, "TargetAlias=x", NULL },
		{ "L-KEY-11", O, "TargetAddress=1.2.3.4:3260,1", NULL },
		{ "L-KEY-11", S, "TargetPortalGroupTag=1", NULL },
		{ "L-KEY-12", O, "MaxBurstLength=0x200", "MaxBurstLength=512" },
		{ "L-KEY-12", O, "MaxBurstLength=0X200", "MaxBurstLength=512" },
		{ "L-KEY-12", O, "MaxBurstLength=0512", "MaxBurstLength=Reject" },
		{ "L-KEY-12", O, "MaxBurstLength=+512", "MaxBurstLength=Reject" },
		{ "L-KEY-12", O, "MaxBurstLength=512 ", "MaxBurstLength=Reject" },
		{ "L-KEY-12", O, "MaxBurstLength=-1", "MaxBurstLength=Reject" },
		{ "L-KEY-12", O, "MaxBurstLength=18446744073709552128", "MaxBurstLength=Reject" },
		{ "L-KEY-12", O, "MaxBurstLength=", "MaxBurstLength=Reject" },
		{ "L-KEY-12", O, "MaxBurstLength=512~1024", "MaxBurstLength=Reject" },
		{ "L-KEY-13", O, "MaxBurstLength=512;MaxBurstLength=512", NULL },
		{ "L-KEY-13", O, "MaxRecvDataSegmentLength=512;MaxRecvDataSegmentLength=512",
		  NULL },
		{ "L-KEY-13", O, "InitiatorAlias=a;InitiatorAlias=b", NULL },
		{ "L-KEY-14", O, "MaxBurstLength=Reject", NULL },
		{ "L-KEY-14", O, "HeaderDigest=Irrelevant", NULL },
		{ "L-KEY-14", O, "ImmediateData=NotUnderstood", NULL },
		{ "L-KEY-14", O, "Foo=Reject", NULL },
		{ "L-KEY-16", O, "maxburstlength=512", "maxburstlength=NotUnderstood" },
		{ "L-STAGE-3", S, "MaxBurstLength=512", NULL },
		{ "L-STAGE-3", S, "HeaderDigest=None", NULL },
		{ "L-STAGE-3", O, "CHAP_A=5", NULL },
		{ "L-STAGE-3", O, "AuthMethod=None", NULL },
		{ "L-STAGE-3", S, "InitiatorName=iqn.2001-04.com.example:a;SessionType=Normal",
		  "" },
		{ "L-TYPE-2", S, "SessionType=discovery", NULL },
		{ "L-TYPE-2", S, "SessionType=Foo", NULL },
		{ "L-TYPE-2", S, "SessionType=Normal;SessionType=Normal", NULL },
		{ "L-TYPE-3", O,
		  "SessionType=Discovery;MaxConnections=4;MaxBurstLength=1024;"
		  "ErrorRecoveryLevel=2",
		  "MaxConnections=Irrelevant;MaxBurstLength=Irrelevant;ErrorRecoveryLevel=0" },
		{ "L-NAME-2", S, "InitiatorName=", NULL },
		{ "C-METH-1", S, "AuthMethod=CHAP,None", "AuthMethod=CHAP" },
		{ "C-METH-1", S, "AuthMethod=None,CHAP", "AuthMethod=CHAP" },
		{ "C-METH-1", S, "AuthMethod=KRB5,CHAP", "AuthMethod=CHAP" },
		{ "C-METH-2", S, "AuthMethod=None", "AuthMethod=Reject" },
		{ "C-METH-2", S, "AuthMethod=KRB5", "AuthMethod=Reject" },
		{ "C-METH-2", S, "AuthMethod=", "AuthMethod=Reject" },
		{ "T-TEXT-4", F, "SendTargetsPlease=All", "SendTargetsPlease=NotUnderstood" },
		{ "T-TEXT-4", F, "sENDtARGETS=aLL", "sENDtARGETS=NotUnderstood" },
		{ "T-TEXT-7", F, "MaxBurstLength=1024", NULL },
		{ "T-TEXT-7", F, "MaxRecvDataSegmentLength=511", NULL },
		{ "T-TEXT-7", F, "MaxRecvDataSegmentLength=16777216", NULL },
		{ "T-TEXT-5", F, "MaxRecvDataSegmentLength=512", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct params params;
		struct err err = { .code = 0 };
		char answer[512] = "";
		int rc;

		params_init(&params, PARAMS_TARGET);
		assert_int_equal(params_set(&params, PARAM_MAX_BURST_LENGTH, 1048576, &err), 0);
		assert_int_equal(params_set(&params, PARAM_FIRST_BURST_LENGTH, 262144, &err), 0);
		assert_int_equal(params_set(&params, PARAM_INITIAL_R2T, 0, &err), 0);
		assert_int_equal(params_set(&params, PARAM_MAX_OUTSTANDING_R2T, 8, &err), 0);
		assert_int_equal(params_set_list(&params, PARAM_HEADER_DIGEST, "None,CRC32C", &err),
				 0);
		assert_int_equal(params_set_list(&params, PARAM_DATA_DIGEST, "CRC32C,None", &err),
				 0);
		assert_int_equal(params_set_list(&params, PARAM_AUTH_METHOD, "CHAP", &err), 0);
		rc = receive(&params, rows[i].stage, rows[i].offer, answer, sizeof(answer), &err);
		if (rows[i].answer ? rc != 0 || strcmp(answer, rows[i].answer) != 0 : rc != -EPROTO)
			fail_msg("%s: %s: got %d '%s' %s", rows[i].id, rows[i].offer, rc, answer,
				 err.reason);
	}
}

/* L-KEY-15: what is too long or too much is refused. */
static void test_bounds(void **state)
{
	static const struct {
		const char *key;
		size_t value_len;
		int rc; /* 0: taken */
	} rows[] = {
		{ "InitiatorAlias", 255, 0 },	{ "InitiatorAlias", 256, -EPROTO },
		{ "InitiatorName", 223, 0 },	{ "InitiatorName", 224, -EPROTO },
		{ "CHAP_N", 255, 0 },		{ "CHAP_N", 256, -EPROTO },
		{ "CHAP_C", 2050, 0 },		{ "CHAP_C", 2051, -EPROTO },
		{ "CHAP_I", 256, -EPROTO },	{ "AuthMethod", 255, 0 },
		{ "AuthMethod", 256, -EPROTO }, { "Foo", 255, 0 },
		{ "Foo", 256, -EPROTO },
	};
	CLEANUP(buf_done) struct buf many = { .data = NULL };
	char text[4096], answer[64];
	struct params params;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t used = (size_t)snprintf(text, sizeof(text), "%s=", rows[i].key);
		int rc;

		memset(text + used, 'x', rows[i].value_len);
		text[used + rows[i].value_len] = '\0';
		params_init(&params, PARAMS_TARGET);
		rc = receive(&params, STAGE_SECURITY, text, answer, sizeof(answer), &err);
		if (rc != rows[i].rc)
			fail_msg("%s of %zu bytes: %d", rows[i].key, rows[i].value_len, rc);
	}
	for (int i = 0; i < 500; i++)
		buf_addf(&many, "%sKey%d=1", i ? ";" : "", i);
	params_init(&params, PARAMS_TARGET);
	assert_int_equal(receive(&params, STAGE_SECURITY, many.data, answer, sizeof(answer), &err),
			 -EPROTO);
}

/* What an initiator makes of the answers to its offers; I-LOG-1 to I-LOG-3. */
static void test_answers_to_an_initiator(void **state)
{
	static const struct {
		const char *id;
		const char *text;
		const char *answer; /* NULL: drop */
		enum param key;
		uint32_t value; /* in force afterwards */
	} rows[] = {
		{ "I-LOG-1", "MaxBurstLength=131072", "", PARAM_MAX_BURST_LENGTH, 131072 },
		{ "I-LOG-1", "MaxBurstLength=0x40000", "", PARAM_MAX_BURST_LENGTH, 262144 },
		{ "I-LOG-2", "MaxBurstLength=2097152", NULL, 0, 0 },
		{ "I-LOG-2", "MaxBurstLength=511", NULL, 0, 0 },
		{ "I-LOG-2", "MaxBurstLength=", NULL, 0, 0 },
		{ "I-LOG-2", "DefaultTime2Wait=5", "", PARAM_DEFAULT_TIME2WAIT, 5 },
		{ "I-LOG-2", "DefaultTime2Wait=1", NULL, 0, 0 },
		{ "I-LOG-2", "InitialR2T=Yes", "", PARAM_INITIAL_R2T, 1 },
		{ "I-LOG-2", "InitialR2T=No", "", PARAM_INITIAL_R2T, 0 },
		{ "I-LOG-2", "DataPDUInOrder=No", NULL, 0, 0 },
		{ "I-LOG-2", "ImmediateData=No", "", PARAM_IMMEDIATE_DATA, 0 },
		{ "I-LOG-2", "ImmediateData=Maybe", NULL, 0, 0 },
		{ "I-LOG-2", "HeaderDigest=CRC32C", "", PARAM_HEADER_DIGEST, DIGEST_CRC32C },
		{ "I-LOG-2", "HeaderDigest=None", "", PARAM_HEADER_DIGEST, DIGEST_NONE },
		{ "I-LOG-2", "HeaderDigest=SHA", NULL, 0, 0 },
		{ "I-LOG-2", "HeaderDigest=CRC32C,None", NULL, 0, 0 },
		{ "I-LOG-2", "DataDigest=CRC32C", NULL, 0, 0 },
		{ "I-LOG-3", "MaxBurstLength=Reject", "", PARAM_MAX_BURST_LENGTH, 262144 },
		{ "I-LOG-3", "MaxBurstLength=Irrelevant", "", PARAM_MAX_BURST_LENGTH, 262144 },
		{ "I-LOG-3", "MaxBurstLength=NotUnderstood", "", PARAM_MAX_BURST_LENGTH, 262144 },
		{ "I-LOG-1", "MaxRecvDataSegmentLength=65536", "",
		  PARAM_MAX_RECV_DATA_SEGMENT_LENGTH, 65536 },
		{ "I-LOG-1", "MaxRecvDataSegmentLength=65536;MaxRecvDataSegmentLength=65536", NULL,
		  0, 0 },
		{ "I-LOG-1", "MaxOutstandingR2T=4;TargetAlias=x;X-a.b=1",
		  "MaxOutstandingR2T=1;X-a.b=NotUnderstood", PARAM_MAX_OUTSTANDING_R2T, 1 },
		{ "I-LOG-1", "InitiatorAlias=x", NULL, 0, 0 },
		{ "I-LOG-5", "TargetPortalGroupTag=7", "", PARAM_TARGET_PORTAL_GROUP_TAG, 7 },
		{ "I-LOG-5", "TargetPortalGroupTag=65536", NULL, 0, 0 },
		{ "I-LOG-5", "TargetPortalGroupTag=1;TargetPortalGroupTag=1", NULL, 0, 0 },
		{ "I-RED-1", "TargetAddress=a:1,1;TargetAddress=b:2,1", "", PARAM_COUNT, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(buf_done) struct buf out = { .data = NULL };
		struct params params;
		struct err err = { .code = 0 };
		char answer[512] = "";
		int rc;

		params_init(&params, PARAMS_INITIATOR);
		assert_int_equal(params_set(&params, PARAM_MAX_BURST_LENGTH, 1048576, &err), 0);
		assert_int_equal(params_set(&params, PARAM_DEFAULT_TIME2WAIT, 2, &err), 0);
		assert_int_equal(params_set(&params, PARAM_INITIAL_R2T, 0, &err), 0);
		assert_int_equal(params_set(&params, PARAM_DATA_PDU_IN_ORDER, 1, &err), 0);
		assert_int_equal(params_set(&params, PARAM_IMMEDIATE_DATA, 1, &err), 0);
		assert_int_equal(
			params_set(&params, PARAM_MAX_RECV_DATA_SEGMENT_LENGTH, 262144, &err), 0);
		assert_int_equal(params_set_list(&params, PARAM_HEADER_DIGEST, "CRC32C,None", &err),
				 0);
		assert_int_equal(params_set_list(&params, PARAM_DATA_DIGEST, "None", &err), 0);
		params_offer_wanted(&params, &out);
		rc = receive(&params, STAGE_OPERATIONAL, rows[i].text, answer, sizeof(answer),
			     &err);
		if (rows[i].answer ? rc != 0 || strcmp(answer, rows[i].answer) != 0 : rc != -EPROTO)
			fail_msg("%s: %s: got %d '%s' %s", rows[i].id, rows[i].text, rc, answer,
				 err.reason);
		if (rows[i].answer && rows[i].key < PARAM_COUNT &&
		    params.value[rows[i].key] != rows[i].value)
			fail_msg("%s: %s: %u in force", rows[i].id, rows[i].text,
				 params.value[rows[i].key]);
	}
}

static void expect_offers(struct params *params, const char *want)
{
	CLEANUP(buf_done) struct buf out = { .data = NULL };
	CLEANUP(buf_done) struct buf pairs = { .data = NULL };

	params_offer_wanted(params, &out);
	add_pairs(&pairs, want);
	if (!buf_equal(&out, &pairs))
		fail_msg("offered '%.*s', not '%s'", (int)out.len, buf_text(&out), want);
}

/* A key is offered once, and never back to who offered it or where it has no meaning. */
static void test_offers(void **state)
{
	CLEANUP(buf_done) struct buf out = { .data = NULL };
	struct params params;
	struct err err;
	char answer[128];

	(void)state;
	params_init(&params, PARAMS_INITIATOR);
	assert_int_equal(params_set_list(&params, PARAM_HEADER_DIGEST, "None,CRC32C", &err), 0);
	assert_int_equal(params_set(&params, PARAM_MAX_RECV_DATA_SEGMENT_LENGTH, 65536, &err), 0);
	assert_int_equal(params_set(&params, PARAM_MAX_BURST_LENGTH, 65536, &err), 0);
	assert_int_equal(params_set(&params, PARAM_IMMEDIATE_DATA, 0, &err), 0);
	assert_int_equal(receive(&params, STAGE_OPERATIONAL, "ImmediateData=Yes", answer,
				 sizeof(answer), &err),
			 0);
	assert_string_equal(answer, "ImmediateData=No");
	expect_offers(&params, "HeaderDigest=None,CRC32C;MaxRecvDataSegmentLength=65536;"
			       "MaxBurstLength=65536");
	expect_offers(&params, "");

	params_init(&params, PARAMS_INITIATOR);
	assert_int_equal(params_set(&params, PARAM_SESSION_TYPE, SESSION_DISCOVERY, &err), 0);
	assert_int_equal(params_set(&params, PARAM_MAX_BURST_LENGTH, 65536, &err), 0);
	assert_int_equal(params_set(&params, PARAM_ERROR_RECOVERY_LEVEL, 0, &err), 0);
	params_offer(&params, PARAM_SESSION_TYPE, &out);
	assert_string_equal(buf_text(&out), "SessionType=Discovery");
	expect_offers(&params, "ErrorRecoveryLevel=0");

	params_init(&params, PARAMS_TARGET);
	params.joining = true;
	assert_int_equal(receive(&params, STAGE_OPERATIONAL, "MaxBurstLength=512", answer,
				 sizeof(answer), &err),
			 -EPROTO);
	assert_int_equal(receive(&params, STAGE_OPERATIONAL, "HeaderDigest=None", answer,
				 sizeof(answer), &err),
			 0);

	assert_int_equal(params_set(&params, PARAM_MAX_CONNECTIONS, 0, &err), -ERANGE);
	assert_int_equal(params_set_list(&params, PARAM_DATA_DIGEST, "CRC32C,CRC32C", &err),
			 -EINVAL);
	assert_int_equal(params_set_list(&params, PARAM_DATA_DIGEST, "SHA", &err), -EINVAL);
}

/* Both sides of the same negotiation end with the same values. */
static void test_both_sides_agree(void **state)
{
	static const uint32_t lengths[] = { 512, 65536, 262144, 16777215 };
	struct err err;

	(void)state;
	for (int mine = 0; mine < 16; mine++)
		for (int theirs = 0; theirs < 16; theirs++) {
			CLEANUP(buf_done) struct buf offer = { .data = NULL };
			struct params sides[2];
			char answer[512];

			params_init(&sides[0], PARAMS_INITIATOR);
			params_init(&sides[1], PARAMS_TARGET);
			for (int i = 0; i < 2; i++) {
				int n = i ? theirs : mine;

				params_set(&sides[i], PARAM_INITIAL_R2T, n & 1, &err);
				params_set(&sides[i], PARAM_IMMEDIATE_DATA, n >> 1 & 1, &err);
				params_set(&sides[i], PARAM_MAX_BURST_LENGTH, lengths[n & 3], &err);
				params_set(&sides[i], PARAM_FIRST_BURST_LENGTH, lengths[n >> 2],
					   &err);
				params_set(&sides[i], PARAM_DEFAULT_TIME2WAIT, (uint32_t)n, &err);
			}
			params_offer_wanted(&sides[0], &offer);
			for (size_t i = 0; i + 1 < offer.len; i++)
				if (offer.data[i] == '\0')
					offer.data[i] = ';';
			assert_int_equal(receive(&sides[1], STAGE_OPERATIONAL, offer.data, answer,
						 sizeof(answer), &err),
					 0);
			if (receive(&sides[0], STAGE_OPERATIONAL, answer, answer, sizeof(answer),
				    &err) != 0)
				fail_msg("%d, %d: %s", mine, theirs, err.reason);
			assert_memory_equal(sides[0].value, sides[1].value, sizeof(sides[0].value));
			assert_true(sides[0].value[PARAM_FIRST_BURST_LENGTH] <=
				    sides[0].value[PARAM_MAX_BURST_LENGTH]);
			assert_true(sides[0].open == 0);
		}
}

/* The table itself: each default lies in its range, each key is found by its name alone. */
static void test_table(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < PARAM_COUNT; i++) {
		const struct param_def *def = &param_defs[i];

		if (!def->key || !def->section || !def->stages || !(def->flags & PARAM_FROM_BOTH))
			fail_msg("row %u is not whole", i);
		assert_int_equal(param_find(def->key), i);
		if (def->kind != PARAM_TEXT && def->merge != MERGE_DECLARED &&
		    (def->fallback < def->min || def->fallback > def->max))
			fail_msg("%s: default %u", def->key, def->fallback);
		assert_true((def->kind == PARAM_LIST) == (def->choices != NULL));
	}
	assert_int_equal(param_find("headerdigest"), PARAM_UNKNOWN);
	assert_int_equal(param_find(""), PARAM_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),  cmocka_unit_test(test_answers_of_a_target),
		cmocka_unit_test(test_bounds), cmocka_unit_test(test_answers_to_an_initiator),
		cmocka_unit_test(test_offers), cmocka_unit_test(test_both_sides_agree),
	};

	return cmocka_run_group_tests_name("params", tests, NULL, NULL);
}
