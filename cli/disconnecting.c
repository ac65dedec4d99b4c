/* SPDX-License-Identifier: MIT */
#include "disconnecting.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "array.h"
#include "disconnect_logout.h"
#include "host/nodes.h"
#include "host/paths.h"
#include "host/spot.h"
#include "iscsi/portal.h"
#include "os/loop.h"
#include "os/process.h"

enum {
	PASSING_MS = 2000, /* how long a mere reader, udevd mostly, may take to go */
	LOOK_MS = 50,
	FLUSH_MS = 20000, /* how long a disk may take to write its cache out */
	FLUSH_LOOK_MS = 2,
};

static int at_session(const struct host_session *session, struct err *err)
{
	char portal[PORTAL_TEXT_MAX];

	if (session->port == 0)
		return err_at(err, "%s, %s", session->target, session->name);
	portal_text_of(session->address, session->port, portal);
	return err_at(err, "%s at %s", session->target, portal);
}

/* What is in more takes the place of what is in uses, behind it. */
static int append(struct uses *uses, struct uses *more, struct err *err)
{
	struct use *grown;

	if (more->count == 0)
		return 0;
	grown = realloc(uses->items, (uses->count + more->count) * sizeof(*grown));
	if (!grown)
		return err_oom(err);
	memcpy(grown + uses->count, more->items, more->count * sizeof(*grown));
	uses->items = grown;
	uses->count += more->count;
	more->count = 0;
	return 0;
}

static int add_uses(const struct paths *paths, const struct host_use *host,
		    const struct host_session *session, struct uses *uses, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < session->device_count; i++) {
		struct nodes nodes;
		struct uses more = { 0 };

		rc = nodes_load(&nodes, paths, &session->devices[i], err);
		if (rc == 0)
			rc = in_use_find(host, &nodes, &more, err);
		if (rc == 0)
			rc = append(uses, &more, err);
		uses_done(&more);
		nodes_done(&nodes);
	}
	return rc;
}

/* Of all sessions that the logout of this one ends; also, where given, those others' names. */
static int find_uses(const struct paths *paths, const struct host_session *session,
		     struct uses *uses, struct buf *also, struct err *err)
{
	struct sessions sessions = { 0 };
	struct host_use host;
	int rc = host_use_load(&host, paths, err);

	*uses = (struct uses){ 0 };
	if (rc == 0)
		rc = sessions_load(&sessions, paths, err);
	also->len = 0;
	for (size_t i = 0; rc == 0 && i < sessions.count; i++) {
		const struct host_session *other = &sessions.items[i];
		const size_t before = uses->count;

		if (!session_shares_logout(session, other))
			continue;
		rc = add_uses(paths, &host, other, uses, err);
		if (uses->count > before && strcmp(other->name, session->name) != 0)
			buf_addf(also, "%s%s", also->len > 0 ? ", " : "", other->name);
	}
	sessions_done(&sessions);
	host_use_done(&host);
	if (rc < 0)
		uses_done(uses);
	return rc;
}

/* Processes alone, which may be gone in a moment, as udevd's are after each event. */
static bool may_pass(const struct uses *uses)
{
	for (size_t i = 0; i < uses->count; i++) {
		if (uses->items[i].kind != USE_OPEN)
			return false;
	}
	return uses->count > 0;
}

/* On a disk whose gateway is gone udevd may hang for minutes: that keeps nobody from leaving it. */
static void drop_passing(struct uses *uses)
{
	size_t kept = 0;

	for (size_t i = 0; i < uses->count; i++) {
		struct use *use = &uses->items[i];

		if (!use->passing) {
			uses->items[kept++] = *use;
			continue;
		}
		free(use->by);
		free(use->next);
		free(use->look);
	}
	uses->count = kept;
}

void disconnecting_users(const struct uses *uses, struct buf *out)
{
	for (size_t i = 0; i < uses->count; i++)
		buf_addf(out, "%s%s", i > 0 ? "; " : "", uses->items[i].by);
}

static int refuse(const struct uses *uses, const struct buf *also, struct err *err)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	const char *separator = "; end that with: ";

	buf_adds(&text, "in use: ");
	disconnecting_users(uses, &text);
	if (also->len > 0)
		buf_addf(&text, " (%s of the same target and portal, which ends with it)",
			 also->data);
	err_set(err, EBUSY, "%s", buf_text(&text));
	for (size_t i = 0; i < uses->count; i++) {
		if (!uses->items[i].next || uses->items[0].kind == USE_ROOT)
			continue;
		if (!err_add_command(err, separator, uses->items[i].next))
			break;
		separator = ", then: ";
	}
	for (size_t i = 0; i < uses->count; i++) {
		if (!uses->items[i].look || uses->items[0].kind == USE_ROOT)
			continue;
		err_add_command(err, "; where umount finds it busy, this tells who is in it: ",
				uses->items[i].look);
		break;
	}
	return -err->code;
}

int disconnecting_check(const struct paths *paths, const struct host_session *session,
			struct uses *uses, struct err *err)
{
	const uint64_t end = loop_clock_us() + PASSING_MS * (uint64_t)1000;
	CLEANUP(buf_done) struct buf also = { 0 };
	int rc;

	*uses = (struct uses){ 0 };
	if (process_lacks_root())
		return at_session(session,
				  (err_set(err, EPERM,
					   "who uses its devices is for root alone to see: run it "
					   "as root"),
				   err));
	for (;;) {
		rc = find_uses(paths, session, uses, &also, err);
		if (rc < 0 || !may_pass(uses) || loop_clock_us() >= end)
			break;
		uses_done(uses);
		poll(NULL, 0, LOOK_MS);
	}
	if (rc == 0)
		drop_passing(uses);
	if (rc == 0 && uses->count > 0)
		rc = refuse(uses, &also, err);
	return rc < 0 ? at_session(session, err) : rc;
}

/*
 * A device whose gateway is away takes no flush, and whoever asks for one waits
 * for minutes. 1, 0, or negative errno where that cannot be told.
 */
static int answers(const struct paths *paths, const struct host_session *session,
		   const struct device *device, struct err *err)
{
	CLEANUP(buf_done) struct buf session_state = { 0 }, state = { 0 };
	struct err why = { 0 };
	int rc = session_read(session, paths, "state", &session_state, &why);

	if (rc == 0)
		rc = device_read(device, paths, "state", &state, &why);
	if (rc == 0)
		return strcmp(buf_text(&session_state), "LOGGED_IN") == 0 &&
		       strcmp(buf_text(&state), "running") == 0;
	return paths_unless_gone(rc, &why, err);
}

/*
 * Disks that are open exclusively (O_EXCL): as long as they are, the kernel lets
 * nobody mount them or build on them. All zero is none.
 */
struct claims {
	int *fds;
	size_t count;
};

/* 0 or an errno: EBUSY where somebody has claimed it. */
static int claim(struct claims *claims, const struct spot *spot)
{
	if (!ARRAY_ROOM(claims->fds, claims->count))
		return ENOMEM;
	claims->fds[claims->count] =
		openat(spot->dirfd, spot->name, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC);
	if (claims->fds[claims->count] < 0)
		return errno;
	claims->count++;
	return 0;
}

static void claims_done(struct claims *claims)
{
	while (claims->count > 0)
		close(claims->fds[--claims->count]);
	free(claims->fds);
}

/*
 * Write out what the disk's own cache holds. Opened exclusively (O_EXCL), it
 * fails where the kernel itself has claimed the disk for something that
 * in_use.h does not know. Else (0) what a file system on it has not written
 * yet goes first: that is what BLKFLSBUF does beside its name. 0 or an errno.
 */
static int flush_disk(const struct spot *spot, int exclusive)
{
	int fd = openat(spot->dirfd, spot->name, O_RDONLY | exclusive | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return errno;
	if (!exclusive && ioctl(fd, BLKFLSBUF, 0) < 0)
		return errno;
	return fsync(fd) < 0 ? errno : 0;
}

/* In a process of its own: on a gateway that went silent it hangs, and cannot be interrupted. */
static int flush_in_time(const struct spot *spot, int exclusive)
{
	const uint64_t end = loop_clock_us() + FLUSH_MS * (uint64_t)1000;
	pid_t child = fork();
	int status;

	if (child < 0)
		return errno;
	if (child == 0) {
		/* Whoever reads our output is not to wait for it, too. */
		for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
			close(fd);
		_exit(flush_disk(spot, exclusive) & 0xff);
	}
	while (waitpid(child, &status, WNOHANG) == 0) {
		if (loop_clock_us() >= end) {
			kill(child, SIGKILL);
			return ETIMEDOUT;
		}
		poll(NULL, 0, FLUSH_LOOK_MS);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

static int flush_by_name(const struct paths *paths, const char *name, struct claims *claims,
			 struct err *err)
{
	struct spot spot = SPOT_NONE;
	char path[64];
	int rc, failed = 0;

	snprintf(path, sizeof(path), "/dev/%s", name);
	rc = paths_find(paths, path, &spot, err);
	if (rc == 0 && spot.exists && S_ISBLK(spot.st.st_mode)) {
		failed = flush_in_time(&spot, claims ? O_EXCL : 0);
		if (failed == 0 && claims)
			failed = claim(claims, &spot);
	}
	spot_done(&spot);
	if (failed == EBUSY)
		rc = err_set(
			err, EBUSY,
			"in use: the kernel holds %s for something that no table shows, as a file "
			"system that was unmounted lazily (umount -l) and is still in use: "
			"fuser -v %s may tell by whom",
			name, path);
	else if (failed == ETIMEDOUT)
		rc = err_set(err, ETIMEDOUT,
			     "%s does not take a flush of its cache within %d s: is the gateway "
			     "away? Wait for it, or leave what is in the cache behind by iscsiadm "
			     "--logout",
			     name, FLUSH_MS / 1000);
	else if (failed != 0)
		rc = err_sys(err, failed, "the cache of %s cannot be written out", name);
	return rc;
}

static int flush_session(const struct paths *paths, const struct host_session *session,
			 struct claims *claims, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < session->device_count; i++) {
		const struct device *device = &session->devices[i];

		if (device->type != DEVICE_DISK || strchr(device->name, ':'))
			continue;
		rc = answers(paths, session, device, err);
		if (rc > 0)
			rc = flush_by_name(paths, device->name, claims, err);
	}
	return rc;
}

/* The file systems of those who are to lose the session, while there is somebody who takes it. */
static int flush_mounts(const struct paths *paths, const struct disconnected *disconnected,
			struct err *err)
{
	const struct host_session *session = disconnected->session;
	int rc = 1;

	for (size_t i = 0; rc > 0 && i < session->device_count; i++)
		rc = answers(paths, session, &session->devices[i], err);
	if (rc <= 0)
		return rc;
	for (size_t i = 0; rc >= 0 && i < disconnected->uses.count; i++) {
		const char *name = disconnected->uses.items[i].mounted;

		if (name[0] != '\0')
			rc = flush_by_name(paths, name, NULL, err);
	}
	return rc < 0 ? rc : 0;
}

/* Of all that end with it. claims: those that are nobody else's go there; NULL where they are. */
static int flush(const struct paths *paths, const struct host_session *session,
		 struct claims *claims, struct err *err)
{
	struct sessions sessions;
	int rc = sessions_load(&sessions, paths, err);

	for (size_t i = 0; rc == 0 && i < sessions.count; i++) {
		if (session_shares_logout(session, &sessions.items[i]))
			rc = flush_session(paths, &sessions.items[i], claims, err);
	}
	sessions_done(&sessions);
	return rc;
}

void disconnecting_run(const struct paths *paths, const struct host_session *session,
		       struct disconnected *out)
{
	struct claims claims = { 0 };
	struct err *err = &out->err;
	int rc;

	*out = (struct disconnected){ .session = session };
	rc = disconnecting_check(paths, session, &out->uses, err);
	if (rc == 0)
		rc = flush(paths, session, &claims, err);
	/* Flushing may have taken its time: once more, right before. */
	if (rc == 0)
		rc = disconnecting_check(paths, session, &out->uses, err);
	if (rc == 0)
		rc = disconnect_logout(paths, session, err);
	claims_done(&claims);
	if (rc < 0)
		at_session(session, err);
	out->state = rc == -EBUSY ? DISCONNECTED_IN_USE
		     : rc < 0	  ? DISCONNECTED_FAILED
				  : DISCONNECTED_DONE;
}

bool disconnecting_can_force(const struct host_session *session, const struct uses *uses)
{
	for (size_t i = 0; i < session->device_count; i++) {
		if (session->devices[i].type == DEVICE_TAPE ||
		    session->devices[i].type == DEVICE_CHANGER)
			return false;
	}
	for (size_t i = 0; i < uses->count; i++) {
		if (uses->items[i].kind == USE_ROOT || uses->items[i].kind == USE_SWAP)
			return false;
	}
	return uses->count > 0;
}

void disconnecting_force(const struct paths *paths, struct disconnected *out)
{
	struct err *err = &out->err;
	int rc;

	*err = (struct err){ 0 };
	rc = flush_mounts(paths, out, err);
	if (rc == 0)
		rc = flush(paths, out->session, NULL, err);
	if (rc == 0)
		rc = disconnect_logout(paths, out->session, err);
	if (rc < 0)
		at_session(out->session, err);
	out->state = rc < 0 ? DISCONNECTED_FAILED : DISCONNECTED_DONE;
}

void disconnected_done(struct disconnected *disconnected)
{
	uses_done(&disconnected->uses);
}

const char *disconnected_text(enum disconnected_state state)
{
	static const char *const texts[] = {
		[DISCONNECTED_DONE] = "disconnected",
		[DISCONNECTED_IN_USE] = "in use",
		[DISCONNECTED_FAILED] = "failed",
	};

	return texts[state];
}

const char *disconnected_word(enum disconnected_state state)
{
	return state == DISCONNECTED_IN_USE ? "in-use" : disconnected_text(state);
}
