/* SPDX-License-Identifier: MIT */
#include "os/threads.h"

#include <errno.h>
#include <stdlib.h>
#include <windows.h>

#include "err.h"

enum { STACK = 1024 * 1024 };

struct start {
	void (*run)(void *arg);
	void *arg;
};

static DWORD WINAPI begin(void *arg)
{
	struct start start = *(struct start *)arg;

	free(arg);
	start.run(start.arg);
	return 0;
}

int thread_start(void (*run)(void *arg), void *arg, struct err *err)
{
	struct start *start = malloc(sizeof(*start));
	HANDLE thread;

	if (!start)
		return err_oom(err);
	*start = (struct start){ run, arg };
	thread = CreateThread(NULL, STACK, begin, start, STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
	if (thread) {
		CloseHandle(thread); /* it runs on */
		return 0;
	}
	free(start);
	return err_set(err, EAGAIN, "cannot start a thread: Windows error %lu", GetLastError());
}
