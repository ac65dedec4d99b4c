/* SPDX-License-Identifier: MIT */
/*
 * The one CHAP file format: the JSON of AWS's describe-chap-credentials.
 * Secrets live in it for as long as they must, in wiped memory.
 */
#ifndef SGW_CHAP_FILE_H
#define SGW_CHAP_FILE_H

#include <stdbool.h>
#include <stddef.h>

struct err;

/* CHAP of one target; texts are NUL-ended UTF-8, validated for bytes that no line may hold. */
struct chap_entry {
	char *target; /* the IQN: what follows /target/ in the ARN, or the bare IQN */
	char *initiator; /* NULL where missing: this host (sgw-init), any initiator (sgw-target) */
	char *initiator_secret; /* SecretToAuthenticateInitiator */
	char *target_secret; /* SecretToAuthenticateTarget; NULL: one-way CHAP */
};

struct chap_file {
	struct chap_entry *entries;
	size_t count;
	bool incomplete; /* a Marker says that more pages exist: warn */
};

enum chap_limits {
	CHAP_LIMITS_AWS, /* 12 to 16 bytes of UTF-8 */
	CHAP_LIMITS_ANY, /* 1 to 255 bytes: a test target plays others too */
};

/*
 * Parse and check: names (AWS's characters and lengths for both kinds where
 * limits is AWS), lengths in bytes, the two secrets of an entry unlike, the
 * same target and initiator not twice. -EINVAL with "entry N (IQN): reason";
 * a secret never appears. The caller names the file by err_at().
 */
int chap_file_parse(struct chap_file *file, const char *bytes, size_t len, enum chap_limits limits,
		    struct err *err);
void chap_file_done(struct chap_file *file);

#endif
