/* SPDX-License-Identifier: MIT */
#include "engine/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/entry.h"
#include "err.h"
#include "host/paths.h"
#include "quote.h"

enum {
	ID_TIME_LEN = 16, /* "20261122T150101Z" */
	ID_SUFFIX_MAX = 99,
	INTENT_MAX = 128 << 20,
	IMAGES_MAX = 1 << 30,
};

/* The furthest mark tells the state. */
static const struct {
	enum entry_state state;
	const char *name;
} marks[] = {
	{ ENTRY_UNDONE, "undone" },
	{ ENTRY_HALF_UNDONE, "undoing" },
	{ ENTRY_APPLIED, "done" },
	/* To take its former in is one rename: by it the entry is done. */
	{ ENTRY_APPLIED, JOURNAL_FORMER },
};

/* Time and suffix of an id; false where it is none. */
static bool id_parse(const char *id, struct tm *tm, unsigned *suffix)
{
	static const char form[] = "ddddddddTddddddZ-dd";
	size_t len = strlen(id), i;

	if (len != ID_TIME_LEN && len != sizeof(form) - 1)
		return false;
	for (i = 0; i < len; i++)
		if (form[i] == 'd' ? id[i] < '0' || id[i] > '9' : id[i] != form[i])
			return false;
	*tm = (struct tm){ 0 };
	*suffix = 1;
	return sscanf(id, "%4d%2d%2dT%2d%2d%2dZ-%2u", &tm->tm_year, &tm->tm_mon, &tm->tm_mday,
		      &tm->tm_hour, &tm->tm_min, &tm->tm_sec, suffix) >= 6;
}

bool journal_id_valid(const char *id)
{
	struct tm tm;
	unsigned suffix;

	return id_parse(id, &tm, &suffix);
}

static void id_format(char id[TX_ID_MAX], int64_t seconds)
{
	time_t when = (time_t)seconds;
	struct tm tm = { 0 };

	gmtime_r(&when, &tm);
	strftime(id, TX_ID_MAX, "%Y%m%dT%H%M%SZ", &tm);
}

void journal_id_next(char id[TX_ID_MAX], const char *newest, int64_t now)
{
	struct tm tm;
	unsigned suffix;

	id_format(id, now);
	if (!newest || strcmp(newest, id) < 0 || !id_parse(newest, &tm, &suffix))
		return;
	/* The same second, or a clock that was set back: go on from the newest. */
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	id_format(id, (int64_t)timegm(&tm) + (suffix >= ID_SUFFIX_MAX));
	if (suffix < ID_SUFFIX_MAX)
		snprintf(id + ID_TIME_LEN, TX_ID_MAX - ID_TIME_LEN, "-%02u", suffix + 1);
}

const char *journal_mark_name(enum entry_state state)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(marks); i++)
		if (marks[i].state == state)
			return marks[i].name;
	return NULL;
}

/* err_at() with the entry's directory, or a file in it. */
int journal_at(const struct paths *paths, const char *id, const char *file, struct err *err)
{
	char path[sizeof(TX_JOURNAL) + 64];

	snprintf(path, sizeof(path), TX_JOURNAL "/%s%s%s", id, file[0] ? "/" : "", file);
	return paths_at(paths, path, err);
}

/*
 * What the journal says is written to the host, so on the host itself only
 * its owner and root may have had a hand in it.
 */
static int check_owner(const struct paths *paths, int fd, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot look at the journal");
	if (st.st_mode & 022) {
		CLEANUP(buf_done) struct buf command = { 0 };
		char path[ERR_PLACE_MAX];

		err_set(err, EPERM, "others can write to the journal: look what they did");
		paths_show(paths, TX_JOURNAL, path, sizeof(path));
		buf_adds(&command, "chmod 700 ");
		quote_path(&command, path);
		if (!command.failed && strlen(path) + 1 < sizeof(path))
			err_add_command(err, ", then: ", command.data);
		return -err->code;
	}
	if (paths->live && st.st_uid != 0 && st.st_uid != geteuid())
		return err_set(err, EPERM, "the journal belongs to user %u", (unsigned)st.st_uid);
	return 0;
}

int journal_open(const struct paths *paths, bool make, struct err *err)
{
	int fd = make ? dir_open_made(paths, TX_JOURNAL, 0700, err)
		      : dir_open(paths, TX_JOURNAL, err);

	if (fd >= 0 && check_owner(paths, fd, err) < 0) {
		close(fd);
		return paths_at(paths, TX_JOURNAL, err);
	}
	return fd;
}

/* A mark that cannot be looked for may be there: to guess would roll back what stands. */
static int read_state(int journal, struct journal_state *state, struct err *err)
{
	char path[TX_ID_MAX + 32];
	struct stat st;
	size_t i;

	state->state = ENTRY_HALF_APPLIED;
	for (i = 0; i < ARRAY_LEN(marks); i++) {
		snprintf(path, sizeof(path), "%s/%s", state->id, marks[i].name);
		if (fstatat(journal, path, &st, AT_SYMLINK_NOFOLLOW) == 0) {
			state->state = marks[i].state;
			return 0;
		}
		if (errno != ENOENT && errno != ENOTDIR)
			return err_sys(err, errno, "cannot look for %s", path);
	}
	return 0;
}

int journal_states(const struct paths *paths, struct journal_state **states, size_t *count,
		   struct err *err)
{
	char **names = NULL;
	size_t name_count, i;
	int journal, rc;

	*states = NULL;
	*count = 0;
	journal = journal_open(paths, false, err);
	if (journal < 0)
		return journal == -ENOENT ? 0 : journal;
	rc = paths_list(paths, TX_JOURNAL, &names, &name_count, err);
	if (rc == 0) {
		*states = calloc(name_count + 1, sizeof(**states));
		rc = *states ? 0 : err_oom(err);
	}
	for (i = 0; rc == 0 && i < name_count; i++) {
		struct journal_state *state = &(*states)[*count];

		if (!journal_id_valid(names[i]))
			continue;
		snprintf(state->id, sizeof(state->id), "%s", names[i]);
		rc = read_state(journal, state, err);
		if (rc < 0)
			paths_at(paths, TX_JOURNAL, err);
		++*count;
	}
	if (names)
		paths_list_free(names, name_count);
	close(journal);
	return rc;
}

/* Read a file of an entry; err's place is that file. */
static int read_entry_file(const struct paths *paths, const char *id, const char *name, size_t max,
			   struct buf *out, struct err *err)
{
	char path[sizeof(TX_JOURNAL) + 64];

	snprintf(path, sizeof(path), TX_JOURNAL "/%s/%s", id, name);
	return paths_read(paths, path, max, out, NULL, err);
}

static int load(const struct paths *paths, const char *id, bool with_images, struct entry *entry,
		struct err *err)
{
	CLEANUP(buf_done) struct buf json = { 0 };
	CLEANUP(buf_done) struct buf images = { .secret = true };
	int rc;

	*entry = (struct entry){ 0 };
	if (!journal_id_valid(id)) {
		err_set(err, ENOENT, "there is no such entry in the journal");
		return err_at(err, "%s", id);
	}
	rc = read_entry_file(paths, id, JOURNAL_INTENT, INTENT_MAX, &json, err);
	if (rc == 0 && with_images)
		rc = read_entry_file(paths, id, JOURNAL_IMAGES, IMAGES_MAX, &images, err);
	if (rc < 0)
		return rc;
	rc = entry_parse(entry, buf_text(&json), json.len, with_images ? &images : NULL, err);
	if (rc == 0 && strcmp(entry->id, id) != 0)
		rc = err_set(err, EINVAL, "it calls itself %s", entry->id);
	/* Last: what it says of itself (another version, a range) tells more. */
	if (rc == 0)
		rc = entry_check_seal(buf_text(&json), json.len, err);
	return rc < 0 ? journal_at(paths, id, JOURNAL_INTENT, err) : 0;
}

int journal_load(const struct paths *paths, const char *id, struct entry *entry, struct err *err)
{
	return load(paths, id, true, entry, err);
}

int journal_load_intent(const struct paths *paths, const char *id, struct entry *entry,
			struct err *err)
{
	return load(paths, id, false, entry, err);
}

bool journal_damaged(int error)
{
	static const int codes[] = { EINVAL, ENOENT, EFBIG, EISDIR, ENOTDIR, ELOOP };
	size_t i;

	for (i = 0; i < ARRAY_LEN(codes); i++)
		if (error == -codes[i])
			return true;
	return false;
}

int journal_list(const struct paths *paths, struct journal_entry **entries, size_t *count,
		 struct err *err)
{
	CLEANUP(free_ptr) struct journal_state *states = NULL;
	size_t state_count, i;
	int rc;

	*entries = NULL;
	*count = 0;
	rc = journal_states(paths, &states, &state_count, err);
	if (rc < 0 || state_count == 0)
		return rc;
	*entries = calloc(state_count, sizeof(**entries));
	if (!*entries)
		return err_oom(err);
	for (i = 0; rc == 0 && i < state_count; i++) {
		struct journal_entry *out = &(*entries)[i];
		struct entry entry;

		snprintf(out->id, sizeof(out->id), "%s", states[i].id);
		out->state = states[i].state;
		rc = journal_load_intent(paths, states[i].id, &entry, err);
		if (journal_damaged(rc)) {
			out->state = ENTRY_UNREADABLE;
			snprintf(out->problem, sizeof(out->problem), "%.*s",
				 (int)sizeof(out->problem) - 1, err->reason);
			rc = 0;
		} else if (rc == 0) {
			snprintf(out->command, sizeof(out->command), "%s", entry.command);
			out->time = entry.time;
			out->file_count = entry.file_count;
			out->live_count = entry.live_count;
			out->goes_on = out->state == ENTRY_HALF_APPLIED && entry.former[0] != '\0';
		}
		entry_done(&entry);
	}
	*count = state_count;
	return rc;
}
