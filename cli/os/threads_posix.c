/* SPDX-License-Identifier: MIT */
#include "os/threads.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "err.h"

enum { STACK = 1024 * 1024 };

struct start {
	void (*run)(void *arg);
	void *arg;
};

static void *begin(void *arg)
{
	struct start start = *(struct start *)arg;

	free(arg);
	start.run(start.arg);
	return NULL;
}

static int start_detached(struct start *start)
{
	pthread_attr_t attributes;
	sigset_t all, old;
	pthread_t thread;
	int rc;

	rc = pthread_attr_init(&attributes);
	if (rc != 0)
		return rc;
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&thread, &attributes, begin, start);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attributes);
	return rc;
}

int thread_start(void (*run)(void *arg), void *arg, struct err *err)
{
	struct start *start = malloc(sizeof(*start));
	int rc;

	if (!start)
		return err_oom(err);
	*start = (struct start){ run, arg };
	rc = start_detached(start);
	if (rc == 0)
		return 0;
	free(start);
	return err_sys(err, rc, "cannot start a thread");
}
