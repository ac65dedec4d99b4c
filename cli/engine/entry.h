/* SPDX-License-Identifier: MIT */
/* One journal entry: what it says of each file, and its form on disk. No I/O. */
#ifndef SGW_ENTRY_H
#define SGW_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "engine/tx.h"
#include "host/attributes.h"
#include "host/dirs.h"

struct err;

enum {
	ENTRY_COMMAND_MAX = 256,
	ENTRY_FILES_MAX = 100000,
	ENTRY_LIVE_MAX = 100000,
	ENTRY_HASH_SIZE = 65, /* SHA-256 in hexadecimal, and its NUL */
};

#define ENTRY_SCHEMA "sgw-init/journal/1"

/* The bytes of one file at one time: a view of bytes that others own. */
struct image {
	bool exists;
	const char *bytes; /* NULL in an entry read without its images */
	size_t len;
};

struct entry_file {
	char *path; /* as the host named it then */
	char *real; /* the same without links */
	char *type; /* name of its document_type; NULL: none */
	char *database; /* its database root, NULL: no record */
	char *link; /* of a record that was removed: the link to it, gone with it; else NULL */
	struct image before, after;
	struct attributes attributes; /* before's, where it existed */
	mode_t mode; /* after's, where it exists */
	bool amended; /* its former wrote it, too: before is what was before both, and prior holds */
	struct image prior; /* what this commit found, for where it alone is rolled back */
	struct attributes prior_attributes; /* prior's, where it existed */
};

/* A live value that was set after the files: what struct tx_live says, kept. */
struct entry_live {
	char *session;
	char *target;
	char *address; /* NULL: none was known */
	uint16_t port;
	char *unit; /* NULL: the session's own value */
	char *key;
	char *before, *after;
};

struct entry {
	char id[TX_ID_MAX];
	char command[ENTRY_COMMAND_MAX]; /* never a secret */
	int64_t time; /* seconds since 1970 */
	char former[TX_ID_MAX]; /* the entry that this one goes on from, and takes in; else empty */
	struct entry_file *files;
	size_t file_count;
	size_t own; /* of these, the first, this commit writes; the others are its former's */
	struct entry_live *live;
	size_t live_count;
	struct dirs dirs; /* made for it, parents first, without links */
	struct buf images; /* of an entry that was read: what its images view */
};

/*
 * What goes to disk: one JSON document about the files, and one string of all
 * their bytes, which the document names by offset, size and SHA-256. -EINVAL
 * for a path that is not UTF-8.
 */
int entry_format(const struct entry *entry, struct buf *json, struct buf *images, struct err *err);

/*
 * The reverse. Nothing is believed: names, numbers and ranges are checked, so
 * that a damaged entry is -EINVAL with what is wrong. images NULL: they are
 * not looked at. Takes the bytes out of images. The caller ends the entry with
 * entry_done(), also after an error.
 */
int entry_parse(struct entry *entry, const char *json, size_t len, struct buf *images,
		struct err *err);

/*
 * -EINVAL where the document is not, to the byte, what entry_format() made: a
 * slip in a path or an offset may be as sound as what it was before, and undo
 * would leave the file alone, or put the wrong bytes into it.
 */
int entry_check_seal(const char *json, size_t len, struct err *err);

void entry_done(struct entry *entry);

/* The checksum that guards the document and the images. */
int entry_hash(const char *bytes, size_t len, char out[ENTRY_HASH_SIZE], struct err *err);

#endif
