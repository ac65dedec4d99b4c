/* SPDX-License-Identifier: MIT */
#include "iscsi/initiator.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "iscsi/discovery_task.h"
#include "os/loop.h"

enum {
	TOTAL_MS = 30000,
	IN_FLIGHT = 64,
	BYTES_MAX = 16 << 20,
};

struct discovery {
	struct loop *loop;
	struct discovery_options options;
	struct params params;
	void (*found)(void *arg, struct discovery_result *result);
	void (*idle)(void *arg);
	void *arg;

	struct portal *queue; /* from queue_at on they wait */
	size_t queue_count, queue_at;
	struct discovery_task *tasks;
	unsigned int in_flight;
	struct loop_timer pump; /* starts what waits, outside of all callbacks */
};

const char *discovery_stage_name(enum discovery_stage stage)
{
	static const char *const names[] = {
		[DISCOVERY_RESOLVE] = "host look-up", [DISCOVERY_CONNECT] = "connect",
		[DISCOVERY_LOGIN] = "login",	      [DISCOVERY_TEXT] = "SendTargets",
		[DISCOVERY_LOGOUT] = "logout",
	};

	return names[stage];
}

void discovery_result_done(struct discovery_result *result)
{
	targets_done(&result->targets);
	buf_done(&result->notes);
}

static void take_out(struct discovery_task *task)
{
	struct discovery *discovery = task->owner;

	*task->self = task->next;
	if (task->next)
		task->next->self = task->self;
	discovery->in_flight--;
	discovery_task_free(task);
}

/* Hand the result over, and let the next portal have the place. */
static void task_done(struct discovery_task *task)
{
	struct discovery *discovery = task->owner;
	struct err err;

	discovery->found(discovery->arg, &task->result);
	take_out(task);
	/* The task's own timer has just left its room to this one: it cannot fail. */
	(void)loop_timer_set(discovery->loop, &discovery->pump, 0, &err);
}

static void start_task(struct discovery *discovery, size_t number)
{
	struct discovery_result result = { .asked = discovery->queue[number], .number = number };
	struct discovery_task *task = calloc(1, sizeof(*task));

	if (!task) {
		result.rc = err_oom(&result.err);
		discovery->found(discovery->arg, &result);
		return;
	}
	*task = (struct discovery_task){
		.loop = discovery->loop,
		.options = &discovery->options,
		.params = &discovery->params,
		.done = task_done,
		.owner = discovery,
		.next = discovery->tasks,
		.self = &discovery->tasks,
		.result = result,
	};
	if (task->next)
		task->next->self = &task->next;
	discovery->tasks = task;
	discovery->in_flight++;
	discovery_task_start(task);
}

static void pump(void *arg)
{
	struct discovery *discovery = arg;

	while (discovery->in_flight < discovery->options.max_in_flight &&
	       discovery->queue_at < discovery->queue_count)
		start_task(discovery, discovery->queue_at++);
	if (discovery->in_flight > 0)
		return;
	loop_timer_cancel(discovery->loop, &discovery->pump);
	if (discovery->idle)
		discovery->idle(discovery->arg);
}

struct discovery *discovery_new(struct loop *loop, const struct discovery_options *options,
				void (*found)(void *arg, struct discovery_result *result),
				void (*idle)(void *arg), void *arg, struct err *err)
{
	struct discovery *discovery = calloc(1, sizeof(*discovery));

	if (!discovery) {
		err_oom(err);
		return NULL;
	}
	*discovery = (struct discovery){
		.loop = loop,
		.options = *options,
		.found = found,
		.idle = idle,
		.arg = arg,
		.pump = { .fire = pump, .arg = discovery },
	};
	if (options->total_ms == 0)
		discovery->options.total_ms = TOTAL_MS;
	if (options->max_in_flight == 0)
		discovery->options.max_in_flight = IN_FLIGHT;
	if (options->max_bytes == 0)
		discovery->options.max_bytes = BYTES_MAX;
	params_init(&discovery->params, PARAMS_INITIATOR);
	/* A target that insists on digests can have them. */
	if (params_set_list(&discovery->params, PARAM_HEADER_DIGEST, "None,CRC32C", err) < 0 ||
	    params_set_list(&discovery->params, PARAM_DATA_DIGEST, "None,CRC32C", err) < 0 ||
	    params_set(&discovery->params, PARAM_MAX_RECV_DATA_SEGMENT_LENGTH,
		       DISCOVERY_RECEIVE_MAX, err) < 0 ||
	    loop_timer_set(loop, &discovery->pump, 0, err) < 0) {
		free(discovery);
		return NULL;
	}
	return discovery;
}

void discovery_free(struct discovery *discovery)
{
	if (!discovery)
		return;
	while (discovery->tasks)
		take_out(discovery->tasks);
	loop_timer_cancel(discovery->loop, &discovery->pump);
	free(discovery->queue);
	free(discovery);
}

int discovery_add(struct discovery *discovery, const struct portal *portal, struct err *err)
{
	if (!ARRAY_ROOM(discovery->queue, discovery->queue_count))
		return err_oom(err);
	discovery->queue[discovery->queue_count++] = *portal;
	return loop_timer_set(discovery->loop, &discovery->pump, 0, err);
}

struct run {
	struct loop *loop;
	struct discovery_result *results;
};

static void keep_result(void *arg, struct discovery_result *result)
{
	struct run *run = arg;

	run->results[result->number] = *result;
	*result = (struct discovery_result){ .rc = 0 };
}

static void stop_run(void *arg)
{
	loop_stop(((struct run *)arg)->loop);
}

int discovery_run(const struct portal *portals, size_t count,
		  const struct discovery_options *options, struct discovery_result *results,
		  struct err *err)
{
	struct run run = { .loop = loop_new(err), .results = results };
	struct discovery *discovery = NULL;
	int rc = run.loop ? 0 : -err->code;

	memset(results, 0, count * sizeof(*results));
	if (rc == 0) {
		discovery = discovery_new(run.loop, options, keep_result, stop_run, &run, err);
		rc = discovery ? 0 : -err->code;
	}
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = discovery_add(discovery, &portals[i], err);
	if (rc == 0)
		rc = loop_run(run.loop, err);
	discovery_free(discovery);
	loop_free(run.loop);
	return rc;
}
