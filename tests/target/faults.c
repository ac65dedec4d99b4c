/* SPDX-License-Identifier: MIT */
#include "faults.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "connection.h"
#include "err.h"
#include "fault_actions.h"
#include "fault_rule.h"
#include "gateway.h"
#include "os/files.h"
#include "os/loop.h"
#include "server.h"
#include "transcript.h"

enum {
	FAULTS_FILE_MAX = 1024 * 1024,
	RULES_MAX = 10000,
};

struct faults *faults_new(struct gateway *gateway, struct server *server, struct err *err)
{
	struct faults *faults = calloc(1, sizeof(*faults));

	if (!faults) {
		err_oom(err);
		return NULL;
	}
	faults->end = &faults->rules;
	faults->gateway = gateway;
	faults->server = server;
	gateway->faults = faults;
	return faults;
}

/* Which events have rules that may still strike. */
static void arm(struct faults *faults)
{
	uint32_t armed = 0;

	for (const struct rule *it = faults->rules; it; it = it->next)
		if (it->when == RULE_ON && rule_is_live(it))
			armed |= UINT32_C(1) << it->event;
	faults->gateway->events.armed = armed;
}

/* Drop all, unless somebody walks along them. */
static void sweep(struct faults *faults)
{
	if (faults->striking || !faults->clearing)
		return;
	faults->clearing = false;
	faults->count = 0;
	faults->end = &faults->rules;
	while (faults->rules) {
		struct rule *rule = faults->rules;

		faults->rules = rule->next;
		if (rule->when == RULE_AT)
			loop_timer_cancel(server_loop(faults->server), &rule->timer);
		rule_free(rule);
	}
}

void faults_clear(struct faults *faults)
{
	faults->clearing = true;
	faults->gateway->events.armed = 0;
	sweep(faults);
}

void faults_free(struct faults *faults)
{
	if (!faults)
		return;
	faults_clear(faults);
	faults->gateway->faults = NULL;
	free(faults);
}

/* It strikes: count and tell that, unless it is none of its faults. */
static void tell(const struct rule *rule, const struct connection *connection)
{
	struct gateway *gateway = rule->faults->gateway;

	if (rule->action->quiet)
		return;
	event_count(&gateway->events, EVENT_FAULT);
	transcript_fault(gateway, connection, rule->text);
}

/* Its turn has come. */
static enum verdict strike(struct rule *rule, struct connection *connection)
{
	struct faults *faults = rule->faults;
	const struct strike what = {
		.faults = faults,
		.rule = rule,
		.event = rule->event,
		.connection = connection,
	};

	rule->struck++;
	tell(rule, connection);
	return rule->action->act(&what);
}

/*
 * Whether a target's name is this one, whole or behind its last colon: both
 * volumes are "myvolume".
 */
static bool is_named(const struct target *target, const char *name)
{
	const char *colon;

	if (!target)
		return false;
	colon = strrchr(target->name, ':');
	return strcmp(target->name, name) == 0 || (colon && strcmp(colon + 1, name) == 0);
}

/* The name of the SCSI command in a PDU, as its device knows it; or NULL. */
static const char *op_name(const struct connection *connection, const struct pdu *pdu)
{
	const struct session *session = connection->session;

	if (!session || !session->target || !pdu || pdu_opcode(pdu->bhs) != OP_SCSI_COMMAND)
		return NULL;
	return session->target->device.type->ops[pdu->bhs[COMMAND_CDB]].name;
}

/* Whether a rule is about this very thing. */
static bool is_meant(const struct rule *rule, const struct connection *connection, enum event event,
		     const struct pdu *pdu)
{
	const char *op;

	if (rule->when != RULE_ON || rule->event != event || !rule_is_live(rule))
		return false;
	if (rule->target && !is_named(connection_target(connection), rule->target))
		return false;
	if (rule->initiator) {
		const char *initiator = connection_initiator(connection);

		if (!initiator || strcmp(initiator, rule->initiator) != 0)
			return false;
	}
	if (!rule->op)
		return true;
	op = op_name(connection, pdu);
	return op && strcmp(op, rule->op) == 0;
}

enum verdict faults_strike(struct connection *connection, enum event event, const struct pdu *pdu)
{
	struct faults *faults = connection->gateway->faults;
	enum verdict verdict = VERDICT_SERVE;

	faults->gateway->events.struck = (struct struck){ .command = false };
	faults->striking = true;
	/* Each one counts it, though an earlier one may have left nothing to be served. */
	for (struct rule *it = faults->rules; it; it = it->next) {
		if (!is_meant(it, connection, event, pdu))
			continue;
		if (++it->met >= it->nth && verdict == VERDICT_SERVE)
			verdict = strike(it, connection);
	}
	faults->striking = false;
	sweep(faults);
	arm(faults);
	return verdict;
}

/* Whether, given for a time or at once, it is about every SendTargets from then on. */
static bool is_standing(const struct rule *rule)
{
	return rule->when != RULE_ON && rule->action->places & PLACE_EVENT(EVENT_SEND_TARGETS);
}

static void stand(struct rule *rule)
{
	tell(rule, NULL);
	rule->when = RULE_ON;
	rule->event = EVENT_SEND_TARGETS;
	rule->nth = 1;
	rule->count = UINT64_MAX;
	arm(rule->faults);
}

static void time_came(void *arg)
{
	struct rule *rule = arg;
	struct faults *faults = rule->faults;

	faults->gateway->now = loop_now(server_loop(faults->server));
	if (is_standing(rule)) {
		stand(rule);
		return;
	}
	faults->striking = true;
	strike(rule, NULL);
	faults->striking = false;
	sweep(faults);
}

static bool is_target(const struct gateway *gateway, const char *name)
{
	for (size_t i = 0; i < gateway->targets.count; i++)
		if (is_named(&gateway->targets.targets[i], name))
			return true;
	return false;
}

/* Those that will never strike again make room. */
static void drop_dead(struct faults *faults)
{
	struct rule **link = &faults->rules;

	while (*link) {
		struct rule *rule = *link;

		if (rule_is_live(rule)) {
			link = &rule->next;
			continue;
		}
		*link = rule->next;
		faults->count--;
		rule_free(rule);
	}
	faults->end = link;
}

/* Whether a rule can be kept, and its time be waited for. */
static int admit(struct faults *faults, struct rule *rule, struct err *err)
{
	if (rule->target && !is_target(faults->gateway, rule->target))
		return err_set(err, EINVAL, "column %zu: target=%s: there is no such target here",
			       rule->target_column, rule->target);
	if (faults->count >= RULES_MAX && !faults->striking)
		drop_dead(faults);
	if (faults->count >= RULES_MAX)
		return err_set(err, ENOSPC,
			       "there are %d rules, which is the limit: clear drops them",
			       RULES_MAX);
	if (rule->when != RULE_AT)
		return 0;
	rule->timer = (struct loop_timer){ .fire = time_came, .arg = rule };
	return loop_timer_set(server_loop(faults->server), &rule->timer, rule->at_ms, err);
}

/* Put it in force, or do it at once; it is freed or kept. */
static int put(struct faults *faults, struct rule *rule, struct err *err)
{
	int rc;

	rule->faults = faults;
	if (rule->when == RULE_NOW && !is_standing(rule)) {
		faults->gateway->now = loop_now(server_loop(faults->server));
		strike(rule, NULL);
		rule_free(rule);
		return 0;
	}
	rc = admit(faults, rule, err);
	if (rc < 0) {
		rule_free(rule);
		return rc;
	}
	*faults->end = rule;
	faults->end = &rule->next;
	faults->count++;
	if (rule->when == RULE_NOW)
		stand(rule);
	else if (rule->when == RULE_ON)
		faults->gateway->events.armed |= UINT32_C(1) << rule->event;
	return 0;
}

int faults_take(struct faults *faults, const char *line, struct err *err)
{
	struct rule *rule;
	int rc = rule_parse(line, &rule, err);

	return rc <= 0 ? rc : put(faults, rule, err);
}

static int read_line(struct faults *faults, const char *line, struct err *err)
{
	struct rule *rule;
	int rc = rule_parse(line, &rule, err);

	if (rc <= 0)
		return rc;
	if (rule->when == RULE_NOW) {
		rule_free(rule);
		return err_set(err, EINVAL, "a file says when: on EVENT: %s, or at TIME: %s", line,
			       line);
	}
	return put(faults, rule, err);
}

int faults_read(struct faults *faults, const char *path, struct err *err)
{
	CLEANUP(buf_done) struct buf bytes = { 0 };
	int rc = file_read(path, FAULTS_FILE_MAX, &bytes, err);
	unsigned int number = 0;
	char *line = bytes.data, *next;

	if (rc < 0)
		return rc;
	if (bytes.len > 0 && memchr(bytes.data, '\0', bytes.len)) {
		err_set(err, EINVAL, "there is a NUL byte in it: it is no text");
		return err_at(err, "%s", path);
	}
	for (; line && *line != '\0'; line = next) {
		size_t len = strcspn(line, "\n");

		number++;
		next = line + len + (line[len] != '\0');
		line[len] = '\0';
		rc = read_line(faults, line, err);
		if (rc < 0)
			return err_at(err, "%s:%u", path, number);
	}
	return 0;
}
