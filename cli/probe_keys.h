/* SPDX-License-Identifier: MIT */
/* The keys of a login that probe offers and shows: offered, agreed on, wanted. */
#ifndef SGW_PROBE_KEYS_H
#define SGW_PROBE_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/wanted.h"
#include "probing.h"

enum {
	PROBE_KEYS_MAX = 16, /* MaxRecvDataSegmentLength counts twice: it has two directions */
	PROBE_KEY_TEXT_MAX = 24,
};

/* A key of one session, as texts; empty where there is none. */
struct probe_key {
	char name[64];
	char offered[PROBE_KEY_TEXT_MAX], agreed[PROBE_KEY_TEXT_MAX], wanted[PROBE_KEY_TEXT_MAX];
	bool number, declared, to_target;
	bool below; /* agreed on less than what is wanted */
};

/* What a host with this profile would offer. */
void probe_offers(struct params *offers, const struct profile *profile);

/* All keys of a session that was logged in, those of most weight first. Returns how many. */
size_t probe_keys(struct probe_key lines[PROBE_KEYS_MAX], const struct probed *probed,
		  const struct wanted *wanted);

/* Whether two that were logged in would show the same. */
bool probe_same_keys(const struct probed *a, const struct probed *b);

#endif
