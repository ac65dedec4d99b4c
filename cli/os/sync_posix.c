/* SPDX-License-Identifier: MIT */
#include "os/sync.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum {
	FEW = 32, /* not worth a thread */
	THREADS = 4, /* with this one: more hardly help a disk that has one queue */
};

struct work {
	const int *fds;
	int *errors;
	size_t count;
	atomic_size_t next;
};

static void *sync_some(void *arg)
{
	struct work *work = arg;
	size_t i;

	while ((i = atomic_fetch_add(&work->next, 1)) < work->count)
		work->errors[i] = fsync(work->fds[i]) < 0 ? errno : 0;
	return NULL;
}

void sync_all(const int *fds, int *errors, size_t count)
{
	struct work work = { .fds = fds, .errors = errors, .count = count };
	pthread_t threads[THREADS - 1];
	size_t started = 0;

	/* A thread that cannot be had leaves its share to the others. */
	while (count > FEW && started < THREADS - 1 &&
	       pthread_create(&threads[started], NULL, sync_some, &work) == 0)
		started++;
	sync_some(&work);
	while (started > 0)
		pthread_join(threads[--started], NULL);
}
