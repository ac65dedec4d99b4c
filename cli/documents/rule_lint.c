/* SPDX-License-Identifier: MIT */
/* Rules that do not do what they were written for: above all those that AWS's page prints. */
#include "documents/rule_lines.h"

#include <stdio.h>
#include <string.h>

#include "documents/rule.h"

#define REMEDY "remove it; sgw-init's own rule does what it was meant for"

/* The rule ahead, whose lines were meant to be this one's conditions. */
static const struct rule_line *lost_condition(const struct document *doc,
					      const struct rule_line *rule)
{
	if (rule == doc->rules)
		return NULL;
	rule--;
	return rule->fault || !rule_acts(doc, rule) ? rule : NULL;
}

static bool is_number(const struct rule_effect *effect)
{
	return effect->len > 0 && strspn(effect->value, "0123456789") >= effect->len;
}

/* A rule that udev takes no part of. */
static bool lint_fault(const struct rule_line *rule, struct lint *lint)
{
	const char *instead = "";

	if (!rule->fault)
		return false;
	if (strcmp(rule->fault_key, "SYSFS") == 0)
		instead = "; ATTR{…} and ATTRS{…} took its place long ago";
	else if (strcmp(rule->fault_key, "DEVTYPE") == 0)
		instead = "; ENV{DEVTYPE} is meant";
	snprintf(lint->text, sizeof(lint->text), "udev ignores this rule: %.64s %s%s",
		 rule->fault_key, rule->fault, instead);
	return true;
}

/* Whom it hits beside the gateway's disks. */
static bool lint_reach(const struct document *doc, const struct rule_line *rule,
		       const struct rule_effect *effect, struct lint *lint)
{
	const struct rule_line *condition = lost_condition(doc, rule);
	char lost[64] = "";

	if (rule_hits(doc, rule, DEVICE_TAPE) && rule_hits(doc, rule, DEVICE_CHANGER) &&
	    rule_hits(doc, rule, DEVICE_DISK)) {
		if (condition)
			snprintf(lost, sizeof(lost),
				 " (line %u, its condition, ends without a backslash)",
				 condition->line);
		lint->severity = SEVERITY_CRITICAL;
		snprintf(lint->text, sizeof(lint->text),
			 "this rule runs for every %s%s and sets the timeout of every disk and "
			 "tape to "
			 "%.*s%s; " REMEDY,
			 rule_hits(doc, rule, DEVICE_NET) ? "device" : "SCSI device", lost,
			 (int)(effect->len < 32 ? effect->len : 32), effect->value,
			 is_number(effect) ? "" : ", which the kernel takes for 0");
		return true;
	}
	if (rule_hits(doc, rule, effect->block ? DEVICE_DISK_BLOCK : DEVICE_DISK)) {
		snprintf(lint->text, sizeof(lint->text),
			 "this rule sets the timeout of every SCSI disk, not only of a gateway's, "
			 "to "
			 "%.*s",
			 (int)(effect->len < 32 ? effect->len : 32), effect->value);
		return true;
	}
	return false;
}

/* What it does to the gateway's disks. */
static bool lint_gateway(const struct document *doc, const struct rule_line *rule,
			 const struct rule_effect *effect, struct lint *lint)
{
	if (!rule_hits(doc, rule, effect->block ? DEVICE_GATEWAY_BLOCK : DEVICE_GATEWAY))
		return false;
	if (!is_number(effect)) {
		lint->severity = SEVERITY_ERROR;
		snprintf(lint->text, sizeof(lint->text),
			 "\"%.*s\" is no number of seconds, and the kernel takes it for 0; " REMEDY,
			 (int)(effect->len < 32 ? effect->len : 32), effect->value);
		return true;
	}
	if (!effect->shell)
		return false;
	snprintf(
		lint->text, sizeof(lint->text),
		"this rule starts a shell for each device of a gateway's disk, most of which fail; "
		"ATTR{timeout}=\"%.*s\" on the scsi_device needs none",
		(int)(effect->len < 32 ? effect->len : 32), effect->value);
	return true;
}

static bool lint_rule(const struct document *doc, const struct rule_line *rule, struct lint *lint)
{
	struct rule_effect effect;

	if (lint_fault(rule, lint))
		return true;
	if (rule_effect(doc, rule, &effect))
		return lint_reach(doc, rule, &effect, lint) ||
		       lint_gateway(doc, rule, &effect, lint);
	if (rule_acts(doc, rule))
		return false;
	snprintf(lint->text, sizeof(lint->text),
		 "udev ignores this rule: it has conditions and nothing to do, as if a backslash "
		 "were missing at its end; " REMEDY);
	return true;
}

int rule_lint(const struct document *doc, const char *const *keys, lint_fn *fn, void *ctx)
{
	struct lint lint;
	bool ours = false;
	int r;

	for (; keys && *keys; keys++)
		ours |= strcmp(*keys, "timeout") == 0;
	for (size_t i = 0; i < doc->rule_count; i++) {
		if (!doc->rules[i].relevant)
			continue;
		lint = (struct lint){ .line = doc->rules[i].line,
				      .severity = SEVERITY_WARNING,
				      .key = "timeout",
				      .ours = ours };
		r = lint_rule(doc, &doc->rules[i], &lint) ? fn(&lint, ctx) : 0;
		if (r != 0)
			return r;
	}
	return 0;
}
