/* SPDX-License-Identifier: MIT */
/*
 * udev rules, as far as they set the device timeout of a Storage Gateway's
 * disk: what document_rule offers beyond struct document_type. Its only key
 * is "timeout".
 */
#ifndef SGW_RULE_H
#define SGW_RULE_H

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
 * Comment out the rule that begins at that line, with its continuation lines:
 * what lint says of others' rules. 1, or 0 where no rule begins there.
 */
int rule_disable(struct document *doc, unsigned line, struct err *err);

#endif
