/* SPDX-License-Identifier: MIT */
#include "engine/journal_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/entry.h"
#include "engine/journal.h"
#include "err.h"
#include "host/obstacles.h"
#include "host/paths.h"

/* Names that no id has: an entry on its way in, or out. */
#define NEW ".new-"
#define OLD ".old-"

/* What an entry takes beside its bytes: the rest of two last blocks, its directory, a mark. */
enum { BLOCK = 4096, ENTRY_BLOCKS = 4 };

static int open_entry(int journal, const char *id, struct err *err)
{
	int fd = openat(journal, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? err_sys(err, errno, "cannot open this entry") : fd;
}

/* Begin to write; the caller syncs and closes what comes back. */
static int start_file(int dir, const char *name, const struct buf *bytes, struct err *err)
{
	size_t done = 0;
	int fd;

	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(err, errno, "cannot make %s", name);
	while (done < bytes->len) {
		ssize_t wrote = write(fd, bytes->data + done, bytes->len - done);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0) {
			err_sys(err, wrote < 0 ? errno : ENOSPC, "cannot write %s", name);
			close(fd);
			return -err->code;
		}
		done += (size_t)wrote;
	}
	sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	return fd;
}

static int sync_and_close(int fd, struct err *err)
{
	int rc = fsync(fd) < 0 ? err_sys(err, errno, "cannot sync the journal") : 0;

	close(fd);
	return rc;
}

/* Remove an entry's directory with all that is in it; what refuses is left to the next sweep. */
static int remove_dir(const struct paths *paths, int journal, const char *name, struct err *err)
{
	char path[sizeof(TX_JOURNAL) + 300];
	char **names;
	size_t count, i;
	int fd, rc;

	snprintf(path, sizeof(path), TX_JOURNAL "/%s", name);
	rc = paths_list(paths, path, &names, &count, err);
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	fd = open_entry(journal, name, err);
	rc = fd < 0 ? fd : 0;
	for (i = 0; rc == 0 && i < count; i++)
		if (unlinkat(fd, names[i], 0) < 0 && errno != ENOENT)
			rc = err_sys(err, errno, "cannot remove %s", names[i]);
	if (fd >= 0)
		close(fd);
	paths_list_free(names, count);
	if (rc == 0 && unlinkat(journal, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		rc = err_sys(err, errno, "cannot remove this directory");
	return rc < 0 ? paths_at(paths, path, err) : 0;
}

/* Write all of an entry below the name it has while it is incomplete. */
static int write_files(int journal, const char *temp, const struct buf *json,
		       const struct buf *images, struct err *err)
{
	int dir, images_fd = -1, json_fd = -1, rc;

	if (mkdirat(journal, temp, 0700) < 0)
		return err_sys(err, errno, "cannot make this directory");
	dir = open_entry(journal, temp, err);
	if (dir < 0)
		return dir;
	images_fd = start_file(dir, JOURNAL_IMAGES, images, err);
	rc = images_fd;
	if (rc >= 0) {
		json_fd = start_file(dir, JOURNAL_INTENT, json, err);
		rc = json_fd;
	}
	if (images_fd >= 0 && (rc < 0 ? close(images_fd), 0 : 1))
		rc = sync_and_close(images_fd, err);
	if (json_fd >= 0) {
		int synced = sync_and_close(json_fd, err);

		rc = rc < 0 ? rc : synced;
	}
	if (rc >= 0 && fsync(dir) < 0)
		rc = err_sys(err, errno, "cannot sync the journal");
	close(dir);
	return rc < 0 ? rc : 0;
}

static int choose_id(const struct paths *paths, struct entry *entry, struct err *err)
{
	CLEANUP(free_ptr) struct journal_state *states = NULL;
	size_t count;
	int rc;

	rc = journal_states(paths, &states, &count, err);
	if (rc == 0)
		journal_id_next(entry->id, count > 0 ? states[count - 1].id : NULL, entry->time);
	return rc;
}

/* What could not be read again could not be undone: no such entry is written. */
static int check_readable(const struct buf *json, struct err *err)
{
	struct err why = { 0 };
	struct entry entry;
	int rc = entry_parse(&entry, buf_text(json), json->len, NULL, &why);

	entry_done(&entry);
	return rc < 0 ? err_set(err, why.code, "what is to change could not be undone: %s",
				why.reason)
		      : 0;
}

/* Its bytes, under an id of its own; returns the journal's directory, made where it is missing. */
static int prepare(const struct paths *paths, struct entry *entry, struct buf *json,
		   struct buf *images, struct err *err)
{
	int rc;

	entry->time = (int64_t)time(NULL);
	rc = choose_id(paths, entry, err);
	if (rc == 0)
		rc = entry_format(entry, json, images, err);
	if (rc == 0)
		rc = check_readable(json, err);
	return rc < 0 ? paths_at(paths, TX_JOURNAL, err) : journal_open(paths, true, err);
}

int journal_check(const struct paths *paths, struct entry *entry, struct err *err)
{
	CLEANUP(buf_done) struct buf json = { 0 };
	CLEANUP(buf_done) struct buf images = { .secret = true };
	int journal = prepare(paths, entry, &json, &images, err), rc;

	if (journal < 0)
		return journal;
	rc = obstacle_dir(journal, err);
	if (rc == 0)
		rc = obstacle_room(journal, json.len + images.len + ENTRY_BLOCKS * BLOCK, err);
	close(journal);
	return rc < 0 ? paths_at(paths, TX_JOURNAL, err) : 0;
}

int journal_write(const struct paths *paths, struct entry *entry, struct err *err)
{
	CLEANUP(buf_done) struct buf json = { 0 };
	CLEANUP(buf_done) struct buf images = { .secret = true };
	char temp[sizeof(NEW) + TX_ID_MAX];
	struct err ignored;
	int journal = prepare(paths, entry, &json, &images, err), rc;

	if (journal < 0)
		return journal;
	snprintf(temp, sizeof(temp), NEW "%s", entry->id);
	rc = write_files(journal, temp, &json, &images, err);
	if (rc == 0 && renameat(journal, temp, journal, entry->id) < 0)
		rc = err_sys(err, errno, "cannot rename %s", temp);
	if (rc < 0)
		remove_dir(paths, journal, temp, &ignored);
	else if (fsync(journal) < 0) {
		rc = err_sys(err, errno, "cannot sync the journal");
		journal_drop(paths, entry->id, &ignored);
	}
	close(journal);
	return rc < 0 ? journal_at(paths, entry->id, "", err) : 0;
}

static int sync_mark(int dir, const char *name, struct err *err)
{
	int fd, rc;

	/* Not O_EXCL: a second attempt may find what a first one left. */
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(err, errno, "cannot make this mark");
	rc = sync_and_close(fd, err);
	if (rc == 0 && fsync(dir) < 0)
		rc = err_sys(err, errno, "cannot sync the journal");
	if (rc < 0)
		unlinkat(dir, name, 0);
	return rc;
}

static int clear_mark(int dir, const char *name, struct err *err)
{
	if (unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		return err_sys(err, errno, "cannot remove this mark");
	return fsync(dir) < 0 ? err_sys(err, errno, "cannot sync the journal") : 0;
}

static int with_mark(const struct paths *paths, const char *id, enum entry_state state,
		     int (*fn)(int dir, const char *name, struct err *err), struct err *err)
{
	const char *name = journal_mark_name(state);
	int journal, dir, rc;

	journal = journal_open(paths, false, err);
	if (journal < 0)
		return journal;
	dir = open_entry(journal, id, err);
	rc = dir < 0 ? dir : fn(dir, name, err);
	if (dir >= 0)
		close(dir);
	close(journal);
	return rc < 0 ? journal_at(paths, id, name, err) : 0;
}

int journal_set_mark(const struct paths *paths, const char *id, enum entry_state state,
		     struct err *err)
{
	return with_mark(paths, id, state, sync_mark, err);
}

int journal_clear_mark(const struct paths *paths, const char *id, enum entry_state state,
		       struct err *err)
{
	return with_mark(paths, id, state, clear_mark, err);
}

int journal_drop(const struct paths *paths, const char *id, struct err *err)
{
	char temp[sizeof(OLD) + TX_ID_MAX];
	int journal, rc;

	journal = journal_open(paths, false, err);
	if (journal < 0)
		return journal;
	/* Under its own name it is whole to the last. */
	snprintf(temp, sizeof(temp), OLD "%s", id);
	if (renameat(journal, id, journal, temp) < 0)
		rc = err_sys(err, errno, "cannot rename this entry");
	else
		rc = remove_dir(paths, journal, temp, err);
	if (rc == 0 && fsync(journal) < 0)
		rc = err_sys(err, errno, "cannot sync the journal");
	close(journal);
	return rc < 0 ? journal_at(paths, id, "", err) : 0;
}

/* Mark an entry done that has taken its former in, and remove what is left of that one. */
static int settle(const struct paths *paths, int journal, const char *id, struct err *err)
{
	char path[TX_ID_MAX + sizeof(JOURNAL_FORMER) + 1], old[sizeof(OLD) + TX_ID_MAX];
	struct stat st;
	int rc;

	snprintf(path, sizeof(path), "%s/" JOURNAL_FORMER, id);
	if (fstatat(journal, path, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return 0;
		err_sys(err, errno, "cannot look for what it took in");
		return journal_at(paths, id, "", err);
	}
	rc = journal_set_mark(paths, id, ENTRY_APPLIED, err);
	if (rc < 0)
		return rc;
	snprintf(old, sizeof(old), OLD "%s", id);
	if (renameat(journal, path, journal, old) < 0) {
		err_sys(err, errno, "cannot rename what it took in");
		return journal_at(paths, id, "", err);
	}
	return remove_dir(paths, journal, old, err);
}

/* By that rename id is done and former is gone. */
static int move_in(int journal, const char *id, const char *former, struct err *err)
{
	int dir = open_entry(journal, id, err), rc = 0;

	if (dir < 0)
		return dir;
	if (renameat(journal, former, dir, JOURNAL_FORMER) < 0)
		rc = err_sys(err, errno, "cannot take %s in", former);
	else if (fsync(dir) < 0 || fsync(journal) < 0)
		rc = err_sys(err, errno, "cannot sync the journal");
	/* Where it cannot be taken back either, it stands. */
	if (rc < 0 && renameat(dir, JOURNAL_FORMER, journal, former) < 0 && errno != ENOENT)
		rc = 0;
	close(dir);
	return rc;
}

int journal_take_in(const struct paths *paths, const char *id, const char *former, struct err *err)
{
	struct err later;
	int journal, rc;

	journal = journal_open(paths, false, err);
	if (journal < 0)
		return journal;
	rc = move_in(journal, id, former, err);
	/* What refuses now is left to the next sweep. */
	if (rc == 0)
		settle(paths, journal, id, &later);
	close(journal);
	return rc < 0 ? journal_at(paths, id, "", err) : 0;
}

int journal_sweep(const struct paths *paths, struct err *err)
{
	char **names;
	size_t count, i;
	int journal, rc;

	journal = journal_open(paths, false, err);
	if (journal < 0)
		return journal == -ENOENT ? 0 : journal;
	rc = paths_list(paths, TX_JOURNAL, &names, &count, err);
	for (i = 0; rc == 0 && i < count; i++)
		if (strncmp(names[i], NEW, strlen(NEW)) == 0 ||
		    strncmp(names[i], OLD, strlen(OLD)) == 0)
			rc = remove_dir(paths, journal, names[i], err);
		else if (journal_id_valid(names[i]))
			rc = settle(paths, journal, names[i], err);
	if (names)
		paths_list_free(names, count);
	close(journal);
	return rc;
}
