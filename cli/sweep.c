/* SPDX-License-Identifier: MIT */
#include "sweep.h"

#include <errno.h>
#include <stdlib.h>

#include "command.h"
#include "err.h"
#include "iscsi/range.h"
#include "os/loop.h"
#include "portals.h"

enum {
	IN_FLIGHT = 256, /* sockets at a time; a switch and its ARP tables bear that */
	OTHER_FILES = 32, /* what else may be open */
};

/* The arguments, sorted into two kinds. */
struct places {
	struct portal *portals;
	size_t portal_count;
	struct range *ranges;
	size_t range_count;
};

static void places_done(struct places *places)
{
	free(places->portals);
	free(places->ranges);
}

bool sweep_is_wanted(char *const *args, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (range_is(args[i]))
			return true;
	}
	return false;
}

static int parse(struct places *places, char *const *args, size_t count, struct err *err)
{
	places->portals = calloc(count, sizeof(*places->portals));
	places->ranges = calloc(count, sizeof(*places->ranges));
	if (!places->portals || !places->ranges)
		return err_oom(err);
	for (size_t i = 0; i < count; i++) {
		int rc = range_is(args[i])
				 ? range_parse(args[i], &places->ranges[places->range_count++], err)
				 : portal_parse(args[i], &places->portals[places->portal_count++],
						err);

		if (rc < 0) {
			err->code = ERR_USAGE;
			return err_at(err, "%s", args[i]);
		}
	}
	return 0;
}

static int check_size(const struct places *places, uint32_t max_hosts, struct err *err)
{
	uint64_t all = 0, most = max_hosts ? max_hosts : SWEEP_HOSTS;

	for (size_t i = 0; i < places->range_count; i++) {
		uint64_t count = places->ranges[i].count;

		all = all + count < all ? UINT64_MAX : all + count;
	}
	if (all <= most)
		return 0;
	if (all > OPTIONS_HOSTS_MAX)
		return err_set(err, ERR_USAGE,
			       "the ranges have more than %d hosts: sweep them in smaller parts",
			       OPTIONS_HOSTS_MAX);
	return err_set(err, ERR_USAGE,
		       "the ranges have %llu hosts, more than the %llu that are asked without "
		       "further ado: if you mean it, say --max-hosts %llu",
		       (unsigned long long)all, (unsigned long long)most, (unsigned long long)all);
}

/* Whether something before that range's host names it already. */
static bool is_double(const struct places *places, size_t range, const struct portal *portal)
{
	for (size_t i = 0; i < places->portal_count; i++) {
		if (portal_equal(&places->portals[i], portal))
			return true;
	}
	for (size_t i = 0; i < range; i++) {
		if (range_has(&places->ranges[i], portal))
			return true;
	}
	return false;
}

static int add_all(struct sweep *sweep, struct discovery *discovery, const struct places *places,
		   struct err *err)
{
	struct portal portal;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < places->portal_count; i++) {
		size_t j = 0;

		while (!portal_equal(&places->portals[j], &places->portals[i]))
			j++;
		if (j < i)
			continue;
		rc = discovery_add(discovery, &places->portals[i], err);
		sweep->singles++;
	}
	for (size_t i = 0; i < places->range_count; i++) {
		for (uint64_t n = 0; rc == 0 && n < places->ranges[i].count; n++) {
			range_portal(&places->ranges[i], n, &portal);
			if (is_double(places, i, &portal))
				continue;
			rc = discovery_add(discovery, &portal, err);
			sweep->counts.hosts++;
		}
	}
	return rc;
}

/* Where in the counts a host of a range belongs. */
static size_t *count_of(struct sweep_counts *counts, const struct discovery_result *result)
{
	if (result->rc == 0)
		return &counts->answered;
	if (result->stage > DISCOVERY_CONNECT)
		return &counts->failed;
	return result->rc == -ETIMEDOUT ? &counts->silent : &counts->refused;
}

static void take(void *arg, struct discovery_result *result)
{
	struct sweep *sweep = arg;
	bool in_range = result->number >= sweep->singles;

	if (in_range)
		(*count_of(&sweep->counts, result))++;
	if (result->rc == 0 || result->stage > DISCOVERY_CONNECT || !in_range) {
		progress_clear(&sweep->progress);
		portal_warn(result);
		portal_warn_told(result);
		sweep->found(sweep->arg, result, in_range);
	}
	sweep->done++;
	progress_show(&sweep->progress, "%zu of %zu asked, %zu answered", sweep->done,
		      sweep->counts.hosts + sweep->singles, sweep->counts.answered);
}

static void stop(void *arg)
{
	loop_stop(((struct sweep *)arg)->loop);
}

static int ask(struct sweep *sweep, const struct places *places, const char *initiator_name,
	       struct err *err)
{
	unsigned int limit = sockets_limit();
	const struct discovery_options options = {
		.initiator_name = initiator_name,
		.connect_ms = sweep->timeout_ms,
		.answer_ms = sweep->timeout_ms,
		.max_in_flight = limit >= IN_FLIGHT + OTHER_FILES ? IN_FLIGHT
				 : limit > OTHER_FILES		  ? limit - OTHER_FILES
								  : 1,
	};
	struct discovery *discovery = discovery_new(sweep->loop, &options, take, stop, sweep, err);
	int rc = discovery ? 0 : -err->code;

	if (rc == 0)
		rc = add_all(sweep, discovery, places, err);
	if (rc == 0)
		rc = loop_run(sweep->loop, err);
	progress_clear(&sweep->progress);
	discovery_free(discovery);
	return rc;
}

int sweep_run(struct sweep *sweep, const struct paths *paths, char *const *args, size_t count,
	      struct err *err)
{
	CLEANUP(places_done) struct places places = { 0 };
	char name[ISCSI_NAME_SIZE];
	int rc = parse(&places, args, count, err);

	if (rc == 0)
		rc = check_size(&places, sweep->max_hosts, err);
	if (rc < 0)
		return rc;
	portals_initiator_name(paths, name);
	sweep->loop = loop_new(err);
	if (!sweep->loop)
		return -err->code;
	rc = ask(sweep, &places, name, err);
	loop_free(sweep->loop);
	return rc;
}
