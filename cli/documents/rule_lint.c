/* SPDX-License-Identifier: MIT */
#include "documents/rule_lines.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "documents/rule.h"

#define REMEDY "remove it; sgw-init's own rule does what it was meant for"

static void say(struct lint *lint, enum severity severity, const char *harm, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
static void say(struct lint *lint, enum severity severity, const char *harm, const char *fmt, ...)
{
	va_list args;

	lint->severity = severity;
	lint->harm = harm;
	va_start(args, fmt);
	vsnprintf(lint->text, sizeof(lint->text), fmt, args);
	va_end(args);
}

/*
 * A rule without conditions whose line ahead has nothing else: they were meant
 * to be one. SYSFS is what AWS's rule for RHEL 5 begins with; its backslash is
 * printed with a blank behind it, which makes it a fault.
 */
const struct rule_line *rule_lost_condition(const struct document *doc,
					    const struct rule_line *rule)
{
	if (rule == doc->rules || !rule_hits(doc, rule, DEVICE_NET))
		return NULL;
	rule--;
	if (rule->fault)
		return strcmp(rule->fault_key, "SYSFS") == 0 || rule->fault_key[0] == '\\' ? rule
											   : NULL;
	return rule_acts(doc, rule) ? NULL : rule;
}

/* What ran for every device may never have been meant to: its condition is gone. */
#define EVERYWHERE "it ran for every device, not only for a gateway's disks"
#define UNFILLED "a placeholder in it was never filled in"
#define NO_NUMBER "the kernel takes its value for 0"

/* A rule's value, as much of it as is shown. */
struct shown {
	char text[33];
	bool junk; /* the kernel takes it for 0 */
};

static struct shown show(const struct rule_effect *effect)
{
	struct shown shown = { .junk = false };
	size_t digits = 0;

	while (digits < effect->len && effect->value[digits] >= '0' && effect->value[digits] <= '9')
		digits++;
	shown.junk = effect->known && (digits == 0 || digits < effect->len);
	snprintf(shown.text, sizeof(shown.text), "%.*s", (int)(effect->len < 32 ? effect->len : 32),
		 effect->value);
	return shown;
}

static const char *junk_harm(const struct rule_line *rule, const struct shown *value)
{
	if (!value->junk)
		return NULL;
	return rule->unfilled ? UNFILLED : NO_NUMBER;
}

/* A rule that udev takes no part of. */
static bool judge_fault(const struct rule_line *rule, struct lint *lint)
{
	const char *instead = "";

	if (!rule->fault)
		return false;
	if (strcmp(rule->fault_key, "SYSFS") == 0)
		instead = "; ATTR{…} and ATTRS{…} took its place long ago";
	else if (strcmp(rule->fault_key, "DEVTYPE") == 0)
		instead = "; ENV{DEVTYPE} is meant";
	if (rule->unfilled)
		say(lint, SEVERITY_ERROR, UNFILLED,
		    "a placeholder of AWS's page was never filled in, and udev ignores this rule: "
		    "%.64s %s%s",
		    rule->fault_key, rule->fault, instead);
	else
		say(lint, SEVERITY_WARNING, NULL, "udev ignores this rule: %.64s %s%s",
		    rule->fault_key, rule->fault, instead);
	return true;
}

/* Without any condition: nobody means that. With one for all of SCSI, somebody may. */
static bool judge_reach(const struct document *doc, const struct rule_line *rule,
			const struct rule_effect *effect, struct lint *lint)
{
	const struct rule_line *condition = rule_lost_condition(doc, rule);
	bool everywhere = rule_hits(doc, rule, DEVICE_NET);
	const struct shown value = show(effect);
	char lost[64] = "";

	if (!rule_hits(doc, rule, DEVICE_TAPE) || !rule_hits(doc, rule, DEVICE_CHANGER) ||
	    !rule_hits(doc, rule, DEVICE_DISK))
		return false;
	if (condition)
		snprintf(lost, sizeof(lost), " (line %u, its condition, ends without a backslash)",
			 condition->line);
	say(lint, SEVERITY_CRITICAL, everywhere ? EVERYWHERE : junk_harm(rule, &value),
	    "this rule runs for every %s%s and sets the timeout of every disk and tape to %s%s; a "
	    "tape drive loses the 900 s of its own driver%s",
	    everywhere ? "device" : "SCSI device", lost, value.text,
	    value.junk ? ", which the kernel takes for 0" : "",
	    everywhere || value.junk ? "" : "; " REMEDY);
	return true;
}

/* What it does to disks. */
static bool judge_disks(const struct document *doc, const struct rule_line *rule,
			const struct rule_effect *effect, struct lint *lint)
{
	const struct shown value = show(effect);
	bool others = rule_hits(doc, rule, effect->block ? DEVICE_DISK_BLOCK : DEVICE_DISK);

	if (!others && !rule_hits(doc, rule, effect->block ? DEVICE_GATEWAY_BLOCK : DEVICE_GATEWAY))
		return false;
	if (value.junk)
		say(lint, SEVERITY_ERROR, junk_harm(rule, &value),
		    "\"%s\" is no number of seconds, and the kernel takes it for 0", value.text);
	else if (others)
		say(lint, SEVERITY_WARNING, NULL,
		    "this rule sets the timeout of every SCSI disk, not only of a gateway's, to %s",
		    value.text);
	else if (effect->shell)
		say(lint, SEVERITY_WARNING, NULL,
		    "this rule starts a shell for each device of a gateway's disk, most of which "
		    "fail; ATTR{timeout}=\"%s\" on the scsi_device needs none",
		    value.text);
	return value.junk || others || effect->shell;
}

bool rule_judge(const struct document *doc, const struct rule_line *rule, struct lint *lint)
{
	struct rule_effect effect;

	if (judge_fault(rule, lint))
		return true;
	if (rule_effect(doc, rule, &effect) &&
	    (judge_reach(doc, rule, &effect, lint) || judge_disks(doc, rule, &effect, lint)))
		return true;
	if (rule->unfilled)
		say(lint, SEVERITY_ERROR, UNFILLED,
		    "a placeholder of AWS's page was never filled in");
	else if (!rule_acts(doc, rule))
		say(lint, SEVERITY_WARNING, NULL,
		    "udev ignores this rule: it has conditions and nothing to do, as if a "
		    "backslash were missing at its end; " REMEDY);
	return rule->unfilled || !rule_acts(doc, rule);
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
		lint = (struct lint){ .line = doc->rules[i].line, .key = "timeout", .ours = ours };
		r = rule_judge(doc, &doc->rules[i], &lint) ? fn(&lint, ctx) : 0;
		if (r != 0)
			return r;
	}
	return 0;
}
