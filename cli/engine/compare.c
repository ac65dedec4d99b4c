/* SPDX-License-Identifier: MIT */
#include "engine/compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "documents/document.h"
#include "documents/rule.h"
#include "engine/compare_boot.h"
#include "engine/compare_sessions.h"
#include "engine/knob.h"
#include "engine/survey.h"
#include "err.h"
#include "host/rule_files.h"
#include "iscsi/portal.h"
#include "quote.h"

static const char *const words[] = {
	[VERDICT_HOLDS] = "holds",
	[VERDICT_KEPT] = "kept",
	[VERDICT_NEGOTIATED] = "negotiated",
	[VERDICT_DIFFERS] = "differs",
	[VERDICT_NOT_SET] = "not set",
	[VERDICT_LINT] = "lint",
	[VERDICT_HALF_DONE] = "half done",
	[VERDICT_NO_RECORD] = "no record",
	[VERDICT_EXPOSED] = "exposed",
	[VERDICT_OVERRULED] = "overruled",
	[VERDICT_STALE] = "stale",
	[VERDICT_HARMFUL] = "harmful",
	[VERDICT_DOWN] = "down",
	[VERDICT_NOT_AT_BOOT] = "not at boot",
	[VERDICT_GONE] = "gone",
	[VERDICT_TWICE] = "twice",
};

const char *verdict_word(enum verdict verdict)
{
	return words[verdict];
}

int findings_add(struct findings *findings, struct finding finding, const char *note,
		 struct err *err)
{
	if (note && !(finding.note = strdup(note)))
		return err_oom(err);
	if (!ARRAY_ROOM(findings->items, findings->count)) {
		free(finding.note);
		return err_oom(err);
	}
	findings->items[findings->count++] = finding;
	return 0;
}

void findings_done(struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		free(findings->items[i].note);
		free(findings->items[i].remedy);
	}
	free(findings->items);
	*findings = (struct findings){ 0 };
}

static enum verdict judge(const struct place *place, const struct place_value *value,
			  uint32_t *wanted)
{
	const struct setting_place *where = value->where;
	uint32_t current = where->os_default;
	bool set = value->text != NULL, number = set && place_number(place, value->text, &current);

	*wanted = setting_wanted(value->setting, where, number ? &current : NULL);
	if (!number && (set || !where->has_default))
		return set ? VERDICT_DIFFERS : VERDICT_NOT_SET;
	if (current == *wanted)
		return current == value->setting->value ? VERDICT_HOLDS : VERDICT_KEPT;
	if (where->negotiated && current < *wanted)
		return VERDICT_NEGOTIATED;
	return set ? VERDICT_DIFFERS : VERDICT_NOT_SET;
}

static enum severity weigh(enum verdict verdict, const struct setting *setting)
{
	return verdict == VERDICT_DIFFERS || verdict == VERDICT_NOT_SET ? setting->severity
									: SEVERITY_INFO;
}

int finding_set_remedy(struct finding *finding, const char *text, struct err *err)
{
	finding->remedy = strdup(text);
	return finding->remedy ? 0 : err_oom(err);
}

int findings_add_remedied(struct findings *findings, const struct finding *finding,
			  const char *note, const char *remedy, struct err *err)
{
	int rc = findings_add(findings, *finding, note, err);

	if (rc < 0 || !remedy)
		return rc;
	return finding_set_remedy(&findings->items[findings->count - 1], remedy, err);
}

/* What mends a value of a session where apply does not: it is taken over at a login. */
static int add_remedy(struct findings *findings, struct err *err)
{
	static const struct asked nothing = { "sgw-init apply", "" };
	const struct asked *asked = findings->asked ? findings->asked : &nothing;
	struct finding *finding = &findings->items[findings->count - 1];
	const struct place *place = finding->place;
	CLEANUP(buf_done) struct buf text = { 0 };

	if (place->recorded)
		buf_addf(&text, "log in again once nothing uses its devices: %s --relogin",
			 asked->apply);
	else
		buf_addf(&text,
			 "it has no record to log in again by: make one with sgw-init apply "
			 "PORTAL%s, or log out once nothing uses its devices: iscsiadm -m session "
			 "-r %s --logout",
			 asked->options, place->session->name + strlen("session"));
	return text.failed ? err_oom(err) : finding_set_remedy(finding, text.data, err);
}

/* Findings of a text, and what it says of one key. */
struct linted {
	struct findings *findings;
	const struct place *place;
	struct err *err;
};

/* The finding of that key at that place, where its value is not in effect. */
static struct finding *finding_of_key(const struct linted *linted, const char *key)
{
	for (size_t i = linted->findings->count; i-- > 0;) {
		struct finding *finding = &linted->findings->items[i];

		if (finding->place != linted->place)
			break;
		if (finding->verdict == VERDICT_NOT_SET && !finding->note &&
		    strcmp(finding->value->where->key, key) == 0)
			return finding;
	}
	return NULL;
}

/* Of others' files apply writes those of the administrator, and nothing that a link leads to. */
static int take_harm(const struct lint *lint, const struct linted *linted)
{
	const struct place *place = linted->place;
	bool mendable = place->editable || !place->others;
	bool linked = strncmp(place->path, RULES_DIR "/", strlen(RULES_DIR) + 1) == 0;
	char note[sizeof(lint->text) + 160];

	snprintf(note, sizeof(note), "%s; %s", lint->text,
		 mendable ? "apply comments it out"
		 : linked ? "it is a link to a file elsewhere, which apply leaves alone"
			  : "apply changes no file outside of " RULES_DIR
			    ": an empty one there, of the same name, hides this one");
	return findings_add(linted->findings,
			    (struct finding){ .verdict = mendable ? VERDICT_HARMFUL : VERDICT_LINT,
					      .severity = lint->severity,
					      .place = place,
					      .line = lint->line },
			    note, linted->err);
}

/* A line that explains why a value is not set joins that finding; others stand alone. */
static int take_lint(const struct lint *lint, void *ctx)
{
	struct linted *linted = ctx;
	struct finding *finding = lint->ours ? finding_of_key(linted, lint->key) : NULL;

	if (lint->harm)
		return take_harm(lint, linted);
	if (!finding)
		return findings_add(linted->findings,
				    (struct finding){ .verdict = VERDICT_LINT,
						      .severity = lint->severity,
						      .place = linted->place,
						      .line = lint->line },
				    lint->text, linted->err);
	finding->note = strdup(lint->text);
	finding->line = lint->line;
	return finding->note ? 0 : err_oom(linted->err);
}

static int lint_place(const struct place *place, struct findings *findings, struct err *err)
{
	CLEANUP(free_ptr) const char **keys = calloc(place->value_count + 1, sizeof(*keys));
	struct linted linted = { .findings = findings, .place = place, .err = err };

	if (!keys)
		return err_oom(err);
	for (size_t i = 0; i < place->value_count; i++)
		keys[i] = place->values[i].where->key;
	return place->type->lint(place->doc, keys, take_lint, &linted);
}

static int add_exposed(const struct place *place, struct findings *findings, struct err *err)
{
	char note[96];

	snprintf(note, sizeof(note), "mode %04o lets others at the CHAP secrets in it",
		 place->record->mode);
	return findings_add(findings,
			    (struct finding){ .verdict = VERDICT_EXPOSED,
					      .severity = SEVERITY_ERROR,
					      .place = place },
			    note, err);
}

/* multipathd takes a session's recovery_tmo for its own, and so undoes it at its next reload. */
static int add_overruled(const struct place *place, struct findings *findings, struct err *err)
{
	const struct setting *setting =
		profile_find(place->profile, PLACE_SESSION, "recovery_tmo", NULL);
	char note[512];

	if (!setting)
		return 0;
	snprintf(note, sizeof(note),
		 "it is a path of the multipath device %s: at each reload multipathd sets the "
		 "session's recovery_tmo to its own fast_io_fail_tmo; make that %u in "
		 "multipath.conf, or leave multipathd off this disk, which has one path",
		 place->multipath, setting->value);
	return findings_add(findings,
			    (struct finding){ .verdict = VERDICT_OVERRULED,
					      .severity = SEVERITY_WARNING,
					      .place = place },
			    note, err);
}

/*
 * What the session is lost with when the gateway has other secrets by now: it
 * cannot log in again.
 */
static int add_stale(const struct place *place, struct findings *findings, struct err *err)
{
	int rc = findings_add(findings,
			      (struct finding){ .verdict = VERDICT_STALE,
						.severity = SEVERITY_ERROR,
						.place = place },
			      "it goes on with the CHAP settings that it logged in with; those of "
			      "its record are others by now",
			      err);

	return rc < 0 ? rc : add_remedy(findings, err);
}

/* The same by a record without a secret, which a login would use: that comes back first. */
static int add_lost(const struct place *place, struct findings *findings, struct err *err)
{
	const struct host_session *session = place->session;
	CLEANUP(buf_done) struct buf remedy = { 0 };
	char portal[PORTAL_TEXT_MAX];
	int rc = findings_add(
		findings,
		(struct finding){
			.verdict = VERDICT_STALE, .severity = SEVERITY_ERROR, .place = place },
		"its record has lost the CHAP settings that it logged in with, as plain "
		"discovery has it; the next login will be refused",
		err);

	if (rc < 0)
		return rc;
	buf_adds(&remedy, "put them back: sgw-init apply");
	if (session->port != 0) {
		portal_text_of(session->address, session->port, portal);
		buf_adds(&remedy, " ");
		quote_word(&remedy, portal);
	}
	buf_addf(&remedy, "%s --chap FILE", findings->asked ? findings->asked->options : "");
	return remedy.failed ? err_oom(err)
			     : finding_set_remedy(&findings->items[findings->count - 1],
						  remedy.data, err);
}

/* One that cannot be read may be anything: no login mends that. */
static int add_value(struct findings *findings, const struct finding *finding, struct err *err)
{
	const char *problem = finding->value->problem;
	char note[ERR_REASON_MAX + 64];

	if (problem)
		snprintf(note, sizeof(note), "it cannot be read, so nothing is known of it: %s",
			 problem);
	return findings_add(findings, *finding, problem ? note : NULL, err);
}

static int compare_place(const struct place *place, struct findings *findings, struct err *err)
{
	int rc = 0;

	if (place->kind == PLACE_RECORD && !place->exists)
		return findings_add(findings,
				    (struct finding){ .verdict = VERDICT_NO_RECORD,
						      .severity = SEVERITY_ERROR,
						      .place = place },
				    NULL, err);
	if (place->problem)
		return findings_add(findings,
				    (struct finding){ .verdict = VERDICT_LINT,
						      .severity = SEVERITY_WARNING,
						      .place = place },
				    place->problem, err);
	if (place->exposed)
		rc = add_exposed(place, findings, err);
	for (size_t i = 0; rc == 0 && i < place->value_count; i++) {
		const struct place_value *value = &place->values[i];
		struct finding finding = { .place = place, .value = value, .line = value->line };

		finding.verdict = judge(place, value, &finding.wanted);
		finding.severity = weigh(finding.verdict, value->setting);
		rc = add_value(findings, &finding, err);
		if (rc == 0 && place->session && !value->problem &&
		    finding.severity > SEVERITY_INFO && !finding_live(&finding))
			rc = add_remedy(findings, err);
	}
	if (rc == 0 && place->multipath)
		rc = add_overruled(place, findings, err);
	if (rc == 0 && place->chap == SESSION_CHAP_LOST)
		rc = add_lost(place, findings, err);
	if (rc == 0 && place->chap == SESSION_CHAP_OTHER)
		rc = add_stale(place, findings, err);
	if (rc == 0 && place->doc)
		rc = lint_place(place, findings, err);
	return rc;
}

/* Whether worse is said of that rule already. */
static bool is_told(const struct findings *findings, const struct place *place, unsigned line)
{
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->items[i];

		if (finding->place == place && finding->line == line &&
		    finding->severity >= SEVERITY_ERROR)
			return true;
	}
	return false;
}

/* A rule of somebody else that gives a gateway's disks another timeout than ours: who wins? */
static int compare_rival(const struct place *own, const struct place_value *ours,
			 const struct place *place, struct findings *findings, struct err *err)
{
	struct rule_outcome rival, our = { .turn = 0 };
	char note[320];
	uint32_t number, wanted;
	bool wins;

	if (!rule_outcome(place->doc, &rival) || is_told(findings, place, rival.line) ||
	    !place_number(place, rival.value, &number))
		return 0;
	wanted = setting_wanted(ours->setting, ours->where, &number);
	if (number == wanted)
		return 0;
	if (own->doc)
		rule_outcome(own->doc, &our);
	wins = rule_outcome_wins(&rival, place->path, &our, own->path);
	if (!wins)
		snprintf(note, sizeof(note),
			 "this rule gives a gateway's disks %s s; %s comes after it and makes that "
			 "%u",
			 rival.value, own->path, wanted);
	else
		snprintf(note, sizeof(note),
			 "this rule gives a gateway's disks %s s, not the %u of %s, since %s; "
			 "remove it, or ask for its value with --set %s=%s",
			 rival.value, wanted, own->path,
			 rival.turn > our.turn ? "it takes effect after all rules like that one"
					       : "its file is read later",
			 ours->setting->name, rival.value);
	return findings_add(findings,
			    (struct finding){ .verdict = VERDICT_LINT,
					      .severity = wins ? SEVERITY_ERROR : SEVERITY_WARNING,
					      .place = place,
					      .line = rival.line },
			    note, err);
}

static int compare_rivals(const struct survey *survey, struct findings *findings, struct err *err)
{
	const struct place *own = survey_place(survey, PLACE_UDEV_RULE);
	int rc = 0;

	if (!own || own->value_count == 0) /* for tapes there is none */
		return 0;
	for (size_t i = 0; rc == 0 && i < survey->count; i++) {
		const struct place *place = &survey->places[i];

		if (place->others && place->doc)
			rc = compare_rival(own, &own->values[0], place, findings, err);
	}
	return rc;
}

int compare_survey(const struct survey *survey, struct findings *findings, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < survey->count; i++) {
		if (survey->places[i].kind != PLACE_ISCSID_CONF || !survey->spare_conf)
			rc = compare_place(&survey->places[i], findings, err);
	}
	if (rc == 0)
		rc = compare_rivals(survey, findings, err);
	if (rc == 0)
		rc = compare_boot(survey, findings, err);
	return rc < 0 ? rc : compare_sessions(survey, findings, err);
}

bool finding_live(const struct finding *finding)
{
	const struct place *place = finding->place;
	struct err ignored = { 0 };
	const struct knob *knob;
	char wanted[16];

	if (finding->verdict != VERDICT_DIFFERS || !place || !place->session)
		return false;
	if (place->device && place->device->type != DEVICE_TYPE_DISK)
		return false;
	knob = knob_find(place->kind, finding->value->where->key);
	snprintf(wanted, sizeof(wanted), "%u", finding->wanted);
	return knob && knob_check(knob, wanted, &ignored) == 0;
}

bool finding_mendable(const struct finding *finding)
{
	return finding->verdict == VERDICT_NO_RECORD || finding->verdict == VERDICT_HALF_DONE ||
	       finding->verdict == VERDICT_EXPOSED || finding->verdict == VERDICT_HARMFUL ||
	       finding_live(finding) ||
	       ((finding->verdict == VERDICT_DIFFERS || finding->verdict == VERDICT_NOT_SET) &&
		finding->place->type);
}

bool finding_weighs(const struct finding *finding, bool strict)
{
	if (strict)
		return finding->verdict != VERDICT_HOLDS &&
		       (finding->severity > SEVERITY_INFO || finding->verdict == VERDICT_KEPT ||
			finding->verdict == VERDICT_NEGOTIATED);
	return finding->severity >= SEVERITY_ERROR;
}
