/* SPDX-License-Identifier: MIT */
/* What probe found, as tables and as JSON. */
#ifndef SGW_PROBE_REPORT_H
#define SGW_PROBE_REPORT_H

#include <stddef.h>

#include "engine/wanted.h"
#include "probing.h"

struct err;

int probe_print_tables(const struct probed *list, size_t count, const struct wanted *wanted,
		       struct err *err);
int probe_print_json(const struct probed *list, size_t count, const struct wanted *wanted,
		     const char *portal, const char *initiator, bool ok, struct err *err);

/*
 * The trouble with one target, its cause and its remedy, on standard error;
 * nothing where it is fine.
 */
void probe_print_trouble(const struct probed *probed);

#endif
