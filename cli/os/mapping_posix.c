/* SPDX-License-Identifier: MIT */
#include "os/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

int mapping_memory(struct mapping *mapping, uint64_t len, struct err *err)
{
	void *bytes = MAP_FAILED;

	*mapping = (struct mapping){ .bytes = NULL };
	errno = ENOMEM;
	if (len <= SIZE_MAX)
		bytes = mmap(NULL, (size_t)len, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (bytes == MAP_FAILED)
		return err_sys(err, errno, "no room for %" PRIu64 " bytes in memory", len);
	mapping->bytes = bytes;
	mapping->len = (size_t)len;
	return 0;
}

/* A regular file, this process's alone, of the length wanted. */
static int prepare_file(int fd, uint64_t *len, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot be looked at");
	if (!S_ISREG(st.st_mode))
		return err_set(err, EINVAL, "is no regular file");
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK
			       ? err_set(err, EBUSY, "another process has it as a volume")
			       : err_sys(err, errno, "cannot be locked");
	if (*len == 0)
		*len = (uint64_t)st.st_size;
	else if ((uint64_t)st.st_size < *len && ftruncate(fd, (off_t)*len) < 0)
		return err_sys(err, errno, "cannot be made %" PRIu64 " bytes long", *len);
	if (*len == 0)
		return err_set(err, EINVAL, "is empty");
	if (*len > SIZE_MAX)
		return err_set(err, EFBIG, "has more bytes than this system can map");
	return 0;
}

int mapping_file(struct mapping *mapping, const char *path, uint64_t *len, struct err *err)
{
	int create = *len > 0 ? O_CREAT : 0;
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | create, 0644);
	void *bytes;
	int rc;

	*mapping = (struct mapping){ .bytes = NULL };
	if (fd < 0) {
		err_sys(err, errno, "cannot be opened for writing");
		return err_at(err, "%s", path);
	}
	rc = prepare_file(fd, len, err);
	if (rc == 0) {
		bytes = mmap(NULL, (size_t)*len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (bytes == MAP_FAILED)
			rc = err_sys(err, errno, "cannot be mapped");
	}
	if (rc < 0) {
		close(fd);
		return err_at(err, "%s", path);
	}
	*mapping = (struct mapping){ .bytes = bytes, .len = (size_t)*len, .fd = fd + 1 };
	return 0;
}

int mapping_flush(const struct mapping *mapping, size_t offset, size_t len)
{
	size_t start = offset & ~(page_size() - 1);

	if (mapping->fd == 0 || len == 0)
		return 0;
	return msync(mapping->bytes + start, len + (offset - start), MS_SYNC) < 0 ? -errno : 0;
}

void mapping_done(struct mapping *mapping)
{
	if (mapping->bytes)
		munmap(mapping->bytes, mapping->len);
	if (mapping->fd > 0)
		close(mapping->fd - 1);
	*mapping = (struct mapping){ .bytes = NULL };
}
