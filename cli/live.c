/* SPDX-License-Identifier: MIT */
#include "live.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "engine/compare.h"
#include "engine/knob.h"
#include "engine/plan.h"
#include "err.h"
#include "host/paths.h"
#include "host/program.h"
#include "host/services.h"
#include "host/sessions.h"
#include "udev/monitor.h"

enum {
	RELOADS = 5,
	UDEVADM_MS = 10000, /* of udevadm, which waits for udevd's answer */
	EVENT_MS = 2000, /* until an event has gone through all rules */
	LOOK_MS = 20,
	PAUSE_MS = 500,
};

/* What goes with its session meanwhile needs no value: sysfs says so in two ways. */
static int set_if_there(const struct paths *paths, const struct place *place, const char *key,
			const char *value, struct err *err)
{
	int rc = knob_set(paths, knob_find(place->kind, key), place->path, value, err);

	return rc == -ENOENT || rc == -ENODEV ? 0 : rc;
}

int live_set(const struct plan *plan, const struct paths *paths, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < plan->live_count; i++) {
		const struct change *change = &plan->live[i];
		struct err why = { 0 };
		int set = set_if_there(paths, change->place, change->key, change->after, &why);

		if (set == 0 || rc < 0)
			continue;
		rc = set;
		*err = why;
	}
	return rc;
}

int live_mend(const struct findings *findings, const struct paths *paths, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < findings->count; i++) {
		const struct finding *finding = &findings->items[i];
		struct err why = { 0 };
		char value[16];

		if (!finding_live(finding))
			continue;
		snprintf(value, sizeof(value), "%u", finding->wanted);
		rc = set_if_there(paths, finding->place, finding->value->where->key, value, &why);
		if (rc < 0)
			*err = why;
		else
			rc = 1;
	}
	return rc;
}

static int udevadm(const struct paths *paths, const char *command, const char *option,
		   struct err *err)
{
	const char *const argv[] = { "udevadm", command, option, NULL };
	struct program_result result = { 0 };
	char words[256];
	int rc = program_run(paths, argv, UDEVADM_MS, &result, err);

	if (rc == 0 && result.late) {
		rc = err_set(err, ETIMEDOUT, "udevadm %s %s did not end within %d s", command,
			     option, UDEVADM_MS / 1000);
	} else if (rc == 0 && result.code != 0) {
		program_last_line(&result.errors, words, sizeof(words));
		rc = err_set(err, EIO, "udevadm %s %s: %s", command, option,
			     words[0] ? words : "it failed");
	}
	program_result_done(&result);
	return rc;
}

static int reload(const struct paths *paths, struct err *err)
{
	return udevadm(paths, "control", "--reload", err);
}

/* A disk of the plan whose timeout the rule has yet to give. */
static bool awaits_rule(const struct change *change)
{
	return change->place->kind == PLACE_DEVICE && strcmp(change->key, "timeout") == 0;
}

/* As udevadm trigger does it, for exactly these devices. */
static size_t trigger(const struct plan *plan, const struct paths *paths)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->live_count; i++) {
		char path[512];
		struct err ignored = { 0 };

		if (!awaits_rule(&plan->live[i]))
			continue;
		snprintf(path, sizeof(path), "%s/uevent", plan->live[i].place->path);
		count += paths_write_value(paths, path, "change", &ignored) == 0;
	}
	return count;
}

/* What went meanwhile is no proof against the rule. */
static bool holds(const struct change *change, const struct paths *paths)
{
	CLEANUP(buf_done) struct buf now = { 0 };
	struct err ignored = { 0 };

	return device_read(change->place->device, paths, change->key, &now, &ignored) < 0 ||
	       strcmp(buf_text(&now), change->after) == 0;
}

static bool all_hold(const struct plan *plan, const struct paths *paths)
{
	for (size_t i = 0; i < plan->live_count; i++) {
		if (awaits_rule(&plan->live[i]) && !holds(&plan->live[i], paths))
			return false;
	}
	return true;
}

static bool wait_for_rule(const struct plan *plan, const struct paths *paths)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };

	for (int waited = 0; waited < EVENT_MS; waited += LOOK_MS) {
		if (all_hold(plan, paths))
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

/* Where it does not run, what failed would fail once more. */
static void warn_of_udevd(const struct paths *paths, const struct err *err)
{
	if (!monitor_udevd_runs()) {
		warn("udevd does not run: the rules as they are now take effect for the devices "
		     "that come once it does; start it with: %s",
		     service_start(paths, SERVICE_UDEVD));
		return;
	}
	warn("udevd: %s; it follows the rules as they are now from the next boot on, or after: "
	     "udevadm control --reload",
	     err->reason);
}

bool live_reload_former_rules(const struct paths *paths, bool wait)
{
	struct err err = { 0 }, ignored = { 0 };

	if (reload(paths, &err) < 0) {
		warn_of_udevd(paths, &err);
		return false;
	}
	/* A disk that does not answer may keep udevd at work for minutes. */
	if (wait)
		udevadm(paths, "settle", "--timeout=5", &ignored);
	if (monitor_udevd_runs())
		return true;
	warn_of_udevd(paths, &err); /* in a chroot udevadm does nothing, and well */
	return false;
}

void live_reload_rules(const struct plan *plan, const struct paths *paths)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };
	struct err err = { 0 };

	for (int i = 0; i < RELOADS; i++) {
		int rc;

		if (i > 0)
			nanosleep(&pause, NULL); /* udevd has to take the last connection */
		err = (struct err){ 0 };
		rc = reload(paths, &err);
		if (rc == 0 && (trigger(plan, paths) == 0 || wait_for_rule(plan, paths)))
			return;
		if (rc == -ENOENT ||
		    rc == -ETIMEDOUT) /* asking once more takes long, or is in vain */
			break;
		if (!monitor_udevd_runs()) /* in a chroot udevadm does nothing, and well */
			break;
	}
	if (err.code == 0)
		err_set(&err, ETIMEDOUT,
			"it does not follow the new rules, although asked %d times", RELOADS);
	warn_of_udevd(paths, &err);
}

void live_warn_of_links(const struct paths *paths)
{
	if (!monitor_udevd_runs())
		warn("udevd does not run, so nobody makes links to the devices or loads their "
		     "modules (of a disk sd_mod); start it with: %s",
		     service_start(paths, SERVICE_UDEVD));
}
