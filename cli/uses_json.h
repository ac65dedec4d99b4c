/* SPDX-License-Identifier: MIT */
/* Who uses a device, as every JSON document tells it. */
#ifndef SGW_USES_JSON_H
#define SGW_USES_JSON_H

#include <jansson.h>

struct uses;

/* [{"kind", "by", "process", "next"}, …]; process and next may be null. */
json_t *uses_json(const struct uses *uses);

#endif
