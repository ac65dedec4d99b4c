/* SPDX-License-Identifier: MIT */
/* How findings are shown: as a table, for programs, and what is left to type. */
#ifndef SGW_FINDINGS_REPORT_H
#define SGW_FINDINGS_REPORT_H

#include <jansson.h>
#include <stdbool.h>

struct err;
struct findings;

/* One row a finding, like ones of many records as one; what holds has none. */
int findings_print_table(const struct findings *findings, struct err *err);

/* What no apply mends: "still to do for PLACE: COMMAND", each once a place. */
void findings_print_remedies(const struct findings *findings);

json_t *findings_json(const struct findings *findings);

/* One testcase a finding; those that weigh are its failures. */
int findings_print_junit(const struct findings *findings, bool strict, struct err *err);

#endif
