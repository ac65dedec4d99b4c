/* SPDX-License-Identifier: MIT */
/*
 * What open-iscsi keeps of a record beside its file, and takes away with it:
 * the link to it from the discovery that found it, and the directories that it
 * alone is in. A link that leads nowhere makes iscsiadm -m discoverydb -o delete
 * fail. Under the database's lock.
 */
#ifndef SGW_RECORD_TRACES_H
#define SGW_RECORD_TRACES_H

#include <stdbool.h>

struct err;
struct paths;
struct record;

/*
 * Where the link to a record would be: below send_targets or static, by the
 * record's discovery. *out is NULL where there is none, and on error; else the
 * caller frees it.
 */
int record_link(const struct record *record, char **out, struct err *err);

/*
 * 1 where it is there and leads to the record's directory, as iscsiadm makes
 * it, 0 where not, or negative errno. Here and below record is the record's
 * path as the host names it.
 */
int record_link_stands(const struct paths *paths, const char *link, const char *record,
		       struct err *err);

/* Take the link of a record away, if that is what it is; synced. */
int record_link_remove(const struct paths *paths, const char *link, const char *record,
		       struct err *err);

/* What stands in the way of that: rights, an immutable directory, a read-only mount. */
int record_link_check(const struct paths *paths, const char *link, const char *record,
		      struct err *err);

/* Make the link of a record that is back, where its discovery still is; synced. */
int record_link_restore(const struct paths *paths, const char *link, const char *record,
			struct err *err);

/*
 * Remove the directories that the record's own removal left empty; record is
 * its path without links. One with another mode or owner than iscsiadm gives
 * it stays, since undo could not bring it back as it was. The directory that
 * stays is synced.
 */
int record_dirs_remove(const struct paths *paths, const char *record, struct err *err);

/* What stands in the way of that, should all of them be empty by then. */
int record_dirs_check(const struct paths *paths, const char *record, struct err *err);

#endif
