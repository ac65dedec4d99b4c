/* SPDX-License-Identifier: MIT */
#include "disconnecting.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disconnect_flush.h"
#include "disconnect_logout.h"
#include "host/nodes.h"
#include "iscsi/portal.h"
#include "os/loop.h"

enum {
	PASSING_MS = 2000, /* how long a mere reader, udevd mostly, may take to go */
	LOOK_MS = 50,
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
	if (!host_use_sees_all())
		return at_session(
			session, (err_set(err, EPERM,
					  "who uses its devices is for root alone to see, with the "
					  "capability CAP_SYS_PTRACE: run it as root"),
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

static int log_out(const struct paths *paths, struct disconnected *out)
{
	out->begun = true;
	return disconnect_logout(paths, out->session, &out->err);
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
		rc = disconnect_flush(paths, session, &claims, err);
	/* Flushing may have taken its time: once more, right before. */
	if (rc == 0)
		rc = disconnecting_check(paths, session, &out->uses, err);
	if (rc == 0)
		rc = log_out(paths, out);
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
	rc = disconnect_flush_mounts(paths, out->session, &out->uses, err);
	if (rc == 0)
		rc = disconnect_flush(paths, out->session, NULL, err);
	if (rc == 0)
		rc = log_out(paths, out);
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
