/* SPDX-License-Identifier: MIT */
/*
 * A place joins kind, instance, path and document or observation, and holds
 * the values of its profile's settings as found there. compare sees values
 * only, tx sees bytes only.
 */
#ifndef SGW_PLACE_H
#define SGW_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "buf.h"
#include "engine/profile.h"
#include "engine/session_chap.h"

struct err;
struct document;
struct document_type;
struct record;
struct paths;
struct host_session;
struct device;

struct place_value {
	const struct setting *setting;
	const struct setting_place *where;
	char *text; /* as its reader sees it; NULL: not set */
	char *problem; /* why an observation that is there cannot be read; text is NULL then */
	unsigned line; /* of a document; else 0 */
};

struct place {
	enum place_kind kind;
	char *name; /* for people: "/etc/iscsi/iscsid.conf", "TARGET at 10.0.0.1:3260", "sda" */
	char *path; /* the file, as the host names it, or the observation's directory */
	const struct profile *profile; /* what is wanted here */

	/* Documents only. */
	const struct document_type *type;
	struct document *doc; /* NULL: an absent file */
	struct buf bytes; /* as found */
	bool exists;
	const struct record *record; /* of PLACE_RECORD */
	bool asked; /* of PLACE_RECORD: a portal that the run was asked for leads to it */
	bool exposed; /* it holds secrets, and others may read it */
	bool others; /* a rules file of somebody else: only what its rules do concerns us */
	bool editable; /* of those, one that apply may write */
	char *problem; /* of those, why its rules cannot be judged; doc is NULL then */

	/* Observations only. */
	const struct host_session *session; /* of PLACE_SESSION and PLACE_DEVICE */
	const struct device *device; /* of PLACE_DEVICE */
	char *multipath; /* of PLACE_DEVICE: the multipath device that holds it, or NULL */
	bool recorded; /* of PLACE_SESSION: there is a record to log in again by */
	enum session_chap chap; /* of PLACE_SESSION: what became of its record's CHAP settings */

	struct place_value *values; /* one a setting that the profile has at this kind of place */
	size_t value_count;
};

/*
 * A document place: takes over *doc and the bytes (both are emptied); name
 * NULL is the path. bytes are what tx compares with and diff shows.
 */
int place_of_document(struct place *place, enum place_kind kind, const struct profile *profile,
		      const char *path, const char *name, const struct document_type *type,
		      struct document **doc, struct buf *bytes, bool exists, struct err *err);
/*
 * A rules file of somebody else, whose values are none of the profile's; takes
 * over *doc and the bytes.
 */
int place_of_rules(struct place *place, const struct profile *profile, const char *path,
		   struct document **doc, struct buf *bytes, struct err *err);
int place_of_session(struct place *place, const struct profile *profile, const struct paths *paths,
		     const struct host_session *session, struct err *err);
int place_of_device(struct place *place, const struct profile *profile, const struct paths *paths,
		    const struct host_session *session, const struct device *device,
		    struct err *err);
void place_done(struct place *place);

/*
 * A value as its reader takes it for a number: open-iscsi's reading in its
 * files (`600 # note` is 600, `ten` is 0), plain digits elsewhere. False
 * where it is none.
 */
bool place_number(const struct place *place, const char *text, uint32_t *out);

#endif
