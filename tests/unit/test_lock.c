/* SPDX-License-Identifier: MIT */
/* Locks: waited for, named in messages, taken from the dead and from nobody else. */
#include "host/lock.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "err.h"
#include "host/owner.h"
#include "scratch.h"

#define WRITE_PATH LOCK_DATABASE_DIR "/lock.write"

/* A child that locks, tells so, and lives until its standard input ends. */
static pid_t locking_child(const struct scratch *scratch, int *hold)
{
	int told[2], held[2];
	char byte = 0;
	pid_t pid;

	assert_int_equal(pipe(told), 0);
	assert_int_equal(pipe(held), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct err err;
		int fd = lock_program(&scratch->paths, 0, &err);

		close(held[1]);
		if (write(told[1], fd < 0 ? "n" : "y", 1) != 1)
			_exit(1);
		_exit(read(held[0], &byte, 1) == 0 ? 0 : 1);
	}
	close(told[1]);
	close(held[0]);
	assert_int_equal(read(told[0], &byte, 1), 1);
	assert_int_equal(byte, 'y');
	close(told[0]);
	*hold = held[1];
	return pid;
}

static void another_run_is_named(void **state)
{
	struct scratch *scratch = *state;
	struct err err = { 0 };
	struct stat before, after;
	char process[32];
	int hold, fd, status;
	pid_t pid;

	pid = locking_child(scratch, &hold);
	assert_int_equal(stat(scratch_path(scratch, LOCK_PROGRAM), &before), 0);
	assert_int_equal(lock_program(&scratch->paths, 20, &err), -EBUSY);
	snprintf(process, sizeof(process), "process %d)", (int)pid);
	assert_non_null(strstr(err.reason, process));
	assert_string_equal(err.place, scratch_path(scratch, LOCK_PROGRAM));
	close(hold);
	assert_int_equal(waitpid(pid, &status, 0), pid);

	fd = lock_program(&scratch->paths, 0, &err);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(stat(scratch_path(scratch, LOCK_PROGRAM), &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	assert_int_equal(after.st_mode & 07777, 0600);
}

static void a_lock_that_is_a_link_is_refused(void **state)
{
	struct scratch *scratch = *state;
	struct err err;

	scratch_write(scratch, "/victim", "x", 0644);
	scratch_write(scratch, "/run/lock/x", "", 0644);
	assert_int_equal(symlink("../../victim", scratch_path(scratch, LOCK_PROGRAM)), 0);
	assert_int_equal(lock_program(&scratch->paths, 0, &err), -ELOOP);
	assert_string_equal(err.place, scratch_path(scratch, LOCK_PROGRAM));
}

static void the_database_lock_names_its_owner(void **state)
{
	struct scratch *scratch = *state;
	struct lock lock;
	struct err err;
	struct owner owner;
	char text[OWNER_TEXT_MAX], own[64];

	assert_int_equal(lock_database(&lock, &scratch->paths, 0, &err), 0);
	snprintf(text, sizeof(text), "%s", scratch_read(scratch, WRITE_PATH));
	assert_true(owner_parse(&owner, text));
	assert_int_equal(owner.pid, getpid());
	assert_false(owner_dead(&owner));
	snprintf(own, sizeof(own), LOCK_DATABASE_DIR "/%s", lock.own);
	assert_true(scratch_has(scratch, own));

	assert_int_equal(lock_release(&lock, &scratch->paths, &err), 0);
	assert_int_equal(lock_release(&lock, &scratch->paths, &err), 0);
	assert_false(scratch_has(scratch, WRITE_PATH));
	assert_false(scratch_has(scratch, own));
}

/* What lock.write may hold, and whether it is taken away. */
static void only_the_dead_lose_their_lock(void **state)
{
	struct owner self, live, reused, other_boot, container;
	struct scratch *scratch = *state;
	char texts[4][OWNER_TEXT_MAX];
	size_t i;

	owner_self(&self);
	assert_true(self.start > 0);
	live = reused = other_boot = container = self;
	live.pid = (uint32_t)getpid();
	reused.start++;
	snprintf(other_boot.boot, sizeof(other_boot.boot), "another-boot");
	snprintf(container.names, sizeof(container.names), "pid:[1]");
	container.start++;
	owner_format(&live, texts[0], sizeof(texts[0]));
	owner_format(&reused, texts[1], sizeof(texts[1]));
	owner_format(&other_boot, texts[2], sizeof(texts[2]));
	owner_format(&container, texts[3], sizeof(texts[3]));

	const struct {
		const char *what, *text;
		bool taken;
		const char *reason;
	} table[] = {
		{ "a live process", texts[0], false, "sgw-init, process" },
		{ "a number used again", texts[1], true, "" },
		{ "another boot", texts[2], true, "" },
		{ "another container", texts[3], false, "sgw-init, process" },
		{ "iscsiadm's, which is empty", "", false, "remove this file" },
		{ "words", "sgw-init is here", false, "remove this file" },
		{ "too few words", "sgw-init 1 2\n", false, "remove this file" },
		{ "no number", "sgw-init x 1 b n\n", false, "remove this file" },
		{ "too great a number", "sgw-init 99999999999 1 b n\n", false, "remove this file" },
	};

	for (i = 0; i < ARRAY_LEN(table); i++) {
		struct lock lock;
		struct err err = { 0 };
		int ret;

		scratch_write(scratch, WRITE_PATH, table[i].text, 0600);
		ret = lock_database(&lock, &scratch->paths, 30, &err);
		if (ret != (table[i].taken ? 0 : -EBUSY) || !strstr(err.reason, table[i].reason))
			fail_msg("%s: %d %s", table[i].what, ret, err.reason);
		assert_int_equal(lock_sweep(&scratch->paths, &err), 0);
		if (table[i].taken)
			assert_int_equal(lock_release(&lock, &scratch->paths, &err), 0);
		else
			assert_string_equal(scratch_read(scratch, WRITE_PATH), table[i].text);
	}
}

static void a_killed_run_is_swept_up(void **state)
{
	struct scratch *scratch = *state;
	char **names;
	size_t count;
	struct err err;
	int status;
	pid_t pid;

	assert_int_equal(lock_sweep(&scratch->paths, &err), 0); /* nothing there yet */
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct lock lock;

		_exit(lock_database(&lock, &scratch->paths, 0, &err) < 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(scratch_has(scratch, WRITE_PATH));
	scratch_write(scratch, LOCK_DATABASE_DIR "/lock", "", 0600);
	scratch_write(scratch, LOCK_DATABASE_DIR "/sgw-init.77", "", 0600);

	assert_int_equal(lock_sweep(&scratch->paths, &err), 0);
	assert_int_equal(paths_list(&scratch->paths, LOCK_DATABASE_DIR, &names, &count, &err), 0);
	assert_int_equal(count, 1);
	assert_string_equal(names[0], "lock");
	paths_list_free(names, count);
}

static void a_signal_ends_the_wait(void **state)
{
	struct scratch *scratch = *state;
	struct lock lock;
	struct err err;
	sigset_t set, old;
	int got;

	scratch_write(scratch, WRITE_PATH, "", 0600);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &old);
	raise(SIGTERM);
	assert_int_equal(lock_database(&lock, &scratch->paths, 60000, &err), -EINTR);
	assert_int_equal(sigwait(&set, &got), 0);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(another_run_is_named),
		scratch_test(a_lock_that_is_a_link_is_refused),
		scratch_test(the_database_lock_names_its_owner),
		scratch_test(only_the_dead_lose_their_lock),
		scratch_test(a_killed_run_is_swept_up),
		scratch_test(a_signal_ends_the_wait),
	};

	return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
