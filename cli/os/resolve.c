/* SPDX-License-Identifier: MIT */
#include "os/resolve.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "os/loop.h"
#include "os/threads.h"

/* Owned by two: the thread and whoever started it. The last one out frees it. */
struct resolve {
	int owners; /* atomic */
	int pair[2]; /* one byte wakes the loop */

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
	if (__atomic_sub_fetch(&job->owners, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	socket_close(job->pair[0]);
	socket_close(job->pair[1]);
	free(job->host);
	free(job);
}

static void look_up(void *arg)
{
	struct resolve *job = arg;

	job->count = socket_resolve(job->host, job->port, job->addresses, RESOLVE_MAX, &job->err);
	(void)socket_send(job->pair[1], &(struct socket_piece){ "", 1 }, 1);
	let_go(job);
}

static void looked_up(void *arg, unsigned int events)
{
	struct resolve *job = arg;
	char byte;

	(void)events;
	if (socket_receive(job->pair[0], &byte, 1) != 1)
		return;
	loop_remove(job->loop, &job->watch);
	job->found(job->arg, job->addresses, job->count, &job->err);
	let_go(job);
}

struct resolve *resolve_start(struct loop *loop, const char *host, uint16_t port,
			      void (*found)(void *arg, const struct socket_address *addresses,
					    int count, const struct err *err),
			      void *arg, struct err *err)
{
	struct resolve *job = calloc(1, sizeof(*job));

	if (!job) {
		err_oom(err);
		return NULL;
	}
	job->owners = 1;
	job->pair[0] = job->pair[1] = -1;
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
	if (socket_pair(job->pair, err) < 0)
		goto fail;
	if (loop_add(loop, &job->watch, job->pair[0], LOOP_READ, err) < 0)
		goto fail;
	job->owners = 2;
	if (thread_start(look_up, job, err) == 0)
		return job;
	job->owners = 1;
	loop_remove(loop, &job->watch);
fail:
	let_go(job);
	return NULL;
}

void resolve_cancel(struct resolve *job)
{
	loop_remove(job->loop, &job->watch);
	let_go(job);
}
