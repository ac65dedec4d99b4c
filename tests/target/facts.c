/* SPDX-License-Identifier: MIT */
#include "facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "connection.h"
#include "escape.h"
#include "fault_rule.h"
#include "faults.h"
#include "gateway.h"
#include "iscsi/params.h"
#include "os/error_text.h"
#include "server.h"

json_t *facts_text(const char *text, size_t len)
{
	size_t size = 4 * len + 1;
	char *escaped = malloc(size);
	json_t *value = NULL;

	if (escaped) {
		escape_text(text, len, escaped, size);
		value = json_string(escaped);
	}
	free(escaped);
	return value;
}

json_t *facts_values(const uint32_t *value, bool discovery)
{
	json_t *object = json_object();

	for (unsigned int i = 0; i < PARAM_COUNT; i++) {
		const struct param_def *def = &param_defs[i];
		json_t *item;

		if (!(def->stages & 1 << STAGE_OPERATIONAL) || def->kind == PARAM_TEXT ||
		    def->merge == MERGE_OBSOLETE || i == PARAM_SESSION_TYPE ||
		    i == PARAM_TARGET_PORTAL_GROUP_TAG ||
		    (discovery && (def->flags & PARAM_NO_DISCOVERY)))
			continue;
		if (def->kind == PARAM_BOOL)
			item = json_string(value[i] ? "Yes" : "No");
		else if (def->kind == PARAM_LIST)
			item = json_string(def->choices[value[i]]);
		else
			item = json_integer(value[i]);
		json_object_set_new(object, def->key, item);
	}
	return object;
}

static json_t *counters(const struct events *events)
{
	json_t *object = json_object();

	for (unsigned int i = 0; i < EVENT_COUNT; i++)
		if (event_defs[i].counter)
			json_object_set_new(object, event_defs[i].counter,
					    json_integer((json_int_t)events->count[i]));
	return object;
}

static json_t *portals(const struct gateway *gateway)
{
	json_t *array = json_array();

	for (size_t i = 0; i < gateway->portal_count; i++) {
		char text[SOCKET_TEXT_MAX];

		socket_address_text(&gateway->portals[i].address, text);
		json_array_append_new(array, json_string(text));
	}
	return array;
}

/* Portals that are missing, and why. */
static json_t *lost(const struct gateway *gateway)
{
	json_t *object = json_object();

	for (size_t i = 0; i < gateway->portal_count; i++) {
		char text[SOCKET_TEXT_MAX];

		if (gateway->portals[i].lost == 0)
			continue;
		socket_address_text(&gateway->portals[i].address, text);
		json_object_set_new(object, text,
				    json_string(error_text(gateway->portals[i].lost)));
	}
	return object;
}

static json_t *of_session(const struct session *session)
{
	const struct connection *connection = session->connection;
	json_t *object = json_object();

	json_object_set_new(object, "connection", json_integer(connection->number));
	json_object_set_new(object, "type",
			    json_string(session->discovery ? "discovery" : "normal"));
	json_object_set_new(object, "initiator",
			    facts_text(session->initiator, strlen(session->initiator)));
	if (session->target)
		json_object_set_new(object, "target",
				    facts_text(session->target->name, session->target->name_len));
	json_object_set_new(object, "chap", json_string(session->chap));
	json_object_set_new(object, "negotiated", facts_values(session->value, session->discovery));
	return object;
}

static json_t *sessions(const struct session_table *table)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < SESSION_TSIHS; i++)
		if (table->by_tsih[i])
			json_array_append_new(array, of_session(table->by_tsih[i]));
	return array;
}

static json_t *rules(const struct faults *faults)
{
	json_t *array = json_array();

	for (const struct rule *it = faults->rules; it; it = it->next) {
		json_t *rule = json_object();

		json_object_set_new(rule, "rule", facts_text(it->text, strlen(it->text)));
		if (it->when == RULE_ON)
			json_object_set_new(rule, "met", json_integer((json_int_t)it->met));
		json_object_set_new(rule, "struck", json_integer((json_int_t)it->struck));
		json_array_append_new(array, rule);
	}
	return array;
}

void facts_status(const struct faults *faults, struct buf *out)
{
	const struct gateway *gateway = faults->gateway;
	json_t *status = json_object();
	char *text;

	json_object_set_new(status, "schema", json_string("sgw-target/status/1"));
	json_object_set_new(status, "away", json_boolean(server_is_away(faults->server)));
	json_object_set_new(status, "frozen", json_boolean(server_is_frozen(faults->server)));
	json_object_set_new(status, "portals", portals(gateway));
	json_object_set_new(status, "lost", lost(gateway));
	json_object_set_new(status, "connections", json_integer(gateway->connection_count));
	json_object_set_new(status, "counters", counters(&gateway->events));
	json_object_set_new(status, "sessions", sessions(&gateway->sessions));
	json_object_set_new(status, "rules", rules(faults));
	text = json_dumps(status, JSON_COMPACT);
	if (text)
		buf_addf(out, "%s\n", text);
	else
		out->failed = true;
	free(text);
	json_decref(status);
}
