/* SPDX-License-Identifier: MIT */
#include "host/record_traces.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "documents/document.h"
#include "documents/open_iscsi.h"
#include "err.h"
#include "host/dirs.h"
#include "host/obstacles.h"
#include "host/paths.h"
#include "host/records.h"

#define NODES "/nodes/"

static const char *base_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

/* Below the database: "send_targets/10.0.0.1,3260" or "static"; empty: none that we know of. */
static void discovery_of(const struct record *record, struct buf *out)
{
	const struct document_type *type = &document_open_iscsi;
	const char *kind = type->get(record->doc, "node.discovery_type", NULL);
	const char *address = type->get(record->doc, "node.discovery_address", NULL);
	const char *port = type->get(record->doc, "node.discovery_port", NULL);

	if (!kind)
		return;
	if (strcmp(kind, "static") == 0)
		buf_adds(out, "static");
	else if (address && port && address[0] != '.' && !strchr(address, '/') &&
		 (strcmp(kind, "send_targets") == 0 || strcmp(kind, "offload_send_targets") == 0))
		buf_addf(out, "send_targets/%s,%d", address,
			 (int)open_iscsi_number(port, strlen(port)));
}

int record_link(const struct record *record, char **out, struct err *err)
{
	CLEANUP(buf_done) struct buf link = { 0 }, discovery = { 0 };
	const char *database = open_iscsi_database(record->path);
	const char *place = database ? record->path + strlen(database) : "";
	size_t start;

	*out = NULL;
	if (!record->doc || strncmp(place, NODES, strlen(NODES)) != 0)
		return 0;
	discovery_of(record, &discovery);
	if (discovery.len == 0)
		return discovery.failed ? err_oom(err) : 0;
	buf_addf(&link, "%s/%s/", database, discovery.data);
	start = link.len;
	buf_adds(&link, place + strlen(NODES));
	if (link.failed)
		return err_oom(err);
	/* TARGET/PORTAL/INTERFACE is TARGET,PORTAL,INTERFACE there. */
	for (char *slash = link.data + start; (slash = strchr(slash, '/')); slash++)
		*slash = ',';
	*out = strdup(link.data);
	return *out ? 0 : err_oom(err);
}

/* Whether names in the directory can be changed. Closes it. */
static int check_dir(const struct paths *paths, int fd, const char *dir, struct err *err)
{
	int rc = obstacle_dir(fd, err);

	close(fd);
	return rc < 0 ? paths_at(paths, dir, err) : 0;
}

/* The directory that the link is in. -ENOENT: there is none, or it leads elsewhere. */
static int open_link(const struct paths *paths, const char *link, const char *record,
		     struct err *err)
{
	CLEANUP(free_ptr) char *dir = dir_of(link);
	CLEANUP(free_ptr) char *leads_to = dir_of(record);
	char text[PATH_MAX];
	ssize_t len;
	int fd;

	if (!dir || !leads_to)
		return err_oom(err);
	fd = dir_open(paths, dir, err);
	if (fd < 0)
		return fd;
	len = readlinkat(fd, base_of(link), text, sizeof(text));
	if (len >= 0 && (size_t)len == strlen(leads_to) && memcmp(text, leads_to, (size_t)len) == 0)
		return fd;
	if (len >= 0 || errno == EINVAL) /* EINVAL: no link */
		errno = ENOENT;
	err_sys(err, errno, "cannot look at this link");
	close(fd);
	return paths_at(paths, link, err);
}

int record_link_stands(const struct paths *paths, const char *link, const char *record,
		       struct err *err)
{
	struct err why = { 0 };
	int fd = open_link(paths, link, record, &why);

	if (fd >= 0) {
		close(fd);
		return 1;
	}
	if (fd == -ENOENT)
		return 0;
	*err = why;
	return fd;
}

int record_link_remove(const struct paths *paths, const char *link, const char *record,
		       struct err *err)
{
	struct err why = { 0 };
	int fd = open_link(paths, link, record, &why), rc = 0;

	if (fd == -ENOENT)
		return 0;
	if (fd < 0) {
		*err = why;
		return fd;
	}
	if (unlinkat(fd, base_of(link), 0) < 0 || fsync(fd) < 0) {
		err_sys(err, errno, "cannot remove this link");
		rc = paths_at(paths, link, err);
	}
	close(fd);
	return rc;
}

static bool is_gone(int fd, const char *name)
{
	struct stat st;

	return fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

/* As iscsiadm and we make them: undo makes it again as it was. */
static bool is_usual(int fd, const char *name)
{
	struct stat st;

	return fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) &&
	       (st.st_mode & 07777) == 0700 && st.st_uid == geteuid() && st.st_gid == getegid();
}

/* 1: it is gone, maybe with another record; 0: it stays, as where others have something in it. */
static int remove_dir(const struct paths *paths, const char *dir, const char *parent,
		      struct err *err)
{
	struct err why = { 0 };
	int fd = dir_open(paths, parent, &why), rc = 1;

	if (fd == -ENOENT)
		return 1;
	if (fd < 0) {
		*err = why;
		return fd;
	}
	if (!is_gone(fd, base_of(dir)) && !is_usual(fd, base_of(dir))) {
		rc = 0;
	} else if (unlinkat(fd, base_of(dir), AT_REMOVEDIR) < 0 && errno != ENOENT) {
		rc = 0;
		if (errno != ENOTEMPTY && errno != EEXIST) {
			err_sys(err, errno, "cannot remove this directory");
			rc = paths_at(paths, dir, err);
		}
	}
	close(fd);
	return rc;
}

/* The portal's, then the target's; the one that stays is synced. */
int record_dirs_remove(const struct paths *paths, const char *record, struct err *err)
{
	CLEANUP(free_ptr) char *dir = dir_of(record);

	while (dir && strcmp(base_of(dir), "nodes") != 0) {
		char *parent = dir_of(dir);
		int rc = parent ? remove_dir(paths, dir, parent, err) : err_oom(err);

		if (rc <= 0) {
			free(parent);
			return rc < 0 ? rc : dir_sync(paths, dir, err);
		}
		free(dir);
		dir = parent;
	}
	return dir ? dir_sync(paths, dir, err) : err_oom(err);
}

int record_link_check(const struct paths *paths, const char *link, const char *record,
		      struct err *err)
{
	CLEANUP(free_ptr) char *dir = dir_of(link);
	struct err why = { 0 };
	int fd = dir ? open_link(paths, link, record, &why) : err_oom(&why);

	if (fd >= 0)
		return check_dir(paths, fd, dir, err);
	if (fd == -ENOENT)
		return 0;
	*err = why;
	return fd;
}

int record_dirs_check(const struct paths *paths, const char *record, struct err *err)
{
	CLEANUP(free_ptr) char *dir = dir_of(record);

	while (dir && strcmp(base_of(dir), "nodes") != 0) {
		char *parent = dir_of(dir);
		int fd = parent ? dir_open(paths, parent, err) : err_oom(err), rc = fd < 0 ? fd : 0;
		bool goes = fd >= 0 && is_usual(fd, base_of(dir));

		if (goes)
			rc = check_dir(paths, fd, parent, err);
		else if (fd >= 0)
			close(fd);
		free(dir);
		dir = parent;
		if (rc < 0 || !goes)
			return rc;
	}
	return dir ? 0 : err_oom(err);
}

int record_link_restore(const struct paths *paths, const char *link, const char *record,
			struct err *err)
{
	CLEANUP(free_ptr) char *dir = dir_of(link);
	CLEANUP(free_ptr) char *leads_to = dir_of(record);
	struct err why = { 0 };
	int fd, rc = 0;

	if (!dir || !leads_to)
		return err_oom(err);
	fd = dir_open(paths, dir, &why);
	if (fd == -ENOENT)
		return 0;
	if (fd < 0) {
		*err = why;
		return fd;
	}
	if ((symlinkat(leads_to, fd, base_of(link)) < 0 && errno != EEXIST) || fsync(fd) < 0) {
		err_sys(err, errno, "cannot make this link");
		rc = paths_at(paths, link, err);
	}
	close(fd);
	return rc;
}
