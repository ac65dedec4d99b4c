/* SPDX-License-Identifier: MIT */
#include "iscsi/chap.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"
#include "err.h"
#include "iscsi/text.h"

static const uint8_t all[CHAP_ALGORITHMS_MAX] = { CHAP_MD5, CHAP_SHA1, CHAP_SHA256, CHAP_SHA3_256 };
static const uint8_t md5_only[CHAP_ALGORITHMS_MAX] = { CHAP_MD5 };
static const uint8_t strong_only[CHAP_ALGORITHMS_MAX] = { CHAP_SHA3_256, CHAP_SHA256 };

static const struct chap_secret secret = { "0123456789ab", 12 };
static const struct chap_secret other = { "ba9876543210", 12 };
static const struct chap_secret none = { NULL, 0 };

/* Identifier 0x27, challenge 00 … 0f. */
static void known_challenge(struct chap_challenge *challenge)
{
	challenge->id = 0x27;
	challenge->len = 16;
	for (int i = 0; i < 16; i++)
		challenge->bytes[i] = (uint8_t)i;
}

/* Responses computed by Python's hashlib over identifier, secret, challenge. */
static const struct {
	unsigned int algorithm;
	const char *hex;
} known[] = {
	{ CHAP_MD5, "cc571f51462ed395f7458b4fb9f8395d" },
	{ CHAP_SHA1, "79fe29a2d339276109e000cb28ddfd6a4dfd096b" },
	{ CHAP_SHA256, "553a61ee388c3c0806476bac367814c6184ffb7ee87fc9f0fed74c7d152dfd65" },
	{ CHAP_SHA3_256, "c64140ef6154e9544fdd415a03b67288e13cf5f55e8a0c01f0b3fa9cccad39ed" },
};

static void test_responses_are_right(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		CLEANUP(buf_done) struct buf out = { .data = NULL };
		struct chap_challenge challenge;
		char want[100];
		struct err err;

		known_challenge(&challenge);
		if (!chap_algorithm_available(known[i].algorithm))
			continue; /* a FIPS system has no MD5 */
		snprintf(want, sizeof(want), "CHAP_R=0x%s", known[i].hex);
		assert_int_equal(
			chap_respond_add(known[i].algorithm, &challenge, secret, &out, &err), 0);
		assert_string_equal(out.data, want);
		assert_int_equal(chap_response_len(known[i].algorithm), strlen(known[i].hex) / 2);
		assert_int_equal(chap_verify(known[i].algorithm, &challenge, secret, other,
					     out.data + strlen("CHAP_R="), &err),
				 0);
	}
}

/* C-A-1, C-A-2 */
static void test_algorithm_is_chosen(void **state)
{
	static const struct {
		const char *offer;
		const uint8_t *list;
		int want;
	} rows[] = {
		{ "5", all, 5 },
		{ "7,5", all, 7 },
		{ "5,6,7,8", all, 5 },
		{ "8,7,6,5", all, 8 },
		{ "0x5", all, 5 },
		{ "9,5", all, 5 },
		{ "7,5", md5_only, 5 },
		{ "5,6,7", strong_only, 7 },
		{ "56", all, -ENOTSUP },
		{ "9", all, -ENOTSUP },
		{ "0", all, -ENOTSUP },
		{ "261", all, -ENOTSUP },
		{ "5", strong_only, -ENOTSUP },
		{ "", all, -EPROTO },
		{ "5,", all, -EPROTO },
		{ ",5", all, -EPROTO },
		{ "MD5", all, -EPROTO },
		{ " 5", all, -EPROTO },
		{ "05", all, -EPROTO },
		{ "-5", all, -EPROTO },
		{ "4294967301", all, -EPROTO },
		{ "5555555555555555555555555555555", all, -EPROTO },
	};
	CLEANUP(buf_done) struct buf many = { .data = NULL };
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int got = chap_choose(rows[i].offer, rows[i].list, &err);

		if (got != rows[i].want)
			fail_msg("CHAP_A=%s: %d", rows[i].offer, got);
	}
	for (int i = 0; i < 300; i++)
		buf_addf(&many, "%s%d", i ? "," : "", i + 9);
	assert_int_equal(chap_choose(many.data, all, &err), -ENOTSUP);
}

static void test_algorithms_are_offered(void **state)
{
	CLEANUP(buf_done) struct buf out = { .data = NULL };
	static const uint8_t unknown[CHAP_ALGORITHMS_MAX] = { 9 };
	struct err err;

	(void)state;
	assert_int_equal(chap_offer(md5_only, &out, &err), 0);
	assert_int_equal(chap_offer(strong_only, &out, &err), 0);
	assert_memory_equal(out.data, "CHAP_A=5\0CHAP_A=8,7\0", out.len);
	assert_int_equal(chap_offer(unknown, &out, &err), -ENOTSUP);
}

/* C-OWN-1 */
static void test_own_challenges_are_fresh(void **state)
{
	struct chap_challenge *list = calloc(100, sizeof(*list));
	bool ids_differ = false;
	struct err err;

	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_int_equal(chap_challenge_new(&list[i], &err), 0);
		assert_true(list[i].len >= 16);
		ids_differ |= list[i].id != list[0].id;
		for (int k = 0; k < i; k++)
			assert_false(chap_challenge_equal(&list[i], &list[k]));
	}
	assert_true(ids_differ);
	free(list);
}

/* C-I-1, C-C-1 */
static void test_peer_challenges(void **state)
{
	static const struct {
		const char *id;
		size_t len; /* bytes of challenge */
		int rc;
	} rows[] = {
		{ "0", 16, 0 },		{ "255", 16, 0 },
		{ "0xff", 16, 0 },	{ "256", 16, -EPROTO },
		{ "-1", 16, -EPROTO },	{ "1e3", 16, -EPROTO },
		{ "", 16, -EPROTO },	{ "4294967301", 16, -EPROTO },
		{ "5 ", 16, -EPROTO },	{ "1", 8, 0 },
		{ "1", 1024, 0 },	{ "1", 0, -EPROTO },
		{ "1", 1, -EPROTO },	{ "1", 7, -EPROTO },
		{ "1", 1025, -EPROTO }, { "1", 4096, -EPROTO },
	};
	struct chap_challenge challenge;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(buf_done) struct buf hex = { .data = NULL };
		int rc;

		buf_adds(&hex, "0x");
		for (size_t k = 0; k < rows[i].len; k++)
			buf_adds(&hex, "a5");
		rc = chap_challenge_parse(&challenge, rows[i].id, hex.data, &err);
		if (rc != rows[i].rc || (rc == 0 && challenge.len != rows[i].len))
			fail_msg("CHAP_I=%s, %zu bytes: %d", rows[i].id, rows[i].len, rc);
	}
	assert_int_equal(chap_challenge_parse(&challenge, "1", "0bAAECAwQFBgc=", &err), 0);
	assert_int_equal(challenge.len, 8);
	assert_int_equal(challenge.bytes[7], 7);
	assert_int_equal(chap_challenge_parse(&challenge, "1", "sixteen bytes...", &err), -EPROTO);
}

/* C-R-1 to C-R-5 */
static void test_responses_are_checked(void **state)
{
	static const struct {
		const char *id, *response;
		int rc;
	} rows[] = {
		{ "C-R-1", "0xcc571f51462ed395f7458b4fb9f8395d", 0 },
		{ "C-R-1", "0Xcc571f51462ed395f7458b4fb9f8395d", 0 },
		{ "C-R-1", "0xCC571F51462ED395F7458B4FB9F8395D", 0 },
		{ "C-R-1", "0bzFcfUUYu05X3RYtPufg5XQ==", 0 },
		{ "C-R-1", "0BzFcfUUYu05X3RYtPufg5XQ==", 0 },
		{ "C-R-2", "0x00571f51462ed395f7458b4fb9f8395d", -EACCES },
		{ "C-R-2", "0x571f51462ed395f7458b4fb9f8395d", -EPROTO },
		{ "C-R-2", "0xcc571f51462ed395f7458b4fb9f8395d00", -EPROTO },
		{ "C-R-2", "", -EPROTO },
		{ "C-R-2", "0x", -EPROTO },
		{ "C-R-2", "0xzz", -EPROTO },
		{ "C-R-2", "0bAAAA", -EPROTO },
		{ "C-R-2", "0bzFcfUUYu05X3RYtPufg5XQ=", -EPROTO },
		{ "C-R-2", "12345678901234567890", -EPROTO },
		{ "C-R-2", "cc571f51462ed395f7458b4fb9f8395d", -EPROTO },
		{ "C-R-5", "0x6bc0bb18f116f7ca830da84b6cd175fc", -ELOOP },
	};
	struct chap_challenge challenge;
	CLEANUP(buf_done) struct buf huge = { .data = NULL };
	struct err err;

	(void)state;
	if (!chap_algorithm_available(CHAP_MD5))
		skip();
	known_challenge(&challenge);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int rc = chap_verify(CHAP_MD5, &challenge, secret, other, rows[i].response, &err);

		if (rc != rows[i].rc)
			fail_msg("%s: %s: %d", rows[i].id, rows[i].response, rc);
		if (rc < 0 && strlen(rows[i].response) > 4 && strstr(err.reason, rows[i].response))
			fail_msg("%s: the response is in the message", rows[i].id);
	}
	buf_adds(&huge, "0x");
	for (int i = 0; i < 1025; i++)
		buf_adds(&huge, "00");
	assert_int_equal(chap_verify(CHAP_MD5, &challenge, secret, none, huge.data, &err), -EPROTO);

	/* One secret for both ways cannot tell a reflection, so it is refused even when right. */
	assert_int_equal(chap_verify(CHAP_MD5, &challenge, secret, secret,
				     "0xcc571f51462ed395f7458b4fb9f8395d", &err),
			 -ELOOP);
	/* A replay meets another challenge (C-R-4). */
	challenge.bytes[0] ^= 1;
	assert_int_equal(chap_verify(CHAP_MD5, &challenge, secret, none,
				     "0xcc571f51462ed395f7458b4fb9f8395d", &err),
			 -EACCES);
}

/* The leading zero digit may be missing (C-R-3). */
static void test_odd_count_of_digits(void **state)
{
	struct chap_challenge challenge;
	CLEANUP(buf_done) struct buf out = { .data = NULL };
	struct err err;
	int found = 0;

	(void)state;
	known_challenge(&challenge);
	for (int id = 0; id < 256; id++) {
		char odd[100];

		challenge.id = (uint8_t)id;
		out.len = 0;
		assert_int_equal(chap_respond_add(CHAP_SHA256, &challenge, secret, &out, &err), 0);
		if (strncmp(out.data, "CHAP_R=0x0", 10) != 0)
			continue;
		found++;
		snprintf(odd, sizeof(odd), "0x%s", out.data + 10);
		assert_int_equal(chap_verify(CHAP_SHA256, &challenge, secret, none, odd, &err), 0);
	}
	assert_true(found > 0);
}

/* C-SEC-1 */
static void test_secrets_are_checked_at_load(void **state)
{
	static const struct {
		const char *one, *two;
		int rc;
	} rows[] = {
		{ "0123456789ab", "", 0 },
		{ "0123456789ab", "ba9876543210", 0 },
		{ "0123456789abcdefghijklmnop", "", 0 },
		{ "0123456789a", "", 1 },
		{ "0123456789ab", "short", 1 },
		{ "0123456789ab", "0123456789ab", -EINVAL },
		{ "", "", -EINVAL },
		{ "", "0123456789ab", -EINVAL },
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct chap_secret one = { rows[i].one, strlen(rows[i].one) };
		struct chap_secret two = { rows[i].two, strlen(rows[i].two) };
		int rc = chap_secrets_check(one, two, &err);

		if (rc != rows[i].rc)
			fail_msg("'%s', '%s': %d", rows[i].one, rows[i].two, rc);
		if (rc < 0 && rows[i].one[0] != '\0' && strstr(err.reason, rows[i].one))
			fail_msg("the secret is in the message: %s", err.reason);
	}
}

/* C-C-2, C-C-3: a challenge of ours is known again, on whatever connection it comes back. */
static void test_memory_of_challenges(void **state)
{
	struct chap_memory *memory = calloc(1, sizeof(*memory));
	struct chap_challenge ours, theirs;
	struct err err;

	(void)state;
	assert_int_equal(chap_challenge_new(&ours, &err), 0);
	assert_false(chap_memory_has(memory, &ours));
	chap_memory_add(memory, &ours);
	theirs = ours;
	theirs.id ^= 0xff;
	assert_true(chap_memory_has(memory, &theirs));
	assert_true(chap_challenge_equal(&ours, &theirs));
	for (int i = 0; i < 500; i++) {
		struct chap_challenge more;

		assert_int_equal(chap_challenge_new(&more, &err), 0);
		assert_false(chap_memory_has(memory, &more));
		/* Three more share the set of four with ours; the rest go elsewhere. */
		more.bytes[0] = ours.bytes[0];
		more.bytes[1] = (uint8_t)(ours.bytes[1] + (i < 3 ? 0 : 1));
		chap_memory_add(memory, &more);
	}
	assert_true(chap_memory_has(memory, &theirs));
	theirs.len--;
	assert_false(chap_memory_has(memory, &theirs));
	assert_false(chap_challenge_equal(&ours, &theirs));
	free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_responses_are_right),
		cmocka_unit_test(test_algorithm_is_chosen),
		cmocka_unit_test(test_algorithms_are_offered),
		cmocka_unit_test(test_own_challenges_are_fresh),
		cmocka_unit_test(test_peer_challenges),
		cmocka_unit_test(test_responses_are_checked),
		cmocka_unit_test(test_odd_count_of_digits),
		cmocka_unit_test(test_secrets_are_checked_at_load),
		cmocka_unit_test(test_memory_of_challenges),
	};

	return cmocka_run_group_tests_name("chap", tests, NULL, NULL);
}
