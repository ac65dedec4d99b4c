/* SPDX-License-Identifier: MIT */
#include "quote.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "err.h"
#include "escape.h"
#include "host/paths.h"
#include "host/program.h"

enum { LONG = 30000 };

/* Words that others choose: mount points, names of maps, files, targets. */
static const struct quote_row {
	const char *word;
	const char *quoted; /* NULL: whatever does it */
	bool dollar; /* it takes a shell that knows $'…' to get it back */
} rows[] = {
	{ "/mnt/data", "/mnt/data", false },
	{ "", "''", false },
	{ "a b", "'a b'", false },
	{ "it's", "'it'\"'\"'s'", false },
	{ "'", "\"'\"", false },
	{ "/mnt/x';id;'", NULL, false },
	{ "''';echo run;'''", NULL, false },
	{ "/mnt/a\\b", NULL, false },
	{ "evil\\x20name", NULL, false },
	{ "\\", NULL, false },
	{ "\\\\x41\\x4\\x4g", NULL, false },
	{ "ends in \\", NULL, false },
	{ "\\'", NULL, false },
	{ "\\';echo run;\\'", NULL, false },
	{ "$(echo run) `echo run` ${HOME} $HOME", NULL, false },
	{ "\";echo run;\"", NULL, false },
	{ "~root", NULL, false },
	{ "* ? [a-z] {a,b}", NULL, false },
	{ "#no comment", NULL, false },
	{ "!! !$ !echo", NULL, false },
	{ "a=b", "a=b", false },
	{ "gr\303\274n", NULL, false },
	{ "a\nb", NULL, true },
	{ "ends in a newline\n", NULL, true },
	{ "\n", "$'\\012'", true },
	{ "tab\there", NULL, true },
	{ "\0337\033[31m", NULL, true },
	{ "del\177", NULL, true },
	{ "no UTF-8 \377\3761", NULL, true },
	{ "turned \342\200\256txt", NULL, true },
	{ "\302\233C1", NULL, true },
	{ "\n';echo run;'\n", NULL, true },
	{ "\\\n\\'\n$'\\047;echo run;", NULL, true },
};

/* As a message shows it. */
static void show(const char *quoted, char *shown, size_t size)
{
	escape_text(quoted, strlen(quoted), shown, size);
	if (strcmp(shown, quoted) != 0)
		fail_msg("%s is shown as %s", quoted, shown);
}

static void run_in(const char *shell, const char *typed, struct program_result *result)
{
	CLEANUP(buf_done) struct buf script = { 0 };
	struct paths paths;
	struct err err = { 0 };

	buf_addf(&script, "printf '<%%s>' %s", typed);
	assert_int_equal(paths_init(&paths, NULL, &err), 0);
	const char *const argv[] = { shell, "-c", buf_text(&script), NULL };

	if (program_run(&paths, argv, LONG, result, &err) < 0)
		fail_msg("%s: %s", shell, err.reason);
	paths_done(&paths);
}

static void a_shell_gets_the_word_back_from_what_a_message_shows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct quote_row *row = &rows[i];
		CLEANUP(buf_done) struct buf quoted = { 0 }, expected = { 0 };
		const char *const shells[] = { "bash", "sh" };
		char shown[512];

		quote_word(&quoted, row->word);
		show(buf_text(&quoted), shown, sizeof(shown));
		if (row->quoted && strcmp(shown, row->quoted) != 0)
			fail_msg("row %zu: %s instead of %s", i, shown, row->quoted);
		buf_addf(&expected, "<%s>", row->word);
		for (size_t j = 0; j < (row->dollar ? 1 : ARRAY_LEN(shells)); j++) {
			struct program_result result;

			run_in(shells[j], shown, &result);
			if (result.code != 0 || !buf_equal(&result.out, &expected))
				fail_msg("row %zu: %s takes %s for %s%s", i, shells[j], shown,
					 buf_text(&result.out), buf_text(&result.errors));
			program_result_done(&result);
		}
	}
}

/* Whatever a shell makes of $'…': it is one word, and nothing runs. */
static void no_shell_takes_it_for_more_than_one_word(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(buf_done) struct buf quoted = { 0 };
		struct program_result result;
		const char *out;

		if (!rows[i].dollar)
			continue;
		quote_word(&quoted, rows[i].word);
		run_in("sh", buf_text(&quoted), &result);
		out = buf_text(&result.out);
		if (result.code != 0 || out[0] != '<' || strchr(out, '>') != strrchr(out, '>') ||
		    out[result.out.len - 1] != '>')
			fail_msg("row %zu: %s: %s%s", i, buf_text(&quoted), out,
				 buf_text(&result.errors));
		program_result_done(&result);
	}
}

static void a_path_is_never_an_option(void **state)
{
	static const char *const paths[][2] = {
		{ "-x", "./-x" },
		{ "--help me", "'./--help me'" },
		{ "a-x", "a-x" },
		{ "/-x", "/-x" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		CLEANUP(buf_done) struct buf quoted = { 0 };

		quote_path(&quoted, paths[i][0]);
		assert_string_equal(buf_text(&quoted), paths[i][1]);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_shell_gets_the_word_back_from_what_a_message_shows),
		cmocka_unit_test(no_shell_takes_it_for_more_than_one_word),
		cmocka_unit_test(a_path_is_never_an_option),
	};

	return cmocka_run_group_tests_name("quote", tests, NULL, NULL);
}
