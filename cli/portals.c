/* SPDX-License-Identifier: MIT */
#include "portals.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "err.h"
#include "host/database.h"
#include "iscsi/range.h"

static int parse_args(char *const *args, size_t count, struct portal **out, size_t *found,
		      struct err *err)
{
	struct portal *list = calloc(count, sizeof(*list));

	*out = list;
	*found = 0;
	if (!list)
		return err_oom(err);
	for (size_t i = 0; i < count; i++) {
		size_t j = 0;

		if (range_is(args[i])) {
			err_set(err, ERR_USAGE, "a range is for discover alone: name one portal");
			return err_at(err, "%s", args[i]);
		}
		if (portal_parse(args[i], &list[*found], err) < 0) {
			err->code = ERR_USAGE;
			return err_at(err, "%s", args[i]);
		}
		while (j < *found && !portal_equal(&list[j], &list[*found]))
			j++;
		*found += j == *found;
	}
	return 0;
}

void portals_initiator_name(const struct paths *paths, char name[ISCSI_NAME_SIZE])
{
	struct err why = { 0 };

	if (initiator_name_read(paths, name, &why) == 0)
		return;
	warn("%s: %s; asking as %s", why.place, why.reason, PORTALS_PLACEHOLDER);
	snprintf(name, ISCSI_NAME_SIZE, "%s", PORTALS_PLACEHOLDER);
}

bool portal_reached(const struct discovery_result *result, struct portal *reached)
{
	char host[SOCKET_HOST_MAX];

	*reached = (struct portal){ .numeric = true, .tag = PORTAL_NO_TAG };
	if (result->address.len == 0)
		return false;
	socket_address_host(&result->address, host);
	reached->port = socket_address_port(&result->address);
	if (!address_parse(host, strlen(host), reached->address))
		return false;
	address_text(reached->address, reached->host);
	return true;
}

enum gateway_kind portal_kind(const struct discovery_result *result)
{
	for (size_t i = 0; i < result->targets.count; i++) {
		enum gateway_kind kind = gateway_kind(result->targets.list[i].name);

		if (kind != GATEWAY_OTHER)
			return kind;
	}
	return GATEWAY_OTHER;
}

void portal_warn(const struct discovery_result *result)
{
	char text[PORTAL_TEXT_MAX];
	struct portal reached;

	portal_text(&result->asked, text);
	warn_lines(text, buf_text(&result->notes));
	warn_lines(text, buf_text(&result->targets.notes));
	if (portal_reached(result, &reached) && address_kind(reached.address) == ADDRESS_PUBLIC)
		warn("%s: a public address: AWS supports no gateway that is reached over the "
		     "internet or an Elastic IP",
		     text);
	if (result->rc == 0 && result->targets.count == 0 && result->targets.refused == 0)
		warn("%s: it offers no targets", text);
}

void portal_warn_told(const struct discovery_result *result)
{
	const struct portal *last = NULL;
	char text[PORTAL_TEXT_MAX];
	struct portal reached;
	const bool known = portal_reached(result, &reached);

	portal_text(&result->asked, text);
	for (size_t i = 0; i < result->targets.count; i++) {
		const struct target *target = &result->targets.list[i];

		for (size_t j = 0; j < target->portal_count; j++) {
			const struct portal *told = &target->portals[j];

			if (!told->numeric || address_kind(told->address) != ADDRESS_PUBLIC ||
			    (known && portal_equal(told, &reached)) ||
			    (last && portal_equal(told, last)))
				continue;
			warn("%s: it tells %s for %s, a public address: AWS supports no gateway "
			     "there",
			     text, told->host, target->name);
			last = told;
		}
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int list_targets(struct portals *portals, struct err *err)
{
	size_t all = 0;

	for (size_t i = 0; i < portals->count; i++)
		all += portals->results[i].targets.count;
	portals->targets = calloc(all + 1, sizeof(*portals->targets));
	if (!portals->targets)
		return err_oom(err);
	all = 0;
	for (size_t i = 0; i < portals->count; i++) {
		const struct targets *targets = &portals->results[i].targets;

		for (size_t j = 0; j < targets->count; j++) {
			if (gateway_kind(targets->list[j].name) != GATEWAY_OTHER)
				portals->targets[all++] = targets->list[j].name;
		}
	}
	qsort(portals->targets, all, sizeof(*portals->targets), by_text);
	for (size_t i = 0; i < all; i++) {
		if (i == 0 || strcmp(portals->targets[i], portals->targets[i - 1]) != 0)
			portals->targets[portals->target_count++] = portals->targets[i];
	}
	return 0;
}

int portals_discover(struct portals *portals, const struct paths *paths, char *const *args,
		     size_t count, uint32_t timeout_ms, struct err *err)
{
	CLEANUP(free_ptr) struct portal *list = NULL;
	char name[ISCSI_NAME_SIZE];
	struct discovery_options options = { .initiator_name = name,
					     .connect_ms = timeout_ms,
					     .answer_ms = timeout_ms };
	size_t found = 0;
	int rc = parse_args(args, count, &list, &found, err);

	*portals = (struct portals){ 0 };
	if (rc < 0)
		return rc;
	portals_initiator_name(paths, name);
	portals->results = calloc(found, sizeof(*portals->results));
	if (!portals->results)
		return err_oom(err);
	rc = discovery_run(list, found, &options, portals->results, err);
	if (rc < 0)
		return rc;
	portals->count = found;
	for (size_t i = 0; i < found; i++)
		portal_warn(&portals->results[i]);
	return list_targets(portals, err);
}

void portals_done(struct portals *portals)
{
	for (size_t i = 0; i < portals->count; i++)
		discovery_result_done(&portals->results[i]);
	free(portals->results);
	free(portals->targets);
	*portals = (struct portals){ 0 };
}
