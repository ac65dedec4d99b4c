/* SPDX-License-Identifier: MIT */
/* CHAP credentials for a login of our own: out of a CHAP file, else this host's node record. */
#ifndef SGW_CREDENTIALS_H
#define SGW_CREDENTIALS_H

#include <stdint.h>

#include "documents/chap_file.h"
#include "host/database.h"
#include "iscsi/login.h"

struct err;
struct paths;

enum credentials_from {
	CREDENTIALS_NONE,
	CREDENTIALS_FILE,
	CREDENTIALS_RECORD,
};

/* Where they may come from, read once. All zero before. */
struct credentials_store {
	const char *file; /* --chap, or NULL */
	struct chap_file chap;
	struct database database; /* without a file alone */
	char initiator[ISCSI_NAME_SIZE]; /* as whom to log in */
};

/*
 * file may be NULL, or "-" for standard input. Who this host is: its own name;
 * where that cannot be read, the one that the file names, else the
 * placeholder, each with a warning. A node database that cannot be read is a
 * warning too.
 */
int credentials_open(struct credentials_store *store, const struct paths *paths, const char *file,
		     struct err *err);
void credentials_close(struct credentials_store *store);

/* Of one target; what is pointed to is the store's. */
struct credentials {
	enum credentials_from from;
	const char *where; /* the file or the record's path */
	const char *user;
	struct chap_secret secret; /* we prove ourselves */
	struct chap_secret target_secret; /* the target does; len 0: one-way CHAP */
	const char *target_user; /* under this name; NULL: any */
};

/*
 * Find those of a target, in a record best of all that of its portal. 0 also
 * where there are none; -EINVAL where the file's are another initiator's.
 */
int credentials_find(const struct credentials_store *store, const char *target, const char *address,
		     uint16_t port, struct credentials *out, struct err *err);

/* "file", "record", "none" */
const char *credentials_word(enum credentials_from from);

#endif
