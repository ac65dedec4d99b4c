/* SPDX-License-Identifier: MIT */
#include "host/program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
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
#include "os/loop.h"
#include "os/signals.h"
#include "scratch.h"

enum { SECONDS = 1000, LONG = 60 * SECONDS };

static struct paths live = { .fd = -1 };

static int open_live(void **state)
{
	struct err err = { 0 };

	(void)state;
	return paths_init(&live, NULL, &err);
}

static int close_live(void **state)
{
	(void)state;
	paths_done(&live);
	return 0;
}

static void run(const char *script, unsigned deadline_ms, struct program_result *result)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	struct err err = { 0 };

	if (program_run(&live, argv, deadline_ms, result, &err) < 0)
		fail_msg("%s: %s", script, err.reason);
}

static void tells_how_a_program_ended(void **state)
{
	static const struct {
		const char *script;
		int code, signal;
		const char *out, *errors;
	} rows[] = {
		{ "exit 0", 0, 0, "", "" },
		{ "exit 24", 24, 0, "", "" },
		{ "echo one; echo two >&2; exit 3", 3, 0, "one\n", "two\n" },
		{ "kill -KILL $$", -1, SIGKILL, "", "" },
		/* It reads nothing of ours. */
		{ "cat; wc -c", 0, 0, "0\n", "" },
		{ "echo $LC_ALL", 0, 0, "C\n", "" },
		/* One that lives on with our pipe in its hand is not waited for. */
		{ "sleep 30 & echo $?", 0, 0, "0\n", "" },
	};

	(void)state;
	setenv("LC_ALL", "tlh_KX.UTF-8", 1);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct program_result result;

		run(rows[i].script, LONG, &result);
		if (result.code != rows[i].code || result.signal != rows[i].signal || result.late ||
		    strcmp(buf_text(&result.out), rows[i].out) != 0 ||
		    strcmp(buf_text(&result.errors), rows[i].errors) != 0)
			fail_msg("%s: code %d signal %d late %d out \"%s\" errors \"%s\"",
				 rows[i].script, result.code, result.signal, result.late,
				 buf_text(&result.out), buf_text(&result.errors));
		program_result_done(&result);
	}
}

static void a_child_has_none_of_our_descriptors(void **state)
{
	int fd = open("/dev/null", O_RDONLY); /* not close-on-exec */
	struct program_result result;

	(void)state;
	assert_true(fd > 2);
	run("ls /proc/self/fd | wc -l", LONG, &result);
	/* Its standard streams, and the directory itself. */
	assert_string_equal(buf_text(&result.out), "4\n");
	program_result_done(&result);
	close(fd);
}

static void a_child_has_the_signals_of_a_new_program(void **state)
{
	struct program_result result;
	sigset_t blocked, former;

	(void)state;
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, &former);
	signal(SIGPIPE, SIG_IGN);
	/* Those of numbers up to 28; the C library keeps some of the high ones as they are. */
	run("sed -n 's/^Sig\\(Blk\\|Ign\\):.*\\(.......\\)$/\\2/p' /proc/self/status", LONG,
	    &result);
	sigprocmask(SIG_SETMASK, &former, NULL);
	assert_string_equal(buf_text(&result.out), "0000000\n0000000\n");
	program_result_done(&result);
}

/* Ctrl-C reaches a process group: whoever holds it off holds it off for what it runs. */
static void what_runs_while_signals_are_held_gets_none_of_the_terminal(void **state)
{
	/* proc(5) */
	static const char script[] = "read -r pid name state parent group rest </proc/$$/stat; "
				     "[ $group = $$ ] && echo own || echo ours";
	struct signals_held held;

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct program_result result;

		if (i > 0)
			signals_hold(&held);
		assert_int_equal(signals_are_held(), i > 0);
		run(script, LONG, &result);
		if (i > 0)
			signals_release(&held);
		assert_string_equal(buf_text(&result.out), i > 0 ? "own\n" : "ours\n");
		program_result_done(&result);
	}
}

static void what_does_not_end_is_ended(void **state)
{
	static const char *const scripts[] = { "exec sleep 60",
					       "trap '' TERM; while :; do :; done" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		uint64_t start = loop_clock_us();
		struct program_result result;

		/* The second one has to have said that it will not be told. */
		run(scripts[i], i == 0 ? 100 : 3000, &result);
		assert_true(result.late);
		assert_int_equal(result.signal, i == 0 ? SIGTERM : SIGKILL);
		assert_true(loop_clock_us() - start < 30 * SECONDS * (uint64_t)1000);
		program_result_done(&result);
	}
}

static void much_output_is_cut_and_ends_nothing(void **state)
{
	struct program_result result;

	(void)state;
	run("head -c 1000000 /dev/zero | tr '\\0' x; echo end >&2", LONG, &result);
	assert_int_equal(result.out.len, PROGRAM_OUTPUT_MAX);
	assert_string_equal(buf_text(&result.errors), "end\n");
	program_result_done(&result);
}

static void finds_programs_in_absolute_directories_alone(void **state)
{
	const char *const argv[] = { "frob", NULL };
	struct program_result result;
	struct scratch scratch;
	struct err err = { 0 };
	char former[4096], cwd[PATH_MAX], dir[PATH_MAX], path[PATH_MAX + 16];

	(void)state;
	scratch_init(&scratch);
	scratch_write(&scratch, "/bin/frob", "#!/bin/sh\necho frobbed\n", 0755);
	snprintf(former, sizeof(former), "%s", getenv("PATH"));
	assert_non_null(realpath(scratch_path(&scratch, "/bin"), dir));
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_int_equal(chdir(dir), 0);
	setenv("PATH", ":.:bin", 1);
	assert_int_equal(program_run(&live, argv, LONG, &result, &err), -ENOENT);
	assert_non_null(strstr(err.reason, "frob"));
	program_result_done(&result);
	snprintf(path, sizeof(path), "/nowhere:%s", dir);
	setenv("PATH", path, 1);
	assert_int_equal(program_run(&live, argv, LONG, &result, &err), 0);
	assert_string_equal(buf_text(&result.out), "frobbed\n");
	program_result_done(&result);
	setenv("PATH", former, 1);
	assert_int_equal(chdir(cwd), 0);
	scratch_done(&scratch);
}

static void no_program_runs_for_another_root(void **state)
{
	const char *const argv[] = { "true", NULL };
	struct program_result result;
	struct scratch scratch;
	struct err err = { 0 };

	(void)state;
	scratch_init(&scratch);
	assert_int_equal(program_run(&scratch.paths, argv, LONG, &result, &err), -EINVAL);
	program_result_done(&result);
	scratch_done(&scratch);
}

static void finds_the_last_line(void **state)
{
	static const struct {
		const char *text, *line;
	} rows[] = {
		{ "", "" },
		{ "\n\n", "" },
		{ "a", "a" },
		{ "a\nb\n", "b" },
		{ "a\n\nlong b\n\n", "long b" },
		{ "one\ntwo", "two" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf text = { 0 };
		char line[5];

		buf_adds(&text, rows[i].text);
		program_last_line(&text, line, sizeof(line));
		assert_memory_equal(line, rows[i].line, strnlen(rows[i].line, 4));
		assert_int_equal(strlen(line), strnlen(rows[i].line, 4));
		buf_done(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_how_a_program_ended),
		cmocka_unit_test(a_child_has_none_of_our_descriptors),
		cmocka_unit_test(a_child_has_the_signals_of_a_new_program),
		cmocka_unit_test(what_runs_while_signals_are_held_gets_none_of_the_terminal),
		cmocka_unit_test(what_does_not_end_is_ended),
		cmocka_unit_test(much_output_is_cut_and_ends_nothing),
		cmocka_unit_test(finds_programs_in_absolute_directories_alone),
		cmocka_unit_test(no_program_runs_for_another_root),
		cmocka_unit_test(finds_the_last_line),
	};

	return cmocka_run_group_tests_name("program", tests, open_live, close_live);
}
