/* SPDX-License-Identifier: MIT */
#include "iscsi/login_steps.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "err.h"
#include "escape.h"

const char *login_step_name(enum login_step step)
{
	return login_stages[step].name;
}

const char *login_verdict_name(enum login_verdict verdict)
{
	static const char *const names[] = {
		[VERDICT_NONE] = "not reached",
		[VERDICT_NOT_ASKED] = "not asked for",
		[VERDICT_ACCEPTED] = "accepted",
		[VERDICT_WRONG] = "wrong secret or name",
		[VERDICT_WRONG_NAME] = "wrong name",
		[VERDICT_MISSING] = "demanded but not given",
		[VERDICT_NO_METHOD] = "no common method",
		[VERDICT_NO_ALGORITHM] = "no common algorithm",
		[VERDICT_REFLECTED] = "reflected",
		[VERDICT_MALFORMED] = "malformed",
	};

	return names[verdict];
}

void login_note(struct login *login, const char *fmt, ...)
{
	char text[512], shown[4 * sizeof(text)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	escape_text(text, strlen(text), shown, sizeof(shown));
	buf_addf(&login->notes, "%s\n", shown);
}

/* A fault of the target's: the connection goes, and the message says in which step it was. */
int login_fault(const struct login *login, const char *section, struct err *err, const char *fmt,
		...)
{
	char what[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	return err_set(err, EPROTO, "login failed: %s (%s; RFC 7143, %s)", what,
		       login_stages[login->step].name, section);
}

static int demand_no_proof(struct login *login, const struct login_answer *answer, struct err *err)
{
	(void)answer;
	if (login->config->auth == LOGIN_AUTH_CHAP) {
		login->ours = VERDICT_NO_METHOD;
		login->theirs = VERDICT_MISSING;
		return login_fault(login, login->section, err,
				   "the target goes on without CHAP, which was demanded");
	}
	/* Who has a secret to check the target with wants it checked. */
	if (login->config->auth == LOGIN_AUTH_EITHER && login->config->target_secret.len > 0) {
		login->theirs = VERDICT_MISSING;
		return login_fault(login, login->section, err, "the target does not prove itself");
	}
	login->ours = login->theirs = VERDICT_NOT_ASKED;
	return 0;
}

static const uint8_t *algorithms(const struct login_config *config)
{
	static const uint8_t md5[CHAP_ALGORITHMS_MAX] = { CHAP_MD5 };

	return config->algorithms[0] ? config->algorithms : md5;
}

static int offer_algorithms(struct login *login, const struct login_answer *answer, struct err *err)
{
	(void)answer;
	return chap_offer(algorithms(login->config), &login->text, err);
}

static int answer_challenge(struct login *login, const struct login_answer *answer, struct err *err)
{
	const struct login_config *config = login->config;
	struct chap_challenge theirs;
	struct err cause;
	int rc;

	/* One number, and one of ours (C-A-2 of the conformance list). */
	rc = strchr(answer->a, ',') ? -EPROTO : chap_choose(answer->a, algorithms(config), &cause);
	if (rc < 0) {
		login->ours = VERDICT_NO_ALGORITHM;
		return login_fault(login, login->section, err,
				   "the target chose CHAP_A=%.64s, which was not offered",
				   answer->a);
	}
	login->algorithm = rc;
	if (chap_challenge_parse(&theirs, answer->i, answer->c, &cause) < 0) {
		login->ours = VERDICT_MALFORMED;
		return login_fault(login, login->section, err, "the target's challenge: %.256s",
				   cause.reason);
	}
	if (theirs.len < CHAP_CHALLENGE_WEAK)
		login_note(login, "the target's CHAP challenge has %zu bytes only", theirs.len);
	if (config->memory && chap_memory_has(config->memory, &theirs)) {
		login->ours = VERDICT_REFLECTED;
		return login_fault(login, login->section, err,
				   "the target sent a challenge of ours back");
	}
	text_add(&login->text, "CHAP_N", config->user);
	rc = chap_respond_add((unsigned int)login->algorithm, &theirs, config->secret, &login->text,
			      err);
	if (rc < 0 || config->target_secret.len == 0)
		return rc;
	rc = chap_challenge_new(&login->challenge, err);
	if (rc < 0)
		return rc;
	if (config->reflect)
		login->challenge = theirs;
	if (config->memory)
		chap_memory_add(config->memory, &login->challenge);
	chap_challenge_add(&login->challenge, &login->text);
	return 0;
}

static int accept_unproven(struct login *login, const struct login_answer *answer, struct err *err)
{
	(void)answer;
	login->ours = VERDICT_ACCEPTED;
	if (login->config->target_secret.len == 0) {
		login->theirs = VERDICT_NOT_ASKED;
		return 0;
	}
	login->theirs = VERDICT_MISSING;
	return login_fault(login, login->section, err,
			   "the target accepted us but did not prove itself: "
			   "set its own CHAP secret there, or log in without mutual CHAP");
}

static int check_proof(struct login *login, const struct login_answer *answer, struct err *err)
{
	const struct login_config *config = login->config;
	struct err cause = { .code = 0 };
	int rc;

	if (config->target_secret.len == 0) {
		login->theirs = VERDICT_MALFORMED;
		return login_fault(login, login->section, err,
				   "the target sent a proof nobody asked for");
	}
	login->ours = VERDICT_ACCEPTED;
	if (config->target_user && strcmp(answer->n, config->target_user) != 0) {
		login->theirs = VERDICT_WRONG_NAME;
		return login_fault(login, login->section, err,
				   "we refused the target: it calls itself '%.255s', not '%.255s'",
				   answer->n, config->target_user);
	}
	rc = chap_verify((unsigned int)login->algorithm, &login->challenge, config->target_secret,
			 config->secret, answer->r, &cause);
	if (rc == 0) {
		login->theirs = VERDICT_ACCEPTED;
		return 0;
	}
	login->theirs = rc == -EPROTO  ? VERDICT_MALFORMED
			: rc == -ELOOP ? VERDICT_REFLECTED
				       : VERDICT_WRONG;
	return login_fault(login, login->section, err, "we refused the target: its %.256s",
			   cause.reason);
}

static int finish(struct login *login, const struct login_answer *answer, struct err *err)
{
	char text[16];

	(void)answer;
	if (login->tsih == 0)
		return login_fault(login, login->section, err,
				   "the target gave the session no handle (TSIH 0)");
	if (login->waiting > 0)
		return login_fault(
			login, "6.3", err,
			"the target ended the login with %u of its own offers unanswered",
			login->waiting);
	for (unsigned int i = 0; i < PARAM_COUNT; i++)
		if (login->params.open >> i & 1)
			login_note(login, "the target did not answer %s: its default %s holds",
				   param_defs[i].key,
				   param_text((enum param)i, login->params.value[i], text));
	return 0;
}

/* What each step asks for: the stages in its requests, and whether it is ready to move on. */
const struct login_stages login_stages[] = {
	[STEP_METHOD] = { STAGE_SECURITY, STAGE_OPERATIONAL, true,
			  "security stage, waiting for the authentication method" },
	[STEP_ALGORITHM] = { STAGE_SECURITY, STAGE_OPERATIONAL, false,
			     "security stage, waiting for the target's challenge" },
	[STEP_PROOF] = { STAGE_SECURITY, STAGE_OPERATIONAL, true,
			 "security stage, waiting for the verdict on the proof" },
	[STEP_LEAVE] = { STAGE_SECURITY, STAGE_OPERATIONAL, true,
			 "security stage, waiting for its end" },
	[STEP_OPERATIONAL] = { STAGE_OPERATIONAL, STAGE_FULL_FEATURE, true, "operational stage" },
	[STEP_DONE] = { STAGE_FULL_FEATURE, STAGE_FULL_FEATURE, false, "full feature phase" },
	[STEP_FAILED] = { STAGE_FULL_FEATURE, STAGE_FULL_FEATURE, false, "after a failed login" },
};

/*
 * Each answer a target may give: with exactly these security keys, with or
 * without T. Whatever stands in no row ends the login (6.3: "never skip a step").
 */
static const struct login_row rows[] = {
	{ STEP_METHOD, KEY_NONE, true, demand_no_proof, STEP_OPERATIONAL, "6.3.2" },
	{ STEP_METHOD, KEY_NONE, false, demand_no_proof, STEP_LEAVE, "6.3.2" },
	{ STEP_METHOD, 0, true, demand_no_proof, STEP_OPERATIONAL, "6.3.2" },
	{ STEP_METHOD, 0, false, NULL, STEP_METHOD, "6.3" },
	{ STEP_METHOD, KEY_CHAP, false, offer_algorithms, STEP_ALGORITHM, "12.1" },
	{ STEP_ALGORITHM, KEY_A | KEY_I | KEY_C, false, answer_challenge, STEP_PROOF, "12.1.3" },
	{ STEP_PROOF, 0, true, accept_unproven, STEP_OPERATIONAL, "12.1.3" },
	{ STEP_PROOF, 0, false, accept_unproven, STEP_LEAVE, "12.1.3" },
	{ STEP_PROOF, KEY_N | KEY_R, true, check_proof, STEP_OPERATIONAL, "12.1.3" },
	{ STEP_PROOF, KEY_N | KEY_R, false, check_proof, STEP_LEAVE, "12.1.3" },
	{ STEP_LEAVE, 0, true, NULL, STEP_OPERATIONAL, "6.3.1" },
	{ STEP_LEAVE, 0, false, NULL, STEP_LEAVE, "6.3.1" },
	{ STEP_OPERATIONAL, 0, true, finish, STEP_DONE, "6.3.3" },
	{ STEP_OPERATIONAL, 0, false, NULL, STEP_OPERATIONAL, "6.3.3" },
};

const struct login_row *login_find_row(enum login_step step, unsigned int keys, bool transit)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].step == step && rows[i].keys == keys && rows[i].transit == transit)
			return &rows[i];
	return NULL;
}
