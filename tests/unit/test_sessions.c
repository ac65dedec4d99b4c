/* SPDX-License-Identifier: MIT */
/* Which sessions are the same to iscsiadm's logout: a data loss where that is told wrong. */
#include "host/sessions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"

struct side {
	const char *target, *address;
	uint16_t port;
	const char *interface;
};

static void fill(struct host_session *session, const struct side *side)
{
	memset(session, 0, sizeof(*session));
	snprintf(session->target, sizeof(session->target), "%s", side->target);
	snprintf(session->address, sizeof(session->address), "%s", side->address);
	session->port = side->port;
	snprintf(session->interface, sizeof(session->interface), "%s", side->interface);
}

static void a_logout_ends_all_that_it_cannot_tell_apart(void **state)
{
	static const struct {
		struct side one, other;
		bool shared;
	} rows[] = {
		{ { "a", "10.0.0.1", 3260, "default" },
		  { "a", "10.0.0.1", 3260, "default" },
		  true },
		{ { "a", "10.0.0.1", 3260, "default" },
		  { "b", "10.0.0.1", 3260, "default" },
		  false },
		{ { "a", "10.0.0.1", 3260, "default" },
		  { "a", "10.0.0.2", 3260, "default" },
		  false },
		{ { "a", "10.0.0.1", 3260, "default" },
		  { "a", "10.0.0.1", 3261, "default" },
		  false },
		{ { "a", "10.0.0.1", 3260, "default" }, { "a", "10.0.0.1", 3260, "eth1" }, false },
		{ { "a", "::1", 3260, "default" },
		  { "a", "0:0:0:0:0:0:0:1", 3260, "default" },
		  true },
		/* What cannot be read may be the same. */
		{ { "a", "10.0.0.1", 3260, "" }, { "a", "10.0.0.1", 3260, "eth1" }, true },
		{ { "a", "10.0.0.1", 3260, "eth1" }, { "a", "10.0.0.1", 3260, "" }, true },
		{ { "a", "", 0, "default" }, { "a", "10.0.0.1", 3260, "default" }, true },
		{ { "a", "10.0.0.1", 3260, "default" }, { "a", "", 0, "default" }, true },
		{ { "a", "", 0, "" }, { "b", "", 0, "" }, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct host_session one, other;

		fill(&one, &rows[i].one);
		fill(&other, &rows[i].other);
		if (session_shares_logout(&one, &other) != rows[i].shared)
			fail_msg("row %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_logout_ends_all_that_it_cannot_tell_apart),
	};

	return cmocka_run_group_tests_name("sessions", tests, NULL, NULL);
}
