/* SPDX-License-Identifier: MIT */
/*
 * What cli/host is on Windows: no open-iscsi lies below, and so no tree of
 * files to look at. Built-in profiles and those of --profile are all there are.
 */
#include <errno.h>
#include <stdio.h>

#include "err.h"
#include "host/database.h"
#include "host/paths.h"
#include "host/sessions.h"
#include "options.h"

int paths_init(struct paths *paths, const char *dir, struct err *err)
{
	*paths = (struct paths){ .fd = -1, .live = true };
	if (dir)
		return err_set(err, ERR_USAGE, "--root is for the tree of a Linux host");
	return 0;
}

void paths_done(struct paths *paths)
{
	(void)paths;
}

int paths_list(const struct paths *paths, const char *path, char ***names, size_t *count,
	       struct err *err)
{
	(void)paths;
	*names = NULL;
	*count = 0;
	err_set(err, ENOENT, "there is no such directory on Windows");
	return err_at(err, "%s", path);
}

void paths_list_free(char **names, size_t count)
{
	(void)names;
	(void)count;
}

int paths_read(const struct paths *paths, const char *path, size_t max, struct buf *out,
	       struct stat *st, struct err *err)
{
	(void)paths;
	(void)max;
	(void)out;
	(void)st;
	err_set(err, ENOENT, "there is no such file on Windows");
	return err_at(err, "%s", path);
}

void paths_show(const struct paths *paths, const char *path, char *out, size_t size)
{
	(void)paths;
	snprintf(out, size, "%s", path);
}

int initiator_name_read(const struct paths *paths, char name[ISCSI_NAME_SIZE], struct err *err)
{
	(void)paths;
	name[0] = '\0';
	err_set(err, ENOENT, "Windows tells its InitiatorName to its own initiator alone");
	return err_at(err, "InitiatorName");
}

/* Credentials that Windows keeps are its own; --chap gives ours. */
int database_load(struct database *db, const struct paths *paths, struct err *err)
{
	(void)paths;
	(void)err;
	*db = (struct database){ .count = 0 };
	return 0;
}

void database_done(struct database *db)
{
	(void)db;
}

int sessions_of_another(const struct paths *paths, struct err *err)
{
	(void)paths;
	(void)err;
	return 0;
}

int sessions_load(struct sessions *sessions, const struct paths *paths, struct err *err)
{
	(void)paths;
	*sessions = (struct sessions){ .count = 0 };
	return err_set(err, ENOSYS, "Windows does not tell here which sessions are live");
}

void sessions_done(struct sessions *sessions)
{
	(void)sessions;
}
