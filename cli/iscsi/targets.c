/* SPDX-License-Identifier: MIT */
#include "iscsi/targets.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "err.h"
#include "escape.h"
#include "iscsi/name.h"
#include "iscsi/text.h"
#include "os/random.h"

enum { CARRY_MAX = 65536 }; /* a pair longer than this is no pair */

static void add_note(struct targets *targets, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void add_note(struct targets *targets, const char *fmt, ...)
{
	char text[512], shown[4 * sizeof(text)];
	va_list args;

	if (++targets->note_count > TARGETS_NOTES_MAX)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	escape_text(text, strlen(text), shown, sizeof(shown));
	buf_addf(&targets->notes, "%s\n", shown);
}

/* FNV-1a from a random start, so that nobody can send names that all meet in one place. */
static size_t hash(const char *name, uint64_t seed)
{
	uint64_t value = seed;

	for (; *name != '\0'; name++)
		value = (value ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
	return (size_t)(value ^ value >> 32);
}

/* The place of a name in the index: its own, or the free one where it belongs. */
static size_t *find_slot(const struct targets *targets, const char *name)
{
	size_t at = hash(name, targets->seed) & (targets->index_size - 1);

	while (targets->index[at] != 0 &&
	       strcmp(targets->list[targets->index[at] - 1].name, name) != 0)
		at = (at + 1) & (targets->index_size - 1);
	return &targets->index[at];
}

/* Room for one more target, with the index at most half full. */
static int make_room(struct targets *targets, struct err *err)
{
	size_t size = targets->size ? 2 * targets->size : 16;
	struct target *list;
	size_t *index;

	if (targets->count < targets->size)
		return 0;
	if (targets->size == 0 && random_bytes(&targets->seed, sizeof(targets->seed), err) < 0)
		return -err->code;
	list = realloc(targets->list, size * sizeof(*list));
	if (!list)
		return err_oom(err);
	targets->list = list;
	index = calloc(2 * size, sizeof(*index));
	if (!index)
		return err_oom(err);
	free(targets->index);
	targets->index = index;
	targets->index_size = 2 * size;
	targets->size = size;
	for (size_t i = 0; i < targets->count; i++)
		*find_slot(targets, list[i].name) = i + 1;
	return 0;
}

static int take_name(struct targets *targets, const struct text_pair *pair, struct err *err)
{
	struct err why;
	size_t *slot;
	int rc = name_check(pair->value, pair->value_len, &why);

	targets->skipping = rc < 0;
	targets->current = SIZE_MAX;
	if (rc != 0)
		add_note(targets, "%s%s", rc < 0 ? "target left out: " : "", why.reason);
	if (rc < 0) {
		targets->refused++;
		return 0;
	}
	rc = make_room(targets, err);
	if (rc < 0)
		return rc;
	slot = find_slot(targets, pair->value);
	if (*slot == 0) {
		struct target *target = &targets->list[targets->count];

		*target = (struct target){ .name = strdup(pair->value) };
		if (!target->name)
			return err_oom(err);
		*slot = ++targets->count;
	}
	targets->current = *slot;
	return 0;
}

static int add_portal(struct targets *targets, struct target *target, const struct portal *portal,
		      struct err *err)
{
	for (size_t i = 0; i < target->portal_count; i++)
		if (portal_equal(&target->portals[i], portal) &&
		    target->portals[i].tag == portal->tag)
			return 0;
	if (target->portal_count == TARGETS_ADDRESSES_MAX) {
		add_note(targets, "%s has more than %d addresses: the rest are left out",
			 target->name, TARGETS_ADDRESSES_MAX);
		return 0;
	}
	if (!ARRAY_ROOM(target->portals, target->portal_count))
		return err_oom(err);
	target->portals[target->portal_count++] = *portal;
	return 0;
}

static int take_address(struct targets *targets, const struct text_pair *pair, struct err *err)
{
	struct target *target;
	struct portal portal;
	struct err why;
	int rc;

	if (targets->current == 0)
		return err_set(err, EPROTO,
			       "the answer to SendTargets has an address before any name "
			       "(RFC 7143, C)");
	if (targets->skipping)
		return 0;
	target = &targets->list[targets->current - 1];
	rc = portal_parse_peer(pair->value, pair->value_len, &portal, &why);
	if (rc < 0) {
		add_note(targets, "%s: address left out: %s", target->name, why.reason);
		target->addresses_refused = true;
		return 0;
	}
	if (rc > 0)
		add_note(targets, "%s: the zone of address '%.100s' is dropped", target->name,
			 pair->value);
	targets->untagged += portal.tag == PORTAL_NO_TAG;
	return add_portal(targets, target, &portal, err);
}

static int take_pair(struct targets *targets, const struct text_pair *pair, struct err *err)
{
	if (strcmp(pair->key, "TargetName") == 0)
		return take_name(targets, pair, err);
	if (strcmp(pair->key, "TargetAddress") == 0)
		return take_address(targets, pair, err);
	if (strcmp(pair->key, "SendTargets") == 0)
		return err_set(err, EPROTO, "the target answers SendTargets with '%.64s'",
			       pair->value);
	add_note(targets, "key %s=%.64s is unknown in an answer to SendTargets", pair->key,
		 pair->value);
	return 0;
}

/* All pairs of text, which ends in NUL. */
static int take_pairs(struct targets *targets, const char *text, size_t len, struct err *err)
{
	struct text_iter it = { text, len };
	struct text_pair pair;
	int rc;

	while ((rc = text_next(&it, &pair, err)) > 0) {
		rc = take_pair(targets, &pair, err);
		if (rc < 0)
			return rc;
	}
	return rc;
}

/* Length up to and with the last NUL. */
static size_t whole_len(const char *text, size_t len)
{
	while (len > 0 && text[len - 1] != '\0')
		len--;
	return len;
}

int targets_feed(struct targets *targets, const void *text, size_t len, struct err *err)
{
	const char *p = text;
	size_t whole;
	int rc = 0;

	if (targets->carry.len > 0) {
		const char *end = memchr(p, '\0', len);
		size_t rest = end ? (size_t)(end - p) + 1 : len;

		if (targets->carry.len + rest > CARRY_MAX)
			return err_set(err, EPROTO, "a pair of more than %d bytes", CARRY_MAX);
		buf_add(&targets->carry, p, rest);
		if (targets->carry.failed)
			return err_oom(err);
		if (!end)
			return 0;
		rc = take_pairs(targets, targets->carry.data, targets->carry.len, err);
		targets->carry.len = 0;
		p += rest;
		len -= rest;
	}
	whole = whole_len(p, len);
	if (rc == 0 && whole > 0)
		rc = take_pairs(targets, p, whole, err);
	if (rc < 0)
		return rc;
	if (len - whole > CARRY_MAX)
		return err_set(err, EPROTO, "a pair of more than %d bytes", CARRY_MAX);
	buf_add(&targets->carry, p + whole, len - whole);
	return targets->carry.failed ? err_oom(err) : 0;
}

/* An address that nobody should log in to without a second look. */
static void warn_address(struct targets *targets, const struct target *target,
			 const struct portal *portal, enum address_kind asked)
{
	enum address_kind kind;
	char text[PORTAL_TEXT_MAX];

	if (!portal->numeric)
		return;
	kind = address_kind(portal->address);
	if (kind != ADDRESS_UNSPECIFIED && kind != ADDRESS_MULTICAST &&
	    !(kind == ADDRESS_LOOPBACK && asked != ADDRESS_LOOPBACK))
		return;
	portal_text(portal, text);
	add_note(targets, "%s: %s is %s address: no host can reach the target there", target->name,
		 text,
		 kind == ADDRESS_UNSPECIFIED ? "the unspecified"
		 : kind == ADDRESS_MULTICAST ? "a multicast"
					     : "a loopback");
}

int targets_end(struct targets *targets, const struct portal *asked, enum address_kind kind,
		struct err *err)
{
	struct portal here = *asked;
	size_t kept = 0;
	int rc = 0;

	if (targets->carry.len > 0)
		return err_set(err, EPROTO, "the answer to SendTargets ends inside a pair");
	here.tag = PORTAL_NO_TAG;
	for (size_t i = 0; i < targets->count; i++) {
		struct target *target = &targets->list[i];

		if (target->portal_count == 0 && target->addresses_refused) {
			add_note(targets, "target left out: %s has no address that can be used",
				 target->name);
			targets->refused++;
			free(target->name);
			continue;
		}
		if (target->portal_count == 0 && rc == 0)
			rc = add_portal(targets, target, &here, err);
		for (size_t k = 0; k < target->portal_count; k++)
			warn_address(targets, target, &target->portals[k], kind);
		targets->list[kept++] = *target;
	}
	targets->count = kept;
	if (targets->untagged > 0)
		add_note(targets, "%zu addresses have no portal group tag (RFC 7143, C)",
			 targets->untagged);
	if (targets->note_count > TARGETS_NOTES_MAX)
		buf_addf(&targets->notes, "%zu more remarks are left out\n",
			 targets->note_count - TARGETS_NOTES_MAX);
	free(targets->index);
	targets->index = NULL;
	targets->index_size = 0;
	buf_done(&targets->carry);
	return rc == 0 && targets->notes.failed ? err_oom(err) : rc;
}

void targets_done(struct targets *targets)
{
	for (size_t i = 0; i < targets->count; i++) {
		free(targets->list[i].name);
		free(targets->list[i].portals);
	}
	free(targets->list);
	free(targets->index);
	buf_done(&targets->carry);
	buf_done(&targets->notes);
	*targets = (struct targets){ .list = NULL };
}
