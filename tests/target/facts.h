/* SPDX-License-Identifier: MIT */
/* Facts as JSON, for the transcript and for those who ask by the control socket. */
#ifndef SGW_TARGET_FACTS_H
#define SGW_TARGET_FACTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct faults;

/* Bytes of others as a string: what is no UTF-8 or steers a terminal is escaped. */
json_t *facts_text(const char *text, size_t len) __attribute__((nonnull));
/* What was negotiated (by enum param), for a session of that type. */
json_t *facts_values(const uint32_t *value, bool discovery) __attribute__((nonnull));
/*
 * The answer to "status", one line: what the server is up to, counters, the
 * sessions with what they negotiated, the rules with what they met.
 */
void facts_status(const struct faults *faults, struct buf *out) __attribute__((nonnull));

#endif
