/* SPDX-License-Identifier: MIT */
#include "choice.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "engine/forgotten.h"
#include "engine/wanted.h"
#include "err.h"
#include "host/database.h"
#include "host/records.h"
#include "host/sessions.h"
#include "iscsi/portal.h"
#include "iscsi/range.h"
#include "options.h"
#include "os/sockets.h"

enum { ADDRESSES_MAX = 8 }; /* of a host name */

static int add(struct choice *choice, const char *host, uint16_t port, struct err *err)
{
	struct chosen_address *added;

	if (!ARRAY_ROOM(choice->addresses, choice->count))
		return err_oom(err);
	added = &choice->addresses[choice->count++];
	*added = (struct chosen_address){ .port = port };
	snprintf(added->host, sizeof(added->host), "%s", host);
	return 0;
}

static int add_addresses_of(struct choice *choice, const struct portal *portal, struct err *err)
{
	struct socket_address addresses[ADDRESSES_MAX];
	struct err failure = { 0 };
	int rc = 0,
	    count = socket_resolve(portal->host, portal->port, addresses, ADDRESSES_MAX, &failure);

	if (count < 0) {
		char **reason = &choice->addresses[choice->count - 1].unresolved;

		*reason = strdup(failure.reason);
		return *reason ? 0 : err_oom(err);
	}
	for (int i = 0; rc == 0 && i < count; i++) {
		char host[SOCKET_HOST_MAX];

		socket_address_host(&addresses[i], host);
		rc = add(choice, host, portal->port, err);
		if (rc == 0)
			choice->addresses[choice->count - 2].more = true;
	}
	return rc;
}

static int add_argument(struct choice *choice, const char *text, bool live, struct err *err)
{
	struct portal portal;
	int rc;

	if (range_is(text))
		return err_set(err, ERR_USAGE, "%s: a range is for discover alone", text);
	if (portal_parse(text, &portal, err) < 0) {
		err->code = ERR_USAGE;
		return err_at(err, "%s", text);
	}
	rc = add(choice, portal.host, portal.port, err);
	return rc < 0 || portal.numeric || !live ? rc : add_addresses_of(choice, &portal, err);
}

int choice_make(struct choice *choice, const struct options *opt, struct err *err)
{
	int rc = 0;

	*choice = (struct choice){ .target = opt->target };
	if (opt->target && gateway_kind(opt->target) == GATEWAY_OTHER)
		return err_set(err, ERR_USAGE,
			       "--target %s is none of a Storage Gateway, whose begin with "
			       "iqn.1997-05.com.amazon: use iscsiadm",
			       opt->target);
	for (size_t i = 0; rc == 0 && i < opt->arg_count; i++)
		rc = add_argument(choice, opt->args[i], !opt->root, err);
	return rc;
}

void choice_done(struct choice *choice)
{
	for (size_t i = 0; i < choice->count; i++)
		free(choice->addresses[i].unresolved);
	free(choice->addresses);
	free(choice->forgotten);
	*choice = (struct choice){ 0 };
}

/* The chosen address that it is, or NULL. */
static struct chosen_address *find(const struct choice *choice, const char *address, uint16_t port)
{
	char canonical[64];

	if (address_canonical(address, canonical, sizeof(canonical)) == 0)
		address = canonical;
	for (size_t i = 0; i < choice->count; i++) {
		if (choice->addresses[i].port == port &&
		    strcmp(choice->addresses[i].host, address) == 0)
			return &choice->addresses[i];
	}
	return NULL;
}

bool choice_has(const struct choice *choice, const char *target, const char *address, uint16_t port)
{
	if (gateway_kind(target) == GATEWAY_OTHER)
		return false;
	if (choice->target && strcmp(choice->target, target) != 0)
		return false;
	return choice->count == 0 || find(choice, address, port);
}

static void meet(const struct choice *choice, const char *address, uint16_t port)
{
	struct chosen_address *found = find(choice, address, port);

	if (found)
		found->met = true;
}

static const struct chosen_address *find_unknown(const struct choice *choice)
{
	for (size_t i = 0; i < choice->count; i++) {
		if (choice->addresses[i].unresolved && !choice->addresses[i].met)
			return &choice->addresses[i];
	}
	return NULL;
}

static int refuse_unknown(const struct choice *choice, struct err *err)
{
	const struct chosen_address *unknown = find_unknown(choice);

	if (!unknown)
		return 0;
	err_set(err, ENOENT,
		"%s, and no session or record here has it for its portal: give the address that "
		"sgw-init devices shows, or see to the name's spelling and to DNS",
		unknown->unresolved);
	return err_at(err, "%s", unknown->host);
}

int choice_check(struct choice *choice, const struct sessions *sessions, const struct paths *paths,
		 struct err *err)
{
	struct database database = { 0 };
	struct err ignored = { 0 };

	if (!find_unknown(choice))
		return 0;
	for (size_t i = 0; i < sessions->count; i++)
		meet(choice, sessions->items[i].address, sessions->items[i].port);
	/* Records that cannot be read name nobody. */
	if (find_unknown(choice) && database_load(&database, paths, &ignored) == 0) {
		for (size_t i = 0; i < database.count; i++)
			meet(choice, database.records[i].address, database.records[i].port);
	}
	database_done(&database);
	return refuse_unknown(choice, err);
}

/* Also of other makes: a portal that only those have is none that was misspelled. */
static bool meet_any(const struct choice *choice, const char *target, const char *address,
		     uint16_t port)
{
	meet(choice, address, port);
	return choice_has(choice, target, address, port);
}

static bool meet_sessions(const struct choice *choice, const struct sessions *sessions)
{
	bool any = false;

	for (size_t i = 0; i < sessions->count; i++) {
		const struct host_session *session = &sessions->items[i];

		any |= meet_any(choice, session->target, session->address, session->port);
	}
	return any;
}

static int meet_records(const struct choice *choice, const struct paths *paths, bool *any,
			struct err *err)
{
	struct database database = { 0 };
	int rc = database_load(&database, paths, err);

	for (size_t i = 0; rc == 0 && i < database.count; i++) {
		const struct record *record = &database.records[i];

		*any |= meet_any(choice, record->target, record->address, record->port);
	}
	database_done(&database);
	return rc;
}

/* A journal that cannot be read knows of nothing. */
static void meet_forgotten(struct choice *choice, const struct paths *paths, bool *any)
{
	const bool all = choice->target && !*any;
	struct err ignored = { 0 };
	size_t count = 0;

	if (forgotten_list(paths, &choice->forgotten, &count, &ignored) < 0)
		return;
	for (size_t i = 0; i < count; i++) {
		const struct forgotten *forgotten = &choice->forgotten[i];
		const struct chosen_address *at = find(choice, forgotten->address, forgotten->port);

		/* What is there otherwise may have its record back by others. */
		if (choice_has(choice, forgotten->target, forgotten->address, forgotten->port) &&
		    (all || (at && !at->met)))
			choice->forgotten[choice->forgotten_count++] = *forgotten;
	}
	for (size_t i = 0; i < choice->forgotten_count; i++)
		meet(choice, choice->forgotten[i].address, choice->forgotten[i].port);
	*any |= choice->forgotten_count > 0;
}

/* The first address of an argument none of whose addresses was met, or NULL. */
static const struct chosen_address *find_unmet(const struct choice *choice)
{
	const struct chosen_address *first = choice->addresses;
	bool met = false;

	for (size_t i = 0; i < choice->count; i++) {
		met |= choice->addresses[i].met;
		if (choice->addresses[i].more)
			continue;
		if (!met)
			return first;
		met = false;
		first = &choice->addresses[i + 1];
	}
	return NULL;
}

/* Nothing is there of the target, or of one of the portals. */
static bool lacks(const struct choice *choice, bool any)
{
	return (choice->target && !any) || find_unmet(choice);
}

int choice_exists(struct choice *choice, const struct sessions *sessions, const struct paths *paths,
		  struct err *err)
{
	const struct chosen_address *unmet;
	char portal[PORTAL_TEXT_MAX];
	bool any = meet_sessions(choice, sessions);
	int rc = 0;

	if (lacks(choice, any))
		rc = meet_records(choice, paths, &any, err);
	if (rc == 0 && lacks(choice, any))
		meet_forgotten(choice, paths, &any);
	if (rc == 0)
		rc = refuse_unknown(choice, err);
	if (rc < 0)
		return rc;
	if (choice->target && !any) {
		err_set(err, ENOENT,
			"there is neither a session nor a record of it%s; misspelled? sgw-init "
			"devices lists the sessions",
			choice->count > 0 ? " at that portal" : "");
		return err_at(err, "%s", choice->target);
	}
	unmet = find_unmet(choice);
	if (!unmet)
		return 0;
	portal_text_of(unmet->host, unmet->port, portal);
	err_set(err, ENOENT,
		"no session and no record here has it for its portal; misspelled? "
		"sgw-init devices lists the sessions");
	return err_at(err, "%s", portal);
}
