/* SPDX-License-Identifier: MIT */
#include "os/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "os/loop.h"

/* Owned by two: the thread and whoever started it. The last one out frees it. */
struct resolve {
	pthread_mutex_t lock;
	int owners;
	int pipe[2]; /* one byte wakes the loop */

	char *host;
	uint16_t port;
	struct socket_address addresses[RESOLVE_MAX];
	int count; /* what socket_resolve returned */
	struct err err;

	struct loop *loop;
	struct loop_watch watch;
	void (*found)(void *arg, const struct socket_address *addresses, int count,
		      const struct err *err);
	void *arg;
};

static void let_go(struct resolve *job)
{
	int left;

	pthread_mutex_lock(&job->lock);
	left = --job->owners;
	pthread_mutex_unlock(&job->lock);
	if (left > 0)
		return;
	socket_close(job->pipe[0]);
	socket_close(job->pipe[1]);
	pthread_mutex_destroy(&job->lock);
	free(job->host);
	free(job);
}

static void *look_up(void *arg)
{
	struct resolve *job = arg;
	ssize_t written;

	job->count = socket_resolve(job->host, job->port, job->addresses, RESOLVE_MAX, &job->err);
	do {
		written = write(job->pipe[1], "", 1);
	} while (written < 0 && errno == EINTR);
	let_go(job);
	return NULL;
}

static void looked_up(void *arg, unsigned int events)
{
	struct resolve *job = arg;
	char byte;

	(void)events;
	if (read(job->pipe[0], &byte, 1) != 1)
		return;
	loop_remove(job->loop, &job->watch);
	job->found(job->arg, job->addresses, job->count, &job->err);
	let_go(job);
}

/* A detached thread with stack enough for any name service, with all signals left to the others. */
static int start_thread(struct resolve *job)
{
	pthread_attr_t attributes;
	sigset_t all, old;
	pthread_t thread;
	int rc;

	rc = pthread_attr_init(&attributes);
	if (rc != 0)
		return rc;
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, 1024 * 1024);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&thread, &attributes, look_up, job);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attributes);
	return rc;
}

struct resolve *resolve_start(struct loop *loop, const char *host, uint16_t port,
			      void (*found)(void *arg, const struct socket_address *addresses,
					    int count, const struct err *err),
			      void *arg, struct err *err)
{
	struct resolve *job = calloc(1, sizeof(*job));
	int rc;

	if (!job) {
		err_oom(err);
		return NULL;
	}
	pthread_mutex_init(&job->lock, NULL);
	job->owners = 1;
	job->pipe[0] = job->pipe[1] = -1;
	job->host = strdup(host);
	job->port = port;
	job->loop = loop;
	job->found = found;
	job->arg = arg;
	job->watch = (struct loop_watch){ .ready = looked_up, .arg = job };
	if (!job->host) {
		err_oom(err);
		goto fail;
	}
	if (pipe2(job->pipe, O_CLOEXEC | O_NONBLOCK) < 0) {
		err_sys(err, errno, "cannot make a pipe");
		goto fail;
	}
	if (loop_add(loop, &job->watch, job->pipe[0], LOOP_READ, err) < 0)
		goto fail;
	job->owners = 2;
	rc = start_thread(job);
	if (rc == 0)
		return job;
	job->owners = 1;
	loop_remove(loop, &job->watch);
	err_sys(err, rc, "cannot start a thread to look up '%.255s'", host);
fail:
	let_go(job);
	return NULL;
}

void resolve_cancel(struct resolve *job)
{
	loop_remove(job->loop, &job->watch);
	let_go(job);
}
