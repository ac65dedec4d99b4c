/* SPDX-License-Identifier: MIT */
/* Portals and names of a target: the canonical form reads back as itself. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "iscsi/name.h"
#include "iscsi/portal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct portal portal, again;
	char text[PORTAL_TEXT_MAX];
	struct err err;

	(void)name_check((const char *)data, size, &err);
	if (portal_parse_peer((const char *)data, size, &portal, &err) < 0)
		return 0;
	portal_text_tag(&portal, text);
	if (portal_parse(text, &again, &err) != 0 || !portal_equal(&portal, &again) ||
	    portal.tag != again.tag || portal.numeric != again.numeric || portal.port == 0)
		abort();
	return 0;
}
