/* SPDX-License-Identifier: MIT */
#include "deadline.h"

#include <stddef.h>

void deadline_queue_init(struct deadline_queue *queue, uint32_t wait_ms)
{
	queue->head.prev = queue->head.next = &queue->head;
	queue->wait_ms = wait_ms;
}

void deadline_disarm(struct deadline *deadline)
{
	if (!deadline->next)
		return;
	deadline->prev->next = deadline->next;
	deadline->next->prev = deadline->prev;
	deadline->prev = deadline->next = NULL;
}

void deadline_arm(struct deadline_queue *queue, struct deadline *deadline, uint64_t now)
{
	deadline_disarm(deadline);
	deadline->at = now + queue->wait_ms;
	deadline->next = &queue->head;
	deadline->prev = queue->head.prev;
	deadline->prev->next = deadline;
	queue->head.prev = deadline;
}

void deadline_arm_at(struct deadline_queue *queue, struct deadline *deadline, uint64_t at)
{
	struct deadline *before;

	deadline_disarm(deadline);
	before = queue->head.prev;
	while (before != &queue->head && before->at > at)
		before = before->prev;
	deadline->at = at;
	deadline->prev = before;
	deadline->next = before->next;
	before->next->prev = deadline;
	before->next = deadline;
}

struct deadline *deadline_expired(struct deadline_queue *queue, uint64_t now)
{
	struct deadline *first = queue->head.next;

	if (first == &queue->head || first->at > now)
		return NULL;
	deadline_disarm(first);
	return first;
}

void deadline_queue_shift(struct deadline_queue *queue, uint64_t ms)
{
	for (struct deadline *it = queue->head.next; it != &queue->head; it = it->next)
		it->at += ms;
}

uint64_t deadline_first(const struct deadline_queue *queue)
{
	const struct deadline *first = queue->head.next;

	return first == &queue->head ? UINT64_MAX : first->at;
}
