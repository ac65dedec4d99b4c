/* SPDX-License-Identifier: MIT */
#include "os/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "err.h"

enum { EVENTS_MAX = 128 };

struct loop {
	int epoll;
	bool stop;
	uint64_t now;
	struct timers timers;
	/*
	 * Rings when the earliest of them is due. To tell epoll_wait how long to wait would set and
	 * take back a timer of the kernel's each round; this one is set when an earlier one comes.
	 */
	int alarm;
	uint64_t alarm_due; /* UINT64_MAX: not set */
	struct loop_watch alarm_watch;
	/* The round of events in hand: a watch that is removed is struck out of it. */
	struct epoll_event events[EVENTS_MAX];
	int event_count;

	int signals;
	struct loop_watch signal_watch;
	void (*quit)(void *arg);
	void *quit_arg;
};

uint64_t loop_clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void update_clock(struct loop *loop)
{
	loop->now = loop_clock_us() / 1000;
}

static void alarm_rang(void *arg, unsigned int events)
{
	struct loop *loop = arg;
	uint64_t count;

	(void)events;
	if (read(loop->alarm, &count, sizeof(count)) == (ssize_t)sizeof(count))
		loop->alarm_due = UINT64_MAX;
}

/*
 * In time for the earliest timer; where that was taken back it rings for nothing, once. Timers are
 * set in whole milliseconds from the one that has begun: at its end is never early. Returns what is
 * left for epoll_wait to wait: 0 where a timer is due, or -1.
 */
static int set_alarm(struct loop *loop)
{
	const struct loop_timer *first = timers_first(&loop->timers);
	struct itimerspec when = { .it_value.tv_nsec = 999999 };

	if (first && first->due <= loop->now)
		return 0;
	if (!first || first->due >= loop->alarm_due)
		return -1;
	when.it_value.tv_sec = (time_t)(first->due / 1000);
	when.it_value.tv_nsec += (long)(first->due % 1000) * 1000000;
	if (timerfd_settime(loop->alarm, TFD_TIMER_ABSTIME, &when, NULL) < 0)
		return timers_wait_ms(&loop->timers, loop->now);
	loop->alarm_due = first->due;
	return -1;
}

struct loop *loop_new(struct err *err)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop) {
		err_oom(err);
		return NULL;
	}
	loop->signals = -1;
	loop->alarm_due = UINT64_MAX;
	loop->alarm_watch = (struct loop_watch){ .ready = alarm_rang, .arg = loop };
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	loop->alarm = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (loop->epoll < 0 || loop->alarm < 0) {
		err_sys(err, errno, "cannot make an event loop");
		loop_free(loop);
		return NULL;
	}
	if (loop_add(loop, &loop->alarm_watch, loop->alarm, LOOP_READ, err) < 0) {
		loop_free(loop);
		return NULL;
	}
	update_clock(loop);
	return loop;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	/*
	 * Its signals stay blocked: one that came, or comes, as all ends must
	 * not cut the end off.
	 */
	if (loop->signals >= 0)
		close(loop->signals);
	if (loop->alarm >= 0)
		close(loop->alarm);
	if (loop->epoll >= 0)
		close(loop->epoll);
	timers_done(&loop->timers);
	free(loop);
}

static uint32_t epoll_bits(unsigned int events)
{
	return (events & LOOP_READ ? EPOLLIN : 0u) | (events & LOOP_WRITE ? EPOLLOUT : 0u);
}

/* epoll reports a hang-up even to those who wait for nothing, so they are taken out of it. */
static int update_epoll(struct loop *loop, struct loop_watch *watch, unsigned int before)
{
	struct epoll_event event = { .events = epoll_bits(watch->events), .data.ptr = watch };
	int op = before == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

	if (watch->events == before)
		return 0;
	return epoll_ctl(loop->epoll, watch->events == 0 ? EPOLL_CTL_DEL : op, watch->fd, &event);
}

int loop_add(struct loop *loop, struct loop_watch *watch, int fd, unsigned int events,
	     struct err *err)
{
	watch->fd = fd;
	watch->events = events;
	if (update_epoll(loop, watch, 0) < 0)
		return err_sys(err, errno, "cannot watch a socket");
	return 0;
}

static void strike_out(struct loop *loop, const struct loop_watch *watch)
{
	for (int i = 0; i < loop->event_count; i++)
		if (loop->events[i].data.ptr == watch)
			loop->events[i].data.ptr = NULL;
}

void loop_change(struct loop *loop, struct loop_watch *watch, unsigned int events)
{
	unsigned int before = watch->events;

	watch->events = events;
	if (update_epoll(loop, watch, before) < 0)
		watch->events = before;
}

void loop_remove(struct loop *loop, struct loop_watch *watch)
{
	loop_change(loop, watch, 0);
	strike_out(loop, watch);
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

static void signal_came(void *arg, unsigned int events)
{
	struct loop *loop = arg;
	struct signalfd_siginfo info;

	(void)events;
	if (read(loop->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		loop->quit(loop->quit_arg);
}

int loop_on_quit(struct loop *loop, void (*quit)(void *arg), void *arg, struct err *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	loop->quit = quit;
	loop->quit_arg = arg;
	loop->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (loop->signals < 0)
		return err_sys(err, errno, "cannot receive signals");
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_sys(err, errno, "cannot block signals");
	loop->signal_watch = (struct loop_watch){ .ready = signal_came, .arg = loop };
	return loop_add(loop, &loop->signal_watch, loop->signals, LOOP_READ, err);
}

int loop_run(struct loop *loop, struct err *err)
{
	loop->stop = false;
	while (!loop->stop) {
		int count = epoll_wait(loop->epoll, loop->events, EVENTS_MAX, set_alarm(loop));

		if (count < 0 && errno != EINTR)
			return err_sys(err, errno, "cannot wait for events");
		update_clock(loop);
		loop->event_count = count < 0 ? 0 : count;
		for (int i = 0; i < loop->event_count && !loop->stop; i++) {
			struct loop_watch *watch = loop->events[i].data.ptr;
			uint32_t bits = loop->events[i].events;
			unsigned int ready = 0;

			if (!watch)
				continue;
			/* A failed socket is ready for whatever its owner waits for. */
			if (bits & (EPOLLERR | EPOLLHUP))
				ready = watch->events;
			ready |= bits & EPOLLIN ? LOOP_READ : 0u;
			ready |= bits & EPOLLOUT ? LOOP_WRITE : 0u;
			ready &= watch->events;
			if (ready)
				watch->ready(watch->arg, ready);
		}
		loop->event_count = 0;
		timers_fire(&loop->timers, loop->now, &loop->stop);
	}
	return 0;
}

void loop_stop(struct loop *loop)
{
	loop->stop = true;
}
