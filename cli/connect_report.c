/* SPDX-License-Identifier: MIT */
#include "connect_report.h"

#include <stdio.h>

#include "command.h"
#include "connecting.h"
#include "err.h"
#include "host/records.h"
#include "iscsi/portal.h"
#include "report.h"

static void add_row(struct table *table, const struct connected *connected,
		    const struct connected_device *found)
{
	const struct node *node = found ? nodes_main(&found->nodes, &found->device) : NULL;
	char portal[PORTAL_TEXT_MAX];

	portal_text_of(connected->record->address, connected->record->port, portal);
	table_row(table, connected->record->target, portal, connected_text(connected->state),
		  connected->session,
		  node	  ? node->name
		  : found ? found->device.name
			  : "",
		  node && node->link_count > 0 ? node->links[0] : "", NULL);
}

int connect_print_table(const struct connected *list, size_t count, struct err *err)
{
	static const char *const titles[] = { "TARGET", "PORTAL", "STATE", "SESSION",
					      "DEVICE", "LINK",	  NULL };
	CLEANUP(table_done) struct table table;

	table_init(&table, titles);
	for (size_t i = 0; i < count; i++) {
		if (list[i].device_count == 0)
			add_row(&table, &list[i], NULL);
		for (size_t j = 0; j < list[i].device_count; j++)
			add_row(&table, &list[i], &list[i].devices[j]);
	}
	return table_print(&table, stdout, err);
}

/* Not by json_sprintf(), which makes nothing of a name that is no UTF-8. */
static json_t *node_json(const struct node *node)
{
	char path[sizeof(node->name) + 8];

	snprintf(path, sizeof(path), "/dev/%s", node->name);
	return json_text(path);
}

static json_t *device_json(const struct connected_device *found)
{
	json_t *nodes = json_array();
	char word[16];

	for (size_t i = 0; i < found->nodes.count; i++) {
		const struct node *node = &found->nodes.items[i];
		json_t *links = json_array();

		for (size_t j = 0; j < node->link_count; j++)
			json_array_append_new(links, json_text(node->links[j]));
		if (node_is_plain(node))
			json_array_append_new(nodes, json_pack("{s:o, s:o}", "node",
							       node_json(node), "links", links));
		else
			json_decref(links);
	}
	return json_pack("{s:o, s:s, s:o, s:b}", "name", json_text(found->device.name), "type",
			 device_word(&found->device, word), "nodes", nodes, "ready", found->ready);
}

json_t *connect_result_json(const struct record *record, const char *result, const struct err *err)
{
	char portal[PORTAL_TEXT_MAX];

	portal_text_of(record->address, record->port, portal);
	return json_pack("{s:o, s:o, s:s, s:o}", "target", json_text(record->target), "portal",
			 json_text(portal), "result", result, "error",
			 err && err->code ? json_error(err->reason) : json_null());
}

json_t *connect_json(const struct connected *list, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++) {
		const struct connected *connected = &list[i];
		json_t *devices = json_array(),
		       *item = connect_result_json(connected->record,
						   connected_word(connected->state),
						   &connected->err);

		for (size_t j = 0; j < connected->device_count; j++)
			json_array_append_new(devices, device_json(&connected->devices[j]));
		json_object_set_new(item, "session", json_text_or_null(connected->session));
		json_object_set_new(item, "devices", devices);
		json_array_append_new(array, item);
	}
	return array;
}

size_t connect_print_troubles(const struct connected *list, size_t count)
{
	size_t troubles = 0;

	for (size_t i = 0; i < count; i++) {
		if (connected_is_fine(&list[i])) {
			if (list[i].err.code)
				warn("%s: %s", list[i].err.place, list[i].err.reason);
			continue;
		}
		err_print("sgw-init", &list[i].err);
		troubles++;
	}
	return troubles;
}
