/* SPDX-License-Identifier: MIT */
#include "auth.h"

#include <errno.h>
#include <string.h>

#include "buf.h"
#include "err.h"
#include "gateway.h"
#include "iscsi/status.h"
#include "iscsi/text.h"
#include "os/memory.h"
#include "os/random.h"

enum {
	KEY_A = 1 << 0,
	KEY_I = 1 << (PARAM_CHAP_I - PARAM_CHAP_A),
	KEY_C = 1 << (PARAM_CHAP_C - PARAM_CHAP_A),
	KEY_N = 1 << (PARAM_CHAP_N - PARAM_CHAP_A),
	KEY_R = 1 << (PARAM_CHAP_R - PARAM_CHAP_A),
};

/* In the order in which an initiator's offer is searched: all that the codec does. */
static const uint8_t algorithms[CHAP_ALGORITHMS_MAX] = { CHAP_MD5, CHAP_SHA1, CHAP_SHA256,
							 CHAP_SHA3_256 };

/* One CHAP request, while it is handled. */
struct request {
	struct auth *auth;
	struct gateway *gateway;
	const struct auth_parties *parties;
	const char *const *keys;
	struct buf *out;
	struct err *err;
};

const char *auth_methods(struct auth *auth, const struct gateway *gateway,
			 const struct target *target)
{
	auth->demanded = target && target->credentials;
	if (auth->demanded)
		return "CHAP";
	return !target && gateway->chap.count > 0 ? "CHAP,None" : "None";
}

void auth_method(struct auth *auth, uint32_t choice)
{
	auth->step = choice == AUTH_CHAP ? AUTH_WAITS_ALGORITHM : AUTH_DONE;
}

const char *auth_word(const struct auth *auth)
{
	if (!auth->proven)
		return "none";
	return auth->mutual ? "mutual" : "one-way";
}

static const char *key(const struct request *request, enum param param)
{
	return request->keys[param - PARAM_CHAP_A];
}

static unsigned int challenge(const struct request *request)
{
	struct auth *auth = request->auth;
	char digit[2] = "";
	int chosen = chap_choose(key(request, PARAM_CHAP_A), algorithms, request->err);

	if (chosen < 0)
		return LOGIN_AUTHENTICATION_FAILED;
	if (chap_challenge_new(&auth->challenge, request->err) < 0)
		return LOGIN_TARGET_ERROR;
	chap_memory_add(&request->gateway->challenges, &auth->challenge);
	auth->algorithm = chosen;
	digit[0] = (char)('0' + chosen);
	text_add(request->out, "CHAP_A", digit);
	chap_challenge_add(&auth->challenge, request->out);
	auth->step = AUTH_WAITS_RESPONSE;
	return 0;
}

static struct chap_secret secret_of(const char *text)
{
	return (struct chap_secret){ text ? text : "", text ? strlen(text) : 0 };
}

/* The user of an entry without InitiatorName is whoever logs in, by that name. */
static bool is_user(const struct request *request, const struct chap_entry *entry)
{
	const char *user = entry->initiator ? entry->initiator : request->parties->sent_name;

	return strcmp(user, key(request, PARAM_CHAP_N)) == 0;
}

static bool proves(const struct request *request, const struct chap_entry *entry)
{
	const struct auth *auth = request->auth;

	return chap_verify((unsigned int)auth->algorithm, &auth->challenge,
			   secret_of(entry->initiator_secret), secret_of(entry->target_secret),
			   key(request, PARAM_CHAP_R), request->err) == 0;
}

/* An unknown user takes as long to refuse, and is answered alike. */
static void refuse_stranger(const struct request *request)
{
	const struct auth *auth = request->auth;
	uint8_t decoy[16];
	struct err ignored;

	if (random_bytes(decoy, sizeof(decoy), &ignored) == 0)
		(void)chap_verify((unsigned int)auth->algorithm, &auth->challenge,
				  (struct chap_secret){ decoy, sizeof(decoy) },
				  (struct chap_secret){ "", 0 }, key(request, PARAM_CHAP_R),
				  &ignored);
	memory_wipe(decoy, sizeof(decoy));
	err_set(request->err, EACCES, "CHAP_N='%s' is no user of this target",
		key(request, PARAM_CHAP_N));
}

/* The entry whose user and secret the initiator has, or NULL with the reason in *err. */
static const struct chap_entry *find_entry(const struct request *request)
{
	const struct chap_file *file = &request->gateway->chap;
	const struct target *target = request->parties->target;
	bool known = false;

	if (target) {
		for (const struct credential *it = target->credentials; it; it = it->next) {
			if (!is_user(request, it->entry))
				continue;
			known = true;
			if (proves(request, it->entry))
				return it->entry;
		}
	} else {
		for (size_t i = 0; i < file->count; i++) {
			if (!is_user(request, &file->entries[i]))
				continue;
			known = true;
			if (proves(request, &file->entries[i]))
				return &file->entries[i];
		}
	}
	if (!known)
		refuse_stranger(request);
	return NULL;
}

/* Answer the initiator's own challenge. */
static unsigned int prove_target(const struct request *request, const struct chap_entry *entry)
{
	struct auth *auth = request->auth;
	struct chap_challenge theirs;

	if (chap_challenge_parse(&theirs, key(request, PARAM_CHAP_I), key(request, PARAM_CHAP_C),
				 request->err) < 0)
		return LOGIN_AUTHENTICATION_FAILED;
	/* To answer a challenge of our own would be to log the initiator in with our secret. */
	if (chap_challenge_equal(&theirs, &auth->challenge) ||
	    chap_memory_has(&request->gateway->challenges, &theirs)) {
		err_set(request->err, EACCES, "CHAP_C is a challenge of this target, sent back");
		return LOGIN_AUTHENTICATION_FAILED;
	}
	if (!entry->target_secret) {
		err_set(request->err, EACCES,
			"the initiator asks for a proof, and this target has no secret of its own");
		return LOGIN_AUTHENTICATION_FAILED;
	}
	text_add(request->out, "CHAP_N", entry->target);
	if (chap_respond_add((unsigned int)auth->algorithm, &theirs,
			     secret_of(entry->target_secret), request->out, request->err) < 0)
		return LOGIN_TARGET_ERROR;
	auth->mutual = true;
	return 0;
}

static unsigned int verify(const struct request *request)
{
	struct auth *auth = request->auth;
	const struct chap_entry *entry = find_entry(request);

	if (!entry)
		return LOGIN_AUTHENTICATION_FAILED;
	if (entry->initiator && strcmp(entry->initiator, request->parties->initiator) != 0) {
		err_set(request->err, EACCES, "the proof is that of '%s', the initiator is '%s'",
			entry->initiator, request->parties->initiator);
		return LOGIN_FORBIDDEN;
	}
	if (key(request, PARAM_CHAP_I)) {
		unsigned int status = prove_target(request, entry);

		if (status != 0)
			return status;
	}
	auth->proven = true;
	auth->step = AUTH_DONE;
	return 0;
}

/* Which keys a step is made of; any others, or one too few, and the login has failed. */
static const struct step {
	unsigned int needs, allows;
	unsigned int (*run)(const struct request *request);
} steps[] = {
	[AUTH_NO_METHOD] = { 0, 0, NULL },
	[AUTH_WAITS_ALGORITHM] = { KEY_A, KEY_A, challenge },
	[AUTH_WAITS_RESPONSE] = { KEY_N | KEY_R, KEY_N | KEY_R | KEY_I | KEY_C, verify },
	[AUTH_DONE] = { 0, 0, NULL },
};

unsigned int auth_receive(struct auth *auth, struct gateway *gateway,
			  const struct auth_parties *parties,
			  const char *const keys[static AUTH_KEYS], struct buf *out,
			  struct err *err)
{
	const struct request request = { auth, gateway, parties, keys, out, err };
	const struct step *step = &steps[auth->step];
	unsigned int here = 0;

	for (int i = 0; i < AUTH_KEYS; i++)
		here |= keys[i] ? 1u << i : 0;
	if (!step->run || (here & step->needs) != step->needs || (here & ~step->allows) != 0 ||
	    !(here & KEY_I) != !(here & KEY_C)) {
		err_set(err, EPROTO, "CHAP keys out of order or incomplete");
		return LOGIN_AUTHENTICATION_FAILED;
	}
	return step->run(&request);
}
