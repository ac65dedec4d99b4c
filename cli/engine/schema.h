/* SPDX-License-Identifier: MIT */
/* XML that others wrote: read without trust, checked against a compiled-in RELAX NG schema. */
#ifndef SGW_SCHEMA_H
#define SGW_SCHEMA_H

#include <libxml/tree.h>
#include <stddef.h>

struct err;

enum { SCHEMA_BYTES_MAX = 1 << 20 };

/*
 * Parse bytes (at most SCHEMA_BYTES_MAX) and check them against the template
 * of that name. A document type declaration is refused before anything in it
 * is read, so there are no entities but XML's own five; nothing is ever
 * loaded. -EINVAL: the place is FILE:LINE, the reason names the element, the
 * attribute and what is expected there. The caller ends *doc by xmlFreeDoc().
 */
int schema_read(xmlDoc **doc, const char *schema, const char *bytes, size_t len, const char *file,
		struct err *err);

/* For `CLEANUP(schema_free_doc) xmlDoc *doc = NULL;` */
void schema_free_doc(xmlDoc **doc);

#endif
