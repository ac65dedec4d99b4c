/* SPDX-License-Identifier: MIT */
/* The process that holds a lock: enough to tell it from a later one with its number. */
#ifndef SGW_OWNER_H
#define SGW_OWNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct owner {
	uint32_t pid;
	uint64_t start; /* clock ticks after boot; 0 where /proc cannot be read */
	char boot[64]; /* boot_id */
	char names[64]; /* the namespace that pid counts in: "pid:[4026531836]" */
};

enum { OWNER_TEXT_MAX = 256 };

void owner_self(struct owner *owner);
/* One line for a lock file; its length. */
int owner_format(const struct owner *owner, char *out, size_t size);
/* false for what no sgw-init wrote. The text is cut to pieces. */
bool owner_parse(struct owner *owner, char *text);
/* Surely gone: of another boot, or its number is nobody's or somebody else's now. */
bool owner_dead(const struct owner *owner);

#endif
