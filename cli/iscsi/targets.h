/* SPDX-License-Identifier: MIT */
/* The answer to SendTargets, part by part, into a list of targets (RFC 7143, Appendix C). */
#ifndef SGW_ISCSI_TARGETS_H
#define SGW_ISCSI_TARGETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "iscsi/portal.h"

struct err;

enum {
	TARGETS_ADDRESSES_MAX = 256, /* of one target; more are left out with a remark */
	TARGETS_NOTES_MAX = 100, /* remarks kept */
};

struct target {
	char *name; /* checked by name_check */
	struct portal *portals; /* in the target's order, none twice */
	size_t portal_count;
	bool addresses_refused; /* some of its addresses could not be used */
};

/* All zero is empty. */
struct targets {
	struct target *list; /* in the order in which they came, none twice */
	size_t count;
	size_t refused; /* records left out because their name or their only address is bad */
	struct buf notes; /* remarks, a line each, escaped */

	/* Private. */
	size_t size;
	size_t note_count;
	size_t *index; /* of list, + 1, by hash of the name; index_size is a power of two */
	size_t index_size;
	uint64_t seed; /* of the hash */
	struct buf carry; /* the beginning of a pair whose end is still to come */
	size_t current; /* of list, + 1: whose addresses follow; 0 before the first name */
	bool skipping; /* the current record was refused */
	size_t untagged;
};

/*
 * Take the data segment of the next Text Response. 0, or -EPROTO where the
 * whole answer has to be refused: text that is no pairs, an address before any
 * name, SendTargets refused. Records that are bad for themselves are left out
 * and remarked on. The work is linear in what comes.
 */
int targets_feed(struct targets *targets, const void *text, size_t len, struct err *err)
	__attribute__((nonnull));
/*
 * The answer is complete. A target without address is at `asked`, the portal
 * that gave the answer; `kind` is the kind of address it was reached at, so that
 * loopback addresses from afar are remarked on. 0, or -EPROTO where it ends
 * inside a pair.
 */
int targets_end(struct targets *targets, const struct portal *asked, enum address_kind kind,
		struct err *err) __attribute__((nonnull));
void targets_done(struct targets *targets) __attribute__((nonnull));

#endif
