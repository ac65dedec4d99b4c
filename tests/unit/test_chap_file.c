/* SPDX-License-Identifier: MIT */
#include "documents/chap_file.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "buf.h"
#include "err.h"
#include "os/memory.h"

#define GATEWAY "arn:aws:storagegateway:us-east-1:111122223333:gateway/sgw-12A3456B/target/"
#define IQN "iqn.1997-05.com.amazon:myvolume"
#define HOST "iqn.1993-08.org.debian:01:abcdef"

/* ' stands for " in the JSON texts below. */
static char *quoted(const char *text)
{
	char *copy = strdup(text);

	assert_non_null(copy);
	for (char *p = copy; *p; p++) {
		if (*p == '\'')
			*p = '"';
	}
	return copy;
}

static int parse(struct chap_file *file, const char *text, enum chap_limits limits, struct err *err)
{
	CLEANUP(free_ptr) char *json = quoted(text);

	return chap_file_parse(file, json, strlen(json), limits, err);
}

/* What describe-chap-credentials prints, as AWS's reference shows it. */
static void test_describe_chap_credentials(void **state)
{
	CLEANUP(chap_file_done) struct chap_file file = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(parse(&file,
			       "{\n  'ChapCredentials': [\n    {\n"
			       "      'InitiatorName': '" HOST "',\n"
			       "      'SecretToAuthenticateInitiator': '111111111111',\n"
			       "      'SecretToAuthenticateTarget': '222222222222',\n"
			       "      'TargetARN': '" GATEWAY IQN "'\n    },\n    {\n"
			       "      'SecretToAuthenticateInitiator': '3333333333333333',\n"
			       "      'TargetARN': '" IQN "-2'\n    }\n  ]\n}\n",
			       CHAP_LIMITS_AWS, &err),
			 0);
	assert_int_equal(file.count, 2);
	assert_false(file.incomplete);
	assert_string_equal(file.entries[0].target, IQN);
	assert_string_equal(file.entries[0].initiator, HOST);
	assert_string_equal(file.entries[0].initiator_secret, "111111111111");
	assert_string_equal(file.entries[0].target_secret, "222222222222");
	assert_string_equal(file.entries[1].target, IQN "-2");
	assert_null(file.entries[1].initiator);
	assert_string_equal(file.entries[1].initiator_secret, "3333333333333333");
	assert_null(file.entries[1].target_secret);
}

#define SECRETS "'SecretToAuthenticateInitiator':'aaaaaaaaaaaa'"
#define ENTRY(target) "{'TargetARN':'" target "'," SECRETS "}"

static void test_accepted_forms(void **state)
{
	static const struct {
		const char *text;
		size_t count;
		const char *target; /* of the first */
		bool incomplete;
	} rows[] = {
		{ "{'ChapCredentials':[" ENTRY(GATEWAY IQN) "]}", 1, IQN, false },
		{ "[" ENTRY(IQN) "]", 1, IQN, false },
		{ ENTRY(IQN), 1, IQN, false },
		{ "\xef\xbb\xbf" ENTRY(IQN), 1, IQN, false },
		{ "{'ChapCredentials':[]}", 0, NULL, false },
		{ "[]", 0, NULL, false },
		{ "{'ChapCredentials':[" ENTRY(IQN) "],'Marker':'next'}", 1, IQN, true },
		{ "{'ChapCredentials':[" ENTRY(IQN) "],'Marker':null}", 1, IQN, false },
		{ "{'ChapCredentials':[" ENTRY(IQN) "],'Marker':''}", 1, IQN, false },
		/* partitions */
		{ ENTRY("arn:aws-cn:storagegateway:cn-north-1:111122223333:gateway/sgw-1/"
			"target/" IQN),
		  1, IQN, false },
		{ ENTRY("arn:aws-us-gov:storagegateway:us-gov-west-1:1:gateway/sgw-1/target/" IQN),
		  1, IQN, false },
		{ ENTRY("arn:aws-iso-b:storagegateway:us-isob-east-1:1:gateway/sgw-1/target/" IQN),
		  1, IQN, false },
		/* what else is there is none of our business */
		{ "{'ChapCredentials':[{'TargetARN':'" IQN "'," SECRETS ",'Tags':[1],'x':{}}]}", 1,
		  IQN, false },
		{ "{'TargetARN':'" IQN "'," SECRETS
		  ",'SecretToAuthenticateTarget':null,'InitiatorName':null}",
		  1, IQN, false },
		/* one target, two hosts, and anybody */
		{ "[" ENTRY(IQN) ",{'TargetARN':'" IQN "'," SECRETS ",'InitiatorName':'iqn.a'},"
				 "{'TargetARN':'" IQN "'," SECRETS ",'InitiatorName':'iqn.b'}]",
		  3, IQN, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(chap_file_done) struct chap_file file = { 0 };
		struct err err = { 0 };

		if (parse(&file, rows[i].text, CHAP_LIMITS_AWS, &err) < 0)
			fail_msg("%s: %s", rows[i].text, err.reason);
		assert_int_equal(file.count, rows[i].count);
		assert_int_equal(file.incomplete, rows[i].incomplete);
		if (rows[i].target)
			assert_string_equal(file.entries[0].target, rows[i].target);
	}
}

#define WITH(field) "[{'TargetARN':'" IQN "'," field "}]"
#define WITH_SECRET(field) WITH(SECRETS "," field)
#define A16 "aaaaaaaaaaaaaaaa"
#define A200 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 "aaaaaaaa"

/* HUSH marks what is secret: no message may contain it. */
static const struct bad_row {
	const char *text;
	const char *reason;
} bad_rows[] = {
	/* JSON itself */
	{ "", "line 1, column 1: " },
	{ "HUSH", "line 1, column 4: this is not JSON" },
	{ "{'SecretToAuthenticateInitiator':\n 'HUSHHUSHHUSH", "line 2, column " },
	{ "{'TargetARN':'" IQN "',\n'SecretToAuthenticateInitiator':'HUSHHUSHHUSH' HUSH}",
	  "this is not JSON" },
	{ "[" ENTRY(IQN), "the text ends too early" },
	{ "[]\nHUSH", "line 2, column 4: something follows" },
	{ "{'TargetARN':'" IQN "'," SECRETS ",'SecretToAuthenticateInitiator':'HUSHHUSHHUSH'}",
	  "a field stands twice" },
	{ WITH("'SecretToAuthenticateInitiator':'HUSH\\u0000HUSHHUSH'"), "a NUL character" },
	{ WITH("'SecretToAuthenticateInitiator':'HUSH\xffHUSHHUSH'"), "not UTF-8" },
	{ WITH("'SecretToAuthenticateInitiator':'HUSH\nHUSHHUSH'"), "this is not JSON" },
	{ "\xff\xfe[", "UTF-16" },
	{ "[1e9999]", "a number is too large" },
	/* the form */
	{ "{}", "no list ChapCredentials" },
	{ "{'ChapCredentials':'HUSH'}", "no list ChapCredentials" },
	{ "{'VolumeARNs':['HUSH']}", "no list ChapCredentials" },
	{ "[1]", "entry 1: it is not an object" },
	{ "[" ENTRY(IQN) ",'HUSH']", "entry 2: it is not an object" },
	/* the target */
	{ "[{" SECRETS "}]", "entry 1: TargetARN is missing" },
	{ "[{'TargetARN':17," SECRETS "}]", "entry 1: TargetARN is not a string" },
	{ "[" ENTRY("") "]", "entry 1: TargetARN is neither" },
	{ "[" ENTRY("myvolume") "]", "neither a target's ARN" },
	{ "[" ENTRY("arn:aws:storagegateway:us-east-1:1:gateway/sgw-1/volume/vol-1") "]",
	  "neither a target's ARN" },
	{ "[" ENTRY("arn:aws:storagegateway:us-east-1:1:gateway/sgw-1") "]", "neither" },
	{ "[" ENTRY("arn:aws:s3:us-east-1:1:gateway/sgw-1/target/" IQN) "]", "neither" },
	{ "[" ENTRY("arn:azure:storagegateway:us-east-1:1:gateway/sgw-1/target/" IQN) "]",
	  "neither" },
	{ "[" ENTRY("arn:aws:storagegateway::1:gateway/sgw-1/target/" IQN) "]", "neither" },
	{ "[" ENTRY("arn:aws") "]", "neither" },
	{ "[" ENTRY("arn:aws:storagegateway:us-east-1:1:gateway/" A200 A200 A200 A200
		    "/target/" IQN) "]",
	  "neither" },
	{ "[" ENTRY(GATEWAY "") "]", "neither" },
	{ "[" ENTRY("iqn.1997-05.com.amazon:MyVolume") "]", "not spelt as AWS allows" },
	{ "[" ENTRY("iqn.1997-05.com.amazon:my_volume") "]", "not spelt as AWS allows" },
	{ "[" ENTRY("iqn.1997-05.com.amazon:../../etc") "]", "not spelt as AWS allows" },
	{ "[" ENTRY("iqn.1997-05.com.amazon:a b") "]", "not spelt as AWS allows" },
	{ "[" ENTRY("iqn.1997-05.com.amazon:a\\nb") "]", "control character" },
	{ "[" ENTRY("iqn.1997-05.com.amazon:a" A200) "]", "224 bytes; 1 to 223 are allowed" },
	/* the initiator */
	{ WITH_SECRET("'InitiatorName':''"), "InitiatorName has 0 bytes; 1 to 255" },
	{ WITH_SECRET("'InitiatorName':5"), "InitiatorName is not a string" },
	{ WITH_SECRET("'InitiatorName':'iqn.1991-05.com.microsoft:HOST'"), "not spelt" },
	{ WITH_SECRET("'InitiatorName':'iqn.a_b'"), "not spelt" },
	{ WITH_SECRET("'InitiatorName':'iqn.a;b'"), "not spelt" },
	{ WITH_SECRET("'InitiatorName':'" A200 A16 A16 A16 "aaaaaaaa'"), "256 bytes; 1 to 255" },
	/* the secrets */
	{ "[{'TargetARN':'" IQN "'}]",
	  "entry 1 (" IQN "): SecretToAuthenticateInitiator is missing" },
	{ WITH("'SecretToAuthenticateInitiator':null"), "Initiator is missing" },
	{ WITH("'SecretToAuthenticateInitiator':['HUSH']"), "Initiator is not a string" },
	{ WITH("'SecretToAuthenticateInitiator':'HUSHHUSHHUS'"),
	  "(" IQN "): SecretToAuthenticateInitiator has 11 bytes; 12 to 16 are allowed" },
	{ WITH("'SecretToAuthenticateInitiator':'HUSHHUSHHUSHHUSHH'"), "has 17 bytes" },
	/* bytes count, not characters */
	{ WITH("'SecretToAuthenticateInitiator':'HUSHHUSH\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
	       "\xc3\xa4'"),
	  "has 18 bytes" },
	{ WITH("'SecretToAuthenticateInitiator':'HUSH\\u0009HUSHHUSH'"), "control character" },
	{ WITH("'SecretToAuthenticateInitiator':'HUSH\\u007fHUSHHUSH'"), "control character" },
	{ WITH("'SecretToAuthenticateInitiator':' HUSHHUSHHUSH'"), "begins or ends with a blank" },
	{ WITH("'SecretToAuthenticateInitiator':'HUSHHUSHHUSH '"), "begins or ends with a blank" },
	{ WITH_SECRET("'SecretToAuthenticateTarget':'HUSH'"),
	  "SecretToAuthenticateTarget has 4 bytes" },
	{ WITH_SECRET("'SecretToAuthenticateTarget':''"),
	  "SecretToAuthenticateTarget has 0 bytes" },
	{ WITH("'SecretToAuthenticateInitiator':'HUSHHUSHHUSH',"
	       "'SecretToAuthenticateTarget':'HUSHHUSHHUSH'"),
	  "its two secrets are the same" },
	/* slips */
	{ WITH_SECRET("'SecretToAuthenticateTargets':'HUSHHUSHHUSH'"),
	  "field 'SecretToAuthenticateTargets' is unknown" },
	{ WITH_SECRET("'secretToAuthenticateTarget':'HUSHHUSHHUSH'"), "is unknown" },
	{ WITH_SECRET("'Initiator':'HUSH'"), "field 'Initiator' is unknown" },
	/* twice */
	{ "[" ENTRY(IQN) "," ENTRY(IQN "-2") "," ENTRY(GATEWAY IQN) "]",
	  "entry 3 (" IQN "): entry 1 is for the same target and initiator" },
	{ "[{'TargetARN':'" IQN "'," SECRETS ",'InitiatorName':'iqn.a'},"
	  "{'TargetARN':'" IQN "'," SECRETS ",'InitiatorName':'iqn.a'}]",
	  "entry 2 (" IQN "): entry 1" },
};

static void test_a_bad_file_is_refused_without_showing_secrets(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad_rows); i++) {
		CLEANUP(chap_file_done) struct chap_file file = { 0 };
		struct err err = { 0 };
		int rc = parse(&file, bad_rows[i].text, CHAP_LIMITS_AWS, &err);

		if (rc != -EINVAL || !strstr(err.reason, bad_rows[i].reason))
			fail_msg("%s\nis %d: %s\nexpected: %s", bad_rows[i].text, rc, err.reason,
				 bad_rows[i].reason);
		if (strstr(err.reason, "HUSH") || strstr(err.place, "HUSH"))
			fail_msg("a secret is in: %s", err.reason);
		assert_null(file.entries);
		assert_int_equal(file.count, 0);
	}
}

static void test_limits(void **state)
{
	static const struct {
		const char *text;
		bool aws, any; /* accepted */
	} rows[] = {
		{ WITH("'SecretToAuthenticateInitiator':'aaaaaaaaaaa'"), false, true },
		{ WITH("'SecretToAuthenticateInitiator':'aaaaaaaaaaaa'"), true, true },
		{ WITH("'SecretToAuthenticateInitiator':'" A16 "'"), true, true },
		{ WITH("'SecretToAuthenticateInitiator':'" A16 "a'"), false, true },
		{ WITH("'SecretToAuthenticateInitiator':'" A200 A16 A16 A16 "aaaaaaa'"), false,
		  true },
		{ WITH("'SecretToAuthenticateInitiator':'" A200 A16 A16 A16 "aaaaaaaa'"), false,
		  false },
		{ WITH("'SecretToAuthenticateInitiator':''"), false, false },
		{ WITH("'SecretToAuthenticateInitiator':'a'"), false, true },
		{ WITH("'SecretToAuthenticateInitiator':' aaaaaaaaaaaa'"), false, true },
		{ WITH("'SecretToAuthenticateInitiator':'\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
		       "\xc3\xa4\xc3\xa4'"),
		  true, true },
		{ WITH_SECRET("'InitiatorName':'iqn.1991-05.com.microsoft:HOST_1'"), false, true },
		{ WITH_SECRET("'InitiatorName':'iqn.a\\nb'"), false, false },
		{ "[" ENTRY("eui.0123456789ABCDEF") "]", false, true },
		{ "[" ENTRY("iqn.2003-01.org.linux-iscsi:UPPER/slash") "]", false, true },
		{ "[" ENTRY("iqn.1997-05.com.amazon:" A200) "]", true, true },
		{ WITH_SECRET("'SecretToAuthenticateTarget':'aaaaaaaaaaaa'"), false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (int any = 0; any < 2; any++) {
			CLEANUP(chap_file_done) struct chap_file file = { 0 };
			struct err err = { 0 };
			int rc = parse(&file, rows[i].text, any ? CHAP_LIMITS_ANY : CHAP_LIMITS_AWS,
				       &err);

			if (rc != ((any ? rows[i].any : rows[i].aws) ? 0 : -EINVAL))
				fail_msg("%s, any %d: %d %s", rows[i].text, any, rc, err.reason);
		}
	}
}

static void test_many_entries(void **state)
{
	CLEANUP(chap_file_done) struct chap_file file = { 0 };
	CLEANUP(buf_done) struct buf text = { 0 };
	struct err err = { 0 };

	(void)state;
	buf_adds(&text, "[");
	for (int i = 9999; i >= 0; i--)
		buf_addf(&text, "{'TargetARN':'" IQN "-%d'," SECRETS "}%s", i, i ? "," : "]");
	assert_int_equal(parse(&file, buf_text(&text), CHAP_LIMITS_AWS, &err), 0);
	assert_int_equal(file.count, 10000);
	assert_string_equal(file.entries[0].target, IQN "-9999");
}

/* Values made before, by whom ever, live on and are freed after. */
static void test_the_allocator_of_json_is_put_back(void **state)
{
	CLEANUP(chap_file_done) struct chap_file file = { 0 };
	json_malloc_t malloc_before, malloc_after;
	json_free_t free_before, free_after;
	struct err err = { 0 };
	json_t *value = json_pack("{s:s}", "key", "value");

	(void)state;
	json_get_alloc_funcs(&malloc_before, &free_before);
	assert_int_equal(parse(&file, ENTRY(IQN), CHAP_LIMITS_AWS, &err), 0);
	json_get_alloc_funcs(&malloc_after, &free_after);
	assert_ptr_equal(malloc_before, malloc_after);
	assert_ptr_equal(free_before, free_after);
	assert_string_equal(json_string_value(json_object_get(value, "key")), "value");
	json_decref(value);
}

#ifndef __SANITIZE_ADDRESS__ /* which has a heap of its own, and keeps what was freed */
/* How often the secret stands in the heap; spelt so that this program's data is no match. */
static int copies_in_heap(const char *half)
{
	static char bytes[8 << 20];
	unsigned long begin = 0, end = 0;
	char line[512];
	FILE *maps = fopen("/proc/self/maps", "r");
	int mem = open("/proc/self/mem", O_RDONLY), count = 0;
	ssize_t got;

	assert_non_null(maps);
	assert_true(mem >= 0);
	while (fgets(line, sizeof(line), maps) && !strstr(line, "[heap]"))
		;
	assert_int_equal(sscanf(line, "%lx-%lx", &begin, &end), 2);
	assert_true(end - begin <= sizeof(bytes));
	got = pread(mem, bytes, end - begin, (off_t)begin);
	assert_int_equal(got, (ssize_t)(end - begin));
	for (ssize_t i = 0; i + 12 <= got; i++)
		count += memcmp(bytes + i, half, 6) == 0 && memcmp(bytes + i + 6, half, 6) == 0;
	memory_wipe(bytes, sizeof(bytes));
	fclose(maps);
	close(mem);
	return count;
}

static void test_no_secret_stays_in_memory(void **state)
{
	struct chap_file file = { 0 };
	struct err err = { 0 };
	char *json = quoted("[{'TargetARN':'" IQN "',"
			    "'SecretToAuthenticateInitiator':'" A16 A16
			    "Xq7#kPXq7#kP'},{'TargetARN':'" IQN "',"
			    "'SecretToAuthenticateInitiator':'aaaaaaaaaaab'}]");

	(void)state;
	/* A file that fails at its last entry, and one that does not. */
	for (int good = 0; good < 2; good++) {
		if (good)
			memcpy(strstr(strstr(json, "},{"), IQN), "iqn.2", 5);
		assert_int_equal(chap_file_parse(&file, json, strlen(json), CHAP_LIMITS_ANY, &err),
				 good ? 0 : -EINVAL);
		assert_int_equal(copies_in_heap("Xq7#kP"), 1 + good); /* json itself, and ours */
		chap_file_done(&file);
		assert_int_equal(copies_in_heap("Xq7#kP"), 1);
	}
	memory_free(json);
	assert_int_equal(copies_in_heap("Xq7#kP"), 0);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_describe_chap_credentials),
		cmocka_unit_test(test_accepted_forms),
		cmocka_unit_test(test_a_bad_file_is_refused_without_showing_secrets),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_many_entries),
		cmocka_unit_test(test_the_allocator_of_json_is_put_back),
#ifndef __SANITIZE_ADDRESS__
		cmocka_unit_test(test_no_secret_stays_in_memory),
#endif
	};

	return cmocka_run_group_tests_name("chap_file", tests, NULL, NULL);
}
