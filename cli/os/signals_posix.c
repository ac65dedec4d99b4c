/* SPDX-License-Identifier: MIT */
#include "os/signals.h"

#include <stddef.h>

#include "buf.h"

static const int ending[] = { SIGINT,  SIGTERM, SIGHUP,	 SIGQUIT, SIGPIPE,
			      SIGALRM, SIGUSR1, SIGUSR2, SIGTSTP };

void signals_hold(struct signals_held *held)
{
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < ARRAY_LEN(ending); i++)
		sigaddset(&set, ending[i]);
	sigprocmask(SIG_BLOCK, &set, &held->former);
}

void signals_release(const struct signals_held *held)
{
	sigprocmask(SIG_SETMASK, &held->former, NULL);
}

bool signals_are_held(void)
{
	sigset_t now;

	sigprocmask(SIG_SETMASK, NULL, &now);
	return sigismember(&now, SIGINT) == 1;
}

bool signals_pending(void)
{
	sigset_t pending;
	size_t i;

	sigemptyset(&pending);
	sigpending(&pending);
	for (i = 0; i < ARRAY_LEN(ending); i++)
		if (sigismember(&pending, ending[i]) == 1)
			return true;
	return false;
}
