/* SPDX-License-Identifier: MIT */
#include "os/process.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Runs check in a child that has all of its standard streams closed; 0 where it says so. */
static int in_child(int (*check)(void))
{
	pid_t child = fork();
	int status = -1;

	assert_true(child >= 0);
	if (child == 0) {
		for (int fd = 0; fd <= 2; fd++)
			close(fd);
		_exit(process_prepare() == 0 ? check() : 99);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static int streams_are_taken(void)
{
	char byte = 0;

	if (open("/dev/null", O_RDONLY) <= 2)
		return 1;
	return read(0, &byte, 1) == -1 && write(1, &byte, 1) == -1 && write(2, &byte, 1) == -1 ? 0
											       : 2;
}

static int nothing_is_dumped(void)
{
	struct rlimit core = { 1, 1 };

	if (getrlimit(RLIMIT_CORE, &core) < 0 || core.rlim_cur != 0 || core.rlim_max != 0)
		return 1;
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : 2;
}

static int limits_do_not_kill(void)
{
	return raise(SIGXFSZ) == 0 && raise(SIGPIPE) == 0 && umask(0) == 022 ? 0 : 1;
}

static void a_process_is_made_fit(void **state)
{
	(void)state;
	assert_int_equal(in_child(streams_are_taken), 0);
	assert_int_equal(in_child(nothing_is_dumped), 0);
	assert_int_equal(in_child(limits_do_not_kill), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process_is_made_fit),
	};

	return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
