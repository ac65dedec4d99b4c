/* SPDX-License-Identifier: MIT */
#include "host/found.h"

#include <errno.h>
#include <unistd.h>

#include "err.h"
#include "host/paths.h"

int found_look(struct found *found, const struct paths *paths, const char *path, struct err *err)
{
	struct spot spot = SPOT_NONE;
	int fd = -1, ret;

	*found = (struct found){ .bytes = { .secret = true } };
	ret = paths_find(paths, path, &spot, err);
	if (ret < 0)
		return ret == -ENOENT ? 0 : ret;
	found->exists = spot.exists;
	found->odd = spot.exists && !S_ISREG(spot.st.st_mode);
	if (spot.exists && !found->odd) {
		fd = spot_open(&spot, FOUND_SIZE_MAX, &found->st, err);
		ret = fd < 0 ? fd
			     : spot_read_open(fd, FOUND_SIZE_MAX, &found->st, &found->bytes, err);
		if (ret == 0)
			ret = attributes_read(&found->attributes, fd, err);
		if (fd >= 0)
			close(fd);
	}
	spot_done(&spot);
	return ret < 0 ? paths_at(paths, path, err) : 0;
}

void found_done(struct found *found)
{
	buf_done(&found->bytes);
	attributes_done(&found->attributes);
}
