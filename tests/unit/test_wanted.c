/* SPDX-License-Identifier: MIT */
#include "engine/wanted.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void test_gateway_kind(void **state)
{
	static const struct row {
		const char *target;
		enum gateway_kind kind;
	} rows[] = {
		{ "iqn.1997-05.com.amazon:myvolume", GATEWAY_VOLUME },
		{ "iqn.1997-05.com.amazon:", GATEWAY_VOLUME },
		{ "iqn.1997-05.com.amazon:sgw-9999999c-tapedrive-01", GATEWAY_TAPE },
		{ "iqn.1997-05.com.amazon:sgw-9999999c-tapedrive-10", GATEWAY_TAPE },
		{ "iqn.1997-05.com.amazon:sgw-9999999c-mediachanger", GATEWAY_TAPE },
		{ "iqn.1997-05.com.amazon:10.0.0.1-tapedrive-01", GATEWAY_TAPE },
		{ "iqn.1997-05.com.amazon:x-tapedrive-", GATEWAY_VOLUME },
		{ "iqn.1997-05.com.amazon:mytapedrive-01", GATEWAY_VOLUME },
		{ "iqn.1997-05.com.amazon:volume-01", GATEWAY_VOLUME },
		{ "iqn.1997-05.com.amazon:mediachanger-2", GATEWAY_VOLUME },
		{ "iqn.1997-05.com.amazonas:x", GATEWAY_OTHER },
		{ "IQN.1997-05.com.amazon:x", GATEWAY_OTHER },
		{ "iqn.2003-01.org.example:sgw-tapedrive-01", GATEWAY_OTHER },
		{ "", GATEWAY_OTHER },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum gateway_kind kind = gateway_kind(rows[i].target);

		if (kind != rows[i].kind)
			fail_msg("'%s' is taken for %s", rows[i].target, gateway_word(kind));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_gateway_kind) };

	return cmocka_run_group_tests_name("wanted", tests, NULL, NULL);
}
