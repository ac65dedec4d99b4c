/* SPDX-License-Identifier: MIT */
#include "iscsi/chap.h"

#include <errno.h>
#include <string.h>

#include "buf.h"
#include "err.h"
#include "iscsi/text.h"
#include "os/hash.h"
#include "os/memory.h"
#include "os/random.h"

static const struct algorithm {
	const char *name;
	enum hash hash;
} algorithms[] = {
	[CHAP_MD5] = { "MD5", HASH_MD5 },
	[CHAP_SHA1] = { "SHA1", HASH_SHA1 },
	[CHAP_SHA256] = { "SHA256", HASH_SHA256 },
	[CHAP_SHA3_256] = { "SHA3-256", HASH_SHA3_256 },
};

static const struct algorithm *find(unsigned int algorithm)
{
	if (algorithm >= ARRAY_LEN(algorithms) || !algorithms[algorithm].name)
		return NULL;
	return &algorithms[algorithm];
}

const char *chap_algorithm_name(unsigned int algorithm)
{
	const struct algorithm *found = find(algorithm);

	return found ? found->name : NULL;
}

bool chap_algorithm_available(unsigned int algorithm)
{
	const struct algorithm *found = find(algorithm);

	return found && hash_available(found->hash);
}

size_t chap_response_len(unsigned int algorithm)
{
	const struct algorithm *found = find(algorithm);

	return found ? hash_len(found->hash) : 0;
}

int chap_offer(const uint8_t *list, struct buf *out, struct err *err)
{
	char value[4 * CHAP_ALGORITHMS_MAX + 1];
	size_t used = 0;

	for (int i = 0; i < CHAP_ALGORITHMS_MAX && list[i] != 0; i++) {
		if (!chap_algorithm_available(list[i]))
			continue;
		if (used > 0)
			value[used++] = ',';
		value[used++] = (char)('0' + list[i]);
	}
	if (used == 0)
		return err_set(err, ENOTSUP,
			       "this system can do none of the wanted CHAP algorithms");
	value[used] = '\0';
	text_add(out, "CHAP_A", value);
	return 0;
}

static bool in_list(const uint8_t *list, uint64_t algorithm)
{
	for (int i = 0; i < CHAP_ALGORITHMS_MAX && list[i] != 0; i++)
		if (list[i] == algorithm)
			return true;
	return false;
}

int chap_choose(const char *offer, const uint8_t *list, struct err *err)
{
	const char *rest = offer, *item;
	int chosen = 0;
	size_t len;

	while (text_list_next(&rest, &item, &len)) {
		char digits[24] = "";
		uint64_t number = 0;

		if (len >= sizeof(digits))
			return err_set(err, EPROTO, "CHAP_A has an item of %zu bytes", len);
		memcpy(digits, item, len);
		if (text_number(digits, 0, UINT32_MAX, &number, err) < 0)
			return err_set(err, EPROTO, "CHAP_A=%.64s is no list of numbers", offer);
		if (chosen == 0 && in_list(list, number) &&
		    chap_algorithm_available((unsigned int)number))
			chosen = (int)number;
	}
	if (chosen == 0)
		return err_set(err, ENOTSUP, "CHAP_A=%.64s has no algorithm that is done here",
			       offer);
	return chosen;
}

int chap_challenge_new(struct chap_challenge *challenge, struct err *err)
{
	uint8_t bytes[1 + CHAP_CHALLENGE_LEN];
	int rc = random_bytes(bytes, sizeof(bytes), err);

	if (rc < 0)
		return rc;
	challenge->id = bytes[0];
	challenge->len = CHAP_CHALLENGE_LEN;
	memcpy(challenge->bytes, bytes + 1, CHAP_CHALLENGE_LEN);
	return 0;
}

void chap_challenge_add(const struct chap_challenge *challenge, struct buf *out)
{
	text_addf(out, "CHAP_I", "%u", challenge->id);
	text_add_binary(out, "CHAP_C", challenge->bytes, challenge->len);
}

int chap_challenge_parse(struct chap_challenge *challenge, const char *id, const char *bytes,
			 struct err *err)
{
	uint64_t number = 0;

	if (text_number(id, 0, 255, &number, err) < 0)
		return err_set(err, EPROTO, "CHAP_I=%.64s is no number from 0 to 255", id);
	if (text_binary(bytes, challenge->bytes, CHAP_CHALLENGE_MAX, &challenge->len, err) < 0) {
		struct err cause = *err;

		return err_set(err, EPROTO, "CHAP_C: %s", cause.reason);
	}
	if (challenge->len < CHAP_CHALLENGE_MIN)
		return err_set(err, EPROTO,
			       "CHAP_C of %zu bytes is too weak to answer (%d or more)",
			       challenge->len, CHAP_CHALLENGE_MIN);
	challenge->id = (uint8_t)number;
	return 0;
}

bool chap_challenge_equal(const struct chap_challenge *a, const struct chap_challenge *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

int chap_respond(unsigned int algorithm, const struct chap_challenge *challenge,
		 struct chap_secret secret, uint8_t *out, struct err *err)
{
	/* RFC 1994, 4.1: identifier, secret, challenge. */
	const struct hash_piece pieces[] = {
		{ &challenge->id, 1 },
		{ secret.bytes, secret.len },
		{ challenge->bytes, challenge->len },
	};
	const struct algorithm *found = find(algorithm);

	if (!found)
		return err_set(err, ENOTSUP, "CHAP algorithm %u is unknown", algorithm);
	return hash_pieces(found->hash, pieces, ARRAY_LEN(pieces), out, err);
}

int chap_respond_add(unsigned int algorithm, const struct chap_challenge *challenge,
		     struct chap_secret secret, struct buf *out, struct err *err)
{
	uint8_t response[CHAP_RESPONSE_MAX];
	int rc = chap_respond(algorithm, challenge, secret, response, err);

	if (rc == 0)
		text_add_binary(out, "CHAP_R", response, chap_response_len(algorithm));
	memory_wipe(response, sizeof(response));
	return rc;
}

int chap_verify(unsigned int algorithm, const struct chap_challenge *challenge,
		struct chap_secret secret, struct chap_secret own, const char *response,
		struct err *err)
{
	uint8_t got[CHAP_RESPONSE_MAX], want[CHAP_RESPONSE_MAX], mirror[CHAP_RESPONSE_MAX];
	size_t len = chap_response_len(algorithm), got_len = 0;
	bool right, reflected;
	int rc;

	rc = chap_respond(algorithm, challenge, secret, want, err);
	if (rc == 0)
		rc = chap_respond(algorithm, challenge, own, mirror, err);
	if (rc < 0)
		return rc;
	if (text_binary(response, got, sizeof(got), &got_len, err) < 0 || got_len != len) {
		memory_wipe(want, sizeof(want));
		memory_wipe(mirror, sizeof(mirror));
		return err_set(err, EPROTO, "CHAP_R is not the %zu bytes of %s", len,
			       chap_algorithm_name(algorithm));
	}
	right = memory_equal(got, want, len);
	reflected = memory_equal(got, mirror, len);
	memory_wipe(want, sizeof(want));
	memory_wipe(mirror, sizeof(mirror));
	memory_wipe(got, sizeof(got));
	if (own.len > 0 && reflected)
		return err_set(err, ELOOP,
			       "CHAP_R was made with the secret of the other direction");
	if (!right)
		return err_set(err, EACCES, "CHAP_R is wrong: the secrets of both sides differ");
	return 0;
}

int chap_secrets_check(struct chap_secret secret, struct chap_secret mutual, struct err *err)
{
	if (secret.len == 0)
		return err_set(err, EINVAL, "the CHAP secret is empty");
	if (secret.len == mutual.len && memory_equal(secret.bytes, mutual.bytes, secret.len))
		return err_set(err, EINVAL,
			       "the CHAP secrets of both directions are equal; they must differ");
	return secret.len < CHAP_SECRET_MIN || (mutual.len > 0 && mutual.len < CHAP_SECRET_MIN);
}

static unsigned int memory_set(const struct chap_challenge *challenge)
{
	return ((unsigned int)challenge->bytes[0] << 8 | challenge->bytes[1]) % CHAP_MEMORY_SETS;
}

void chap_memory_add(struct chap_memory *memory, const struct chap_challenge *challenge)
{
	unsigned int set = memory_set(challenge);

	if (challenge->len != CHAP_CHALLENGE_LEN)
		return;
	memcpy(memory->challenges[set][memory->next[set]], challenge->bytes, CHAP_CHALLENGE_LEN);
	memory->next[set] = (uint8_t)((memory->next[set] + 1) % CHAP_MEMORY_WAYS);
}

bool chap_memory_has(const struct chap_memory *memory, const struct chap_challenge *challenge)
{
	unsigned int set = memory_set(challenge);

	static const uint8_t unused[CHAP_CHALLENGE_LEN];

	if (challenge->len != CHAP_CHALLENGE_LEN ||
	    memcmp(challenge->bytes, unused, sizeof(unused)) == 0)
		return false;
	for (int way = 0; way < CHAP_MEMORY_WAYS; way++)
		if (memcmp(memory->challenges[set][way], challenge->bytes, CHAP_CHALLENGE_LEN) == 0)
			return true;
	return false;
}
