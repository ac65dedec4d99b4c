/* SPDX-License-Identifier: MIT */
/* sgw-init devices: target, session, device and by-path link, and who uses it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "choice.h"
#include "command.h"
#include "err.h"
#include "host/in_use.h"
#include "host/nodes.h"
#include "host/paths.h"
#include "host/sessions.h"
#include "iscsi/portal.h"
#include "number.h"
#include "report.h"
#include "uses_json.h"

enum { SECTOR = 512 }; /* what sysfs counts a disk's size in, whatever its blocks */

struct devices_command {
	const struct options *opt;
	struct paths paths;
	struct choice choice;
	struct sessions sessions;
	struct host_use use;
	struct table table;
	json_t *list;
};

/* One device, with all that is told of it. */
struct shown {
	const struct device *device;
	struct nodes nodes;
	struct uses uses;
	uint64_t size; /* bytes; 0 where it has none */
};

static int look(const struct devices_command *cmd, const struct device *device, struct shown *shown,
		struct err *err)
{
	const struct node *node;
	struct err ignored = { 0 };
	char sectors[32] = "";
	int rc = nodes_load(&shown->nodes, &cmd->paths, device, err);

	shown->device = device;
	if (rc == 0)
		rc = in_use_find(&cmd->use, &shown->nodes, &shown->uses, err);
	if (rc < 0)
		return rc;
	node = nodes_main(&shown->nodes, device);
	if (node && node->kind == NODE_BLOCK)
		paths_read_text(&cmd->paths, node->path, "size", sectors, sizeof(sectors),
				&ignored);
	if (parse_u64(sectors, 1, UINT64_MAX / SECTOR, &shown->size, &ignored) == 0)
		shown->size *= SECTOR;
	return 0;
}

static void shown_done(struct shown *shown)
{
	nodes_done(&shown->nodes);
	uses_done(&shown->uses);
}

/* "LOGGED_IN" and a device that runs are one word; where either is otherwise, both are told. */
static void state_text(const char *session, const char *device, char *out, size_t size)
{
	const bool up = strcmp(session, "LOGGED_IN") == 0;

	if (device[0] == '\0' || (up && strcmp(device, "running") == 0))
		snprintf(out, size, "%s", up ? "logged in" : session);
	else
		snprintf(out, size, "%s, %s", up ? "logged in" : session, device);
}

static void add_word(struct buf *out, const char *separator, const char *word)
{
	buf_addf(out, "%s%s", out->len > 0 ? separator : "", word);
}

static int add_row(struct devices_command *cmd, const struct host_session *session,
		   const struct shown *shown, struct err *err)
{
	CLEANUP(buf_done) struct buf names = { 0 }, links = { 0 }, uses = { 0 };
	char portal[PORTAL_TEXT_MAX] = "-", size[16] = "", both[80];

	if (session->port != 0)
		portal_text_of(session->address, session->port, portal);
	state_text(session->state, shown ? shown->device->state : "", both, sizeof(both));
	for (size_t i = 0; shown && i < shown->nodes.count; i++) {
		const struct node *node = &shown->nodes.items[i];

		if (!node_is_plain(node))
			continue;
		add_word(&names, " ", node->name);
		for (size_t j = 0; j < node->link_count; j++)
			add_word(&links, " ", node->links[j]);
	}
	if (shown && names.len == 0)
		buf_adds(&names, shown->device->name);
	for (size_t i = 0; shown && i < shown->uses.count; i++)
		add_word(&uses, "; ", shown->uses.items[i].by);
	if (shown && shown->size > 0)
		size_text(shown->size, size, sizeof(size));
	if (names.failed || links.failed || uses.failed)
		return err_oom(err);
	table_row(&cmd->table, session->target, portal, session->name, both, buf_text(&names), size,
		  buf_text(&uses), buf_text(&links), NULL);
	return 0;
}

/* Not by json_sprintf(), which makes nothing of a name that is no UTF-8. */
static json_t *node_json(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/%s", name);
	return json_text(path);
}

static json_t *device_json(const struct shown *shown)
{
	json_t *nodes = json_array();
	char word[16];

	for (size_t i = 0; i < shown->nodes.count; i++) {
		const struct node *node = &shown->nodes.items[i];
		json_t *links = json_array();

		for (size_t j = 0; j < node->link_count; j++)
			json_array_append_new(links, json_text(node->links[j]));
		json_array_append_new(nodes, json_pack("{s:o, s:o}", "node", node_json(node->name),
						       "links", links));
	}
	return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o}", "name", json_text(shown->device->name),
			 "type", device_word(shown->device, word), "state",
			 json_text_or_null(shown->device->state), "size_bytes",
			 shown->size ? json_integer((json_int_t)shown->size) : json_null(), "nodes",
			 nodes, "in_use", uses_json(&shown->uses));
}

static int add_session(struct devices_command *cmd, const struct host_session *session,
		       struct err *err)
{
	json_t *devices = json_array();
	char portal[PORTAL_TEXT_MAX] = "";
	size_t told = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < session->device_count; i++) {
		struct shown shown = { 0 };

		if (!device_has_node(&session->devices[i]))
			continue;
		rc = look(cmd, &session->devices[i], &shown, err);
		if (rc == 0)
			rc = add_row(cmd, session, &shown, err);
		if (rc == 0)
			json_array_append_new(devices, device_json(&shown));
		shown_done(&shown);
		told++;
	}
	if (rc == 0 && told == 0)
		rc = add_row(cmd, session, NULL, err);
	if (session->port != 0)
		portal_text_of(session->address, session->port, portal);
	json_array_append_new(
		cmd->list,
		json_pack("{s:o, s:o, s:o, s:o, s:o}", "target", json_text(session->target),
			  "portal", json_text_or_null(portal), "session", json_text(session->name),
			  "state", json_text_or_null(session->state), "devices", devices));
	return rc;
}

static int print(struct devices_command *cmd, struct err *err)
{
	json_t *document;

	if (cmd->opt->output == OUTPUT_JSON) {
		document = json_document("devices");
		json_object_set(document, "sessions", cmd->list);
		return json_print(document, true, stdout, err);
	}
	if (table_rows(&cmd->table) == 0)
		printf("no session of a Storage Gateway%s\n",
		       cmd->choice.target || cmd->choice.count > 0 ? " as asked for" : "");
	return table_print(&cmd->table, stdout, err);
}

static int show(struct devices_command *cmd, struct err *err)
{
	int rc = choice_make(&cmd->choice, cmd->opt, err);

	if (rc == 0)
		rc = paths_init(&cmd->paths, cmd->opt->root, err);
	if (rc == 0)
		rc = sessions_load(&cmd->sessions, &cmd->paths, err);
	if (rc == 0)
		rc = choice_check(&cmd->choice, &cmd->sessions, &cmd->paths, err);
	if (rc == 0)
		rc = host_use_load(&cmd->use, &cmd->paths, err);
	for (size_t i = 0; rc == 0 && i < cmd->sessions.count; i++) {
		const struct host_session *session = &cmd->sessions.items[i];

		if (choice_has(&cmd->choice, session->target, session->address, session->port))
			rc = add_session(cmd, session, err);
	}
	return rc < 0 ? rc : print(cmd, err);
}

static int run(const struct options *opt, struct err *err)
{
	/* The last one is beneath its row. */
	static const char *const titles[] = { "TARGET", "PORTAL", "SESSION", "STATE", "DEVICE",
					      "SIZE",	"IN USE", "",	     NULL };
	struct devices_command cmd = { .opt = opt, .paths.fd = -1, .list = json_array() };
	int rc;

	table_init(&cmd.table, titles);
	cmd.table.notes = true;
	rc = show(&cmd, err);
	table_done(&cmd.table);
	json_decref(cmd.list);
	host_use_done(&cmd.use);
	sessions_done(&cmd.sessions);
	choice_done(&cmd.choice);
	paths_done(&cmd.paths);
	return rc < 0 ? rc : EXIT_DONE;
}

const struct command command_devices = {
	.name = "devices",
	.args = "[PORTAL...]",
	.summary = "targets, sessions, devices and their links, and who uses them",
	.options = OPT_ROOT | OPT_TARGET | OPT_OUTPUT,
	.run = run,
};
