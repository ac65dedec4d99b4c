/* SPDX-License-Identifier: MIT */
/*
 * open-iscsi's node database: where it is, which records it holds, and whose
 * name this host bears. Layout: facts of open-iscsi 2.1.8 as run.
 */
#ifndef SGW_DATABASE_H
#define SGW_DATABASE_H

#include <stddef.h>
#include <stdint.h>

#include "host/records.h"

struct err;
struct paths;

struct database {
	char path[64]; /* where new records go: "/etc/iscsi" or "/var/lib/iscsi" */
	struct record *records; /* sorted by target, address, port, interface */
	size_t count;
};

/*
 * Find the database (the root that holds nodes/ or send_targets/; else what
 * the distribution's release uses) and read all of its records, in either
 * root. A record that cannot be used has its problem set and is kept in the
 * list; only what stops the reading altogether fails.
 */
int database_load(struct database *db, const struct paths *paths, struct err *err);
void database_done(struct database *db);

/* The record of that target at that portal (any interface from *from on), or NULL. */
struct record *database_find(const struct database *db, const char *target, const char *address,
			     uint16_t port, size_t *from);

/* This host's InitiatorName out of /etc/iscsi/initiatorname.iscsi; -ENOENT, -EACCES, -EINVAL. */
int initiator_name_read(const struct paths *paths, char name[ISCSI_NAME_SIZE], struct err *err);

#endif
