/* SPDX-License-Identifier: MIT */
#include "probing.h"

#include <errno.h>
#include <string.h>

#include "err.h"
#include "os/loop.h"
#include "os/random.h"
#include "progress.h"

enum { IN_FLIGHT = 16, WRONG_SECRET_LEN = 16 };

static const struct audit_row {
	const char *word, *text;
	bool mutual; /* needs credentials that ask for the target's proof */
	bool proven; /* needs that the login with them went well */
	bool chap; /* needs credentials */
	enum audit_outcome accepted; /* what it means */
} rows[AUDITS] = {
	[AUDIT_NO_CHAP] = { "no-chap", "a login without CHAP", .chap = true,
			    .accepted = AUDIT_WRONG },
	[AUDIT_WRONG_SECRET] = { "wrong-secret", "a login with a wrong secret", .chap = true,
				 .accepted = AUDIT_WRONG },
	[AUDIT_REFLECTED] = { "reflected-challenge", "its own challenge sent back to it",
			      .mutual = true, .proven = true, .chap = true,
			      .accepted = AUDIT_WRONG },
	[AUDIT_ONE_WAY] = { "one-way", "a login that asks for no proof of the target",
			    .mutual = true, .chap = true, .accepted = AUDIT_ALLOWED },
	[AUDIT_DISCOVERY] = { "discovery-no-chap", "a discovery without CHAP",
			      .accepted = AUDIT_ALLOWED },
};

const char *audit_word(enum audit audit)
{
	return rows[audit].word;
}

const char *audit_text(enum audit audit)
{
	return rows[audit].text;
}

const char *audit_outcome_word(enum audit_outcome outcome)
{
	static const char *const words[] = {
		[AUDIT_NOT_TRIED] = "not tried", [AUDIT_REFUSED] = "refused",
		[AUDIT_ALLOWED] = "accepted",	 [AUDIT_WRONG] = "wrongly accepted",
		[AUDIT_UNKNOWN] = "unknown",
	};

	return words[outcome];
}

void probed_done(struct probed *probed)
{
	probe_result_done(&probed->result);
}

enum probe_cause probed_cause(const struct probed *probed)
{
	enum probe_cause cause =
		probe_cause(&probed->result, probed->credentials.from != CREDENTIALS_NONE);

	/* It refuses alike whom it does not know and who asks for a proof that it cannot give. */
	if (cause == PROBE_REFUSED_US && probed->audits[AUDIT_ONE_WAY] == AUDIT_ALLOWED)
		return PROBE_NO_PROOF;
	return cause;
}

const char *probed_remedy(const struct probed *probed)
{
	enum probe_cause cause = probed_cause(probed);

	if (cause == PROBE_REFUSED_US && probed->credentials.target_secret.len > 0 &&
	    probed->audits[AUDIT_ONE_WAY] == AUDIT_NOT_TRIED)
		return "compare the CHAP name (this host's InitiatorName) and "
		       "SecretToAuthenticateInitiator with the target's; or it has no secret to "
		       "prove itself with, which --audit finds out";
	return probe_cause_remedy(cause);
}

bool probed_is_fine(const struct probed *probed)
{
	for (size_t i = 0; i < AUDITS; i++) {
		if (probed->audits[i] == AUDIT_WRONG || probed->audits[i] == AUDIT_UNKNOWN)
			return false;
	}
	return !probed->live && probed_cause(probed) == PROBE_FINE;
}

struct probing {
	struct loop *loop;
	struct probed *list;
	size_t count, next, over;
	const char *initiator;
	uint32_t timeout_ms;
	bool audit;
	struct progress progress;
	uint8_t wrong_secret[WRONG_SECRET_LEN];
	struct job {
		struct probing *probing;
		struct probed *probed; /* NULL: free */
		int audit; /* -1: the probe itself */
	} jobs[IN_FLIGHT];
};

static bool was_proven(const struct probe_result *result)
{
	return result->ours == VERDICT_ACCEPTED && result->theirs == VERDICT_ACCEPTED;
}

static bool audit_applies(const struct probed *probed, const struct audit_row *row)
{
	const struct credentials *credentials = &probed->credentials;

	return (!row->chap || credentials->from != CREDENTIALS_NONE) &&
	       (!row->mutual || credentials->target_secret.len > 0) &&
	       (!row->proven || was_proven(&probed->result));
}

static void set_up(const struct job *job, struct probe_config *config)
{
	const struct probed *probed = job->probed;
	struct login_config *login = &config->login;

	*config = (struct probe_config){
		.portal = probed->portal,
		.params = &probed->offers,
		.login_only = job->audit >= 0,
		.connect_ms = job->probing->timeout_ms,
		.answer_ms = job->probing->timeout_ms,
		.login = {
			.initiator_name = job->probing->initiator,
			.target_name = probed->target,
			.portal_group_tag = PORTAL_NO_TAG,
			.auth = probed->credentials.from == CREDENTIALS_NONE ? LOGIN_AUTH_NONE
									     : LOGIN_AUTH_CHAP,
			.user = probed->credentials.user,
			.secret = probed->credentials.secret,
			.target_secret = probed->credentials.target_secret,
			.target_user = probed->credentials.target_user,
			.proofs_only = probed->proofs_only,
		},
	};
	switch (job->audit) {
	case AUDIT_DISCOVERY:
		login->target_name = NULL;
		login->auth = LOGIN_AUTH_NONE;
		break;
	case AUDIT_NO_CHAP:
		login->auth = LOGIN_AUTH_NONE;
		break;
	case AUDIT_WRONG_SECRET:
		login->secret =
			(struct chap_secret){ job->probing->wrong_secret, WRONG_SECRET_LEN };
		login->target_secret = (struct chap_secret){ NULL, 0 };
		break;
	case AUDIT_ONE_WAY:
		login->target_secret = (struct chap_secret){ NULL, 0 };
		break;
	case AUDIT_REFLECTED:
		login->reflect = true;
		break;
	default:
		break;
	}
}

static enum audit_outcome judge(enum audit audit, const struct probe_result *result)
{
	bool accepted = result->stage > PROBE_LOGIN ||
			(rows[audit].chap && result->ours == VERDICT_ACCEPTED);

	if (accepted)
		return rows[audit].accepted;
	/* To close the connection without a word is a refusal too. */
	return result->stage == PROBE_LOGIN && result->rc != -ETIMEDOUT ? AUDIT_REFUSED
									: AUDIT_UNKNOWN;
}

static void start_next(struct job *job);

static void done(void *arg, struct probe_result *result);

static void start(struct job *job)
{
	struct probe_config config;
	struct probe_result failed = { 0 };

	set_up(job, &config);
	if (probe_start(job->probing->loop, &config, done, job, &failed.err))
		return;
	failed.rc = -failed.err.code;
	done(job, &failed);
}

static void done(void *arg, struct probe_result *result)
{
	struct job *job = arg;
	struct probing *probing = job->probing;
	struct probed *probed = job->probed;

	if (job->audit < 0) {
		probed->result = *result;
		*result = (struct probe_result){ 0 };
	} else {
		probed->audits[job->audit] = judge((enum audit)job->audit, result);
	}
	/* Where nobody answered there is nothing to audit. */
	while (probing->audit && probed->result.stage > PROBE_CONNECT && ++job->audit < AUDITS) {
		if (!audit_applies(probed, &rows[job->audit]))
			continue;
		start(job);
		return;
	}
	probing->over++;
	start_next(job);
}

static void start_next(struct job *job)
{
	struct probing *probing = job->probing;

	progress_show(&probing->progress, "%zu of %zu targets probed", probing->over,
		      probing->count);
	while (probing->next < probing->count && probing->list[probing->next].live) {
		probing->next++;
		probing->over++;
	}
	if (probing->next < probing->count) {
		job->probed = &probing->list[probing->next++];
		job->audit = -1;
		start(job);
	} else if (probing->over == probing->count) {
		loop_stop(probing->loop);
	}
}

static void start_all(void *arg)
{
	struct probing *probing = arg;

	for (size_t i = 0; i < IN_FLIGHT; i++) {
		if (i > 0 && probing->next == probing->count)
			break;
		probing->jobs[i].probing = probing;
		start_next(&probing->jobs[i]);
	}
}

int probing_run(struct probed *list, size_t count, const char *initiator, uint32_t timeout_ms,
		bool audit, struct err *err)
{
	struct probing probing = { .list = list,
				   .count = count,
				   .initiator = initiator,
				   .timeout_ms = timeout_ms,
				   .audit = audit };
	struct loop_timer timer = { .fire = start_all, .arg = &probing };
	int rc = random_bytes(probing.wrong_secret, WRONG_SECRET_LEN, err);

	if (rc < 0)
		return rc;
	probing.loop = loop_new(err);
	if (!probing.loop)
		return -err->code;
	rc = loop_timer_set(probing.loop, &timer, 0, err);
	if (rc == 0)
		rc = loop_run(probing.loop, err);
	progress_clear(&probing.progress);
	loop_free(probing.loop);
	return rc;
}
