/* SPDX-License-Identifier: MIT */
/* Why a document does not fit its RELAX NG schema, in words: libxml2 gives no reason. */
#ifndef SGW_SCHEMA_EXPLAIN_H
#define SGW_SCHEMA_EXPLAIN_H

#include <libxml/tree.h>

struct err;
struct template;

/*
 * Find the first fault of doc and say in *err what is expected there; returns
 * its line, or 0 where the fault is beyond what is understood here of RELAX
 * NG: nested elements and attributes, optional and zeroOrMore, choices of
 * values, data of the types string and unsignedInt with their parameters. The
 * a:documentation of an attribute tells what is expected of it.
 */
long schema_explain(const struct template *schema, xmlDoc *doc, struct err *err);

#endif
