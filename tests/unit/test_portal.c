/* SPDX-License-Identifier: MIT */
#include "iscsi/portal.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"
#include "err.h"
#include "iscsi/name.h"

struct row {
	const char *text;
	const char *want; /* canonical form with tag; NULL: refused */
};

/* I-ADDR-1, I-ADDR-2, I-ADDR-3 of the conformance list: the same from either side. */
static const struct row both[] = {
	{ "10.0.1.130", "10.0.1.130:3260" },
	{ "10.0.1.130:3260,1", "10.0.1.130:3260,1" },
	{ "10.0.1.130,0", "10.0.1.130:3260,0" },
	{ "10.0.1.130:1,65535", "10.0.1.130:1,65535" },
	{ "10.0.1.130:65535", "10.0.1.130:65535" },
	{ "gw", "gw:3260" },
	{ "GW.Example.COM:860", "gw.example.com:860" },
	{ "gw.example.com.:3260", "gw.example.com.:3260" },
	{ "3com.example:1,2", "3com.example:1,2" },
	{ "my_gw:3260", "my_gw:3260" },
	{ "[::1]", "[::1]:3260" },
	{ "[::1]:3261,7", "[::1]:3261,7" },
	{ "[0:0:0:0:0:0:0:1]", "[::1]:3260" },
	{ "[2001:DB8:0:0:1:0:0:1]", "[2001:db8::1:0:0:1]:3260" },
	{ "[2001:db8:0:1:1:1:1:1]", "[2001:db8:0:1:1:1:1:1]:3260" },
	{ "[::]", "[::]:3260" },
	{ "[1::]", "[1::]:3260" },
	{ "[1:2:3:4:5:6:7::]", "[1:2:3:4:5:6:7:0]:3260" },
	{ "[::ffff:10.0.0.1]", "10.0.0.1:3260" },
	{ "[::FFFF:a00:1]:99", "10.0.0.1:99" },
	{ "[64:ff9b::192.0.2.33]", "[64:ff9b::c000:221]:3260" },
	{ "", NULL },
	{ ":3260", NULL },
	{ ",1", NULL },
	{ "10.0.1.130:0", NULL },
	{ "10.0.1.130:65536", NULL },
	{ "10.0.1.130:3260x", NULL },
	{ "10.0.1.130:", NULL },
	{ "10.0.1.130: 3260", NULL },
	{ "10.0.1.130:+3260", NULL },
	{ "10.0.1.130:0x1", NULL },
	{ "10.0.1.130:99999999999", NULL },
	{ "10.0.1.130,65536", NULL },
	{ "10.0.1.130,", NULL },
	{ "10.0.1.130,1,2", NULL },
	{ "10.0.1.130,-1", NULL },
	{ "10.0.1", NULL },
	{ "10.0.1.256", NULL },
	{ "10.0.1.130.1", NULL },
	{ "010.0.1.130", NULL },
	{ "2130706433", NULL },
	{ "::1", NULL },
	{ "2001:db8::1", NULL },
	{ "2001:db8::1,1", NULL },
	{ "[::1", NULL },
	{ "[::1]3260", NULL },
	{ "[::1]:", NULL },
	{ "[10.0.0.1]", NULL },
	{ "[]", NULL },
	{ "[:::1]", NULL },
	{ "[1::2::3]", NULL },
	{ "[1:2:3:4:5:6:7:8:9]", NULL },
	{ "[1:2:3:4:5:6:7]", NULL },
	{ "[1:2:3:4:5:6:7:8::]", NULL },
	{ "[12345::]", NULL },
	{ "[1:]", NULL },
	{ "[g::]", NULL },
	{ "[::1.2.3]", NULL },
	{ "[::1%]", NULL },
	{ "[::1%a/b]", NULL },
	{ "a b", NULL },
	{ "a/b", NULL },
	{ "../x", NULL },
	{ "-gw", NULL },
	{ "gw-", NULL },
	{ "a..b", NULL },
	{ ".a", NULL },
	{ "a\nb", NULL },
	{ "a;b", NULL },
	{ "gr\xc3\xbc\xc3\x9f", NULL },
};

static void check(const struct row *row, bool peer, int want_rc)
{
	struct portal portal, again;
	struct err err = { .code = 0 };
	char text[PORTAL_TEXT_MAX] = "";
	int rc = peer ? portal_parse_peer(row->text, strlen(row->text), &portal, &err)
		      : portal_parse(row->text, &portal, &err);

	if (!row->want) {
		if (rc != -EINVAL || err.reason[0] == '\0')
			fail_msg("'%s' was taken", row->text);
		return;
	}
	if (rc != want_rc)
		fail_msg("'%s': %d %s", row->text, rc, err.reason);
	portal_text_tag(&portal, text);
	if (strcmp(text, row->want) != 0)
		fail_msg("'%s': %s", row->text, text);
	/* The canonical form is its own canonical form. */
	assert_int_equal(portal_parse(text, &again, &err), 0);
	assert_true(portal_equal(&portal, &again));
	assert_int_equal(portal.tag, again.tag);
}

static void test_portals(void **state)
{
	static const struct row zoned[] = {
		{ "[fe80::1%eth0]:3260", "[fe80::1%eth0]:3260" },
		{ "[FE80::1%eth0.5]", "[fe80::1%eth0.5]:3260" },
	};
	static const struct row dropped = { "[fe80::1%eth0]:3260,1", "[fe80::1]:3260,1" };
	char longest[300];
	struct portal portal;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(both); i++) {
		check(&both[i], false, 0);
		check(&both[i], true, 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(zoned); i++)
		check(&zoned[i], false, 0);
	check(&dropped, true, 1);

	memset(longest, 'a', sizeof(longest));
	longest[299] = '\0';
	assert_int_equal(portal_parse(longest, &portal, &err), -EINVAL);
	assert_int_equal(portal_parse_peer(longest, 299, &portal, &err), -EINVAL);
	for (int i = 60; i < 253; i += 60)
		longest[i] = '.';
	longest[253] = '\0';
	assert_int_equal(portal_parse(longest, &portal, &err), 0);
	longest[253] = 'a';
	longest[254] = '\0';
	assert_int_equal(portal_parse(longest, &portal, &err), -EINVAL);
}

/* I-ADDR-4 */
static void test_kinds(void **state)
{
	static const struct {
		const char *address;
		enum address_kind kind;
	} rows[] = {
		{ "8.8.8.8", ADDRESS_PUBLIC },
		{ "54.0.0.1", ADDRESS_PUBLIC },
		{ "172.15.255.255", ADDRESS_PUBLIC },
		{ "172.32.0.0", ADDRESS_PUBLIC },
		{ "100.128.0.0", ADDRESS_PUBLIC },
		{ "2600:1f18::1", ADDRESS_PUBLIC },
		{ "10.255.0.1", ADDRESS_PRIVATE },
		{ "172.16.0.0", ADDRESS_PRIVATE },
		{ "172.31.255.255", ADDRESS_PRIVATE },
		{ "192.168.1.1", ADDRESS_PRIVATE },
		{ "100.64.0.1", ADDRESS_PRIVATE },
		{ "fd00::1", ADDRESS_PRIVATE },
		{ "169.254.169.254", ADDRESS_LINK_LOCAL },
		{ "fe80::1", ADDRESS_LINK_LOCAL },
		{ "febf::1", ADDRESS_LINK_LOCAL },
		{ "127.0.0.1", ADDRESS_LOOPBACK },
		{ "127.255.0.1", ADDRESS_LOOPBACK },
		{ "::1", ADDRESS_LOOPBACK },
		{ "::ffff:127.0.0.1", ADDRESS_LOOPBACK },
		{ "0.0.0.0", ADDRESS_UNSPECIFIED },
		{ "::", ADDRESS_UNSPECIFIED },
		{ "224.0.0.1", ADDRESS_MULTICAST },
		{ "239.255.255.255", ADDRESS_MULTICAST },
		{ "ff02::1", ADDRESS_MULTICAST },
		{ "255.255.255.255", ADDRESS_RESERVED },
		{ "0.0.0.1", ADDRESS_RESERVED },
		{ "192.0.2.1", ADDRESS_RESERVED },
		{ "2001:db8::1", ADDRESS_RESERVED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t address[ADDRESS_LEN];

		assert_true(address_parse(rows[i].address, strlen(rows[i].address), address));
		if (address_kind(address) != rows[i].kind)
			fail_msg("%s is %s", rows[i].address,
				 address_kind_name(address_kind(address)));
	}
}

/* I-NAME-1, I-NAME-2 */
static void test_names(void **state)
{
	static const struct {
		const char *name;
		int rc;
	} rows[] = {
		{ "iqn.1997-05.com.amazon:sgw-9999999c-tapedrive-01", 0 },
		{ "iqn.1997-05.com.amazon:my-volume.2", 0 },
		{ "iqn.2001-04.com.example", 0 },
		{ "iqn.2001-04.com.example:a:b:c", 0 },
		{ "iqn.2001-12.com.example:gr\xc3\xbc\xc3\x9f", 0 },
		{ "iqn.2001-12.jp.example:\xe3\x83\x87\xe3\x82\xa3\xe3\x82\xb9\xe3\x82\xaf", 0 },
		{ "eui.02004567a425678d", 0 },
		{ "eui.02004567A425678D", 0 },
		{ "naa.52004567ba64678d", 0 },
		{ "naa.62004567ba64678d0123456789abcdef", 0 },
		{ "iqn.1997-05.com.amazon:a;b", 1 },
		{ "iqn.1997-05.com.amazon:a_b", 1 },
		{ "iqn.1997-05.com.amazon:Backup", 1 },
		{ "", -EINVAL },
		{ "iqn.", -EINVAL },
		{ "eui.", -EINVAL },
		{ "disk1", -EINVAL },
		{ "IQN.1997-05.com.amazon:a", -EINVAL },
		{ "iqn.97-05.com.amazon:a", -EINVAL },
		{ "iqn.1997-13.com.amazon:a", -EINVAL },
		{ "iqn.1997-00.com.amazon:a", -EINVAL },
		{ "iqn.1997-05.", -EINVAL },
		{ "iqn.1997-05.:a", -EINVAL },
		{ "iqn.1997_05.com.amazon:a", -EINVAL },
		{ "eui.02004567a425678", -EINVAL },
		{ "eui.02004567a425678d0", -EINVAL },
		{ "eui.02004567a425678g", -EINVAL },
		{ "naa.52004567ba64678d0", -EINVAL },
		{ "../x", -EINVAL },
		{ "iqn.1997-05.com.amazon:../../etc", -EINVAL },
		{ "iqn.1997-05.com.amazon:a/b", -EINVAL },
		{ "iqn.1997-05.com.amazon:a\\b", -EINVAL },
		{ "iqn.1997-05.com.amazon:a\nb", -EINVAL },
		{ "iqn.1997-05.com.amazon:a\rb", -EINVAL },
		{ "iqn.1997-05.com.amazon:a b", -EINVAL },
		{ "iqn.1997-05.com.amazon:a\tb", -EINVAL },
		{ "iqn.1997-05.com.amazon:\"a\"", -EINVAL },
		{ "iqn.1997-05.com.amazon:'a'", -EINVAL },
		{ "iqn.1997-05.com.amazon:a#b", -EINVAL },
		{ "iqn.1997-05.com.amazon:a,b", -EINVAL },
		{ "iqn.1997-05.com.amazon:a=b", -EINVAL },
		{ "iqn.1997-05.com.amazon:$(x)", -EINVAL },
		{ "iqn.1997-05.com.amazon:%s%n", -EINVAL },
		{ "iqn.1997-05.com.amazon:*", -EINVAL },
		{ "iqn.1997-05.com.amazon:a\x1b[31m", -EINVAL },
		{ "iqn.1997-05.com.amazon:a\x7f", -EINVAL },
		{ "iqn.1997-05.com.amazon:a\xe2\x80\xae"
		  "b",
		  -EINVAL },
		{ "iqn.1997-05.com.amazon:a\xe2\x80\x8b", -EINVAL },
		{ "iqn.1997-05.com.amazon:a\xc2\xa0", -EINVAL },
		{ "iqn.1997-05.com.amazon:a\xef\xbc\x8f", -EINVAL },
		{ "iqn.1997-05.com.amazon:a\xff", -EINVAL },
		{ "iqn.1997-05.com.amazon:a\xc0\xaf", -EINVAL },
		{ "iqn.1997-05.com.amazon:a\xe3\x83", -EINVAL },
		{ "-iqn.1997-05.com.amazon:a", -EINVAL },
		{ ".iqn.1997-05.com.amazon:a", -EINVAL },
	};
	char longest[NAME_MAX_LEN + 2] = "iqn.1997-05.com.amazon:";
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int rc = name_check(rows[i].name, strlen(rows[i].name), &err);

		if (rc != rows[i].rc)
			fail_msg("'%s': %d %s", rows[i].name, rc, err.reason);
	}
	for (size_t i = strlen(longest); i < NAME_MAX_LEN + 1; i++)
		longest[i] = 'x';
	assert_int_equal(name_check(longest, NAME_MAX_LEN, &err), 0);
	assert_int_equal(name_check(longest, NAME_MAX_LEN + 1, &err), -EINVAL);
	assert_int_equal(name_check("iqn.1997-05.com\0.amazon", 23, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_portals),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("portal", tests, NULL, NULL);
}
