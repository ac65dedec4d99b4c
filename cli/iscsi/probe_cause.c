/* SPDX-License-Identifier: MIT */
#include "iscsi/probe.h"

#include <errno.h>

#include "iscsi/status.h"

static const struct cause_words {
	const char *word, *text, *remedy;
} words[PROBE_CAUSES] = {
	[PROBE_FINE] = { "none", "all is well", NULL },
	[PROBE_UNREACHABLE] = { "unreachable", "the portal cannot be reached",
				"look at address, port, routes and firewalls" },
	[PROBE_SILENT] = { "silent", "the target did not answer in time",
			   "try again, or give it longer with --timeout" },
	[PROBE_REFUSED_US] = { "target-refused-us",
			       "the target refused this host (unknown name or wrong secret)",
			       "compare the CHAP name (this host's InitiatorName) and "
			       "SecretToAuthenticateInitiator with the target's" },
	[PROBE_WRONG_PROOF] = { "we-refused-proof",
				"this host refused the target (its proof is wrong)",
				"compare SecretToAuthenticateTarget with the target's own secret" },
	[PROBE_WRONG_NAME] = { "we-refused-name",
			       "this host refused the target (it proves itself under another name)",
			       "expect the name that the target uses (username_in), or set the "
			       "target's" },
	[PROBE_NO_PROOF] = { "target-proves-nothing",
			     "the target was asked to prove itself and does not",
			     "set SecretToAuthenticateTarget at the target, or leave it out here "
			     "(one-way CHAP)" },
	[PROBE_REFLECTED] = { "reflected",
			      "the target sent this host's own challenge or response back",
			      "this is no honest target, or both secrets are one: find out who "
			      "answers at that address" },
	[PROBE_CHAP_DEMANDED] = { "chap-demanded",
				  "the target demands CHAP, and there are no credentials for it",
				  "give them with --chap FILE" },
	[PROBE_NO_METHOD] = { "chap-not-done",
			      "this host demands CHAP, and the target does not do it",
			      "set CHAP at the target, or drop the credentials here" },
	[PROBE_NO_ALGORITHM] = { "no-common-algorithm",
				 "the target does none of the CHAP algorithms that were offered",
				 "let the target do MD5" },
	[PROBE_NOT_ADMITTED] = { "not-admitted", "the target knows this host and does not admit it",
				 "add this host's InitiatorName to the target's access list" },
	[PROBE_NO_TARGET] = { "no-such-target", "there is no target of that name for this host",
			      "compare it with what sgw-init discover lists, and look at the "
			      "target's access list" },
	[PROBE_UNAVAILABLE] = { "unavailable", "the target has a trouble of its own",
				"try again later; another host may be connected to it" },
	[PROBE_REFUSED] = { "login-refused", "the target refused the login", NULL },
	[PROBE_PROTOCOL] = { "protocol", "the session broke", NULL },
	[PROBE_CREDENTIALS] = { "credentials", "the credentials cannot be used",
				"the two secrets of a target have to differ" },
	[PROBE_UNIT] = { "unit", "a logical unit does not tell what it is", NULL },
};

const char *probe_cause_word(enum probe_cause cause)
{
	return words[cause].word;
}

const char *probe_cause_text(enum probe_cause cause)
{
	return words[cause].text;
}

const char *probe_cause_remedy(enum probe_cause cause)
{
	return words[cause].remedy;
}

/* What the verdicts alone tell; PROBE_FINE: nothing. */
static enum probe_cause cause_of_verdicts(const struct probe_result *result, bool chap)
{
	if (result->theirs == VERDICT_REFLECTED || result->ours == VERDICT_REFLECTED)
		return PROBE_REFLECTED;
	if (result->ours == VERDICT_NO_METHOD)
		return chap ? PROBE_NO_METHOD : PROBE_CHAP_DEMANDED;
	if (result->ours == VERDICT_NO_ALGORITHM)
		return PROBE_NO_ALGORITHM;
	if (result->ours == VERDICT_WRONG)
		return PROBE_REFUSED_US;
	switch (result->theirs) {
	case VERDICT_WRONG:
		return PROBE_WRONG_PROOF;
	case VERDICT_WRONG_NAME:
		return PROBE_WRONG_NAME;
	case VERDICT_MISSING:
		return PROBE_NO_PROOF;
	default:
		return PROBE_FINE;
	}
}

static enum probe_cause cause_of_status(uint16_t status)
{
	if (status == LOGIN_FORBIDDEN)
		return PROBE_NOT_ADMITTED;
	if (status == LOGIN_NOT_FOUND || status == LOGIN_REMOVED)
		return PROBE_NO_TARGET;
	return status_of_login(status)->fault == FAULT_TARGET ? PROBE_UNAVAILABLE : PROBE_REFUSED;
}

enum probe_cause probe_cause(const struct probe_result *result, bool chap)
{
	enum probe_cause cause;

	if (result->rc == 0) {
		for (size_t i = 0; i < result->unit_count; i++) {
			if (result->units[i].problem[0])
				return PROBE_UNIT;
		}
		return PROBE_FINE;
	}
	if (result->stage <= PROBE_CONNECT)
		return PROBE_UNREACHABLE;
	cause = result->stage == PROBE_LOGIN ? cause_of_verdicts(result, chap) : PROBE_FINE;
	if (cause != PROBE_FINE)
		return cause;
	if (result->stage == PROBE_LOGIN && result->status != LOGIN_SUCCESS)
		return cause_of_status(result->status);
	if (result->rc == -ETIMEDOUT)
		return PROBE_SILENT;
	return result->rc == -EINVAL ? PROBE_CREDENTIALS : PROBE_PROTOCOL;
}
