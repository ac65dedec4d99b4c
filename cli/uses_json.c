/* SPDX-License-Identifier: MIT */
#include "uses_json.h"

#include "host/in_use.h"
#include "report.h"

json_t *uses_json(const struct uses *uses)
{
	json_t *list = json_array();

	for (size_t i = 0; i < uses->count; i++) {
		const struct use *use = &uses->items[i];

		json_array_append_new(
			list, json_pack("{s:s, s:o, s:o, s:o}", "kind", use_word(use->kind), "by",
					json_text(use->by), "process",
					use->pid ? json_integer(use->pid) : json_null(), "next",
					use->next ? json_text(use->next) : json_null()));
	}
	return list;
}
