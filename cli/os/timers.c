/* SPDX-License-Identifier: MIT */
#include "os/timers.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

static void put(struct timers *timers, size_t slot, struct loop_timer *timer)
{
	timers->heap[slot] = timer;
	timer->slot = slot + 1;
}

/* Move the timer at slot up or down until the heap is one again. */
static void settle(struct timers *timers, size_t slot)
{
	struct loop_timer *timer = timers->heap[slot];

	while (slot > 0 && timers->heap[(slot - 1) / 2]->due > timer->due) {
		put(timers, slot, timers->heap[(slot - 1) / 2]);
		slot = (slot - 1) / 2;
	}
	for (;;) {
		size_t child = 2 * slot + 1;

		if (child + 1 < timers->count &&
		    timers->heap[child + 1]->due < timers->heap[child]->due)
			child++;
		if (child >= timers->count || timers->heap[child]->due >= timer->due)
			break;
		put(timers, slot, timers->heap[child]);
		slot = child;
	}
	put(timers, slot, timer);
}

int timers_set(struct timers *timers, struct loop_timer *timer, uint64_t due)
{
	timer->due = due;
	if (timer->slot == 0) {
		if (timers->count == timers->size) {
			size_t size = timers->size ? 2 * timers->size : 16;
			struct loop_timer **heap =
				realloc(timers->heap, size * sizeof(struct loop_timer *));

			if (!heap)
				return -ENOMEM;
			timers->heap = heap;
			timers->size = size;
		}
		put(timers, timers->count++, timer);
	}
	settle(timers, timer->slot - 1);
	return 0;
}

void timers_cancel(struct timers *timers, struct loop_timer *timer)
{
	size_t slot = timer->slot;

	if (slot == 0)
		return;
	timer->slot = 0;
	if (slot - 1 != --timers->count) {
		put(timers, slot - 1, timers->heap[timers->count]);
		settle(timers, slot - 1);
	}
}

struct loop_timer *timers_first(const struct timers *timers)
{
	return timers->count > 0 ? timers->heap[0] : NULL;
}

void timers_fire(struct timers *timers, uint64_t now, const bool *stop)
{
	size_t budget = timers->count;
	struct loop_timer *timer;

	while (!*stop && budget-- > 0 && (timer = timers_first(timers)) && timer->due <= now) {
		timers_cancel(timers, timer);
		timer->fire(timer->arg);
	}
}

int timers_wait_ms(const struct timers *timers, uint64_t now)
{
	const struct loop_timer *first = timers_first(timers);

	if (!first)
		return -1;
	if (first->due <= now)
		return 0;
	return first->due - now > INT_MAX ? INT_MAX : (int)(first->due - now);
}

void timers_done(struct timers *timers)
{
	while (timers->count > 0)
		timers->heap[--timers->count]->slot = 0;
	free(timers->heap);
	*timers = (struct timers){ .heap = NULL };
}
