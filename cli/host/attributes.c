/* SPDX-License-Identifier: MIT */
#include "host/attributes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "array.h"
#include "buf.h"
#include "err.h"

#define ACCESS_LIST "system.posix_acl_access"
#define SELINUX_LABEL "security.selinux"

enum { LABEL_MAX = 4096 };

bool attribute_kept(const char *name)
{
	static const char *const exact[] = { SELINUX_LABEL, "security.SMACK64", ACCESS_LIST };
	size_t i;

	for (i = 0; i < ARRAY_LEN(exact); i++)
		if (strcmp(name, exact[i]) == 0)
			return true;
	if (strncmp(name, "trusted.overlay.", 16) == 0)
		return false;
	return strncmp(name, "user.", 5) == 0 || strncmp(name, "trusted.", 8) == 0;
}

int attributes_add(struct attributes *attributes, const char *name, const void *value, size_t len,
		   struct err *err)
{
	struct attribute *one;

	if (attributes->count >= ATTRIBUTES_MAX)
		return err_set(err, E2BIG, "the file has more than %d extended attributes",
			       ATTRIBUTES_MAX);
	if (!ARRAY_ROOM(attributes->list, attributes->count))
		return err_oom(err);
	one = &attributes->list[attributes->count];
	one->name = strdup(name);
	one->value = malloc(len + 1);
	one->len = len;
	if (!one->name || !one->value) {
		free(one->name);
		free(one->value);
		return err_oom(err);
	}
	memcpy(one->value, value, len);
	attributes->count++;
	return 0;
}

/* One that is gone again is no error. */
static int read_one(struct attributes *attributes, int fd, const char *name, struct err *err)
{
	CLEANUP(buf_done) struct buf value = { 0 };
	ssize_t len;
	char *room;

	len = fgetxattr(fd, name, NULL, 0);
	if (len >= 0) {
		room = buf_room(&value, (size_t)len + 64);
		if (!room)
			return err_oom(err);
		len = fgetxattr(fd, name, room, (size_t)len + 64);
	}
	if (len < 0) {
		if (errno == ENODATA || errno == EOPNOTSUPP)
			return 0;
		return err_sys(err, errno, "cannot read the attribute %s", name);
	}
	return attributes_add(attributes, name, value.data, (size_t)len, err);
}

int attributes_read(struct attributes *attributes, int fd, struct err *err)
{
	CLEANUP(buf_done) struct buf names = { 0 };
	struct stat st;
	const char *name;
	ssize_t len;
	int rc;

	*attributes = (struct attributes){ 0 };
	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot look at this file");
	attributes->mode = st.st_mode & 07777;
	attributes->uid = st.st_uid;
	attributes->gid = st.st_gid;
	if (!buf_room(&names, ATTRIBUTE_SIZE_MAX))
		return err_oom(err);
	len = flistxattr(fd, names.data, ATTRIBUTE_SIZE_MAX);
	if (len < 0)
		return errno == EOPNOTSUPP ? 0 : err_sys(err, errno, "cannot list attributes");
	names.data[len] = '\0';
	for (name = names.data; name < names.data + len; name += strlen(name) + 1) {
		if (!attribute_kept(name))
			continue;
		rc = read_one(attributes, fd, name, err);
		if (rc < 0) {
			attributes_done(attributes);
			return rc;
		}
	}
	return 0;
}

/*
 * The label of the first file of the directory, ours and odd ones passed by.
 * By name below /proc/self/fd, so that no file has to be opened for it.
 */
static int read_sibling(struct attributes *attributes, DIR *dir, struct err *err)
{
	char path[NAME_MAX + 64], label[LABEL_MAX];
	struct dirent *entry;
	ssize_t len;

	while ((errno = 0, entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || entry->d_type != DT_REG)
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dirfd(dir), entry->d_name);
		len = lgetxattr(path, SELINUX_LABEL, label, sizeof(label));
		/* Where one file has none, no file has: SELinux is off. */
		if (len < 0)
			return 0;
		return attributes_add(attributes, SELINUX_LABEL, label, (size_t)len, err);
	}
	return errno == 0 ? 0 : err_sys(err, errno, "cannot look for the label of its neighbours");
}

int attributes_new(struct attributes *attributes, mode_t mode, int dir_fd, struct err *err)
{
	DIR *dir;
	int fd, rc;

	*attributes = (struct attributes){ .mode = mode, .uid = (uid_t)-1, .gid = (gid_t)-1 };
	if (dir_fd < 0)
		return 0;
	fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		rc = err_sys(err, errno, "cannot look for the label of its neighbours");
		if (fd >= 0)
			close(fd);
		return rc;
	}
	rc = read_sibling(attributes, dir, err);
	closedir(dir);
	return rc;
}

static int write_one(const struct attribute *attribute, int fd, struct err *err)
{
	CLEANUP(buf_done) struct buf now = { 0 };
	ssize_t len;

	if (!buf_room(&now, attribute->len + 1))
		return err_oom(err);
	/* A label that the directory gave already is not set again: that may need a privilege. */
	len = fgetxattr(fd, attribute->name, now.data, attribute->len + 1);
	if (len == (ssize_t)attribute->len && memcmp(now.data, attribute->value, (size_t)len) == 0)
		return 0;
	if (fsetxattr(fd, attribute->name, attribute->value, attribute->len, 0) < 0 &&
	    errno != EOPNOTSUPP)
		return err_sys(err, errno, "cannot keep the attribute %s", attribute->name);
	return 0;
}

static bool has_access_list(const struct attributes *attributes)
{
	size_t i;

	for (i = 0; i < attributes->count; i++)
		if (strcmp(attributes->list[i].name, ACCESS_LIST) == 0)
			return true;
	return false;
}

int attributes_write(const struct attributes *attributes, int fd, struct err *err)
{
	bool is_new = attributes->uid == (uid_t)-1;
	struct stat st;
	size_t i;
	int rc;

	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot look at this file");
	if (!is_new && (st.st_uid != attributes->uid || st.st_gid != attributes->gid) &&
	    fchown(fd, attributes->uid, attributes->gid) < 0)
		return err_sys(err, errno, "cannot keep the owner %u and group %u",
			       (unsigned)attributes->uid, (unsigned)attributes->gid);
	/* A default list of the directory would let in those whom the old file kept out. */
	if (!is_new && !has_access_list(attributes) && fremovexattr(fd, ACCESS_LIST) < 0 &&
	    errno != ENODATA && errno != EOPNOTSUPP)
		return err_sys(err, errno, "cannot remove the directory's access list");
	for (i = 0; i < attributes->count; i++) {
		rc = write_one(&attributes->list[i], fd, err);
		if (rc < 0)
			return rc;
	}
	/* Last: the mode bounds the access list, and a change of owner takes bits away. */
	if (fchmod(fd, attributes->mode) < 0)
		return err_sys(err, errno, "cannot set the mode %04o", (unsigned)attributes->mode);
	return 0;
}

int attributes_copy(struct attributes *to, const struct attributes *from, struct err *err)
{
	size_t i;
	int rc = 0;

	*to = *from;
	to->list = NULL;
	to->count = 0;
	for (i = 0; rc == 0 && i < from->count; i++)
		rc = attributes_add(to, from->list[i].name, from->list[i].value, from->list[i].len,
				    err);
	if (rc < 0)
		attributes_done(to);
	return rc;
}

void attributes_done(struct attributes *attributes)
{
	while (attributes->count > 0) {
		attributes->count--;
		free(attributes->list[attributes->count].name);
		free(attributes->list[attributes->count].value);
	}
	free(attributes->list);
	*attributes = (struct attributes){ 0 };
}
