/* SPDX-License-Identifier: MIT */
#include "host/iscsiadm.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "err.h"
#include "host/paths.h"
#include "scratch.h"

enum { LONG = 60000 };

static const struct iscsiadm_target target = {
	.target = "iqn.1997-05.com.amazon:myvolume",
	.address = "fd00::1",
	.port = 3260,
	.tag = 1,
	.interface = "default",
};

/* A stand-in for iscsiadm in PATH: tells its arguments, and exits as it is told. */
struct fixture {
	struct scratch scratch;
	struct paths live;
	char *former;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	char dir[PATH_MAX], path[2 * PATH_MAX];
	struct err err = { 0 };

	scratch_init(&fixture->scratch);
	scratch_write(&fixture->scratch, "/bin/iscsiadm",
		      "#!/bin/sh\necho \"$@\" >\"${0%/*}/arguments\"\n"
		      "echo 'iscsiadm: first' >&2\necho 'iscsiadm: its own words' >&2\n"
		      "read -r code <\"${0%/*}/code\"\nexit \"$code\"\n",
		      0755);
	fixture->former = strdup(getenv("PATH"));
	assert_non_null(realpath(scratch_path(&fixture->scratch, "/bin"), dir));
	snprintf(path, sizeof(path), "%s:%s", dir, fixture->former);
	setenv("PATH", path, 1);
	*state = fixture;
	return paths_init(&fixture->live, NULL, &err);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	setenv("PATH", fixture->former, 1);
	paths_done(&fixture->live);
	scratch_done(&fixture->scratch);
	free(fixture->former);
	free(fixture);
	return 0;
}

static int exit_with(struct fixture *fixture, int code, struct err *err)
{
	char text[16];

	*err = (struct err){ 0 };
	snprintf(text, sizeof(text), "%d\n", code);
	scratch_write(&fixture->scratch, "/bin/code", text, 0644);
	return iscsiadm_login(&fixture->live, &target, LONG, err);
}

/* Beside the stand-in there is none, unless this machine has open-iscsi. */
static void where_it_is_missing_the_package_is_named(void **state)
{
	static const char *const own[] = { "/usr/sbin/iscsiadm", "/sbin/iscsiadm",
					   "/usr/bin/iscsiadm", "/usr/local/sbin/iscsiadm" };
	struct fixture *fixture = *state;
	struct err err = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		if (access(own[i], F_OK) == 0)
			skip();
	}
	assert_int_equal(unlink(scratch_path(&fixture->scratch, "/bin/iscsiadm")), 0);
	assert_int_equal(iscsiadm_login(&fixture->live, &target, LONG, &err), -ENOENT);
	assert_non_null(strstr(err.reason, "iscsiadm is not installed"));
	assert_non_null(
		strstr(err.reason, "; install open-iscsi (Debian) or iscsi-initiator-utils"));
}

/* A gateway may offer such a name: RFC 7143, 4.2.7.2 forbids it, and it is met in the field. */
static void a_name_does_not_end_the_command_to_type(void **state)
{
	struct fixture *fixture = *state;
	struct iscsiadm_target odd = target;
	struct err err = { 0 };

	odd.target = "iqn.1997-05.com.amazon:a;reboot";
	scratch_write(&fixture->scratch, "/bin/code", "24\n", 0644);
	assert_int_equal(iscsiadm_login(&fixture->live, &odd, LONG, &err), -EACCES);
	assert_non_null(strstr(err.reason, " --target 'iqn.1997-05.com.amazon:a;reboot' "));
}

/* iscsiadm(8) lists the codes without a gap; 33 came later. */
static void every_code_is_in_words(void **state)
{
	struct fixture *fixture = *state;

	for (int code = 1; code <= 33; code++) {
		const struct iscsiadm_code *row = iscsiadm_code(code);
		char shown[64];
		struct err err;
		int rc = exit_with(fixture, code, &err);

		if (row->code != code)
			fail_msg("%d has no row", code);
		if (code == 15) {
			assert_int_equal(rc, 1);
			continue;
		}
		snprintf(shown, sizeof(shown), "[iscsiadm: %d %s]", code, row->name);
		if (rc >= 0 || !strstr(err.reason, row->words) || !strstr(err.reason, shown))
			fail_msg("%d: %s", code, err.reason);
		if (!row->next)
			fail_msg("%d: nothing is said of what to do next", code);
		if (strstr(err.reason, "PORTAL") || strstr(err.reason, "IQN"))
			fail_msg("%d: %s", code, err.reason);
	}
}

/* As run: what is harmless, what gets better by itself, and what never does. */
static void codes_are_harmless_may_be_retried_or_never(void **state)
{
	static const struct {
		enum iscsiadm_advice advice;
		int rc;
		int codes[12];
	} rows[] = {
		{ ISCSIADM_HARMLESS, 1, { 15 } },
		{ ISCSIADM_HARMLESS, -ENOENT, { 21 } },
		{ ISCSIADM_RETRY, -EAGAIN, { 4, 8, 11, 18, 20, 29, 31, 33 } },
		{ ISCSIADM_NEVER, -EACCES, { 6, 7, 12, 13, 19, 24, 28 } },
		{ ISCSIADM_LOOK, -EIO, { 1, 2, 10, 99 } },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (size_t j = 0; j < 12 && rows[i].codes[j]; j++) {
			struct err err;
			int code = rows[i].codes[j], rc = exit_with(*state, code, &err);

			if (iscsiadm_code(code)->advice != rows[i].advice || rc != rows[i].rc)
				fail_msg("%d: advice %d, rc %d", code, iscsiadm_code(code)->advice,
					 rc);
		}
	}
}

static void a_logout_of_what_is_gone_is_no_failure(void **state)
{
	struct fixture *fixture = *state;
	struct err err;

	(void)exit_with(fixture, 21, &err);
	assert_int_equal(iscsiadm_logout(&fixture->live, &target, LONG, &err), 1);
}

static void says_whose_secret_was_refused(void **state)
{
	struct err err;

	assert_int_equal(exit_with(*state, 24, &err), -EACCES);
	assert_non_null(strstr(err.reason, "SecretToAuthenticateInitiator"));
	assert_null(strstr(err.reason, "SecretToAuthenticateTarget"));
	assert_non_null(strstr(err.reason, "sgw-init probe '[fd00::1]:3260' --target "
					   "iqn.1997-05.com.amazon:myvolume"));
	assert_int_equal(exit_with(*state, 19, &err), -EACCES);
	assert_non_null(strstr(err.reason, "SecretToAuthenticateTarget"));
	assert_null(strstr(err.reason, "SecretToAuthenticateInitiator"));
}

static void where_the_cause_is_not_known_its_own_words_are_told(void **state)
{
	struct err err;

	assert_int_equal(exit_with(*state, 1, &err), -EIO);
	assert_non_null(strstr(err.reason, "iscsiadm: its own words"));
	assert_int_equal(exit_with(*state, 77, &err), -EIO);
	assert_non_null(strstr(err.reason, "[iscsiadm: 77 unknown]"));
}

static void names_exactly_one_record(void **state)
{
	static const struct {
		struct iscsiadm_target target;
		const char *arguments;
	} rows[] = {
		{ { "iqn.x:a", "10.0.0.1", 3260, 1, "default" },
		  "-m node -T iqn.x:a -p 10.0.0.1:3260,1 --logout -I default\n" },
		{ { "iqn.x:a", "fd00::1", 3261, -1, "eth0" },
		  "-m node -T iqn.x:a -p [fd00::1]:3261 --logout -I eth0\n" },
		{ { "iqn.x:a", "gw.example", 3260, 0, "" },
		  "-m node -T iqn.x:a -p gw.example:3260,0 --logout\n" },
		{ { "iqn.x:a", "gw.example", 3260, -1, NULL },
		  "-m node -T iqn.x:a -p gw.example:3260 --logout\n" },
	};
	struct fixture *fixture = *state;
	struct err err;

	exit_with(fixture, 0, &err);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(iscsiadm_logout(&fixture->live, &rows[i].target, LONG, &err), 0);
		assert_string_equal(scratch_read(&fixture->scratch, "/bin/arguments"),
				    rows[i].arguments);
	}
}

#define HEADING "Num       RefCount Protocol Flags    Type St Inode Path\n"

static void sees_whether_iscsid_listens(void **state)
{
	static const struct {
		const char *sockets;
		bool listens;
	} rows[] = {
		{ HEADING, false },
		{ HEADING
		  "0000: 00000002 00000000 00010000 0001 01 17 @ISCSIADM_ABSTRACT_NAMESPACE\n",
		  true },
		{ HEADING
		  "0000: 00000002 00000000 00010000 0001 01 17 @ISCSIADM_ABSTRACT_NAMESPACE@@@\n",
		  true },
		/* A connection to it that outlives it. */
		{ HEADING
		  "0000: 00000003 00000000 00000000 0001 03 17 @ISCSIADM_ABSTRACT_NAMESPACE\n",
		  false },
		{ HEADING "0000: 00000002 00000000 00010000 0001 01 17 /run/other\n", false },
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = { 0 };
		int rc;

		scratch_write(&fixture->scratch, "/proc/net/unix", rows[i].sockets, 0444);
		rc = iscsiadm_ready(&fixture->scratch.paths, &err);
		if (rc != (rows[i].listens ? 0 : -ECONNREFUSED))
			fail_msg("row %zu: %d", i, rc);
	}
}

static void names_the_command_that_starts_iscsid_here(void **state)
{
	static const struct {
		const char *file, *command;
	} rows[] = {
		{ NULL, "systemctl start iscsid (Debian: open-iscsi)" },
		{ "/etc/init.d/iscsid", "/etc/init.d/iscsid start" },
		{ "/lib/systemd/system/open-iscsi.service", "systemctl start open-iscsi.service" },
		{ "/usr/lib/systemd/system/iscsid.socket", "systemctl start iscsid.socket" },
	};
	struct fixture *fixture = *state;

	scratch_write(&fixture->scratch, "/proc/net/unix", HEADING, 0444);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = { 0 };

		if (rows[i].file)
			scratch_write(&fixture->scratch, rows[i].file, "", 0755);
		assert_int_equal(iscsiadm_ready(&fixture->scratch.paths, &err), -ECONNREFUSED);
		if (!strstr(err.reason, rows[i].command))
			fail_msg("%s: %s", rows[i].command, err.reason);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_is_in_words),
		cmocka_unit_test(codes_are_harmless_may_be_retried_or_never),
		cmocka_unit_test(a_logout_of_what_is_gone_is_no_failure),
		cmocka_unit_test(says_whose_secret_was_refused),
		cmocka_unit_test(a_name_does_not_end_the_command_to_type),
		cmocka_unit_test(where_the_cause_is_not_known_its_own_words_are_told),
		cmocka_unit_test(names_exactly_one_record),
		cmocka_unit_test(sees_whether_iscsid_listens),
		cmocka_unit_test(names_the_command_that_starts_iscsid_here),
		cmocka_unit_test(where_it_is_missing_the_package_is_named), /* takes it away */
	};

	return cmocka_run_group_tests_name("iscsiadm", tests, set_up, tear_down);
}
