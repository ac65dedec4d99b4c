/* SPDX-License-Identifier: MIT */
/*
 * The only writer of configuration: locks, journal, temps, renames. Across
 * files it promises recoverable, not atomic: an entry without its done mark
 * is rolled back by the next tx_begin().
 */
#ifndef SGW_TX_H
#define SGW_TX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "buf.h"

struct err;
struct paths;
struct tx;
struct document_type;

#define TX_JOURNAL "/var/lib/sgw-init/journal"

enum { TX_ID_MAX = 32 }; /* "20261122T150101Z" and a suffix where two fall into one second */

/* One file as it is and as it is to be. The caller keeps the bytes until tx_commit() returned. */
struct tx_file {
	const char *path; /* as the host names it; links are followed */
	const struct document_type *type; /* how undo reads it when others edited it since */
	const struct buf *before; /* NULL: absent. tx refuses if the file is otherwise by now */
	const struct buf *after; /* NULL: remove it */
	mode_t mode; /* of a new file; of an old one the bits it may keep (07777: all) */
	const char *database; /* a record: the database root, for temps and its lock */
	const char *link; /* a record to remove: the link to it, as host/record_traces.h; or NULL */
};

/*
 * A live value that is to be written once the files are. The session is known
 * again by its target and portal, the device by its session.
 */
struct tx_live {
	const char *session; /* its name: where several fit, this one */
	const char *target;
	const char *address;
	uint16_t port;
	const char *unit; /* of a device, BUS:TARGET:LUN; NULL: the session's own value */
	const char *key;
	const char *before, *after;
};

/*
 * Take sgw-init's lock (waiting up to 10 s for another sgw-init, then -EBUSY
 * naming its process) and roll back or finish what a killed run left;
 * *recovered (may be NULL) receives what was done in a sentence, or an empty
 * string. Makes the lock's file where it is missing; the journal's directory
 * is made by the first commit.
 */
int tx_begin(struct tx **tx, const struct paths *paths, struct buf *recovered, struct err *err);

/*
 * Live values that the next commit's entry is to hold, so that undo knows what
 * they were. The caller writes them, after the commit: what is live is no
 * part of what a commit promises. Used until tx_commit() returns.
 */
void tx_live(struct tx *tx, const struct tx_live *live, size_t count);

/*
 * The next commit goes on from entry id, the newest, which others wrote over:
 * it takes that one in, so that one undo takes both back. Where it fails, or
 * is killed, that one stands as it was. Used until tx_commit() returns.
 */
void tx_go_on(struct tx *tx, const char *id);

/*
 * What tx_commit() would refuse before its first write, and whether it could
 * get as far: room and rights for the journal's entry, and the database's lock,
 * for which it waits and which it gives back. Nothing is written but for the
 * journal's directory where it is missing. An entry to go on from is not looked
 * at.
 */
int tx_check(struct tx *tx, const char *command, const struct tx_file *files, size_t count,
	     struct err *err);

/*
 * Check all of it, then write all of it: before-images and intent synced,
 * temps synced, renames under the database's lock, directories synced, done
 * mark. Missing directories are made (0700 below a database, else 0755) and
 * journaled; those that a record to remove leaves empty go with it, and so does
 * its link, which comes back with it. Returns 0 with the entry's id, or negative errno with nothing
 * changed (what was done is taken back; if even that fails, err says what is
 * left and that `sgw-init undo` finishes it). Neither files nor live values:
 * nothing is written.
 */
int tx_commit(struct tx *tx, const char *command, const struct tx_file *files, size_t count,
	      char id[TX_ID_MAX], struct err *err);

/* Release the lock. NULL is fine. */
void tx_end(struct tx *tx);

const struct paths *tx_paths(const struct tx *tx);

#endif
