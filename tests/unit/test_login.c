/* SPDX-License-Identifier: MIT */
/* The initiator's login against a target that follows a script. */
#include "iscsi/login.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "err.h"
#include "iscsi/bytes.h"
#include "iscsi/states.h"
#include "iscsi/status.h"

#define INITIATOR "iqn.2001-04.com.example:host"
#define TARGET "iqn.1997-05.com.amazon:disk"

static const struct chap_secret our_secret = { "0123456789ab", 12 };
static const struct chap_secret their_secret = { "ba9876543210", 12 };
static const struct chap_secret wrong_secret = { "xxxxxxxxxxxx", 12 };

enum auth { NONE, CHAP, EITHER, MUTUAL, EITHER_MUTUAL };

/* What is fed to the login and what it sent, kept side by side. */
struct fixture {
	struct login_config config;
	struct login login;
	struct buf out; /* the last request */
	struct chap_challenge asked; /* our challenge, as last seen on the wire */
	uint32_t stat_sn;
	struct err err;
};

static void start(struct fixture *f, enum auth auth, bool discovery)
{
	static const enum login_auth auths[] = { LOGIN_AUTH_NONE, LOGIN_AUTH_CHAP,
						 LOGIN_AUTH_EITHER, LOGIN_AUTH_CHAP,
						 LOGIN_AUTH_EITHER };
	struct params params;

	*f = (struct fixture){
		.config = {
			.initiator_name = INITIATOR,
			.target_name = discovery ? NULL : TARGET,
			.portal_group_tag = 1,
			.auth = auths[auth],
			.user = INITIATOR,
			.secret = our_secret,
			.target_user = TARGET,
		},
		.stat_sn = 100,
	};
	if (auth == MUTUAL || auth == EITHER_MUTUAL)
		f->config.target_secret = their_secret;
	assert_int_equal(login_isid_random(f->config.isid, &f->err), 0);
	params_init(&params, PARAMS_INITIATOR);
	assert_int_equal(params_set(&params, PARAM_MAX_BURST_LENGTH, 1048576, &f->err), 0);
	assert_int_equal(params_set(&params, PARAM_INITIAL_R2T, 0, &f->err), 0);
	assert_int_equal(login_start(&f->login, &f->config, &params, &f->out, &f->err), 0);
}

static void stop(struct fixture *f)
{
	login_done(&f->login);
	buf_done(&f->out);
}

/* The value of a key in the last request, or NULL. */
static const char *sent(const struct fixture *f, const char *key)
{
	struct text_iter it = { f->out.data + BHS_LEN, f->out.len - BHS_LEN };
	static struct text_pair pair;
	struct err err;

	while (text_next(&it, &pair, &err) > 0)
		if (strcmp(pair.key, key) == 0)
			return pair.value;
	return NULL;
}

/* A response's text: pairs separated by ';', with stand-ins for what CHAP computes. */
static void build_text(struct fixture *f, const char *script, struct buf *text)
{
	static const struct {
		const char *word;
		const struct chap_secret *secret;
	} proofs[] = {
		{ "@proof", &their_secret },
		{ "@own", &our_secret },
		{ "@wrong", &wrong_secret },
	};
	const char *p = script;

	while (*p != '\0') {
		size_t len = strcspn(p, ";");
		bool done = false;

		for (size_t i = 0; i < ARRAY_LEN(proofs) && !done; i++)
			if (strncmp(p, proofs[i].word, len) == 0 && strlen(proofs[i].word) == len) {
				chap_respond_add(CHAP_MD5, &f->asked, *proofs[i].secret, text,
						 &f->err);
				done = true;
			}
		if (!done && strncmp(p, "@challenge", len) == 0) {
			buf_adds(text, "CHAP_I=39;CHAP_C=0x000102030405060708090a0b0c0d0e0f");
			for (size_t i = text->len; i > 0; i--)
				if (text->data[i - 1] == ';')
					text->data[i - 1] = '\0';
			buf_add(text, "", 1);
			done = true;
		}
		if (!done) {
			buf_add(text, p, len);
			buf_add(text, "", 1);
		}
		p += len;
		p += *p == ';';
	}
}

/*
 * One response: "FLAGS|TEXT" or "!SSSS|TEXT" for a status. Flags: T with NSG as
 * asked, C, digits overwrite: n NSG, g CSG, v version, h TSIH 0, i ITT, s ISID,
 * o other opcode in hex behind it.
 */
static int answer(struct fixture *f, const char *script)
{
	const uint8_t *request = (const uint8_t *)f->out.data;
	const char *text = strchr(script, '|') + 1;
	CLEANUP(buf_done) struct buf data = { .data = NULL };
	CLEANUP(buf_done) struct buf out = { .data = NULL };
	uint8_t bhs[BHS_LEN] = { OP_LOGIN_RESPONSE };
	struct pdu pdu;
	int rc;

	if (sent(f, "CHAP_I"))
		assert_int_equal(chap_challenge_parse(&f->asked, sent(f, "CHAP_I"),
						      sent(f, "CHAP_C"), &f->err),
				 0);
	bhs[BHS_FLAGS] = request[BHS_FLAGS] & LOGIN_CSG;
	memcpy(bhs + LOGIN_ISID, request + LOGIN_ISID, ISID_LEN);
	memcpy(bhs + BHS_ITT, request + BHS_ITT, 4);
	put_be16(bhs + LOGIN_TSIH, 7);
	put_be32(bhs + BHS_STAT_SN, f->stat_sn++);
	put_be32(bhs + BHS_EXP_CMD_SN, get_be32(request + BHS_CMD_SN));
	for (const char *p = script; *p != '|'; p++) {
		if (*p == 'T')
			bhs[BHS_FLAGS] |=
				(uint8_t)(LOGIN_TRANSIT | (bhs[BHS_FLAGS] & LOGIN_CSG ? 3 : 1));
		else if (*p == 'C')
			bhs[BHS_FLAGS] |= FLAG_CONTINUE;
		else if (*p == 'n')
			bhs[BHS_FLAGS] = (uint8_t)((bhs[BHS_FLAGS] & ~LOGIN_NSG) | (*++p - '0'));
		else if (*p == 'g')
			bhs[BHS_FLAGS] = (uint8_t)((bhs[BHS_FLAGS] & ~LOGIN_CSG) |
						   (*++p - '0') << LOGIN_CSG_SHIFT);
		else if (*p == 'v')
			bhs[LOGIN_VERSION_MIN] = 1;
		else if (*p == 'h')
			put_be16(bhs + LOGIN_TSIH, 0);
		else if (*p == 'i')
			bhs[BHS_ITT] ^= 1;
		else if (*p == 's')
			bhs[LOGIN_ISID + 5] ^= 1;
		else if (*p == 'o' || *p == '!') {
			unsigned long value = strtoul(p + 1, NULL, 16);

			if (*p == 'o')
				bhs[BHS_OPCODE] = (uint8_t)value;
			else
				put_be16(bhs + LOGIN_STATUS, (uint16_t)value);
			if (*p == 'o' && value == OP_REJECT)
				bhs[REJECT_REASON] = 0x0b;
			break;
		}
	}
	build_text(f, text, &data);
	if ((bhs[BHS_FLAGS] & FLAG_CONTINUE) && data.len > 0)
		data.len--; /* a continued part has no NUL of its own */
	pdu = (struct pdu){ .bhs = bhs,
			    .data = (const uint8_t *)buf_text(&data),
			    .data_len = data.len };
	rc = login_receive(&f->login, &pdu, &out, &f->err);
	if (out.len > 0) {
		buf_done(&f->out);
		f->out = out;
		out = (struct buf){ .data = NULL };
	}
	return rc;
}

enum { G = LOGIN_GOES_ON, OK = LOGIN_COMPLETE, RE = LOGIN_REDIRECTED, NO = -1 };

#define METHOD_NONE "T|AuthMethod=None;TargetPortalGroupTag=1"
#define METHOD_CHAP "|AuthMethod=CHAP;TargetPortalGroupTag=1"
#define CHALLENGE "|CHAP_A=5;@challenge"
#define FINAL "T|MaxBurstLength=262144;InitialR2T=Yes"

/* Each row is a whole login; the last response decides. */
static const struct row {
	const char *id;
	enum auth auth;
	const char *responses[8];
	int end; /* OK, RE, or NO */
	enum login_verdict ours, theirs;
	const char *part; /* of the message, where it fails */
} rows[] = {
	{ "no CHAP", NONE, { METHOD_NONE, FINAL }, OK, VERDICT_NOT_ASKED, VERDICT_NOT_ASKED, "" },
	{ "the target moves slowly",
	  NONE,
	  { "|AuthMethod=None", "|", "T|", "|MaxBurstLength=512", "T|InitialR2T=Yes" },
	  OK,
	  VERDICT_NOT_ASKED,
	  VERDICT_NOT_ASKED,
	  "" },
	{ "the target says nothing of AuthMethod",
	  NONE,
	  { "T|", FINAL },
	  OK,
	  VERDICT_NOT_ASKED,
	  VERDICT_NOT_ASKED,
	  "" },
	{ "one-way",
	  CHAP,
	  { METHOD_CHAP, CHALLENGE, "T|", FINAL },
	  OK,
	  VERDICT_ACCEPTED,
	  VERDICT_NOT_ASKED,
	  "" },
	{ "one-way, slowly",
	  CHAP,
	  { "|", METHOD_CHAP, CHALLENGE, "|", "|", "T|", FINAL },
	  OK,
	  VERDICT_ACCEPTED,
	  VERDICT_NOT_ASKED,
	  "" },
	{ "mutual",
	  MUTUAL,
	  { METHOD_CHAP, CHALLENGE, "T|CHAP_N=" TARGET ";@proof", FINAL },
	  OK,
	  VERDICT_ACCEPTED,
	  VERDICT_ACCEPTED,
	  "" },
	{ "mutual, slowly",
	  MUTUAL,
	  { METHOD_CHAP, CHALLENGE, "|CHAP_N=" TARGET ";@proof", "T|", FINAL },
	  OK,
	  VERDICT_ACCEPTED,
	  VERDICT_ACCEPTED,
	  "" },
	{ "either: CHAP",
	  EITHER,
	  { METHOD_CHAP, CHALLENGE, "T|", FINAL },
	  OK,
	  VERDICT_ACCEPTED,
	  VERDICT_NOT_ASKED,
	  "" },
	{ "either: None",
	  EITHER,
	  { METHOD_NONE, FINAL },
	  OK,
	  VERDICT_NOT_ASKED,
	  VERDICT_NOT_ASKED,
	  "" },

	{ "C-METH-4",
	  CHAP,
	  { "|AuthMethod=None" },
	  NO,
	  VERDICT_NO_METHOD,
	  VERDICT_NONE,
	  "AuthMethod=None, which was not offered" },
	{ "C-METH-4",
	  CHAP,
	  { "|AuthMethod=KRB5" },
	  NO,
	  VERDICT_NO_METHOD,
	  VERDICT_NONE,
	  "AuthMethod=KRB5, which was not offered" },
	{ "C-METH-4",
	  NONE,
	  { "|AuthMethod=CHAP" },
	  NO,
	  VERDICT_NO_METHOD,
	  VERDICT_NONE,
	  "AuthMethod=CHAP, which was not offered" },
	{ "C-METH-4",
	  EITHER,
	  { "T|AuthMethod=CHAP" },
	  NO,
	  VERDICT_NONE,
	  VERDICT_NONE,
	  "out of step (AuthMethod=CHAP, T=1)" },
	{ "C-METH-4",
	  EITHER_MUTUAL,
	  { METHOD_NONE },
	  NO,
	  VERDICT_NONE,
	  VERDICT_MISSING,
	  "does not prove itself" },
	{ "C-METH-4",
	  CHAP,
	  { "|AuthMethod=Reject" },
	  NO,
	  VERDICT_NO_METHOD,
	  VERDICT_NONE,
	  "none of the offered methods" },
	{ "C-SEQ-3",
	  CHAP,
	  { "|AuthMethod=CHAP;CHAP_N=x;CHAP_R=0x00" },
	  NO,
	  VERDICT_NONE,
	  VERDICT_NONE,
	  "out of step (AuthMethod=CHAP, CHAP_N, CHAP_R, T=0)" },
	{ "C-SEQ-3",
	  CHAP,
	  { METHOD_CHAP, "|CHAP_A=5;CHAP_I=1" },
	  NO,
	  VERDICT_NONE,
	  VERDICT_NONE,
	  "out of step (CHAP_A, CHAP_I, T=0)" },
	{ "C-SEQ-3",
	  CHAP,
	  { METHOD_CHAP, "T|CHAP_A=5;@challenge" },
	  NO,
	  VERDICT_NONE,
	  VERDICT_NONE,
	  "moves on unasked" },
	{ "C-SEQ-3",
	  CHAP,
	  { METHOD_CHAP, "T|" },
	  NO,
	  VERDICT_NONE,
	  VERDICT_NONE,
	  "moves on unasked" },
	{ "C-SEQ-3",
	  CHAP,
	  { METHOD_CHAP, CHALLENGE, "|@challenge" },
	  NO,
	  VERDICT_NONE,
	  VERDICT_NONE,
	  "CHAP_I: was sent twice" },
	{ "C-SEQ-3",
	  MUTUAL,
	  { METHOD_CHAP, CHALLENGE, "T|" },
	  NO,
	  VERDICT_ACCEPTED,
	  VERDICT_MISSING,
	  "did not prove itself" },
	{ "C-SEQ-3",
	  MUTUAL,
	  { METHOD_CHAP, CHALLENGE, "T|CHAP_N=" TARGET },
	  NO,
	  VERDICT_NONE,
	  VERDICT_NONE,
	  "out of step (CHAP_N, T=1)" },
	{ "C-SEQ-3",
	  CHAP,
	  { METHOD_CHAP, CHALLENGE, "T|CHAP_N=" TARGET ";CHAP_R=0x00" },
	  NO,
	  VERDICT_NONE,
	  VERDICT_MALFORMED,
	  "nobody asked for" },
	{ "C-A-2",
	  CHAP,
	  { METHOD_CHAP, "|CHAP_A=7;@challenge" },
	  NO,
	  VERDICT_NO_ALGORITHM,
	  VERDICT_NONE,
	  "CHAP_A=7, which was not offered" },
	{ "C-A-2",
	  CHAP,
	  { METHOD_CHAP, "|CHAP_A=5,5;@challenge" },
	  NO,
	  VERDICT_NO_ALGORITHM,
	  VERDICT_NONE,
	  "CHAP_A=5,5, which was not offered" },
	{ "C-A-2",
	  CHAP,
	  { METHOD_CHAP, "|CHAP_A=Reject;@challenge" },
	  NO,
	  VERDICT_NO_ALGORITHM,
	  VERDICT_NONE,
	  "CHAP_A=Reject, which" },
	{ "C-A-2",
	  CHAP,
	  { METHOD_CHAP, "|@challenge" },
	  NO,
	  VERDICT_NONE,
	  VERDICT_NONE,
	  "out of step (CHAP_I, CHAP_C, T=0)" },
	{ "C-I-1",
	  CHAP,
	  { METHOD_CHAP, "|CHAP_A=5;CHAP_I=256;CHAP_C=0x0001020304050607" },
	  NO,
	  VERDICT_MALFORMED,
	  VERDICT_NONE,
	  "CHAP_I=256" },
	{ "C-C-1",
	  CHAP,
	  { METHOD_CHAP, "|CHAP_A=5;CHAP_I=1;CHAP_C=0x00010203040506" },
	  NO,
	  VERDICT_MALFORMED,
	  VERDICT_NONE,
	  "too weak" },
	{ "C-N-3",
	  MUTUAL,
	  { METHOD_CHAP, CHALLENGE, "T|CHAP_N=" TARGET "2;@proof" },
	  NO,
	  VERDICT_ACCEPTED,
	  VERDICT_WRONG_NAME,
	  "calls itself '" TARGET "2'" },
	{ "C-R-2",
	  MUTUAL,
	  { METHOD_CHAP, CHALLENGE, "T|CHAP_N=" TARGET ";@wrong" },
	  NO,
	  VERDICT_ACCEPTED,
	  VERDICT_WRONG,
	  "the secrets of both sides differ" },
	{ "C-R-2",
	  MUTUAL,
	  { METHOD_CHAP, CHALLENGE, "T|CHAP_N=" TARGET ";CHAP_R=0x00" },
	  NO,
	  VERDICT_ACCEPTED,
	  VERDICT_MALFORMED,
	  "we refused the target" },
	{ "C-R-5",
	  MUTUAL,
	  { METHOD_CHAP, CHALLENGE, "T|CHAP_N=" TARGET ";@own" },
	  NO,
	  VERDICT_ACCEPTED,
	  VERDICT_REFLECTED,
	  "the other direction" },

	{ "I-STAT-1", NONE, { "!0201|" }, NO, VERDICT_NO_METHOD, VERDICT_NONE, "demands CHAP" },
	{ "I-STAT-1", CHAP, { "!0201|" }, NO, VERDICT_NO_METHOD, VERDICT_NONE, "refuses CHAP" },
	{ "I-STAT-1",
	  CHAP,
	  { METHOD_CHAP, "!0201|" },
	  NO,
	  VERDICT_NO_ALGORITHM,
	  VERDICT_NONE,
	  "none of the CHAP algorithms" },
	{ "I-STAT-1",
	  CHAP,
	  { METHOD_CHAP, CHALLENGE, "!0201|" },
	  NO,
	  VERDICT_WRONG,
	  VERDICT_NONE,
	  "did not accept the initiator's proof" },
	{ "I-STAT-1",
	  CHAP,
	  { METHOD_CHAP, CHALLENGE, "!0202|" },
	  NO,
	  VERDICT_ACCEPTED,
	  VERDICT_NONE,
	  "access list" },
	{ "I-STAT-1", NONE, { "!0203|" }, NO, VERDICT_NONE, VERDICT_NONE, "no such name" },
	{ "I-STAT-1",
	  NONE,
	  { METHOD_NONE, "!0302|" },
	  NO,
	  VERDICT_NOT_ASKED,
	  VERDICT_NOT_ASKED,
	  "out of resources" },
	{ "I-STAT-1", NONE, { "!02ff|" }, NO, VERDICT_NONE, VERDICT_NONE, "status 0x02ff" },
	{ "I-STAT-1", NONE, { "!0700|" }, NO, VERDICT_NONE, VERDICT_NONE, "status 0x0700" },
	{ "I-STAT-1", NONE, { "T!0201|" }, NO, VERDICT_NO_METHOD, VERDICT_NONE, "demands CHAP" },
	{ "I-RED-1",
	  NONE,
	  { "!0101|TargetAddress=10.0.0.9:3260" },
	  RE,
	  VERDICT_NONE,
	  VERDICT_NONE,
	  "" },
	{ "I-RED-1",
	  CHAP,
	  { "!0102|TargetAddress=[::1]:1;TargetAddress=b" },
	  RE,
	  VERDICT_NONE,
	  VERDICT_NONE,
	  "" },
	{ "I-RED-1", NONE, { "!0101|" }, NO, VERDICT_NONE, VERDICT_NONE, "does not say where to" },
	{ "I-RED-1",
	  NONE,
	  { "!0101|TargetAddress=../x" },
	  NO,
	  VERDICT_NONE,
	  VERDICT_NONE,
	  "does not say where to" },

	{ "I-LOG-1",
	  NONE,
	  { METHOD_NONE, "|MaxRecvDataSegmentLength=512", "T|MaxRecvDataSegmentLength=512" },
	  NO,
	  VERDICT_NOT_ASKED,
	  VERDICT_NOT_ASKED,
	  "sent twice" },
	{ "I-LOG-1",
	  NONE,
	  { METHOD_NONE, "T|X-a.b=c" },
	  OK,
	  VERDICT_NOT_ASKED,
	  VERDICT_NOT_ASKED,
	  "" },
	{ "I-LOG-1",
	  NONE,
	  { METHOD_NONE, "|ErrorRecoveryLevel=2", "T|" },
	  OK,
	  VERDICT_NOT_ASKED,
	  VERDICT_NOT_ASKED,
	  "" },
	{ "I-LOG-1",
	  NONE,
	  { METHOD_NONE, "T|ErrorRecoveryLevel=2" },
	  NO,
	  VERDICT_NOT_ASKED,
	  VERDICT_NOT_ASKED,
	  "offers unanswered" },
	{ "I-LOG-2",
	  NONE,
	  { METHOD_NONE, "T|MaxBurstLength=2097152" },
	  NO,
	  VERDICT_NOT_ASKED,
	  VERDICT_NOT_ASKED,
	  "no answer to what was offered" },
	{ "I-LOG-3",
	  NONE,
	  { METHOD_NONE, "T|MaxBurstLength=Reject;InitialR2T=NotUnderstood" },
	  OK,
	  VERDICT_NOT_ASKED,
	  VERDICT_NOT_ASKED,
	  "" },
	{ "I-LOG-4", CHAP, { "T|AuthMethod=CHAP" }, NO, VERDICT_NONE, VERDICT_NONE, "unasked" },
	{ "I-LOG-4",
	  NONE,
	  { "Tn3|AuthMethod=None" },
	  NO,
	  VERDICT_NONE,
	  VERDICT_NONE,
	  "to stage 3" },
	{ "I-LOG-4",
	  NONE,
	  { "Tn2|AuthMethod=None" },
	  NO,
	  VERDICT_NONE,
	  VERDICT_NONE,
	  "to stage 2" },
	{ "I-LOG-4",
	  NONE,
	  { METHOD_NONE, "Tn2|" },
	  NO,
	  VERDICT_NOT_ASKED,
	  VERDICT_NOT_ASKED,
	  "to stage 2" },
	{ "I-LOG-4", NONE, { "g1|AuthMethod=None" }, NO, VERDICT_NONE, VERDICT_NONE, "stage 1" },
	{ "I-LOG-4",
	  NONE,
	  { METHOD_NONE, "Th|" },
	  NO,
	  VERDICT_NOT_ASKED,
	  VERDICT_NOT_ASKED,
	  "TSIH 0" },
	{ "I-LOG-4",
	  NONE,
	  { "Ti|AuthMethod=None" },
	  NO,
	  VERDICT_NONE,
	  VERDICT_NONE,
	  "another task" },
	{ "I-LOG-4", NONE, { "Ts|AuthMethod=None" }, NO, VERDICT_NONE, VERDICT_NONE, "ISID" },
	{ "I-LOG-4",
	  NONE,
	  { "Tv|AuthMethod=None" },
	  NO,
	  VERDICT_NONE,
	  VERDICT_NONE,
	  "version 0x01" },
	{ "I-LOG-4",
	  NONE,
	  { "TC|AuthMethod=None" },
	  NO,
	  VERDICT_NONE,
	  VERDICT_NONE,
	  "more to say and moves on" },
	{ "I-LOG-6", NONE, { "o20|" }, NO, VERDICT_NONE, VERDICT_NONE, "sent a NOP-In instead" },
	{ "I-LOG-6",
	  NONE,
	  { METHOD_NONE, "o32|" },
	  NO,
	  VERDICT_NOT_ASKED,
	  VERDICT_NOT_ASKED,
	  "Asynchronous Message instead of a Login Response (operational stage" },
	{ "I-LOG-6", NONE, { "o3f|" }, NO, VERDICT_NONE, VERDICT_NONE, "negotiation reset" },
	{ "continued answer",
	  NONE,
	  { METHOD_NONE, "C|MaxBurst", "C|Length=2621", "T|44;InitialR2T=No" },
	  OK,
	  VERDICT_NOT_ASKED,
	  VERDICT_NOT_ASKED,
	  "" },
	{ "continued and cut",
	  NONE,
	  { METHOD_NONE, "C|MaxBurst", "T|Len" },
	  NO,
	  VERDICT_NOT_ASKED,
	  VERDICT_NOT_ASKED,
	  "has no '='" },
};

static void test_logins(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		struct fixture f;
		int rc = G;
		size_t k = 0;

		start(&f, row->auth, false);
		for (; k < ARRAY_LEN(row->responses) && row->responses[k] && rc == G; k++)
			rc = answer(&f, row->responses[k]);
		if (k < ARRAY_LEN(row->responses) && row->responses[k])
			fail_msg("row %zu, %s: ended with response %zu: %d %s", i, row->id, k, rc,
				 f.err.reason);
		if (row->end == NO ? rc >= 0 : rc != row->end)
			fail_msg("row %zu, %s: %d %s", i, row->id, rc, rc < 0 ? f.err.reason : "");
		if (f.login.ours != row->ours || f.login.theirs != row->theirs)
			fail_msg("row %zu, %s: ours %s, theirs %s", i, row->id,
				 login_verdict_name(f.login.ours),
				 login_verdict_name(f.login.theirs));
		if (rc < 0 && !strstr(f.err.reason, row->part))
			fail_msg("row %zu, %s: %s", i, row->id, f.err.reason);
		if (rc < 0 && (strstr(f.err.reason, our_secret.bytes) ||
			       strstr(f.err.reason, their_secret.bytes)))
			fail_msg("row %zu, %s: a secret is in the message", i, row->id);
		assert_int_equal(f.login.step, row->end == OK	? STEP_DONE
					       : row->end == NO ? STEP_FAILED
								: f.login.step);
		stop(&f);
	}
}

static const uint8_t *request(const struct fixture *f)
{
	return (const uint8_t *)f->out.data;
}

/* What goes over the wire in a mutual login: flags, numbers and keys of each request. */
static void test_requests_of_a_mutual_login(void **state)
{
	uint8_t response[CHAP_RESPONSE_MAX], got[CHAP_RESPONSE_MAX];
	struct chap_challenge challenge;
	struct fixture f;
	size_t len;

	(void)state;
	start(&f, MUTUAL, false);
	assert_int_equal(request(&f)[0], 0x43);
	assert_int_equal(request(&f)[BHS_FLAGS], 0x00);
	assert_int_equal(request(&f)[LOGIN_ISID] & 0xc0, 0x80);
	assert_int_equal(get_be16(request(&f) + LOGIN_TSIH), 0);
	assert_string_equal(sent(&f, "InitiatorName"), INITIATOR);
	assert_string_equal(sent(&f, "TargetName"), TARGET);
	assert_string_equal(sent(&f, "SessionType"), "Normal");
	assert_string_equal(sent(&f, "AuthMethod"), "CHAP");

	assert_int_equal(answer(&f, METHOD_CHAP), G);
	assert_int_equal(request(&f)[BHS_FLAGS], 0x00);
	assert_string_equal(sent(&f, "CHAP_A"), "5");
	assert_int_equal(get_be32(request(&f) + BHS_EXP_STAT_SN), 101);

	assert_int_equal(answer(&f, CHALLENGE), G);
	assert_int_equal(request(&f)[BHS_FLAGS], 0x81);
	assert_string_equal(sent(&f, "CHAP_N"), INITIATOR);
	assert_int_equal(chap_challenge_parse(&challenge, "39",
					      "0x000102030405060708090a0b0c0d0e0f", &f.err),
			 0);
	assert_int_equal(chap_respond(CHAP_MD5, &challenge, our_secret, response, &f.err), 0);
	assert_int_equal(text_binary(sent(&f, "CHAP_R"), got, sizeof(got), &len, &f.err), 0);
	assert_int_equal(len, 16);
	assert_memory_equal(got, response, 16);
	assert_non_null(sent(&f, "CHAP_C"));

	assert_int_equal(answer(&f, "T|CHAP_N=" TARGET ";@proof"), G);
	assert_int_equal(request(&f)[BHS_FLAGS], 0x87);
	assert_string_equal(sent(&f, "MaxBurstLength"), "1048576");
	assert_string_equal(sent(&f, "InitialR2T"), "No");
	assert_int_equal(answer(&f, "T|MaxBurstLength=262144;InitialR2T=Yes;"
				    "MaxRecvDataSegmentLength=65536"),
			 OK);
	assert_int_equal(f.login.tsih, 7);
	assert_int_equal(f.login.params.value[PARAM_MAX_BURST_LENGTH], 262144);
	assert_int_equal(f.login.params.value[PARAM_MAX_RECV_DATA_SEGMENT_LENGTH], 65536);
	assert_string_equal(buf_text(&f.login.notes), "");
	assert_int_equal(answer(&f, "T|"), -EPROTO);
	stop(&f);
}

static void test_requests_of_a_discovery(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, NONE, true);
	assert_int_equal(request(&f)[BHS_FLAGS], 0x81);
	assert_null(sent(&f, "TargetName"));
	assert_string_equal(sent(&f, "SessionType"), "Discovery");
	assert_string_equal(sent(&f, "AuthMethod"), "None");
	assert_int_equal(answer(&f, METHOD_NONE), G);
	assert_null(sent(&f, "MaxBurstLength"));
	assert_int_equal(answer(&f, "T|"), OK);
	stop(&f);
}

/* Text of more than 8192 bytes goes in parts, each fetched by an empty response (6.2). */
static void test_long_text_is_continued(void **state)
{
	struct fixture f;
	CLEANUP(buf_done) struct buf whole = { .data = NULL };
	char name[20000];

	(void)state;
	start(&f, NONE, false);
	stop(&f);
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	f.config.initiator_name = name;
	f.out = (struct buf){ .data = NULL };
	{
		struct params params;

		params_init(&params, PARAMS_INITIATOR);
		assert_int_equal(login_start(&f.login, &f.config, &params, &f.out, &f.err), 0);
	}
	for (int i = 0; i < 2; i++) {
		assert_int_equal(request(&f)[BHS_FLAGS], 0x40);
		assert_int_equal(get_be24(request(&f) + BHS_DATA_LEN), 8192);
		buf_add(&whole, f.out.data + BHS_LEN, 8192);
		assert_int_equal(answer(&f, "|"), G);
	}
	assert_int_equal(request(&f)[BHS_FLAGS], 0x81);
	buf_add(&whole, f.out.data + BHS_LEN, get_be24(request(&f) + BHS_DATA_LEN));
	assert_memory_equal(whole.data + strlen("InitiatorName="), name, sizeof(name));
	assert_memory_equal(whole.data + whole.len - 16, "AuthMethod=None", 16);
	assert_int_equal(answer(&f, METHOD_NONE), G);
	stop(&f);
}

/* … and by nothing else. A target's own text has an end too. */
static void test_continued_text_has_limits(void **state)
{
	char name[20000], part[8000];
	struct params params;
	struct fixture f;
	int rc = G;

	(void)state;
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	start(&f, NONE, false);
	stop(&f);
	f.config.initiator_name = name;
	f.out = (struct buf){ .data = NULL };
	params_init(&params, PARAMS_INITIATOR);
	assert_int_equal(login_start(&f.login, &f.config, &params, &f.out, &f.err), 0);
	assert_int_equal(answer(&f, "|AuthMethod=None"), -EPROTO);
	assert_non_null(strstr(f.err.reason, "interrupts our continued text"));
	stop(&f);

	start(&f, NONE, false);
	memset(part, 'x', sizeof(part));
	memcpy(part, "C|", 2);
	part[sizeof(part) - 1] = '\0';
	for (int i = 0; i < 20 && rc == G; i++)
		rc = answer(&f, part);
	assert_int_equal(rc, -EPROTO);
	assert_non_null(strstr(f.err.reason, "longer than 65536 bytes"));
	stop(&f);
}

/* A target that never comes to an end is left. */
static void test_endless_logins_end(void **state)
{
	static const char *const scripts[] = { "|", "C|x" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		struct fixture f;
		int rc = G, rounds = 0;

		start(&f, NONE, false);
		while (rc == G && rounds++ < 1000)
			rc = answer(&f, scripts[i]);
		assert_int_equal(rc, -EPROTO);
		assert_true(rounds <= LOGIN_ROUNDS_MAX + 1);
		assert_non_null(strstr(f.err.reason, "does not come to an end"));
		stop(&f);
	}
}

/* I-LOG-3, I-LOG-5, C-C-1: what is odd but bearable is remarked on, escaped. */
static void test_notes(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, CHAP, false);
	assert_int_equal(answer(&f, "|AuthMethod=CHAP;TargetPortalGroupTag=2"), G);
	assert_int_equal(answer(&f, "|CHAP_A=5;CHAP_I=1;CHAP_C=0x0001020304050607"), G);
	assert_int_equal(answer(&f, "T|"), G);
	assert_int_equal(answer(&f, "T|MaxBurstLength=NotUnderstood"), OK);
	assert_string_equal(buf_text(&f.login.notes),
			    "the target is in portal group 2 here, not 1 as was discovered\n"
			    "the target's CHAP challenge has 8 bytes only\n"
			    "the target answered MaxBurstLength=NotUnderstood: 262144 holds\n"
			    "the target did not answer InitialR2T: its default Yes holds\n");
	stop(&f);

	start(&f, NONE, false);
	assert_int_equal(answer(&f, "!0102|TargetAddress=a\x1b"
				    "b;TargetAddress=[fe80::1%x]:7"),
			 RE);
	assert_int_equal(f.login.redirect_count, 1);
	assert_string_equal(f.login.redirects[0].host, "fe80::1");
	assert_int_equal(f.login.status, LOGIN_MOVED_PERMANENTLY);
	assert_non_null(strstr(buf_text(&f.login.notes), "a\\x1bb"));
	stop(&f);
}

/* C-C-3: our own challenge, sent on one connection, is not answered on another. */
static void test_parallel_reflection(void **state)
{
	struct chap_memory *memory = calloc(1, sizeof(*memory));
	char script[200];
	struct fixture a, b;

	(void)state;
	start(&a, MUTUAL, false);
	start(&b, MUTUAL, false);
	a.config.memory = b.config.memory = memory;
	assert_int_equal(answer(&a, METHOD_CHAP), G);
	assert_int_equal(answer(&b, METHOD_CHAP), G);
	assert_int_equal(answer(&a, CHALLENGE), G);
	snprintf(script, sizeof(script), "|CHAP_A=5;CHAP_I=1;CHAP_C=%s", sent(&a, "CHAP_C"));
	assert_int_equal(answer(&b, script), -EPROTO);
	assert_int_equal(b.login.ours, VERDICT_REFLECTED);
	stop(&a);
	stop(&b);
	free(memory);
}

/* C-SEC-1 */
static void test_credentials_are_checked_first(void **state)
{
	static const struct {
		const char *user;
		struct chap_secret secret, target_secret;
		const char *part;
	} bad[] = {
		{ "u", { "0123456789ab", 12 }, { "0123456789ab", 12 }, "are equal" },
		{ "u", { "", 0 }, { NULL, 0 }, "is empty" },
		{ NULL, { "0123456789ab", 12 }, { NULL, 0 }, "user name" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct login_config config = {
			.initiator_name = INITIATOR,
			.auth = LOGIN_AUTH_CHAP,
			.user = bad[i].user,
			.secret = bad[i].secret,
			.target_secret = bad[i].target_secret,
		};
		CLEANUP(buf_done) struct buf out = { .data = NULL };
		struct params params;
		struct login login;
		struct err err;

		params_init(&params, PARAMS_INITIATOR);
		assert_int_equal(login_start(&login, &config, &params, &out, &err), -EINVAL);
		assert_non_null(strstr(err.reason, bad[i].part));
		assert_int_equal(out.len, 0);
		login_done(&login);
	}
}

/* RFC 7143, 8.1.3: each way through the states, and nothing else. */
static void test_connection_states(void **state)
{
	static const struct {
		enum connection_event events[6];
		int count;
		enum connection_state end;
	} ways[] = {
		{ { EVENT_CONNECT, EVENT_CONNECT_FAILED }, 2, S1_FREE },
		{ { EVENT_CONNECT, EVENT_CONNECTED, EVENT_LOGIN_FAILED }, 3, S1_FREE },
		{ { EVENT_CONNECT, EVENT_CONNECTED, EVENT_LOGIN_DONE, EVENT_LOGOUT_SENT,
		    EVENT_LOGOUT_DONE },
		  5,
		  S1_FREE },
		{ { EVENT_CONNECT, EVENT_CONNECTED, EVENT_LOGIN_DONE, EVENT_LOGOUT_ASKED,
		    EVENT_LOGOUT_ASKED, EVENT_LOGOUT_SENT },
		  6,
		  S6_IN_LOGOUT },
		{ { EVENT_CONNECT, EVENT_CONNECTED, EVENT_LOGIN_DONE, EVENT_LOST, EVENT_CLEANED },
		  5,
		  S1_FREE },
		{ { EVENT_CONNECT, EVENT_CONNECTED, EVENT_LOGIN_DONE, EVENT_LOGOUT_SENT,
		    EVENT_LOGOUT_ASKED, EVENT_LOST },
		  6,
		  S8_CLEANUP_WAIT },
	};
	struct err err;
	int allowed = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		enum connection_state at = S1_FREE;

		for (int k = 0; k < ways[i].count; k++)
			if (states_take(&at, ways[i].events[k], &err) < 0)
				fail_msg("way %zu: %s", i, err.reason);
		assert_int_equal(at, ways[i].end);
	}
	for (int from = S1_FREE; from <= S8_CLEANUP_WAIT; from++)
		for (int event = EVENT_CONNECT; event <= EVENT_CLEANED; event++) {
			enum connection_state at = (enum connection_state)from;

			if (from == 3)
				continue; /* a target's */
			if (states_take(&at, (enum connection_event)event, &err) == 0)
				allowed++;
			else
				assert_int_equal(at, from);
		}
	assert_int_equal(allowed, 15);
	{
		enum connection_state at = S4_IN_LOGIN;

		assert_int_equal(states_take(&at, EVENT_LOGOUT_DONE, &err), -EPROTO);
		assert_string_equal(err.reason, "a Logout Response cannot come in state IN_LOGIN "
						"(RFC 7143, 8.1.3)");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_logins),
		cmocka_unit_test(test_requests_of_a_mutual_login),
		cmocka_unit_test(test_requests_of_a_discovery),
		cmocka_unit_test(test_long_text_is_continued),
		cmocka_unit_test(test_continued_text_has_limits),
		cmocka_unit_test(test_endless_logins_end),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_parallel_reflection),
		cmocka_unit_test(test_credentials_are_checked_first),
		cmocka_unit_test(test_connection_states),
	};

	return cmocka_run_group_tests_name("login", tests, NULL, NULL);
}
