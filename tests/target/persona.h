/* SPDX-License-Identifier: MIT */
/* What sgw-target plays: the targets of a Volume or a Tape Gateway and the devices behind them. */
#ifndef SGW_TARGET_PERSONA_H
#define SGW_TARGET_PERSONA_H

#include <stddef.h>
#include <stdint.h>

#include "store.h"

struct chap_entry;
struct device_type;
struct err;
struct session;
struct target;

/* What INQUIRY says, padded with blanks as it goes out. */
struct identity {
	char vendor[8 + 1];
	char product[16 + 1];
	char revision[4 + 1];
};

/* The device at LUN 0 of a target. */
struct device {
	const struct device_type *type;
	const struct identity *identity;
	const struct target *target;
	uint64_t size; /* bytes; 0 for what is no disk */
	struct store store; /* of a disk */
	uint64_t id; /* names the device for good: made from its target's name */
	char serial[16 + 1];
};

/* One of those who may log in to a target by CHAP. */
struct credential {
	const struct chap_entry *entry;
	struct credential *next;
};

enum { TARGET_PORTS = 8 };

struct target {
	/*
	 * Any bytes, so that hostile names can be served; for a target that one
	 * can log in to, an iSCSI name in lower case.
	 */
	char *name;
	size_t name_len;
	struct device device;
	struct credential *credentials; /* none: no CHAP is demanded */
	struct session *sessions; /* normal sessions, linked by session->target_next */
	uint64_t ports[TARGET_PORTS]; /* of initiators that had one; by session.c */
	uint8_t port_next;
};

/* The targets of a gateway, in the order in which SendTargets lists them. */
struct target_list {
	struct target *targets;
	size_t count;
	struct target **sorted; /* by name; see target_list_sort */
};

enum persona {
	PERSONA_VOLUME,
	PERSONA_TAPE,
	PERSONA_COUNT,
};

enum { DISK_BLOCK = 512 }; /* bytes; sizes of volumes are whole ones */

/* A volume that is not told otherwise: 1 GiB. */
#define PERSONA_VOLUME_SIZE (UINT64_C(1) << 30)

/* "volume", "tape". */
extern const char *const persona_names[PERSONA_COUNT];

/* All of a Tape Gateway: ten drives and a changer. 0 or -ENOMEM. */
int persona_add_tape(struct target_list *list, struct err *err) __attribute__((nonnull));
/* Whether a gateway takes the name for a volume: 0, or -EINVAL. */
int persona_check_volume(const char *name, struct err *err) __attribute__((nonnull));
/*
 * A volume iqn.1997-05.com.amazon:NAME, of a name that is one, in memory that
 * is taken as it is written. 0, -EINVAL or -ENOMEM.
 */
int persona_add_volume(struct target_list *list, const char *name, uint64_t size, struct err *err)
	__attribute__((nonnull));
/* The same in a file; size 0: as long as the file is. 0 or a negative errno. */
int persona_add_file(struct target_list *list, const char *name, uint64_t size, const char *path,
		     struct err *err) __attribute__((nonnull));

/* A volume whose name is any bytes: to see what initiators make of hostile names. */
int persona_add_named(struct target_list *list, const char *name, size_t len, uint64_t size,
		      struct err *err) __attribute__((nonnull));

/* A name of len bytes with the letters of ASCII made small, and a NUL behind. */
void target_name_fold(const char *name, size_t len, char *out) __attribute__((nonnull));
/*
 * Make target_list_find work; to be called when all are there. -EEXIST names
 * one that is there twice.
 */
int target_list_sort(struct target_list *list, struct err *err) __attribute__((nonnull));
struct target *target_list_find(const struct target_list *list, const char *name, size_t len)
	__attribute__((nonnull));
void target_list_done(struct target_list *list) __attribute__((nonnull));

#endif
