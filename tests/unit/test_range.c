/* SPDX-License-Identifier: MIT */
#include "iscsi/range.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"
#include "err.h"

static const struct row {
	const char *text;
	uint64_t count; /* 0: refused */
	const char *first, *last;
} rows[] = {
	{ "10.0.1.0/24", 254, "10.0.1.1:3260", "10.0.1.254:3260" },
	{ "10.0.1.0/24:3261", 254, "10.0.1.1:3261", "10.0.1.254:3261" },
	{ "10.0.1.77/24", 254, "10.0.1.1:3260", "10.0.1.254:3260" },
	{ "10.0.0.0/16", 65534, "10.0.0.1:3260", "10.0.255.254:3260" },
	{ "10.0.1.4/30", 2, "10.0.1.5:3260", "10.0.1.6:3260" },
	{ "10.0.1.4/31", 2, "10.0.1.4:3260", "10.0.1.5:3260" },
	{ "10.0.1.4/32:99", 1, "10.0.1.4:99", "10.0.1.4:99" },
	{ "0.0.0.0/0", 4294967294, "0.0.0.1:3260", "255.255.255.254:3260" },
	{ "[2001:db8::]/120", 255, "[2001:db8::1]:3260", "[2001:db8::ff]:3260" },
	{ "[2001:db8::/120]:3261", 255, "[2001:db8::1]:3261", "[2001:db8::ff]:3261" },
	{ "2001:db8::/120:3261", 255, "[2001:db8::1]:3261", "[2001:db8::ff]:3261" },
	{ "2001:db8::fffe/127", 2, "[2001:db8::fffe]:3260", "[2001:db8::ffff]:3260" },
	{ "::1/128", 1, "[::1]:3260", "[::1]:3260" },
	{ "2001:db8::/65", UINT64_C(0x7fffffffffffffff), "[2001:db8::1]:3260",
	  "[2001:db8::7fff:ffff:ffff:ffff]:3260" },
	{ "2001:db8::/64", UINT64_MAX, "[2001:db8::1]:3260", NULL },
	{ "::/0", UINT64_MAX, "[::1]:3260", NULL },
	{ "10.0.1.0/", 0, NULL, NULL },
	{ "10.0.1.0/33", 0, NULL, NULL },
	{ "10.0.1.0/024x", 0, NULL, NULL },
	{ "10.0.1.0/9999", 0, NULL, NULL },
	{ "10.0.1.0/-1", 0, NULL, NULL },
	{ "10.0.1.0/24:0", 0, NULL, NULL },
	{ "10.0.1.0/24/24", 0, NULL, NULL },
	{ "10.0.1.0/24,1", 0, NULL, NULL },
	{ "10.0.1.0/24:", 0, NULL, NULL },
	{ "/24", 0, NULL, NULL },
	{ "/", 0, NULL, NULL },
	{ "gw.example/24", 0, NULL, NULL },
	{ "10.0.1/24", 0, NULL, NULL },
	{ "::1/129", 0, NULL, NULL },
	{ "[::1/128", 0, NULL, NULL },
	{ "[fe80::1%eth0]/120", 0, NULL, NULL },
};

static void ranges_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		char text[PORTAL_TEXT_MAX];
		struct err err = { 0 };
		struct portal portal;
		struct range range;
		int rc = range_parse(row->text, &range, &err);

		print_message("row: %s\n", row->text);
		assert_true(range_is(row->text));
		assert_int_equal(rc, row->count ? 0 : -EINVAL);
		if (rc < 0) {
			assert_true(err.reason[0] != '\0');
			continue;
		}
		assert_true(range.count == row->count);
		range_portal(&range, 0, &portal);
		portal_text(&portal, text);
		assert_string_equal(text, row->first);
		if (!row->last)
			continue;
		range_portal(&range, range.count - 1, &portal);
		portal_text(&portal, text);
		assert_string_equal(text, row->last);
	}
}

static void portals_are_no_ranges(void **state)
{
	(void)state;
	assert_false(range_is("10.0.1.0"));
	assert_false(range_is("[2001:db8::1]:3260"));
}

static void a_range_knows_its_hosts(void **state)
{
	static const struct {
		const char *range, *portal;
		bool has;
	} table[] = {
		{ "10.0.1.0/24", "10.0.1.1", true },
		{ "10.0.1.0/24", "10.0.1.254:3260", true },
		{ "10.0.1.0/24", "10.0.1.0", false },
		{ "10.0.1.0/24", "10.0.1.255", false },
		{ "10.0.1.0/24", "10.0.2.1", false },
		{ "10.0.1.0/24", "10.0.0.255", false },
		{ "10.0.1.0/24", "10.0.1.1:3261", false },
		{ "10.0.1.0/24", "gw.example", false },
		{ "2001:db8::/120", "[2001:db8::1]", true },
		{ "2001:db8::/120", "[2001:db9::1]", false },
		{ "::/120", "0.0.0.1", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct portal portal;
		struct range range;
		struct err err;

		print_message("row: %s in %s\n", table[i].portal, table[i].range);
		assert_int_equal(range_parse(table[i].range, &range, &err), 0);
		assert_int_equal(portal_parse(table[i].portal, &portal, &err), 0);
		assert_int_equal(range_has(&range, &portal), table[i].has);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_read),
		cmocka_unit_test(portals_are_no_ranges),
		cmocka_unit_test(a_range_knows_its_hosts),
	};

	return cmocka_run_group_tests_name("range", tests, NULL, NULL);
}
