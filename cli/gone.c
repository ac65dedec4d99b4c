/* SPDX-License-Identifier: MIT */
#include "gone.h"

#include <string.h>

#include "err.h"
#include "inspection.h"
#include "iscsi/portal.h"
#include "quote.h"

static bool leads_to(const struct record *record, const struct portal *portal)
{
	return portal && record->port == portal->port && strcmp(record->address, portal->host) == 0;
}

/* Whether records that such an answer makes lead where this one does. */
static bool is_of(const struct record *record, const struct discovery_result *result)
{
	struct portal reached;

	if (result->rc < 0 || !portal_reached(result, &reached))
		return false;
	if (leads_to(record, &reached))
		return true;
	for (size_t i = 0; i < result->targets.count; i++) {
		if (leads_to(record, inspection_path(&result->targets.list[i], &reached)))
			return true;
	}
	return false;
}

static bool is_offered(const struct inspection *in, const struct record *record)
{
	for (size_t i = 0; i < in->portals.target_count; i++) {
		if (strcmp(in->portals.targets[i], record->target) == 0)
			return true;
	}
	return false;
}

static int add(struct findings *findings, const struct record *record, struct err *err)
{
	CLEANUP(buf_done) struct buf note = { 0 }, remedy = { 0 };
	const struct finding finding = { .verdict = VERDICT_GONE, .severity = SEVERITY_WARNING };
	char portal[PORTAL_TEXT_MAX];

	portal_text_of(record->address, record->port, portal);
	buf_addf(&note,
		 "%s has a record, but %s does not offer it any more: was the volume deleted at "
		 "the gateway?",
		 record->target, portal);
	buf_adds(&remedy, "remove the record: sgw-init disconnect ");
	quote_target(&remedy, record->address, record->port, record->target);
	buf_adds(&remedy, " --forget");
	if (note.failed || remedy.failed)
		return err_oom(err);
	return findings_add_remedied(findings, &finding, note.data, remedy.data, err);
}

int gone_find(struct inspection *in, struct err *err)
{
	const struct database *db = &in->survey.database;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < db->count; i++) {
		const struct record *record = &db->records[i];
		bool asked = false;

		if (gateway_kind(record->target) == GATEWAY_OTHER || is_offered(in, record))
			continue;
		for (size_t j = 0; !asked && j < in->portals.count; j++)
			asked = is_of(record, &in->portals.results[j]);
		if (asked)
			rc = add(&in->findings, record, err);
	}
	return rc;
}
