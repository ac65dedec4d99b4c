/* SPDX-License-Identifier: MIT */
#include "host/found.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "host/dirs.h"
#include "host/paths.h"

/* The path of a file whose directory is missing: what is missing is taken as it stands. */
static char *real_of_missing(const struct paths *paths, const char *path, struct err *err)
{
	CLEANUP(free_ptr) char *parent = dir_of(path);
	CLEANUP(free_ptr) char *real = NULL;
	struct buf out = { 0 };
	char *text;

	real = parent ? paths_real(paths, parent, err) : NULL;
	if (parent && !real && err->code == ENOENT)
		real = real_of_missing(paths, parent, err);
	if (!parent)
		err_oom(err);
	if (!real)
		return NULL;
	buf_addf(&out, "%s%s", strcmp(real, "/") == 0 ? "" : real, strrchr(path, '/'));
	text = buf_take(&out);
	if (!text)
		err_oom(err);
	return text;
}

static int read_file(struct found *found, struct err *err)
{
	int fd, rc;

	fd = spot_open(&found->spot, FOUND_SIZE_MAX, &found->st, err);
	if (fd < 0)
		return fd;
	rc = spot_read_open(fd, FOUND_SIZE_MAX, &found->st, &found->bytes, err);
	if (rc == 0)
		rc = attributes_read(&found->attributes, fd, err);
	close(fd);
	return rc;
}

int found_look(struct found *found, const struct paths *paths, const char *path, struct err *err)
{
	int rc;

	*found = (struct found){ .spot = SPOT_NONE, .bytes = { .secret = true } };
	rc = paths_resolve(paths, path, &found->spot, &found->real, err);
	if (rc == -ENOENT) {
		found->real = real_of_missing(paths, path, err);
		return found->real ? 0 : -err->code;
	}
	if (rc < 0)
		return rc;
	found->exists = found->spot.exists;
	found->odd = found->exists && !S_ISREG(found->spot.st.st_mode);
	if (found->exists && !found->odd)
		rc = read_file(found, err);
	return rc < 0 ? paths_at(paths, path, err) : 0;
}

void found_done(struct found *found)
{
	free(found->real);
	spot_done(&found->spot);
	buf_done(&found->bytes);
	attributes_done(&found->attributes);
	*found = (struct found)FOUND_NONE;
}
