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
#include "host/obstacles.h"
#include "host/paths.h"

enum {
	BATCH = 128, /* temps open at once: they are synced together */
	BLOCK = 4096,
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

static int check_same(const struct change *change, bool exists, const struct stat *st,
		      struct err *err)
{
	if (change->exists != exists || (exists && !same_file(&change->st, st)))
		return err_set(err, ESTALE, "it was changed meanwhile: run the command again");
	return 0;
}

static int check_dir(struct dir_cursor *checked, const struct paths *paths, const char *path,
		     uint64_t bytes, struct err *err)
{
	bool known = checked->path && strcmp(checked->path, path) == 0;
	int fd = dir_cursor_at(checked, paths, path, err);

	if (fd < 0)
		return fd;
	return known || obstacle_dir(fd, bytes, err) == 0 ? fd : paths_at(paths, path, err);
}

/* The nearest directory above path that is there. */
static char *existing_parent(const struct dirs *missing, const char *path)
{
	char *parent = dir_of(path);

	while (parent && dirs_hold(missing, parent)) {
		char *up = dir_of(parent);

		free(parent);
		parent = up;
	}
	return parent;
}

static int check_change(struct change_set *set, const struct change *change, uint64_t bytes,
			struct dir_cursor cursors[2], struct err *err)
{
	CLEANUP(free_ptr) char *parent = dir_of(change->real);
	CLEANUP(free_ptr) char *base = NULL;
	struct spot spot = SPOT_NONE;
	int dir, temp_dir, ret;

	if (!parent)
		return err_oom(err);
	if (change->after.exists) {
		ret = dirs_missing(&set->dirs, set->paths, parent, err);
		if (ret == 0 && change->database)
			ret = dirs_missing(&set->dirs, set->paths, change->database, err);
		if (ret < 0)
			return ret;
	}
	if (!dirs_hold(&set->dirs, parent)) {
		ret = paths_find(set->paths, change->real, &spot, err);
		if (ret == 0)
			ret = check_same(change, spot.exists, &spot.st, err);
		if (ret == 0 && spot.exists)
			ret = obstacle_file(&spot, err);
		spot_done(&spot);
		if (ret < 0)
			return paths_at(set->paths, change->real, err);
	}
	base = existing_parent(&set->dirs, change->real);
	if (!base)
		return err_oom(err);
	dir = check_dir(&cursors[0], set->paths, base, bytes, err);
	if (dir < 0 || !change->database || dirs_hold(&set->dirs, change->database))
		return dir < 0 ? dir : 0;
	temp_dir = check_dir(&cursors[1], set->paths, change->database, bytes, err);
	if (temp_dir < 0)
		return temp_dir;
	return obstacle_between(temp_dir, dir, err) < 0 ? paths_at(set->paths, base, err) : 0;
}

static int compare_reals(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Two names that end in one file: the second change would undo the first. */
static int check_twice(const struct change_set *set, struct err *err)
{
	CLEANUP(free_ptr) const char **reals = calloc(set->count + 1, sizeof(*reals));
	size_t i;

	if (!reals)
		return err_oom(err);
	for (i = 0; i < set->count; i++)
		reals[i] = set->changes[i].real;
	qsort(reals, set->count, sizeof(*reals), compare_reals);
	for (i = 1; i < set->count; i++)
		if (strcmp(reals[i - 1], reals[i]) == 0) {
			err_set(err, EINVAL, "two changes of this one file, by different names");
			return paths_at(set->paths, reals[i], err);
		}
	return 0;
}

int replace_check(struct change_set *set, struct err *err)
{
	struct dir_cursor cursors[2] = { { 0 }, { 0 } };
	uint64_t bytes = 0;
	size_t i;
	int ret;

	ret = check_twice(set, err);
	/* Over all: an upper bound for each file system. */
	for (i = 0; i < set->count; i++)
		bytes += (set->changes[i].after.len / BLOCK + 1) * BLOCK;
	for (i = 0; ret == 0 && i < set->count; i++)
		ret = check_change(set, &set->changes[i], bytes, cursors, err);
	dir_cursor_done(&cursors[0]);
	dir_cursor_done(&cursors[1]);
	return ret;
}

static bool below_database(const struct change_set *set, const char *path)
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

static int make_dirs(const struct change_set *set, struct err *err)
{
	size_t i;
	int ret = 0;

	for (i = 0; ret == 0 && i < set->dirs.count; i++)
		ret = dirs_make_one(set->paths, set->dirs.paths[i],
				    below_database(set, set->dirs.paths[i]) ? 0700 : 0755, err);
	return ret;
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
static int write_temp(const struct change_set *set, const struct change *change,
		      struct dir_cursor *cursor, struct err *err)
{
	char name[TEMP_MAX];
	int dir, fd, ret;

	dir = cursor_at_temp(cursor, set->paths, change->real, change->database, err);
	if (dir < 0)
		return dir;
	temp_name(name, set->id, change->number);
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(err, errno, "cannot make %s", name);
	ret = write_bytes(fd, &change->after, err);
	if (ret == 0)
		ret = attributes_write(&change->attributes, fd, err);
	if (ret < 0) {
		close(fd);
		return ret;
	}
	/* Only a hint, which lets the disk work while the next ones are made; fsync() judges. */
	sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	return fd;
}

/*
 * Many temps, then their syncs: the first one's commit takes the others along,
 * where a sync after each write would wait for the disk each time.
 */
static int write_temps(const struct change_set *set, struct err *err)
{
	struct dir_cursor cursor = { 0 };
	int fds[BATCH], fd, ret = 0;
	size_t i = 0, from, open;

	while (ret == 0 && i < set->count) {
		from = i;
		for (open = 0; open < BATCH && i < set->count; i++) {
			if (!set->changes[i].after.exists)
				continue;
			fd = write_temp(set, &set->changes[i], &cursor, err);
			if (fd == -EMFILE && open > 0)
				break; /* a smaller batch, as this process may have it */
			if (fd < 0) {
				ret = paths_at(set->paths, set->changes[i].real, err);
				break;
			}
			fds[open++] = fd;
		}
		for (open = 0; from < i; from++) {
			if (!set->changes[from].after.exists)
				continue;
			if (ret == 0 && fsync(fds[open]) < 0) {
				err_sys(err, errno, "cannot sync its new bytes");
				ret = paths_at(set->paths, set->changes[from].real, err);
			}
			close(fds[open++]);
		}
	}
	dir_cursor_done(&cursor);
	return ret;
}

static int move_one(struct change_set *set, const struct change *change,
		    struct dir_cursor cursors[2], struct err *err)
{
	const char *base = base_of(change->real);
	char name[TEMP_MAX];
	int dir, temp_dir = -1, ret;
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
	ret = check_same(change, exists, &st, err);
	if (ret < 0)
		return ret;
	set->touched = true;
	if (!change->after.exists)
		return unlinkat(dir, base, 0) < 0 ? err_sys(err, errno, "cannot remove") : 0;
	temp_name(name, set->id, change->number);
	if (renameat(temp_dir, name, dir, base) < 0)
		return err_sys(err, errno, "cannot rename %s over it", name);
	return 0;
}

static bool has_records(const struct change_set *set)
{
	size_t i;

	for (i = 0; i < set->count; i++)
		if (set->changes[i].database)
			return true;
	return false;
}

static int move_all(struct change_set *set, struct err *err)
{
	struct dir_cursor cursors[2] = { { 0 }, { 0 } };
	struct lock lock = LOCK_NONE;
	struct err second;
	size_t i;
	int ret = 0;

	if (has_records(set))
		ret = lock_database(&lock, set->paths, LOCK_DATABASE_WAIT, err);
	for (i = 0; ret == 0 && i < set->count; i++) {
		ret = move_one(set, &set->changes[i], cursors, err);
		if (ret < 0)
			ret = paths_at(set->paths, set->changes[i].real, err);
	}
	dir_cursor_done(&cursors[0]);
	dir_cursor_done(&cursors[1]);
	if (lock_release(&lock, set->paths, ret < 0 ? &second : err) < 0 && ret == 0)
		ret = -err->code;
	return ret;
}

static int add_parent(struct dirs *dirs, const char *path, struct err *err)
{
	CLEANUP(free_ptr) char *parent = dir_of(path);

	return parent ? dirs_add(dirs, parent, err) : err_oom(err);
}

static int sync_dirs(const struct change_set *set, struct err *err)
{
	struct dirs dirs = { 0 };
	size_t i;
	int ret = 0;

	for (i = 0; ret == 0 && i < set->count; i++) {
		ret = add_parent(&dirs, set->changes[i].real, err);
		if (ret == 0 && set->changes[i].database)
			ret = dirs_add(&dirs, set->changes[i].database, err);
	}
	for (i = 0; ret == 0 && i < set->dirs.count; i++) {
		ret = dirs_add(&dirs, set->dirs.paths[i], err);
		if (ret == 0)
			ret = add_parent(&dirs, set->dirs.paths[i], err);
	}
	for (i = 0; ret == 0 && i < dirs.count; i++)
		ret = dir_sync(set->paths, dirs.paths[i], err);
	dirs_done(&dirs);
	return ret;
}

int replace_remove_temp(const struct paths *paths, const char *id, const char *real,
			const char *database, size_t number, struct err *err)
{
	struct dir_cursor cursor = { 0 };
	char name[TEMP_MAX];
	int dir, ret = 0;

	dir = cursor_at_temp(&cursor, paths, real, database, err);
	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	temp_name(name, id, number);
	if (unlinkat(dir, name, 0) < 0 && errno != ENOENT) {
		err_sys(err, errno, "cannot remove %s", name);
		ret = paths_at(paths, real, err);
	}
	dir_cursor_done(&cursor);
	return ret;
}

int replace_write(struct change_set *set, struct err *err)
{
	struct err second;
	size_t i;
	int ret;

	ret = make_dirs(set, err);
	if (ret == 0)
		ret = write_temps(set, err);
	if (ret == 0)
		ret = move_all(set, err);
	if (ret == 0)
		ret = sync_dirs(set, err);
	for (i = 0; ret < 0 && i < set->count; i++)
		if (set->changes[i].after.exists)
			replace_remove_temp(set->paths, set->id, set->changes[i].real,
					    set->changes[i].database, set->changes[i].number,
					    &second);
	return ret;
}

void change_set_done(struct change_set *set)
{
	size_t i;

	for (i = 0; i < set->count; i++)
		attributes_done(&set->changes[i].attributes);
	free(set->changes);
	dirs_done(&set->dirs);
	*set = (struct change_set){ 0 };
}
