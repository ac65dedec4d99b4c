/* SPDX-License-Identifier: MIT */
/* A profile's XML tree, already checked against the schema, laid over a profile. */
#ifndef SGW_PROFILE_XML_H
#define SGW_PROFILE_XML_H

#include <libxml/tree.h>

struct err;
struct profile;

/*
 * file is what errors and origins name, with the line; origin, where it is
 * not NULL, is the origin of all values instead. After an error the profile
 * may hold some of it: the caller throws it away.
 */
int profile_xml_lay(struct profile *profile, xmlNode *root, const char *file, const char *origin,
		    struct err *err);

#endif
