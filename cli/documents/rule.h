/* SPDX-License-Identifier: MIT */
/*
 * udev rules, as far as they set the device timeout of a Storage Gateway's
 * disk: what the two document types offer beyond struct document_type. The keys
 * of document_rule are "timeout" and the texts of rules that do harm (numbered
 * where some are equal); document_other_rules has the latter alone. Set to its
 * value, a text that was commented out is a rule again, which is how undo takes
 * it back.
 */
#ifndef SGW_RULE_H
#define SGW_RULE_H

#include <stdbool.h>

#include "buf.h"

struct err;
struct document;

enum {
	RULE_TIMEOUT_MAX = 2147483, /* seconds; beyond, the kernel's ticks wrap */
};

/*
 * Append the whole file that apply installs, udev/60-sgw-init.rules.in with
 * that timeout ("600"). -EINVAL for what is no number from 1 to
 * RULE_TIMEOUT_MAX: the kernel takes "abc" for 0.
 */
int rule_render(const char *timeout, struct buf *out, struct err *err);

/*
 * Comment out every rule that lint gives a harm, each below a line that says
 * why; the number of them, 0 where there is none.
 */
int rule_mend(struct document *doc, struct err *err);

/* The timeout that a gateway's disk ends with by the rules of one file. */
struct rule_outcome {
	const char *value; /* in plain digits; valid until the document changes */
	unsigned line;
	/*
	 * When it is written: udev's own writing comes before the programs of
	 * all files, and a disk's scsi_device before its block device. Of equal
	 * turns the file that is read later wins: udev sorts by name, whatever
	 * the directory.
	 */
	unsigned turn;
};

/* False where the file's rules leave the disks alone. */
bool rule_outcome(const struct document *doc, struct rule_outcome *out);
/* Whether a file's outcome stands where another file has one too; by their paths. */
bool rule_outcome_wins(const struct rule_outcome *one, const char *path,
		       const struct rule_outcome *other, const char *other_path);

/* Whether any rule, or what was meant to be one, speaks of a device's timeout or of a gateway. */
bool rule_concerns(const struct document *doc);

#endif
