/* SPDX-License-Identifier: MIT */
#include "templates.h"

#include <string.h>

const struct template *template_find(const char *name)
{
	for (const struct template *t = templates; t->name; t++) {
		if (strcmp(t->name, name) == 0)
			return t;
	}
	return NULL;
}
