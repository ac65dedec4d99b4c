/* SPDX-License-Identifier: MIT */
/* What a file has besides its bytes: owner, mode, SELinux label, access list, other attributes. */
#ifndef SGW_ATTRIBUTES_H
#define SGW_ATTRIBUTES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct err;

enum {
	ATTRIBUTES_MAX = 64, /* extended attributes of one file */
	ATTRIBUTE_SIZE_MAX = 65536, /* XATTR_SIZE_MAX of Linux */
};

struct attribute {
	char *name; /* "security.selinux" */
	char *value;
	size_t len;
};

/* All zero but the owner is that of a new file; owner and group -1 are left as they come. */
struct attributes {
	mode_t mode; /* 07777 */
	uid_t uid;
	gid_t gid;
	struct attribute *list;
	size_t count;
};

/* Read them off an open file. What belongs to the bytes or the file system is left out. */
int attributes_read(struct attributes *attributes, int fd, struct err *err);

/*
 * Those of a new file: the mode, and the SELinux label that the other files
 * of its directory bear (dirfd, may be -1), where they bear one.
 */
int attributes_new(struct attributes *attributes, mode_t mode, int dirfd, struct err *err);

/* Give them to a file just made. A file system that knows no such attribute is no error. */
int attributes_write(const struct attributes *attributes, int fd, struct err *err);

int attributes_add(struct attributes *attributes, const char *name, const void *value, size_t len,
		   struct err *err);
int attributes_copy(struct attributes *to, const struct attributes *from, struct err *err);
void attributes_done(struct attributes *attributes);

/* Ours to keep: labels, access lists, user.* and trusted.*; not ima, evm, overlay's own. */
bool attribute_kept(const char *name);

#endif
