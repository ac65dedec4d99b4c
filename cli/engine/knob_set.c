/* SPDX-License-Identifier: MIT */
#include "engine/knob.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "buf.h"
#include "err.h"
#include "host/paths.h"

#define SYS "/sys/"

enum { TRIES = 5 };

/* 1 where it was written and does not hold. */
static int try_once(const struct paths *paths, const struct knob *knob, const char *dir,
		    const char *path, const char *value, struct err *err)
{
	CLEANUP(buf_done) struct buf now = { 0 };
	int rc = paths_write_value(paths, path, value, err);

	if (rc == 0)
		rc = paths_read_attribute(paths, dir, knob->key, &now, err);
	if (rc == -EBUSY) { /* what the kernel says of a session that is lost or not there yet */
		err_set(err, EBUSY, "%s cannot be set while the session is not logged in", value);
		return paths_at(paths, path, err);
	}
	if (rc < 0 || strcmp(buf_text(&now), value) == 0)
		return rc;
	err_set(err, EIO, "%s was written, and it is %s: something else sets it", value,
		now.len > 0 ? buf_text(&now) : "empty");
	paths_at(paths, path, err);
	return 1;
}

/* On the live host the kernel alone makes links there: below --root one may lead to any file. */
static int check_in_sys(const struct paths *paths, const char *path, struct err *err)
{
	CLEANUP(free_ptr) char *real = paths->live ? NULL : paths_real(paths, path, err);

	if (paths->live)
		return 0;
	if (!real)
		return -err->code;
	if (strncmp(real, SYS, strlen(SYS)) == 0)
		return 0;
	err_set(err, EINVAL, "it leads to %s, which is no attribute of the kernel's", real);
	return paths_at(paths, path, err);
}

int knob_set(const struct paths *paths, const struct knob *knob, const char *dir, const char *value,
	     struct err *err)
{
	char path[512];
	struct timespec pause = { .tv_nsec = 10000000 };
	int rc;

	snprintf(path, sizeof(path), "%s/%s", dir, knob->key);
	rc = knob_check(knob, value, err);
	if (rc < 0)
		return paths_at(paths, path, err);
	rc = check_in_sys(paths, path, err);
	if (rc < 0)
		return rc;
	for (int i = 0;; i++) {
		rc = try_once(paths, knob, dir, path, value, err);
		if (rc <= 0)
			return rc;
		if (i + 1 == TRIES)
			return -err->code;
		/* Whoever it was may be through by then: 10, 20, 40, 80 ms. */
		nanosleep(&pause, NULL);
		pause.tv_nsec *= 2;
		*err = (struct err){ 0 };
	}
}
