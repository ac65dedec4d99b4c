/* SPDX-License-Identifier: MIT */
/* What apply prints: the plan at once where people read, one document at the end for programs. */
#ifndef SGW_APPLY_REPORT_H
#define SGW_APPLY_REPORT_H

#include <jansson.h>

#include "engine/tx.h"

struct actions;
struct err;
struct options;
struct plan;

struct apply_report {
	const struct options *opt;
	char id[TX_ID_MAX]; /* of the journal's entry; empty: nothing was written */
	json_t *document; /* with --output json, from apply_report_plan() on */
	unsigned attempts; /* that wrote something; the last one's counts: */
	size_t files, live;
};

/*
 * The plan, before what it points to ends; of a dry run what would be done as
 * well. Of an apply that begins anew each attempt that wrote.
 */
int apply_report_plan(struct apply_report *report, const struct plan *plan,
		      const struct actions *actions, struct err *err);

/* What was written holds: how to take it back. Nothing where nothing was. */
void apply_report_written(const struct apply_report *report);

/* Add to the document for programs; takes the value. Nothing without a document. */
void apply_report_add(struct apply_report *report, const char *key, json_t *value);

/* Print that document, ok as json_print() has it; ends the report. */
int apply_report_end(struct apply_report *report, bool ok, struct err *err);

#endif
