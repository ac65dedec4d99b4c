/* SPDX-License-Identifier: MIT */
#include "probe_report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "err.h"
#include "probe_keys.h"
#include "report.h"

static bool was_logged_in(const struct probed *probed)
{
	return probed->result.stage >= PROBE_COMMANDS;
}

/* One table for all targets that agreed on the same. */
static int print_keys(const struct probed *list, size_t count, size_t first,
		      const struct wanted *wanted, struct err *err)
{
	static const char *const titles[] = { "KEY", "OFFERED", "NEGOTIATED", "WANTED", "", NULL };
	struct probe_key lines[PROBE_KEYS_MAX];
	size_t line_count = probe_keys(lines, &list[first], wanted);
	CLEANUP(table_done) struct table table;
	CLEANUP(buf_done) struct buf others = { 0 };
	size_t same = 0;

	for (size_t i = first + 1; i < count; i++)
		same += was_logged_in(&list[i]) && probe_same_keys(&list[first], &list[i]);
	if (same > 0)
		buf_addf(&others, " and %zu more", same);
	printf("\nnegotiated with %s%s:\n", list[first].target, buf_text(&others));
	table_init(&table, titles);
	for (size_t i = 0; i < line_count; i++)
		table_row(&table, lines[i].name, lines[i].offered, lines[i].agreed, lines[i].wanted,
			  lines[i].below ? "less than wanted" : "", NULL);
	return table_print(&table, stdout, err);
}

static int print_all_keys(const struct probed *list, size_t count, const struct wanted *wanted,
			  struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++) {
		size_t before = 0;

		if (!was_logged_in(&list[i]))
			continue;
		while (before < i &&
		       !(was_logged_in(&list[before]) && probe_same_keys(&list[before], &list[i])))
			before++;
		if (before == i)
			rc = print_keys(list, count, i, wanted, err);
	}
	return rc;
}

static void device_text(const struct probe_unit *unit, char *out, size_t size)
{
	const struct cdb_identity *identity = &unit->identity;

	if (!unit->identified)
		snprintf(out, size, "?");
	else if (identity->qualifier != 0)
		snprintf(out, size, "none");
	else
		snprintf(out, size, "%s %s %s %s", cdb_type_name(identity->type), identity->vendor,
			 identity->product, identity->revision);
}

static void add_unit_row(struct table *table, const struct probed *probed, size_t number)
{
	const struct probe_result *result = &probed->result;
	const struct probe_unit *unit = &result->units[number];
	char lun[24], device[80], size[32] = "", trip[24];

	snprintf(lun, sizeof(lun), "%llu", (unsigned long long)probe_unit_number(unit));
	device_text(unit, device, sizeof(device));
	if (unit->blocks > 0)
		size_text(unit->blocks * unit->block_size, size, sizeof(size));
	snprintf(trip, sizeof(trip), "%.2f ms", (double)result->ping_us / 1000);
	if (number == 0)
		table_row(table, probed->target, credentials_word(probed->credentials.from),
			  login_verdict_name(result->ours), login_verdict_name(result->theirs), lun,
			  device, size, trip, NULL);
	else
		table_row(table, "", "", "", "", lun, device, size, "", NULL);
}

static int print_targets(const struct probed *list, size_t count, struct err *err)
{
	static const char *const titles[] = { "TARGET",		"CREDENTIALS", "HOST'S PROOF",
					      "TARGET'S PROOF", "LUN",	       "DEVICE",
					      "CAPACITY",	"ROUND TRIP",  NULL };
	CLEANUP(table_done) struct table table;

	table_init(&table, titles);
	for (size_t i = 0; i < count; i++) {
		const struct probed *probed = &list[i];

		if (probed->live)
			table_row(&table, probed->target, "", "not probed", "not probed", "", "",
				  "", "", NULL);
		else if (probed->result.unit_count == 0)
			table_row(&table, probed->target,
				  credentials_word(probed->credentials.from),
				  login_verdict_name(probed->result.ours),
				  login_verdict_name(probed->result.theirs), "", "", "", "", NULL);
		for (size_t j = 0; j < probed->result.unit_count; j++)
			add_unit_row(&table, probed, j);
	}
	return table_print(&table, stdout, err);
}

static void audit_text_of(enum audit audit, enum audit_outcome outcome, char *out, size_t size)
{
	static const char *const words[][2] = {
		[AUDIT_REFUSED] = { "refuses", "" },
		[AUDIT_ALLOWED] = { "accepts", " (the standard leaves that to the target)" },
		[AUDIT_WRONG] = { "wrongly accepts", "" },
		[AUDIT_UNKNOWN] = { "gives no verdict on", "" },
	};

	snprintf(out, size, "%s %s%s", words[outcome][0], audit_text(audit), words[outcome][1]);
}

static int print_audits(const struct probed *list, size_t count, struct err *err)
{
	static const char *const titles[] = { "TARGET", "AUDIT", NULL };
	CLEANUP(table_done) struct table table;

	table_init(&table, titles);
	for (size_t i = 0; i < count; i++) {
		for (enum audit audit = 0; audit < AUDITS; audit++) {
			char text[128];

			if (list[i].audits[audit] == AUDIT_NOT_TRIED)
				continue;
			audit_text_of(audit, list[i].audits[audit], text, sizeof(text));
			table_row(&table, list[i].target, text, NULL);
		}
	}
	if (table_rows(&table) > 0)
		printf("\n");
	return table_print(&table, stdout, err);
}

int probe_print_tables(const struct probed *list, size_t count, const struct wanted *wanted,
		       struct err *err)
{
	int rc = print_targets(list, count, err);

	if (rc == 0)
		rc = print_all_keys(list, count, wanted, err);
	return rc < 0 ? rc : print_audits(list, count, err);
}

/* What went wrong in detail: the login's or the connection's own words, or the units'. */
static void add_detail(const struct probed *probed, struct buf *out)
{
	if (probed->result.rc < 0) {
		buf_adds(out, probed->result.err.reason);
		return;
	}
	for (size_t i = 0; i < probed->result.unit_count; i++) {
		const struct probe_unit *unit = &probed->result.units[i];

		if (unit->problem[0])
			buf_addf(out, "%sLUN %llu: %s", out->len > 0 ? "; " : "",
				 (unsigned long long)probe_unit_number(unit), unit->problem);
	}
}

/* Where no verdict tells all, the words of what broke do. */
static bool needs_detail(enum probe_cause cause)
{
	return !probe_cause_remedy(cause) || cause == PROBE_UNREACHABLE || cause == PROBE_SILENT ||
	       cause == PROBE_WRONG_NAME || cause == PROBE_CREDENTIALS ||
	       cause == PROBE_UNAVAILABLE;
}

void probe_print_trouble(const struct probed *probed)
{
	enum probe_cause cause = probed_cause(probed);
	const char *remedy = probed_remedy(probed);
	CLEANUP(buf_done) struct buf detail = { 0 };
	struct err err = { 0 };

	if (probed->live) {
		err_set(&err, EBUSY,
			"it has a live session on this host (%s): --force probes it all the same",
			probed->live);
	} else {
		warn_lines(probed->target, buf_text(&probed->result.notes));
		if (cause == PROBE_FINE)
			return;
		add_detail(probed, &detail);
		if (needs_detail(cause))
			err_set(&err, EIO, "%s: %s%s%s", probe_cause_text(cause), buf_text(&detail),
				remedy ? "; " : "", remedy ? remedy : "");
		else
			err_set(&err, EIO, "%s: %s", probe_cause_text(cause), remedy);
	}
	err_at(&err, "%s", probed->target);
	err_print("sgw-init", &err);
}

static json_t *value_json(const struct probe_key *line, const char *text)
{
	if (text[0] == '\0')
		return json_null();
	return line->number ? json_integer(strtoll(text, NULL, 10)) : json_string(text);
}

static json_t *keys_json(const struct probed *probed, const struct wanted *wanted)
{
	struct probe_key lines[PROBE_KEYS_MAX];
	size_t count = probe_keys(lines, probed, wanted);
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		const struct probe_key *line = &lines[i];
		const char *by = line->to_target ? "target" : "host";

		json_array_append_new(
			list, json_pack("{s:o, s:s?, s:o, s:o, s:o, s:o}", "key",
					json_stringn(line->name, strcspn(line->name, ",")),
					"declared_by", line->declared ? by : NULL, "offered",
					value_json(line, line->offered), "negotiated",
					value_json(line, line->agreed), "wanted",
					value_json(line, line->wanted), "below",
					line->wanted[0] ? json_boolean(line->below) : json_null()));
	}
	return list;
}

static json_t *unit_json(const struct probe_unit *unit)
{
	const struct cdb_identity *known = unit->identified ? &unit->identity : NULL;
	bool sized = unit->blocks > 0;

	return json_pack("{s:I, s:o, s:s?, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "lun",
			 (json_int_t)probe_unit_number(unit), "type",
			 known ? json_integer(known->type) : json_null(), "type_name",
			 known ? cdb_type_name(known->type) : NULL, "vendor",
			 known ? json_text(known->vendor) : json_null(), "product",
			 known ? json_text(known->product) : json_null(), "revision",
			 known ? json_text(known->revision) : json_null(), "blocks",
			 sized ? json_integer((json_int_t)unit->blocks) : json_null(), "block_size",
			 sized ? json_integer(unit->block_size) : json_null(), "size_bytes",
			 sized ? json_integer((json_int_t)(unit->blocks * unit->block_size))
			       : json_null(),
			 "error", unit->problem[0] ? json_error(unit->problem) : json_null());
}

static json_t *audits_json(const struct probed *probed)
{
	json_t *list = json_array();

	for (enum audit audit = 0; audit < AUDITS; audit++) {
		if (probed->audits[audit] != AUDIT_NOT_TRIED)
			json_array_append_new(
				list, json_pack("{s:s, s:s}", "test", audit_word(audit), "outcome",
						audit_outcome_word(probed->audits[audit])));
	}
	return list;
}

static json_t *trouble_json(const struct probed *probed)
{
	enum probe_cause cause = probed_cause(probed);
	const char *remedy = probed_remedy(probed);
	CLEANUP(buf_done) struct buf detail = { 0 };

	if (probed->live)
		return json_pack("{s:s, s:s, s:n, s:s}", "text",
				 "it has a live session on this host", "cause", "live-session",
				 "detail", "remedy", "--force probes it all the same");
	add_detail(probed, &detail);
	return json_pack("{s:s, s:s, s:o, s:s?}", "text", probe_cause_text(cause), "cause",
			 probe_cause_word(cause), "detail", json_text_or_null(buf_text(&detail)),
			 "remedy", remedy);
}

static json_t *notes_json(const struct buf *notes)
{
	const char *line = buf_text(notes);
	json_t *list = json_array();

	while (*line) {
		size_t len = strcspn(line, "\n");

		json_array_append_new(list, json_stringn(line, len));
		line += len + (line[len] == '\n');
	}
	return list;
}

static json_t *round_trip_json(const struct probe_result *result)
{
	return json_pack("{s:I, s:I, s:I}", "connect", (json_int_t)result->connect_us, "login",
			 (json_int_t)result->login_us, "nop", (json_int_t)result->ping_us);
}

static json_t *probed_json(const struct probed *probed, const struct wanted *wanted)
{
	const struct probe_result *result = &probed->result;
	const struct credentials *credentials = &probed->credentials;
	char portal[PORTAL_TEXT_MAX] = "";
	json_t *units = json_array(), *item;

	if (result->has_answered)
		portal_text(&result->answered, portal);
	item = json_pack(
		"{s:o, s:s, s:b, s:o, s:{s:s, s:o}, s:{s:s, s:s}}", "target",
		json_text(probed->target), "kind", gateway_word(gateway_kind(probed->target)), "ok",
		probed_is_fine(probed), "portal", json_text_or_null(portal), "credentials", "from",
		credentials_word(credentials->from), "path", json_text_or_null(credentials->where),
		"chap", "host", login_verdict_name(result->ours), "target",
		login_verdict_name(result->theirs));
	json_object_set_new(item, "round_trip_us",
			    result->has_answered ? round_trip_json(result) : json_null());
	json_object_set_new(item, "keys",
			    !probed->live && was_logged_in(probed) ? keys_json(probed, wanted)
								   : json_array());
	for (size_t i = 0; i < result->unit_count; i++)
		json_array_append_new(units, unit_json(&result->units[i]));
	json_object_set_new(item, "units", units);
	json_object_set_new(item, "audit", audits_json(probed));
	json_object_set_new(item, "notes", notes_json(&result->notes));
	json_object_set_new(item, "error",
			    probed->live || probed_cause(probed) != PROBE_FINE
				    ? trouble_json(probed)
				    : json_null());
	return item;
}

int probe_print_json(const struct probed *list, size_t count, const struct wanted *wanted,
		     const char *portal, const char *initiator, bool ok, struct err *err)
{
	json_t *document = json_document("probe"), *targets = json_array();

	json_object_set_new(document, "portal", json_text(portal));
	json_object_set_new(document, "initiator", json_text(initiator));
	json_object_set_new(document, "targets", targets);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(targets, probed_json(&list[i], wanted));
	return json_print(document, ok, stdout, err);
}
