/* SPDX-License-Identifier: MIT */
#include "os/loop.h"

#include <errno.h>
#include <stdlib.h>
/* Sockets that one select() takes; it has to stand before the header. */
#define FD_SETSIZE 512
#include <winsock2.h>

#include <windows.h>

#include "err.h"
#include "os/sockets.h"

enum {
	FAILED_CONNECT_MS = 200, /* how late a refused connection may be noticed */
	QUIT_WAIT_MS = 5000, /* what Windows itself gives a program that is closed */
};

struct loop {
	bool stop;
	uint64_t now;
	struct timers timers;
	/* By slot; NULL is one that is gone, its place taken up after the round of events. */
	struct loop_watch **watches;
	WSAPOLLFD *polls;
	size_t count, size;

	int wake[2];
	struct loop_watch wake_watch;
	void (*quit)(void *arg);
	void *quit_arg;
};

/* The socket that tells the loop to quit. Windows asks in a thread of its own, with no argument. */
static volatile LONG quit_socket = -1;

uint64_t loop_clock_us(void)
{
	static LARGE_INTEGER per_second;
	LARGE_INTEGER ticks;

	if (per_second.QuadPart == 0)
		QueryPerformanceFrequency(&per_second);
	QueryPerformanceCounter(&ticks);
	return (uint64_t)(ticks.QuadPart / per_second.QuadPart) * 1000000 +
	       (uint64_t)(ticks.QuadPart % per_second.QuadPart) * 1000000 /
		       (uint64_t)per_second.QuadPart;
}

static void update_clock(struct loop *loop)
{
	loop->now = loop_clock_us() / 1000;
}

struct loop *loop_new(struct err *err)
{
	struct loop *loop;

	if (sockets_start(err) < 0)
		return NULL;
	loop = calloc(1, sizeof(*loop));
	if (!loop) {
		err_oom(err);
		return NULL;
	}
	loop->wake[0] = loop->wake[1] = -1;
	update_clock(loop);
	return loop;
}

static BOOL WINAPI told_to_quit(DWORD how)
{
	LONG fd = InterlockedCompareExchange(&quit_socket, -1, -1);

	if (fd < 0)
		return FALSE;
	(void)socket_send((int)fd, &(struct socket_piece){ "", 1 }, 1);
	/* A program that is closed ends when this returns: main gets the time to end it well. */
	if (how != CTRL_C_EVENT && how != CTRL_BREAK_EVENT)
		Sleep(QUIT_WAIT_MS);
	return TRUE;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	if (loop->wake[1] >= 0) {
		SetConsoleCtrlHandler(told_to_quit, FALSE);
		InterlockedExchange(&quit_socket, -1);
	}
	socket_close(loop->wake[0]);
	socket_close(loop->wake[1]);
	timers_done(&loop->timers);
	free(loop->watches);
	free(loop->polls);
	free(loop);
}

static int make_room(struct loop *loop)
{
	size_t size = loop->size ? 2 * loop->size : 64;
	struct loop_watch **watches;
	WSAPOLLFD *polls;

	if (loop->count < loop->size)
		return 0;
	watches = realloc(loop->watches, size * sizeof(struct loop_watch *));
	if (!watches)
		return -ENOMEM;
	loop->watches = watches;
	polls = realloc(loop->polls, size * sizeof(*polls));
	if (!polls)
		return -ENOMEM;
	loop->polls = polls;
	loop->size = size;
	return 0;
}

int loop_add(struct loop *loop, struct loop_watch *watch, int fd, unsigned int events,
	     struct err *err)
{
	if (make_room(loop) < 0)
		return err_oom(err);
	watch->fd = fd;
	watch->events = events;
	watch->slot = loop->count;
	loop->watches[loop->count++] = watch;
	return 0;
}

void loop_change(struct loop *loop, struct loop_watch *watch, unsigned int events)
{
	(void)loop;
	watch->events = events;
}

void loop_remove(struct loop *loop, struct loop_watch *watch)
{
	loop->watches[watch->slot] = NULL;
}

int loop_timer_set(struct loop *loop, struct loop_timer *timer, uint64_t delay_ms, struct err *err)
{
	uint64_t due = delay_ms > UINT64_MAX - loop->now ? UINT64_MAX : loop->now + delay_ms;

	return timers_set(&loop->timers, timer, due) < 0 ? err_oom(err) : 0;
}

void loop_timer_cancel(struct loop *loop, struct loop_timer *timer)
{
	timers_cancel(&loop->timers, timer);
}

uint64_t loop_now(const struct loop *loop)
{
	return loop->now;
}

static void woken(void *arg, unsigned int events)
{
	struct loop *loop = arg;
	char byte;

	(void)events;
	if (socket_receive(loop->wake[0], &byte, 1) == 1)
		loop->quit(loop->quit_arg);
}

int loop_on_quit(struct loop *loop, void (*quit)(void *arg), void *arg, struct err *err)
{
	loop->quit = quit;
	loop->quit_arg = arg;
	if (socket_pair(loop->wake, err) < 0)
		return -err->code;
	loop->wake_watch = (struct loop_watch){ .ready = woken, .arg = loop };
	if (loop_add(loop, &loop->wake_watch, loop->wake[0], LOOP_READ, err) < 0)
		return -err->code;
	InterlockedExchange(&quit_socket, loop->wake[1]);
	if (!SetConsoleCtrlHandler(told_to_quit, TRUE))
		return err_set(err, EIO, "cannot be told of Ctrl-C: Windows error %lu",
			       GetLastError());
	return 0;
}

/* Close the gaps and list what is watched; one that waits for nothing must not report a hang-up. */
static size_t list_polls(struct loop *loop, bool *writes)
{
	size_t kept = 0;

	*writes = false;
	for (size_t i = 0; i < loop->count; i++) {
		if (!loop->watches[i])
			continue;
		loop->watches[kept] = loop->watches[i];
		loop->watches[kept]->slot = kept;
		kept++;
	}
	loop->count = kept;
	for (size_t i = 0; i < kept; i++) {
		const struct loop_watch *watch = loop->watches[i];

		loop->polls[i] = (WSAPOLLFD){
			.fd = watch->events ? (SOCKET)watch->fd : INVALID_SOCKET,
			.events = (SHORT)((watch->events & LOOP_READ ? POLLRDNORM : 0) |
					  (watch->events & LOOP_WRITE ? POLLWRNORM : 0)),
		};
		*writes |= (watch->events & LOOP_WRITE) != 0;
	}
	return kept;
}

/*
 * Before Windows 10 version 2004, WSAPoll never reports a connect that failed
 * (its reference page, Remarks). select() always did, in its third set.
 */
static bool find_failed_connects(struct loop *loop, size_t count)
{
	bool found = false;

	for (size_t i = 0; i < count;) {
		struct timeval at_once = { 0, 0 };
		size_t from = i;
		fd_set failed;

		FD_ZERO(&failed);
		for (; i < count && failed.fd_count < FD_SETSIZE; i++)
			if (loop->polls[i].events & POLLWRNORM)
				failed.fd_array[failed.fd_count++] = loop->polls[i].fd;
		if (failed.fd_count == 0 || select(0, NULL, NULL, &failed, &at_once) <= 0)
			continue;
		for (size_t j = from; j < i; j++) {
			if (loop->polls[j].events & POLLWRNORM && loop->polls[j].revents == 0 &&
			    FD_ISSET(loop->polls[j].fd, &failed)) {
				loop->polls[j].revents = POLLERR;
				found = true;
			}
		}
	}
	return found;
}

/* Wait until something is ready or a timer due. Returns how many watches to look at. */
static int wait_for_events(struct loop *loop, size_t *count, struct err *err)
{
	bool writes;
	int wait = timers_wait_ms(&loop->timers, loop->now), ready;

	*count = list_polls(loop, &writes);
	if (*count == 0) { /* which WSAPoll refuses */
		Sleep(wait < 0 ? INFINITE : (DWORD)wait);
		return 0;
	}
	if (writes && (wait < 0 || wait > FAILED_CONNECT_MS))
		wait = FAILED_CONNECT_MS;
	ready = WSAPoll(loop->polls, (ULONG)*count, wait);
	if (ready == SOCKET_ERROR)
		return err_set(err, EIO, "cannot wait for events: Windows error %d",
			       WSAGetLastError());
	if (!(writes && find_failed_connects(loop, *count)) && ready == 0)
		*count = 0;
	return 0;
}

static void dispatch(struct loop *loop, size_t count)
{
	for (size_t i = 0; i < count && !loop->stop; i++) {
		struct loop_watch *watch = loop->watches[i];
		SHORT bits = loop->polls[i].revents;
		unsigned int ready = 0;

		if (!watch || loop->polls[i].fd == INVALID_SOCKET)
			continue;
		/* A failed socket is ready for whatever its owner waits for. */
		if (bits & (POLLERR | POLLHUP | POLLNVAL))
			ready = watch->events;
		ready |= bits & POLLRDNORM ? LOOP_READ : 0u;
		ready |= bits & POLLWRNORM ? LOOP_WRITE : 0u;
		ready &= watch->events;
		if (ready)
			watch->ready(watch->arg, ready);
	}
}

int loop_run(struct loop *loop, struct err *err)
{
	loop->stop = false;
	while (!loop->stop) {
		size_t count;
		int rc;

		update_clock(loop);
		rc = wait_for_events(loop, &count, err);
		if (rc < 0)
			return rc;
		update_clock(loop);
		dispatch(loop, count);
		timers_fire(&loop->timers, loop->now, &loop->stop);
	}
	return 0;
}

void loop_stop(struct loop *loop)
{
	loop->stop = true;
}
