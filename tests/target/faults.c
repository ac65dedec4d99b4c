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
	if (!rule->action->quiet) {
		event_count(&faults->gateway->events, EVENT_FAULT);
		transcript_fault(faults->gateway, connection, rule->text);
	}
	return rule->action->act(&what);
}

/* Whether a target's name is this one, whole or behind its last colon: both volumes are "myvolume". */
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
	for (struct rule *it = faults->rules; it && verdict == VERDICT_SERVE; it = it->next) {
		if (!is_meant(it, connection, event, pdu))
			continue;
		if (++it->met >= it->nth)
			verdict = strike(it, connection);
	}
	faults->striking = false;
	sweep(faults);
	arm(faults);
	return verdict;
}

static void time_came(void *arg)
{
	struct rule *rule = arg;
	struct faults *faults = rule->faults;

	faults->gateway->now = loop_now(server_loop(faults->server));
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

/* Put it in force, or do it at once; it is freed or kept. */
static int put(struct faults *faults, struct rule *rule, struct err *err)
{
	struct rule **end = &faults->rules;
	int rc = 0;

	rule->faults = faults;
	if (rule->when == RULE_NOW) {
		faults->gateway->now = loop_now(server_loop(faults->server));
		strike(rule, NULL);
		rule_free(rule);
		return 0;
	}
	if (rule->target && !is_target(faults->gateway, rule->target))
		rc = err_set(err, EINVAL, "target=%s: there is no such target here", rule->target);
	else if (faults->count >= RULES_MAX)
		rc = err_set(err, ENOSPC, "there are %d rules, which is the limit", RULES_MAX);
	if (rc == 0 && rule->when == RULE_AT) {
		rule->timer = (struct loop_timer){ .fire = time_came, .arg = rule };
		rc = loop_timer_set(server_loop(faults->server), &rule->timer, rule->at_ms, err);
	}
	if (rc < 0) {
		rule_free(rule);
		return rc;
	}
	while (*end)
		end = &(*end)->next;
	*end = rule;
	faults->count++;
	arm(faults);
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
