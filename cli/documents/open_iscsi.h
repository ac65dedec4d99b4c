/* SPDX-License-Identifier: MIT */
/*
 * What is known of open-iscsi's own files beyond struct document_type: its
 * keys and limits, how it reads a number, and its other, simpler parser.
 * Facts of open-iscsi 2.1.8 as run; one grammar for iscsid.conf and records.
 */
#ifndef SGW_OPEN_ISCSI_H
#define SGW_OPEN_ISCSI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longer ones overflow the stack of unpatched versions (CVE-2026-18724); newer ones cut them. */
enum {
	OPEN_ISCSI_KEY_MAX = 127,
	OPEN_ISCSI_VALUE_MAX = 255,
	OPEN_ISCSI_LINE_MAX = 2046, /* without the newline; what is longer is torn in two */
};

enum open_iscsi_kind {
	OPEN_ISCSI_NUMBER, /* a C int, read by open_iscsi_number() */
	OPEN_ISCSI_TEXT, /* all of it, quotes and notes too */
	OPEN_ISCSI_OPTION, /* one word of a list; any other is ignored */
	OPEN_ISCSI_LIST, /* words of a list, separated by commas and blanks */
};

struct open_iscsi_key {
	const char *name;
	enum open_iscsi_kind kind;
	const char *options; /* "Yes|No" */
};

/* All keys of iscsid.conf and of records, in the order in which iscsiadm writes them. */
extern const struct open_iscsi_key open_iscsi_keys[];
extern const size_t open_iscsi_key_count;

/*
 * Index of a key in that table, or -1. start is where to look first: the
 * follower of the last hit finds the keys of a record in one step each.
 */
int open_iscsi_key_index(const char *key, size_t len, size_t start);

/* Whether an option's or a list's reader accepts that value. */
bool open_iscsi_accepts(const struct open_iscsi_key *key, const char *value, size_t len);

/* The value as open-iscsi's integer reader takes it: "600 # note" 600, "ten" 0, "0x258" 0. */
int32_t open_iscsi_number(const char *value, size_t len);

/* The values of such keys must never be shown. */
bool open_iscsi_is_secret(const char *key);

/*
 * The other parser, that of initiatorname.iscsi and of iscsid.conf's iscsid.*
 * keys: in the first line that holds the key ahead of any '#', what follows
 * '=', blanks trimmed. Returns the value's length with *value in bytes, or 0.
 */
size_t open_iscsi_first(const char *bytes, size_t len, const char *key, const char **value);

/* The database that a record's path lies in ("/etc/iscsi", "/var/lib/iscsi"), or NULL. */
const char *open_iscsi_database(const char *path);

#endif
