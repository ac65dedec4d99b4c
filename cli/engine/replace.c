/* SPDX-License-Identifier: MIT */
#include "engine/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "host/lock.h"
#include "host/paths.h"
#include "host/record_traces.h"
#include "os/sync.h"

enum {
	BATCH = 256, /* files open at once: they are synced together */
	TEMP_MAX = TX_ID_MAX + 40,
};

static const char *base_of(const char *real)
{
	return strrchr(real, '/') + 1;
}

/*
 * Where the temp lies: beside an ordinary file, hidden, and with no suffix
 * that a program looks for; for a record in the database's root, since
 * iscsiadm takes whatever lies below nodes/ for a record.
 */
static int cursor_at_temp(struct dir_cursor *cursor, const struct paths *paths, const char *real,
			  const char *database, struct err *err)
{
	return database ? dir_cursor_at(cursor, paths, database, err)
			: dir_cursor_at_parent(cursor, paths, real, err);
}

static void temp_name(char name[TEMP_MAX], const char *id, size_t number)
{
	snprintf(name, TEMP_MAX, ".sgw-init-%s-%zu", id, number);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static int check_same(const struct replacement *change, bool exists, const struct stat *st,
		      struct err *err)
{
	if (change->exists != exists || (exists && !same_file(&change->st, st)))
		return err_set(err, ESTALE, "it was changed meanwhile: run the command again");
	return 0;
}

static bool below_database(const struct replacement_set *set, const char *path)
{
	const char *last = NULL;
	size_t i;

	for (i = 0; i < set->count; i++) {
		const char *root = set->changes[i].database;

		if (!root || root == last)
			continue;
		last = root;
		if (strncmp(path, root, strlen(root)) == 0 && path[strlen(root)] == '/')
			return true;
	}
	return false;
}

static int make_dirs(const struct replacement_set *set, struct err *err)
{
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < set->dirs.count; i++)
		rc = dirs_make_one(set->paths, set->dirs.paths[i],
				   below_database(set, set->dirs.paths[i]) ? 0700 : 0755, err);
	return rc;
}

static int write_bytes(int fd, const struct image *image, struct err *err)
{
	size_t done = 0;

	while (done < image->len) {
		ssize_t wrote = write(fd, image->bytes + done, image->len - done);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return err_sys(err, wrote < 0 ? errno : ENOSPC, "cannot write");
		done += (size_t)wrote;
	}
	return 0;
}

/* Returns the temp, open and on its way to the disk. */
static int write_temp(const struct replacement_set *set, const struct replacement *change,
		      struct dir_cursor *cursor, struct err *err)
{
	char name[TEMP_MAX];
	int dir, fd, rc;

	dir = cursor_at_temp(cursor, set->paths, change->real, change->database, err);
	if (dir < 0)
		return dir;
	temp_name(name, set->id, change->number);
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(err, errno, "cannot make %s", name);
	rc = write_bytes(fd, &change->after, err);
	if (rc == 0)
		rc = attributes_write(&change->attributes, fd, err);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	/* Only a hint, which lets the disk work while the next ones are made; fsync() judges. */
	sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	return fd;
}

/* Sync and close them; the first error names the change that each belongs to. */
static int sync_temps(const struct replacement_set *set, const int *fds, const size_t *owners,
		      size_t count, struct err *err)
{
	int errors[BATCH], rc = 0;
	size_t i;

	sync_all(fds, errors, count);
	for (i = 0; i < count; i++) {
		if (rc == 0 && errors[i] != 0) {
			err_sys(err, errors[i], "cannot sync its new bytes");
			rc = paths_at(set->paths, set->changes[owners[i]].real, err);
		}
		close(fds[i]);
	}
	return rc;
}

/*
 * Many temps, then their syncs: the first one's commit takes the others along,
 * where a sync after each write would wait for the disk each time.
 */
static int write_temps(const struct replacement_set *set, struct err *err)
{
	struct dir_cursor cursor = { 0 };
	size_t owners[BATCH], count = 0, i;
	int fds[BATCH], fd, rc = 0;

	for (i = 0; rc == 0 && i < set->count; i++) {
		if (!set->changes[i].after.exists)
			continue;
		fd = write_temp(set, &set->changes[i], &cursor, err);
		if (fd == -EMFILE && count > 0) {
			/* No more at once in this process: go on in smaller batches. */
			rc = sync_temps(set, fds, owners, count, err);
			count = 0;
			fd = rc < 0 ? rc : write_temp(set, &set->changes[i], &cursor, err);
		}
		if (fd < 0) {
			rc = paths_at(set->paths, set->changes[i].real, err);
			break;
		}
		owners[count] = i;
		fds[count++] = fd;
		if (count == BATCH) {
			rc = sync_temps(set, fds, owners, count, err);
			count = 0;
		}
	}
	if (rc == 0)
		rc = sync_temps(set, fds, owners, count, err);
	else
		while (count > 0)
			close(fds[--count]);
	dir_cursor_done(&cursor);
	return rc;
}

static int move_one(struct replacement_set *set, const struct replacement *change,
		    struct dir_cursor cursors[2], struct err *err)
{
	const char *base = base_of(change->real);
	char name[TEMP_MAX];
	int dir, temp_dir = -1, rc;
	struct stat st;
	bool exists;

	dir = dir_cursor_at_parent(&cursors[0], set->paths, change->real, err);
	if (dir >= 0 && change->after.exists)
		temp_dir = cursor_at_temp(&cursors[1], set->paths, change->real, change->database,
					  err);
	if (dir < 0 || (change->after.exists && temp_dir < 0))
		return -err->code;
	exists = fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW) == 0;
	if (!exists && errno != ENOENT)
		return err_sys(err, errno, "cannot look at this file");
	rc = check_same(change, exists, &st, err);
	if (rc < 0)
		return rc;
	set->touched = true;
	if (!change->after.exists)
		return unlinkat(dir, base, 0) < 0 ? err_sys(err, errno, "cannot remove") : 0;
	temp_name(name, set->id, change->number);
	if (renameat(temp_dir, name, dir, base) < 0)
		return err_sys(err, errno, "cannot rename %s over it", name);
	return 0;
}

static bool has_records(const struct replacement_set *set)
{
	size_t i;

	for (i = 0; i < set->count; i++)
		if (set->changes[i].database)
			return true;
	return false;
}

int replace_check_lock(const struct replacement_set *set, struct err *err)
{
	struct lock lock = LOCK_NONE;
	int rc = 0;

	if (has_records(set))
		rc = lock_database(&lock, set->paths, LOCK_DATABASE_WAIT, err);
	return rc < 0 ? rc : lock_release(&lock, set->paths, err);
}

/* What is beside a record goes after it. */
static int remove_traces(const struct replacement_set *set, const struct replacement *change,
			 struct err *err)
{
	int rc = 0;

	if (!change->retire)
		return 0;
	if (change->link)
		rc = record_link_remove(set->paths, change->link, change->path, err);
	return rc < 0 ? rc : record_dirs_remove(set->paths, change->real, err);
}

static int move_all(struct replacement_set *set, struct err *err)
{
	struct dir_cursor cursors[2] = { 0 };
	struct lock lock = LOCK_NONE;
	struct err second;
	size_t i;
	int rc = 0;

	if (has_records(set))
		rc = lock_database(&lock, set->paths, LOCK_DATABASE_WAIT, err);
	for (i = 0; rc == 0 && i < set->count; i++) {
		rc = move_one(set, &set->changes[i], cursors, err);
		if (rc < 0)
			rc = paths_at(set->paths, set->changes[i].real, err);
	}
	dir_cursor_done(&cursors[0]);
	dir_cursor_done(&cursors[1]);
	for (i = 0; rc == 0 && i < set->count; i++)
		rc = remove_traces(set, &set->changes[i], err);
	if (lock_release(&lock, set->paths, rc < 0 ? &second : err) < 0 && rc == 0)
		rc = -err->code;
	return rc;
}

static int add_parent(struct dirs *dirs, const char *path, struct err *err)
{
	CLEANUP(free_ptr) char *parent = dir_of(path);

	return parent ? dirs_add(dirs, parent, err) : err_oom(err);
}

/* As many of them as may be open at once; how many that were, or negative errno. */
static int sync_some_dirs(const struct replacement_set *set, char *const *dirs, size_t count,
			  struct dir_cursor *cursor, struct err *err)
{
	int fds[BATCH], errors[BATCH], dir, rc = 0;
	size_t open, i;

	for (open = 0; open < count && open < BATCH; open++) {
		dir = dir_cursor_at(cursor, set->paths, dirs[open], err);
		fds[open] = dir < 0 ? dir : openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fds[open] >= 0)
			continue;
		if (dir >= 0)
			err_sys(err, errno, "cannot open this directory");
		if (err->code != EMFILE || open == 0)
			rc = paths_at(set->paths, dirs[open], err);
		break;
	}
	if (rc == 0)
		sync_all(fds, errors, open);
	for (i = 0; i < open; i++) {
		close(fds[i]);
		if (rc == 0 && errors[i] != 0) {
			err_sys(err, errors[i], "cannot sync this directory");
			rc = paths_at(set->paths, dirs[i], err);
		}
	}
	return rc < 0 ? rc : (int)open;
}

static int sync_dirs(const struct replacement_set *set, struct err *err)
{
	struct dir_cursor cursor = { 0 };
	struct dirs dirs = { 0 };
	size_t i, synced;
	int rc = 0;

	for (i = 0; rc == 0 && i < set->count; i++) {
		if (!set->changes[i].retire) /* else it may be gone, and what is left is synced */
			rc = add_parent(&dirs, set->changes[i].real, err);
		if (rc == 0 && set->changes[i].database)
			rc = dirs_add(&dirs, set->changes[i].database, err);
	}
	for (i = 0; rc == 0 && i < set->dirs.count; i++) {
		rc = dirs_add(&dirs, set->dirs.paths[i], err);
		if (rc == 0)
			rc = add_parent(&dirs, set->dirs.paths[i], err);
	}
	for (synced = 0; rc >= 0 && synced < dirs.count; synced += (size_t)(rc > 0 ? rc : 0))
		rc = sync_some_dirs(set, dirs.paths + synced, dirs.count - synced, &cursor, err);
	dir_cursor_done(&cursor);
	dirs_done(&dirs);
	return rc < 0 ? rc : 0;
}

int replace_remove_temp(const struct paths *paths, const char *id, const char *real,
			const char *database, size_t number, struct err *err)
{
	struct dir_cursor cursor = { 0 };
	char name[TEMP_MAX];
	int dir, rc = 0;

	dir = cursor_at_temp(&cursor, paths, real, database, err);
	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	temp_name(name, id, number);
	if (unlinkat(dir, name, 0) < 0 && errno != ENOENT) {
		err_sys(err, errno, "cannot remove %s", name);
		rc = paths_at(paths, real, err);
	}
	dir_cursor_done(&cursor);
	return rc;
}

int replace_write(struct replacement_set *set, struct err *err)
{
	struct err second;
	size_t i;
	int rc;

	rc = make_dirs(set, err);
	if (rc == 0)
		rc = write_temps(set, err);
	if (rc == 0)
		rc = move_all(set, err);
	if (rc == 0)
		rc = sync_dirs(set, err);
	for (i = 0; rc < 0 && i < set->count; i++)
		if (set->changes[i].after.exists)
			replace_remove_temp(set->paths, set->id, set->changes[i].real,
					    set->changes[i].database, set->changes[i].number,
					    &second);
	return rc;
}

void change_set_done(struct replacement_set *set)
{
	size_t i;

	for (i = 0; i < set->count; i++) {
		attributes_done(&set->changes[i].attributes);
		free(set->changes[i].real);
	}
	free(set->changes);
	dirs_done(&set->dirs);
	*set = (struct replacement_set){ 0 };
}
