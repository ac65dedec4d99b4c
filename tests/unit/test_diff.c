/* SPDX-License-Identifier: MIT */
#include "diff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "err.h"

/* Shows five bytes of a line at the most. */
static size_t five(const char *line, size_t len)
{
	(void)line;
	return len < 5 ? len : 5;
}

static void test_diff(void **state)
{
	static const struct row {
		const char *what, *before, *after, *diff;
		size_t (*shown)(const char *line, size_t len);
	} rows[] = {
		{ "a line in the middle", "1\n2\n3\n4\n5\n6\n7\n8\n9\n",
		  "1\n2\n3\n4\nx\n6\n7\n8\n9\n",
		  "--- a/f\n+++ b/f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n", NULL },
		{ "a new file", NULL, "a\nb\n", "--- /dev/null\n+++ b/f\n@@ -0,0 +1,2 @@\n+a\n+b\n",
		  NULL },
		{ "a removed file", "a\n", NULL, "--- a/f\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-a\n",
		  NULL },
		{ "an added final newline", "a\nb", "a\nb\n",
		  "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b\n",
		  NULL },
		{ "two hunks", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n", "x\n2\n3\n4\n5\n6\n7\n8\n9\ny\n",
		  "--- a/f\n+++ b/f\n@@ -1,4 +1,4 @@\n-1\n+x\n 2\n 3\n 4\n"
		  "@@ -7,4 +7,4 @@\n 7\n 8\n 9\n-10\n+y\n",
		  NULL },
		{ "changes that share their context", "1\n2\n3\n4\n5\n6\n7\n8\n",
		  "x\n2\n3\n4\n5\n6\n7\ny\n",
		  "--- a/f\n+++ b/f\n@@ -1,8 +1,8 @@\n-1\n+x\n 2\n 3\n 4\n 5\n 6\n 7\n-8\n+y\n",
		  NULL },
		{ "insertion among equal lines", "a\na\na\n", "a\na\na\na\n",
		  "--- a/f\n+++ b/f\n@@ -1,3 +1,4 @@\n a\n a\n a\n+a\n", NULL },
		{ "bytes that patch wants as they are", "a\n", "\t\\\\\r\n",
		  "--- a/f\n+++ b/f\n@@ -1,1 +1,1 @@\n-a\n+\t\\\\\r\n", NULL },
		{ "what drives a terminal or turns a text", "a\n",
		  "\xc2\x9b"
		  "31m \xe2\x80\xae \x9b \r.\r\n\xc3\xa9 \xe9\n",
		  "--- a/f\n+++ b/f\n@@ -1,1 +1,2 @@\n-a\n+\\xc2\\x9b"
		  "31m \\xe2\\x80\\xae \\x9b "
		  "\\x0d.\r\n+\xc3\xa9 \xe9\n",
		  NULL },
		{ "a secret and a control byte", "a\n", "key = secret\n\x1b\n",
		  "--- a/f\n+++ b/f\n@@ -1,1 +1,2 @@\n-a\n+key =********\n+\\x1b\n", five },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = NULL;
		size_t len = 0;
		struct err err = { 0 };
		FILE *out = open_memstream(&text, &len);

		assert_int_equal(
			diff_print("/f", rows[i].before, rows[i].after, rows[i].shown, out, &err),
			0);
		fclose(out);
		if (strcmp(text, rows[i].diff) != 0)
			fail_msg("%s:\n%s", rows[i].what, text);
		free(text);
	}
}

static void test_name(void **state)
{
	char *text = NULL;
	size_t len = 0;
	struct err err = { 0 };
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_int_equal(diff_print("/\x1b[31m\n", "a\n", "b\n", NULL, out, &err), 0);
	fclose(out);
	assert_string_equal(text, "--- a/\\x1b[31m\\x0a\n+++ b/\\x1b[31m\\x0a\n"
				  "@@ -1,1 +1,1 @@\n-a\n+b\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_diff),
					    cmocka_unit_test(test_name) };

	return cmocka_run_group_tests_name("diff", tests, NULL, NULL);
}
