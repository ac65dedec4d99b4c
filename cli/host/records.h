/* SPDX-License-Identifier: MIT */
/* One node record of open-iscsi: a target at a portal, and what a new one looks like. */
#ifndef SGW_RECORDS_H
#define SGW_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

struct err;
struct document;
struct database;

enum { ISCSI_NAME_SIZE = 224 };

struct record {
	char target[ISCSI_NAME_SIZE]; /* bytes of a directory's name: escape them */
	char address[64]; /* without brackets, canonical */
	uint16_t port;
	int32_t tag; /* -1 where the entry does not know it */
	char interface[64]; /* "default" */
	char *path; /* as the host names it */
	struct buf bytes; /* secret */
	bool was_read; /* bytes are what the file held, whatever that is worth */
	unsigned mode; /* permission bits as found; 0600 of a new one */
	bool young; /* written since this host booted */
	struct document *doc; /* document_open_iscsi; NULL where it cannot be parsed */
	char problem[512]; /* why it cannot be used: no identity, or one unlike its path */
};

/*
 * Path and bytes of a new record for one portal of a target: identity, all
 * node lines in effect in iscsid.conf (conf, may be NULL) that open-iscsi
 * knows, node.startup as there, in the order in which iscsiadm writes them.
 * The target's name and the address must have been validated; both are
 * checked once more (-EINVAL). record->doc is parsed from the bytes, so that
 * the profile and CHAP can be laid over it by document_open_iscsi.set().
 */
int record_new(struct record *record, const struct database *db, const char *target,
	       const char *address, uint16_t port, int32_t tag, const struct document *conf,
	       struct err *err);
void record_done(struct record *record);

/* Whether it holds a secret and its mode lets others read or write it. */
bool record_exposed(const struct record *record);

/* err_at() with TARGET at PORTAL, the place of all errors about logins by it. */
int record_at(const struct record *record, struct err *err);

/*
 * Name the record after its place in the database: the directory of the
 * target, the portal's entry ("10.0.0.1,3260,1", or "10.0.0.1,3260" where the
 * tag is unknown), and the interface's file. What does not fit sets
 * record->problem.
 */
void record_place(struct record *record, const char *target, const char *portal,
		  const char *interface);

/*
 * The same by its path, NODES/TARGET/PORTAL[/INTERFACE], but for the interface;
 * false where that names no portal.
 */
bool record_place_of(struct record *record, const char *path);

/* Parse record->bytes, and hold the identity in them against the record's place. */
void record_read(struct record *record);

/*
 * An address as the database spells it: numeric ones as address_text() writes
 * them, brackets dropped, host names as they are. -EINVAL for what is none.
 */
int address_canonical(const char *address, char *out, size_t size);

#endif
