/* SPDX-License-Identifier: MIT */
/*
 * logins rate DEPTH SECONDS URL PID: log in and out over and over, DEPTH sessions at a time.
 * logins hold COUNT SECONDS URL PID: log in COUNT times, and look at the server's memory when that
 * has settled, SECONDS at the most.
 * PID is the server's. Prints JSON.
 */
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "meter.h"

enum {
	DEPTH_MAX = 64,
	HELD_MAX = 16384,
	/* A port that was used has to rest: no more than a run can take. */
	LOGINS_MAX = 20000,
	TIMEOUT = 20, /* seconds of silence */
};

/* End the program with what libiscsi says. */
static void __attribute__((noreturn)) fail(struct iscsi_context *context, const char *what)
{
	die("%s: %s", what, iscsi_get_error(context));
}

/*
 * A context for the target of a URL, not connected; the number tells sessions
 * apart, in the ISID.
 */
static struct iscsi_context *session_new(const char *text, uint32_t session, struct iscsi_url **url)
{
	struct iscsi_context *context = iscsi_create_context("iqn.2026-11.com.example:bench");

	if (!context)
		die("no memory");
	*url = iscsi_parse_full_url(context, text);
	if (!*url || iscsi_set_targetname(context, (*url)->target) < 0 ||
	    iscsi_set_session_type(context, ISCSI_SESSION_NORMAL) < 0 ||
	    iscsi_set_header_digest(context, ISCSI_HEADER_DIGEST_NONE) < 0 ||
	    iscsi_set_isid_random(context, session & 0xffffff, 0) < 0 ||
	    iscsi_set_timeout(context, TIMEOUT) < 0)
		fail(context, text);
	iscsi_set_noautoreconnect(context, 1);
	return context;
}

struct logins;

struct slot {
	struct logins *logins;
	struct iscsi_context *context;
	struct iscsi_url *url;
	bool over; /* to be taken away: not inside its own callback */
};

struct logins {
	const char *url;
	uint32_t begun, done;
	struct meter meter;
	struct slot slots[DEPTH_MAX];
};

static struct slot *slot_of(struct iscsi_context *context, int status, void *arg, const char *what)
{
	if (status != SCSI_STATUS_GOOD)
		fail(context, what);
	return arg;
}

static void logged_out(struct iscsi_context *context, int status, void *data, void *arg)
{
	struct slot *slot = slot_of(context, status, arg, "a logout");

	(void)data;
	slot->logins->done++;
	slot->over = true;
}

static void logged_in(struct iscsi_context *context, int status, void *data, void *arg)
{
	struct slot *slot = slot_of(context, status, arg, "a login");

	(void)data;
	if (iscsi_logout_async(context, logged_out, slot) < 0)
		fail(context, "no logout");
}

static void connected(struct iscsi_context *context, int status, void *data, void *arg)
{
	struct slot *slot = slot_of(context, status, arg, "a connection");

	(void)data;
	if (!slot->over && iscsi_login_async(context, logged_in, slot) < 0)
		fail(context, "no login");
}

static void begin(struct slot *slot)
{
	slot->over = false;
	slot->context = session_new(slot->logins->url, ++slot->logins->begun, &slot->url);
	if (iscsi_connect_async(slot->context, slot->url->portal, connected, slot) < 0)
		fail(slot->context, "no connection");
}

static void end(struct slot *slot)
{
	iscsi_destroy_url(slot->url);
	iscsi_destroy_context(slot->context);
	slot->context = NULL;
}

static void rate(struct logins *logins, unsigned int depth, double seconds, pid_t server)
{
	unsigned int under_way = depth;
	struct pollfd ready[DEPTH_MAX];

	meter_start(&logins->meter, server);
	for (unsigned int i = 0; i < depth; i++) {
		logins->slots[i].logins = logins;
		begin(&logins->slots[i]);
	}
	while (under_way > 0) {
		for (unsigned int i = 0; i < depth; i++) {
			struct iscsi_context *context = logins->slots[i].context;

			ready[i].fd = context ? iscsi_get_fd(context) : -1;
			ready[i].events = context ? (short)iscsi_which_events(context) : 0;
		}
		if (poll(ready, depth, 1000) < 0)
			die("poll failed");
		for (unsigned int i = 0; i < depth; i++) {
			struct slot *slot = &logins->slots[i];

			if (!slot->context || ready[i].revents == 0)
				continue;
			if (iscsi_service(slot->context, ready[i].revents) < 0 && !slot->over)
				fail(slot->context, "the session is lost");
			if (!slot->over)
				continue;
			end(slot);
			if (meter_elapsed(&logins->meter) < seconds && logins->begun < LOGINS_MAX)
				begin(slot);
			else
				under_way--;
		}
	}
	meter_stop(&logins->meter);
	printf("{");
	meter_print(&logins->meter, logins->done);
	printf("}\n");
}

/* Of a process, in KiB. */
static unsigned long resident(pid_t pid)
{
	unsigned long size = 0;
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "VmRSS: %lu", &size) == 1)
			break;
	if (file)
		fclose(file);
	if (size == 0)
		die("process %d: its memory cannot be read", (int)pid);
	return size;
}

/* Buffers that only a busy session needs are given back after a moment: the least there was. */
static unsigned long settled(pid_t pid, double seconds)
{
	const struct timespec moment = { .tv_nsec = 100000000 };
	unsigned long least = resident(pid);

	for (double waited = 0; waited < seconds; waited += 0.1) {
		unsigned long size;

		nanosleep(&moment, NULL);
		size = resident(pid);
		least = size < least ? size : least;
	}
	return least;
}

static void hold(const char *text, uint32_t count, double seconds, pid_t server)
{
	struct iscsi_context **held = calloc(count, sizeof(struct iscsi_context *));
	unsigned long before = resident(server), busy, after;
	struct iscsi_url *url;
	struct rlimit files;
	struct meter meter;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	if (!held)
		die("no memory");
	meter_start(&meter, server);
	for (uint32_t i = 0; i < count; i++) {
		held[i] = session_new(text, i + 1, &url);
		if (iscsi_full_connect_sync(held[i], url->portal, url->lun) < 0)
			fail(held[i], text);
		iscsi_destroy_url(url);
	}
	meter_stop(&meter);
	busy = resident(server);
	after = settled(server, seconds);
	printf("{");
	meter_print(&meter, count);
	printf(", \"rss_before_kib\": %lu, \"rss_busy_kib\": %lu, \"rss_kib\": %lu}\n", before,
	       busy, after);
	for (uint32_t i = 0; i < count; i++) {
		iscsi_logout_sync(held[i]);
		iscsi_destroy_context(held[i]);
	}
	free(held);
}

int main(int argc, char **argv)
{
	static struct logins logins;
	double seconds;
	pid_t server;

	if (argc != 6 || (strcmp(argv[1], "rate") != 0 && strcmp(argv[1], "hold") != 0)) {
		fprintf(stderr, "usage: logins rate DEPTH|hold COUNT SECONDS URL PID\n");
		return 2;
	}
	seconds = seconds_of(argv[3]);
	logins.url = argv[4];
	server = (pid_t)number(argv[5], 1, INT32_MAX);
	if (strcmp(argv[1], "rate") == 0)
		rate(&logins, (unsigned int)number(argv[2], 1, DEPTH_MAX), seconds, server);
	else
		hold(argv[4], (uint32_t)number(argv[2], 1, HELD_MAX), seconds, server);
	return 0;
}
