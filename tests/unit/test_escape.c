/* SPDX-License-Identifier: MIT */
#include "escape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "buf.h"

struct escape_row {
	const char *text;
	size_t len; /* 0: up to the NUL */
	const char *shown;
};

static const struct escape_row escape_rows[] = {
	{ "plain text, 'quoted'", 0, "plain text, 'quoted'" },
	{ "", 0, "" },
	{ "a\\b \\\\ C:\\x", 0, "a\\b \\\\ C:\\x" },
	{ "evil\\x20name", 0, "evil\\x5cx20name" },
	{ "\\x2g \\x2\\x20", 0, "\\x2g \\x2\\x5cx20" },
	{ "\\xAB cut \\x2", 0, "\\xAB cut \\x2" },
	{ "\\\033", 0, "\\\\x1b" },
	{ "a\nb\tc\r", 0, "a\\x0ab\\x09c\\x0d" },
	{ "a\0b", 3, "a\\x00b" },
	{ "\033[31mred", 0, "\\x1b[31mred" },
	{ "del\177", 0, "del\\x7f" },
	{ "gr\303\274n \342\202\254 \360\237\222\276", 0,
	  "gr\303\274n \342\202\254 \360\237\222\276" },
	{ "\302\233C1", 0, "\\xc2\\x9bC1" },
	{ "\377\376", 0, "\\xff\\xfe" },
	{ "cut \342\202", 0, "cut \\xe2\\x82" },
	{ "lone \200 tail", 0, "lone \\x80 tail" },
	{ "overlong \300\257", 0, "overlong \\xc0\\xaf" },
	{ "overlong \340\200\257", 0, "overlong \\xe0\\x80\\xaf" },
	{ "surrogate \355\240\200", 0, "surrogate \\xed\\xa0\\x80" },
	{ "beyond \364\220\200\200", 0, "beyond \\xf4\\x90\\x80\\x80" },
	{ "rtl \342\200\256txt", 0, "rtl \\xe2\\x80\\xaetxt" },
	{ "isolate \342\201\246x", 0, "isolate \\xe2\\x81\\xa6x" },
	{ "zero\342\200\213width", 0, "zero\\xe2\\x80\\x8bwidth" },
	{ "\357\273\277bom", 0, "\\xef\\xbb\\xbfbom" },
};

static void test_escape(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(escape_rows); i++) {
		const struct escape_row *row = &escape_rows[i];
		char out[128];

		escape_text(row->text, row->len ? row->len : strlen(row->text), out, sizeof(out));
		if (strcmp(out, row->shown) != 0)
			fail_msg("row %zu: '%s' instead of '%s'", i, out, row->shown);
	}
}

/* Whatever the size, the result ends in NUL within it, and no escape or character is cut. */
static void test_short_room(void **state)
{
	static const char text[] = "a\n\303\274";
	static const char *const shown[] = { "",       "",	 "a",
					     "a",      "a",	 "a",
					     "a\\x0a", "a\\x0a", "a\\x0a\303\274" };

	(void)state;
	for (size_t size = 0; size < ARRAY_LEN(shown); size++) {
		char out[16];

		memset(out, '#', sizeof(out));
		escape_text(text, strlen(text), out, size);
		if (size > 0 && strcmp(out, shown[size]) != 0)
			fail_msg("room for %zu: '%s'", size, out);
		if (out[size] != '#')
			fail_msg("room for %zu: written beyond", size);
	}
}

struct utf8_row {
	const char *bytes;
	size_t len;
	size_t taken;
	unsigned int code;
};

static const struct utf8_row utf8_rows[] = {
	{ "A", 1, 1, 'A' },
	{ "\177", 1, 1, 0x7f },
	{ "\302\200", 2, 2, 0x80 },
	{ "\337\277", 2, 2, 0x7ff },
	{ "\340\240\200", 3, 3, 0x800 },
	{ "\355\237\277", 3, 3, 0xd7ff },
	{ "\356\200\200", 3, 3, 0xe000 },
	{ "\357\277\277", 3, 3, 0xffff },
	{ "\360\220\200\200", 4, 4, 0x10000 },
	{ "\364\217\277\277", 4, 4, 0x10ffff },
	{ "", 0, 0, 0 },
	{ "\302\200", 1, 0, 0 },
	{ "\302A", 2, 0, 0 },
	{ "\200", 1, 0, 0 },
	{ "\301\277", 2, 0, 0 },
	{ "\355\240\200", 3, 0, 0 },
	{ "\364\220\200\200", 4, 0, 0 },
	{ "\370\210\200\200\200", 5, 0, 0 },
};

static void test_utf8(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(utf8_rows); i++) {
		const struct utf8_row *row = &utf8_rows[i];
		unsigned int code = 0;
		size_t taken = utf8_char(row->bytes, row->len, &code);

		if (taken != row->taken || (taken > 0 && code != row->code))
			fail_msg("row %zu: took %zu bytes, U+%04X", i, taken, code);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_short_room),
		cmocka_unit_test(test_utf8),
	};

	return cmocka_run_group_tests_name("escape", tests, NULL, NULL);
}
