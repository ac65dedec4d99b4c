/* SPDX-License-Identifier: MIT */
/* A line of --faults or --control: any bytes are a rule, nothing, or an error that says where. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../target/fault_actions.h"
#include "../target/fault_rule.h"
#include "buf.h"
#include "err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(buf_done) struct buf line = { 0 };
	struct rule *rule, *again;
	struct err err;
	int rc;

	buf_add(&line, data, size);
	rc = rule_parse(buf_text(&line), &rule, &err);
	if (rc < 0 && (rule || err.code != -rc || strncmp(err.reason, "column ", 7) != 0))
		abort();
	if (rc <= 0)
		return 0;
	if (!rule->action || rule->nth == 0 == (rule->when == RULE_ON) || !rule_is_live(rule))
		abort();
	/* The text that is kept says the same again. */
	if (rule_parse(rule->text, &again, &err) != 1 || strcmp(again->text, rule->text) != 0 ||
	    again->action != rule->action || again->event != rule->event ||
	    again->args.ms != rule->args.ms || again->args.code != rule->args.code ||
	    !buf_equal(&again->args.text, &rule->args.text))
		abort();
	rule_free(again);
	rule_free(rule);
	return 0;
}
