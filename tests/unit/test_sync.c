/* SPDX-License-Identifier: MIT */
/* Many files onto the disk: each is judged for itself, by whichever thread had it. */
#include "os/sync.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

static void each_has_its_own_verdict(void **state)
{
	static const size_t counts[] = { 0, 1, 32, 33, 256 };
	int fds[256], errors[256], good, bad[2];
	size_t i, j;

	(void)state;
	good = open(".", O_RDONLY | O_DIRECTORY);
	assert_true(good >= 0);
	assert_int_equal(pipe(bad), 0);
	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		for (j = 0; j < counts[i]; j++) {
			fds[j] = j % 7 == 3 ? bad[1] : j % 5 == 4 ? -1 : good;
			errors[j] = -1;
		}
		sync_all(fds, errors, counts[i]);
		for (j = 0; j < counts[i]; j++)
			if (errors[j] != (fds[j] == good ? 0 : fds[j] == -1 ? EBADF : EINVAL))
				fail_msg("%zu of %zu: %d", j, counts[i], errors[j]);
	}
	close(good);
	close(bad[0]);
	close(bad[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_has_its_own_verdict),
	};

	return cmocka_run_group_tests_name("sync", tests, NULL, NULL);
}
