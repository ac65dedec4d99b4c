/* SPDX-License-Identifier: MIT */
#include "engine/owed.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/entry.h"
#include "engine/journal.h"
#include "err.h"
#include "host/owner.h"
#include "host/paths.h"
#include "host/sessions.h"

#define PREFIX "login-" /* no entry's id begins so */
#define TEMP "."

enum {
	FILE_BYTES_MAX = 1 << 14,
	NAME_DIGITS = 16, /* of the hash of what is to be logged in to */
	LOGOUT_S = 120, /* past what a logout takes that goes on without the run that began it */
};

static int owed_at(const struct paths *paths, const struct owed_login *login, struct err *err)
{
	return journal_at(paths, login->file, "", err);
}

/* The same login has the same file, whoever owes it. */
static int name_file(struct owed_login *login, struct err *err)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	char hash[ENTRY_HASH_SIZE];
	int rc;

	buf_addf(&text, "%s %s %u %s", login->target, login->address, (unsigned)login->port,
		 login->interface);
	rc = text.failed ? err_oom(err) : entry_hash(buf_text(&text), text.len, hash, err);
	if (rc == 0)
		snprintf(login->file, sizeof(login->file), PREFIX "%.*s", NAME_DIGITS, hash);
	return rc;
}

static int owed_of(struct owed_login *login, const struct record *record, struct err *err)
{
	*login = (struct owed_login){ .port = record->port };
	snprintf(login->target, sizeof(login->target), "%s", record->target);
	snprintf(login->address, sizeof(login->address), "%s", record->address);
	snprintf(login->interface, sizeof(login->interface), "%s", record->interface);
	return name_file(login, err);
}

static json_t *format(const struct owed_login *login)
{
	char text[OWNER_TEXT_MAX];
	struct owner self;

	owner_self(&self);
	owner_format(&self, text, sizeof(text));
	return json_pack("{s:s, s:s, s:i, s:s, s:b, s:I, s:s}", "target", login->target, "address",
			 login->address, "port", (int)login->port, "interface", login->interface,
			 "others", login->others, "time", (json_int_t)time(NULL), "owner", text);
}

static int write_bytes(int dir, const char *name, const char *bytes, size_t len, struct err *err)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	size_t done = 0;
	int rc = 0;

	if (fd < 0)
		return err_sys(err, errno, "cannot make %s", name);
	while (rc == 0 && done < len) {
		ssize_t wrote = write(fd, bytes + done, len - done);

		if (wrote > 0)
			done += (size_t)wrote;
		else if (wrote == 0 || errno != EINTR)
			rc = err_sys(err, wrote < 0 ? errno : ENOSPC, "cannot write it");
	}
	if (rc == 0 && fsync(fd) < 0)
		rc = err_sys(err, errno, "cannot sync it");
	close(fd);
	return rc;
}

/* Whole under its name, or not there; also after a crash. */
static int replace(int dir, const char *file, const char *bytes, size_t len, struct err *err)
{
	char temp[sizeof(((struct owed_login *)0)->file) + sizeof(TEMP)];
	int rc;

	snprintf(temp, sizeof(temp), TEMP "%s", file);
	rc = write_bytes(dir, temp, bytes, len, err);
	if (rc == 0 && renameat(dir, temp, dir, file) < 0)
		rc = err_sys(err, errno, "cannot rename %s", temp);
	if (rc < 0)
		unlinkat(dir, temp, 0);
	else if (fsync(dir) < 0)
		rc = err_sys(err, errno, "cannot sync the journal");
	return rc;
}

int owed_write(const struct paths *paths, const struct record *record,
	       const struct host_session *session, const struct sessions *sessions, struct err *err)
{
	CLEANUP(free_ptr) char *bytes = NULL;
	struct owed_login login;
	json_t *json;
	int dir, rc = owed_of(&login, record, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < sessions->count; i++)
		login.others |= strcmp(sessions->items[i].target, record->target) == 0 &&
				!session_shares_logout(session, &sessions->items[i]);
	json = format(&login);
	bytes = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	if (!bytes)
		return err_set(err, EINVAL, "its name cannot be written down");
	dir = journal_open(paths, true, err);
	if (dir < 0)
		return dir;
	rc = replace(dir, login.file, bytes, strlen(bytes), err);
	close(dir);
	return rc < 0 ? owed_at(paths, &login, err) : 0;
}

int owed_remove(const struct paths *paths, const struct owed_login *login, struct err *err)
{
	int dir = journal_open(paths, false, err), rc = 0;

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	if (unlinkat(dir, login->file, 0) == 0)
		rc = fsync(dir) < 0 ? err_sys(err, errno, "cannot sync the journal") : 0;
	else if (errno != ENOENT)
		rc = err_sys(err, errno, "cannot remove it");
	close(dir);
	return rc < 0 ? owed_at(paths, login, err) : 0;
}

int owed_settle(const struct paths *paths, const struct record *record, struct err *err)
{
	struct owed_login login;
	int rc = owed_of(&login, record, err);

	return rc < 0 ? rc : owed_remove(paths, &login, err);
}

static bool copy_text(char *out, size_t size, const char *text)
{
	return (size_t)snprintf(out, size, "%s", text) < size;
}

static void note_owner(struct owed_login *login, const char *text, int64_t when)
{
	const int64_t now = (int64_t)time(NULL);
	char cut[OWNER_TEXT_MAX];
	struct owner owner, self;

	owner_self(&self);
	snprintf(cut, sizeof(cut), "%s", text);
	if (!owner_parse(&owner, cut))
		return;
	login->running = !owner_dead(&owner);
	login->fresh = strcmp(owner.boot, self.boot) == 0 && when <= now && now - when < LOGOUT_S;
}

static const char *parse(struct owed_login *login, const struct buf *bytes)
{
	const char *target, *address, *interface, *owner;
	json_t *json = json_loadb(buf_text(bytes), bytes->len, 0, NULL);
	const char *problem = NULL;
	json_int_t when = 0;
	int port, others;

	if (json_unpack(json, "{s:s, s:s, s:i, s:s, s:b, s:I, s:s}", "target", &target, "address",
			&address, "port", &port, "interface", &interface, "others", &others, "time",
			&when, "owner", &owner) < 0)
		problem = "it is not what apply --relogin writes";
	else if (port < 1 || port > UINT16_MAX ||
		 !copy_text(login->target, sizeof(login->target), target) ||
		 !copy_text(login->address, sizeof(login->address), address) ||
		 !copy_text(login->interface, sizeof(login->interface), interface))
		problem = "it holds a value that no record has";
	if (!problem) {
		login->port = (uint16_t)port;
		login->others = others;
		note_owner(login, owner, when);
	}
	json_decref(json);
	return problem;
}

static int read_one(const struct paths *paths, struct owed_login *login, struct err *err)
{
	CLEANUP(buf_done) struct buf bytes = { 0 };
	char path[sizeof(TX_JOURNAL) + sizeof(login->file) + 1];
	const char *problem;
	int rc;

	snprintf(path, sizeof(path), TX_JOURNAL "/%s", login->file);
	rc = paths_read(paths, path, FILE_BYTES_MAX, &bytes, NULL, err);
	if (rc < 0 && (rc == -ENOENT || !journal_damaged(rc)))
		return rc;
	problem = rc < 0 ? err->reason : parse(login, &bytes);
	if (problem)
		snprintf(login->problem, sizeof(login->problem), "%.255s", problem);
	return 0;
}

int owed_list(const struct paths *paths, struct owed_login **logins, size_t *count, struct err *err)
{
	char **names = NULL;
	size_t name_count = 0;
	int dir = journal_open(paths, false, err), rc;

	*logins = NULL;
	*count = 0;
	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	close(dir);
	rc = paths_list(paths, TX_JOURNAL, &names, &name_count, err);
	if (rc < 0)
		return rc;
	*logins = calloc(name_count + 1, sizeof(**logins));
	rc = *logins ? 0 : err_oom(err);
	for (size_t i = 0; rc == 0 && i < name_count; i++) {
		struct owed_login *login = &(*logins)[*count];

		if (strncmp(names[i], PREFIX, strlen(PREFIX)) != 0 ||
		    !copy_text(login->file, sizeof(login->file), names[i]))
			continue;
		rc = read_one(paths, login, err);
		if (rc == 0)
			++*count;
		else if (rc == -ENOENT) /* its run has just ended well */
			rc = 0;
	}
	paths_list_free(names, name_count);
	return rc;
}

/* Whether it does for the one that was ended, which was the target's only one, but for others. */
static bool will_do(const struct owed_login *login, const struct host_session *session)
{
	if (!login->others)
		return strcmp(session->target, login->target) == 0;
	return session_is(session, login->target, login->address, login->port) &&
	       (session->interface[0] == '\0' || login->interface[0] == '\0' ||
		strcmp(session->interface, login->interface) == 0);
}

enum owed_state owed_state(const struct owed_login *login, const struct sessions *sessions)
{
	bool back = false;

	for (size_t i = 0; !back && i < sessions->count; i++)
		back = will_do(login, &sessions->items[i]);
	if (login->running || (back && login->fresh))
		return OWED_PENDING;
	return back ? OWED_BACK : OWED_MISSING;
}
