/* SPDX-License-Identifier: MIT */
/*
 * open-iscsi's node database: where it is, which records it holds, and what a
 * new one looks like. Layout and grammar: facts of open-iscsi 2.1.8 as run.
 */
#ifndef SGW_RECORDS_H
#define SGW_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

struct err;
struct root;
struct document;

enum { ISCSI_NAME_SIZE = 224 };

struct record {
	char target[ISCSI_NAME_SIZE];
	char address[64]; /* without brackets, canonical */
	uint16_t port;
	int32_t tag; /* -1 where the entry does not know it */
	char interface[64]; /* "default" */
	char *path; /* as the host names it */
	struct buf bytes; /* secret */
	struct document *doc; /* document_open_iscsi; NULL where it cannot be parsed */
	char problem
		[256]; /* why this record cannot be used: no identity, identity unlike its path… */
};

struct database {
	char path
		[64]; /* "/etc/iscsi" or "/var/lib/iscsi"; both may hold records: see records_load */
	struct record *records; /* sorted by target, address, port, interface */
	size_t count;
};

/*
 * Find the database (the root that holds nodes/ or send_targets/; else what
 * the distribution's release uses) and read all of its records, in either
 * root. A record that cannot be used has its problem set and is kept in the
 * list; only what stops the reading altogether fails.
 */
int database_load(struct database *db, const struct root *root, struct err *err);
void database_done(struct database *db);

/*
 * Path and bytes of a new record for one portal of a target: identity, all
 * node lines in effect in iscsid.conf (conf, may be NULL), node.startup as
 * there. The target's name and the address must have been validated; both are
 * checked once more (-EINVAL). record->doc is parsed from the bytes, so that
 * the profile and CHAP can be laid over it by document_open_iscsi.set().
 */
int record_new(struct record *record, const struct database *db, const char *target,
	       const char *address, uint16_t port, int32_t tag, const struct document *conf,
	       struct err *err);
void record_done(struct record *record);

/* The record of that target at that portal (any interface from *from on), or NULL. */
struct record *database_find(const struct database *db, const char *target, const char *address,
			     uint16_t port, size_t *from);

/* This host's InitiatorName out of /etc/iscsi/initiatorname.iscsi; -ENOENT, -EACCES, -EINVAL. */
int initiator_name_read(const struct root *root, char name[ISCSI_NAME_SIZE], struct err *err);

#endif
