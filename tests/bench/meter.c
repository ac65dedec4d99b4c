/* SPDX-License-Identifier: MIT */
#include "meter.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "err.h"
#include "number.h"

void die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

uint64_t number(const char *text, uint64_t min, uint64_t max)
{
	struct err err;
	uint64_t value;

	if (parse_size(text, min, max, &value, &err) < 0)
		die("%s", err.reason);
	return value;
}

double seconds_of(const char *text)
{
	char *end;
	double value = strtod(text, &end);

	if (*end != '\0' || !(value > 0 && value <= 600))
		die("%s: seconds above 0 up to 600 are wanted", text);
	return value;
}

static double now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Of all its threads, by the scheduler's nanoseconds: /proc/PID/stat counts whole ticks. */
static double cpu_of(pid_t pid)
{
	struct dirent *entry;
	double sum = 0;
	char path[512];
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	tasks = opendir(path);
	if (!tasks)
		die("process %d: its times cannot be read", (int)pid);
	while ((entry = readdir(tasks)) != NULL) {
		unsigned long long ns;
		FILE *file;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", (int)pid, entry->d_name);
		file = fopen(path, "r");
		if (!file)
			continue;
		if (fscanf(file, "%llu", &ns) == 1)
			sum += (double)ns / 1e9;
		fclose(file);
	}
	closedir(tasks);
	return sum;
}

void meter_start(struct meter *meter, pid_t server)
{
	meter->server = server;
	meter->server_cpu = -cpu_of(server);
	meter->client_cpu = -now(CLOCK_PROCESS_CPUTIME_ID);
	meter->seconds = -now(CLOCK_MONOTONIC);
}

void meter_stop(struct meter *meter)
{
	meter->seconds += now(CLOCK_MONOTONIC);
	meter->client_cpu += now(CLOCK_PROCESS_CPUTIME_ID);
	meter->server_cpu += cpu_of(meter->server);
}

double meter_elapsed(const struct meter *meter)
{
	return meter->seconds + now(CLOCK_MONOTONIC);
}

void meter_print(const struct meter *meter, uint64_t done)
{
	printf("\"done\": %" PRIu64 ", \"seconds\": %.6f, \"server_cpu\": %.6f, "
	       "\"client_cpu\": %.6f",
	       done, meter->seconds, meter->server_cpu, meter->client_cpu);
}
