/* SPDX-License-Identifier: MIT */
#include "findings_report.h"

#include <errno.h>
#include <libxml/xmlwriter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/compare.h"
#include "err.h"
#include "escape.h"
#include "report.h"

/*
 * The same finding at many records is one row with a count; a missing record is
 * told by its name.
 */
struct group {
	const struct finding *first;
	size_t count;
};

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_value(const struct place_value *a, const struct place_value *b)
{
	return a == b || (a && b && a->where == b->where && same_text(a->text, b->text));
}

static bool belongs(const struct group *group, const struct finding *finding)
{
	const struct finding *first = group->first;

	return finding->place && finding->place->kind == PLACE_RECORD && first->place &&
	       first->place->kind == PLACE_RECORD && finding->verdict == first->verdict &&
	       finding->verdict != VERDICT_NO_RECORD && finding->wanted == first->wanted &&
	       same_value(finding->value, first->value) && same_text(finding->note, first->note);
}

static struct group *group_findings(const struct findings *findings, size_t *count)
{
	struct group *groups = calloc(findings->count + 1, sizeof(*groups));

	*count = 0;
	for (size_t i = 0; groups && i < findings->count; i++) {
		const struct finding *finding = &findings->items[i];
		size_t g = 0;

		if (finding->verdict == VERDICT_HOLDS)
			continue;
		while (g < *count && !belongs(&groups[g], finding))
			g++;
		if (g == *count)
			groups[(*count)++].first = finding;
		groups[g].count++;
	}
	return groups;
}

/* What is there, "(120)" where it is the default of who reads it, and what the rule asks for. */
static void print_value(const struct finding *finding, char *found, char *wanted, size_t size)
{
	const struct place_value *value = finding->value;

	found[0] = wanted[0] = '\0';
	if (!value)
		return;
	if (value->text)
		snprintf(found, size, "%s", value->text);
	else if (value->where->has_default)
		snprintf(found, size, "(%u)", value->where->os_default);
	else
		snprintf(found, size, "-");
	snprintf(wanted, size, "%s%u",
		 value->setting->rule == RULE_AT_LEAST	? ">="
		 : value->setting->rule == RULE_AT_MOST ? "<="
							: "",
		 value->setting->value);
}

/* A record's name ends in its port: its path goes before the line, and only to tell a note's. */
static void add_row(struct table *table, const struct group *group)
{
	const struct finding *finding = group->first;
	const struct place *place = finding->place;
	char name[ERR_PLACE_MAX], note[2 * ERR_PLACE_MAX], found[64], wanted[64];
	bool record = place && place->kind == PLACE_RECORD;

	if (group->count > 1)
		snprintf(name, sizeof(name), "%zu records", group->count);
	else if (finding->line > 0 && !record)
		snprintf(name, sizeof(name), "%s:%u", place->name, finding->line);
	else
		snprintf(name, sizeof(name), "%s", place ? place->name : "this host");
	snprintf(note, sizeof(note), "%s", finding->note ? finding->note : "");
	if (finding->note && finding->line > 0 && record && group->count == 1)
		snprintf(note, sizeof(note), "%s:%u: %s", place->path, finding->line,
			 finding->note);
	print_value(finding, found, wanted, sizeof(found));
	table_row(table, severity_word(finding->severity), name,
		  finding->value ? finding->value->where->key : "", found, wanted,
		  verdict_word(finding->verdict), note, NULL);
}

int findings_print_table(const struct findings *findings, struct err *err)
{
	static const char *const titles[] = { "SEVERITY", "PLACE", "KEY",  "FOUND",
					      "WANTED",	  "STATE", "NOTE", NULL };
	CLEANUP(table_done) struct table table;
	CLEANUP(free_ptr) struct group *groups = NULL;
	size_t count = 0;

	table_init(&table, titles);
	table.notes = true;
	groups = group_findings(findings, &count);
	if (!groups)
		return err_oom(err);
	for (size_t i = 0; i < count; i++)
		add_row(&table, &groups[i]);
	return table_print(&table, stdout, err);
}

/* Two values of one place may have one remedy; the same at another place is another's to do. */
static bool told_before(const struct findings *findings, size_t at)
{
	const struct finding *finding = &findings->items[at];

	for (size_t i = at; i-- > 0 && findings->items[i].place == finding->place;) {
		if (findings->items[i].remedy &&
		    strcmp(findings->items[i].remedy, finding->remedy) == 0)
			return true;
	}
	return false;
}

void findings_print_remedies(const struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->items[i];
		CLEANUP(free_ptr) char *remedy = NULL;
		const char *place = finding->place ? finding->place->name : "this host";
		char name[2048];

		if (!finding->remedy || told_before(findings, i))
			continue;
		escape_text(place, strlen(place), name, sizeof(name));
		/* Whole: half a command may be another. */
		remedy = malloc(4 * strlen(finding->remedy) + 1);
		if (!remedy)
			continue;
		escape_text(finding->remedy, strlen(finding->remedy), remedy,
			    4 * strlen(finding->remedy) + 1);
		printf("still to do for %s: %s\n", name, remedy);
	}
}

static json_t *finding_json(const struct finding *finding)
{
	const struct place *place = finding->place;
	const struct place_value *value = finding->value;
	const char *found = value ? value->text : NULL;
	json_t *item = json_pack("{s:s, s:s, s:s?, s:o, s:o, s:o}", "verdict",
				 verdict_word(finding->verdict), "severity",
				 severity_word(finding->severity), "place",
				 place ? place_word(place->kind) : NULL, "name",
				 place ? json_text(place->name) : json_null(), "path",
				 place ? json_text(place->path) : json_null(), "line",
				 finding->line > 0 ? json_integer(finding->line) : json_null());
	json_t *told = json_pack(
		"{s:s?, s:s?, s:o, s:o, s:s?, s:s?, s:o, s:o}", "setting",
		value ? value->setting->name : NULL, "key", value ? value->where->key : NULL,
		"found", found ? json_text(found) : json_null(), "wanted",
		value ? json_integer(finding->wanted) : json_null(), "rule",
		value ? rule_word(value->setting->rule) : NULL, "needs",
		value ? needs_word(value->where->needs) : NULL, "note",
		json_text_or_null(finding->note), "remedy", json_text_or_null(finding->remedy));

	json_object_update(item, told);
	json_decref(told);
	return item;
}

json_t *findings_json(const struct findings *findings)
{
	json_t *list = json_array();

	for (size_t i = 0; i < findings->count; i++)
		json_array_append_new(list, finding_json(&findings->items[i]));
	return list;
}

/* Texts come from files of others: XML takes them escaped only. */
static void write_attribute(xmlTextWriter *writer, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void write_attribute(xmlTextWriter *writer, const char *name, const char *fmt, ...)
{
	char text[2 * ERR_PLACE_MAX], shown[4 * sizeof(text)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	escape_text(text, strlen(text), shown, sizeof(shown));
	xmlTextWriterWriteAttribute(writer, BAD_CAST name, BAD_CAST shown);
}

static void write_testcase(xmlTextWriter *writer, const struct finding *finding, bool failed)
{
	const struct place *place = finding->place;
	const char *key = finding->value ? finding->value->where->key : "";
	const char *why = finding->remedy ? finding->remedy : finding->note ? finding->note : "";
	char found[64], wanted[64];

	xmlTextWriterStartElement(writer, BAD_CAST "testcase");
	write_attribute(writer, "classname", "sgw-init.check.%s",
			place ? place_word(place->kind) : "host");
	write_attribute(writer, "name", "%s%s%s", place ? place->name : "this host",
			key[0] ? " " : "", key);
	if (failed) {
		print_value(finding, found, wanted, sizeof(found));
		xmlTextWriterStartElement(writer, BAD_CAST "failure");
		write_attribute(writer, "type", "%s", severity_word(finding->severity));
		write_attribute(writer, "message", "%s%s%s%s%s%s%s", verdict_word(finding->verdict),
				found[0] ? ": found " : "", found, wanted[0] ? ", wanted " : "",
				wanted, why[0] ? ": " : "", why);
		xmlTextWriterEndElement(writer);
	}
	xmlTextWriterEndElement(writer);
}

static void write_suite(xmlTextWriter *writer, const struct findings *findings, bool strict)
{
	size_t failures = 0;

	for (size_t i = 0; i < findings->count; i++)
		failures += finding_weighs(&findings->items[i], strict);
	xmlTextWriterSetIndent(writer, 1);
	xmlTextWriterStartDocument(writer, NULL, "UTF-8", NULL);
	xmlTextWriterStartElement(writer, BAD_CAST "testsuite");
	write_attribute(writer, "name", "sgw-init check");
	write_attribute(writer, "tests", "%zu", findings->count);
	write_attribute(writer, "failures", "%zu", failures);
	for (size_t i = 0; i < findings->count; i++)
		write_testcase(writer, &findings->items[i],
			       finding_weighs(&findings->items[i], strict));
	xmlTextWriterEndDocument(writer);
}

int findings_print_junit(const struct findings *findings, bool strict, struct err *err)
{
	xmlBuffer *text = xmlBufferCreate();
	xmlTextWriter *writer = text ? xmlNewTextWriterMemory(text, 0) : NULL;

	if (writer) {
		write_suite(writer, findings, strict);
		xmlFreeTextWriter(writer); /* flushes */
		fputs((const char *)xmlBufferContent(text), stdout);
	}
	xmlBufferFree(text);
	return writer ? 0 : err_oom(err);
}
