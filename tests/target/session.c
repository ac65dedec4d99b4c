/* SPDX-License-Identifier: MIT */
#include "session.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "gateway.h"
#include "iscsi/bytes.h"
#include "task_management.h"
#include "task_pool.h"

enum { BUCKETS = 8192 };

/*
 * A nexus that is new is told 29/00, as tgt does and not the exact 29/01: it is
 * what initiators have known longest. Early releases of libiscsi try a login's
 * first TEST UNIT READY again after 29/00 alone.
 */
static const enum sense attention_sense[] = {
	[ATTENTION_POWER_ON] = SENSE_POWER_ON,
	[ATTENTION_RESET] = SENSE_RESET,
	[ATTENTION_NEXUS_LOSS] = SENSE_NEXUS_LOSS,
	[ATTENTION_CLEARED] = SENSE_CLEARED,
};

int session_table_init(struct session_table *table, struct err *err)
{
	table->by_tsih = calloc(SESSION_TSIHS, sizeof(struct session *));
	table->buckets = calloc(BUCKETS, sizeof(struct session *));
	if (!table->by_tsih || !table->buckets)
		return err_oom(err);
	return 0;
}

void session_table_done(struct session_table *table)
{
	free(table->by_tsih);
	free(table->buckets);
	*table = (struct session_table){ 0 };
}

static struct session **bucket_of(const struct session_table *table, const char *initiator,
				  const uint8_t *isid, const struct target *target)
{
	uint32_t hash = UINT32_C(0x811c9dc5) ^ (uint32_t)((uintptr_t)target >> 4);

	for (const char *p = initiator; *p != '\0'; p++)
		hash = (hash ^ (unsigned char)*p) * UINT32_C(0x01000193);
	for (int i = 0; i < ISID_LEN; i++)
		hash = (hash ^ isid[i]) * UINT32_C(0x01000193);
	return &table->buckets[hash % BUCKETS];
}

struct session *session_find(const struct gateway *gateway, const struct session_key *key)
{
	struct session *it = *bucket_of(&gateway->sessions, key->initiator, key->isid, key->target);

	for (; it; it = it->hash_next)
		if (it->target == key->target && it->discovery == key->discovery &&
		    memcmp(it->isid, key->isid, ISID_LEN) == 0 &&
		    strcmp(it->initiator, key->initiator) == 0 &&
		    (key->target || it->portal == key->portal))
			return it;
	return NULL;
}

struct session *session_find_tsih(const struct gateway *gateway, uint16_t tsih)
{
	return gateway->sessions.by_tsih[tsih];
}

bool session_admits(const struct gateway *gateway, const struct target *target,
		    const char *initiator)
{
	uint32_t others = 0;

	if (gateway->limits.initiators == 0)
		return true;
	for (const struct session *it = target->sessions; it; it = it->target_next) {
		const struct session *earlier = target->sessions;

		if (strcmp(it->initiator, initiator) == 0)
			return true;
		while (earlier != it && strcmp(earlier->initiator, it->initiator) != 0)
			earlier = earlier->target_next;
		others += earlier == it;
	}
	return others < gateway->limits.initiators;
}

enum sense session_take_attention(struct session *session)
{
	unsigned int attention = 0;

	if (session->attentions == 0)
		return SENSE_NONE;
	while (!(session->attentions >> attention & 1))
		attention++;
	session->attentions &= (uint8_t) ~(1U << attention);
	return attention_sense[attention];
}

/* An initiator port by the hash of its name and ISID; never 0. */
static uint64_t port_of(const struct session *session)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (const char *p = session->initiator; *p != '\0'; p++)
		hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
	for (int i = 0; i < ISID_LEN; i++)
		hash = (hash ^ session->isid[i]) * UINT64_C(0x100000001b3);
	return hash | 1;
}

/* Ports that were lost long ago are forgotten, and new again. */
static bool knows_port(const struct target *target, uint64_t port)
{
	for (int i = 0; i < TARGET_PORTS; i++) {
		if (target->ports[i] == port)
			return true;
	}
	return false;
}

static void join_target(struct session *session)
{
	struct target *target = session->target;

	session->target_link = &target->sessions;
	session->target_next = target->sessions;
	if (session->target_next)
		session->target_next->target_link = &session->target_next;
	target->sessions = session;
	session_attend(session, knows_port(target, port_of(session)) ? ATTENTION_NEXUS_LOSS
								     : ATTENTION_POWER_ON);
}

static void leave_target(struct session *session)
{
	struct target *target = session->target;

	*session->target_link = session->target_next;
	if (session->target_next)
		session->target_next->target_link = session->target_link;
	if (!knows_port(target, port_of(session)))
		target->ports[target->port_next++ % TARGET_PORTS] = port_of(session);
}

/* 0 names no session; a number that was free last is taken last. */
static uint16_t free_tsih(struct session_table *table)
{
	for (unsigned int tries = 0; tries < SESSION_TSIHS; tries++) {
		uint16_t tsih = ++table->last_tsih;

		if (tsih != 0 && !table->by_tsih[tsih])
			return tsih;
	}
	return 0;
}

struct session *session_new(struct gateway *gateway, const struct session_key *key)
{
	struct session_table *table = &gateway->sessions;
	size_t name_size = strlen(key->initiator) + 1;
	uint16_t tsih = free_tsih(table);
	struct session **bucket, *session;

	session = tsih != 0 ? calloc(1, sizeof(*session) + name_size) : NULL;
	if (!session)
		return NULL;
	session->gateway = gateway;
	session->initiator = (char *)(session + 1);
	memcpy(session->initiator, key->initiator, name_size);
	session->target = (struct target *)(uintptr_t)key->target;
	session->discovery = key->discovery;
	memcpy(session->isid, key->isid, ISID_LEN);
	session->portal = key->portal;
	session->tsih = tsih;

	bucket = bucket_of(table, session->initiator, session->isid, session->target);
	session->hash_next = *bucket;
	*bucket = session;
	table->by_tsih[tsih] = session;
	table->count++;
	if (!session->discovery)
		join_target(session);
	return session;
}

void session_free(struct session *session)
{
	struct session_table *table;
	struct session **link;

	if (!session)
		return;
	table = &session->gateway->sessions;
	link = bucket_of(table, session->initiator, session->isid, session->target);
	while (*link != session)
		link = &(*link)->hash_next;
	*link = session->hash_next;
	if (!session->discovery)
		leave_target(session);
	table->by_tsih[session->tsih] = NULL;
	table->count--;
	session_drop_held(session);
	task_management_drop(session);
	task_pool_drop(session);
	free(session->held);
	free(session);
}

static struct held *held_slot(struct session *session, uint32_t cmd_sn)
{
	if (!session->held)
		session->held = calloc(SESSION_QUEUE, sizeof(struct held));
	return session->held ? &session->held[cmd_sn % SESSION_QUEUE] : NULL;
}

bool session_hold(struct session *session, uint32_t cmd_sn, const struct pdu *pdu)
{
	struct held *held = held_slot(session, cmd_sn);
	size_t len = BHS_LEN + pdu->ahs_len + pdu->data_len;

	if (!held)
		return false;
	if (held->bytes || held->gone)
		return true;
	if (session->held_bytes + len > SESSION_HELD_BYTES)
		return false;
	held->bytes = malloc(len);
	if (!held->bytes)
		return false;
	memcpy(held->bytes, pdu->bhs, BHS_LEN);
	if (pdu->ahs_len > 0)
		memcpy(held->bytes + BHS_LEN, pdu->ahs, pdu->ahs_len);
	if (pdu->data_len > 0)
		memcpy(held->bytes + BHS_LEN + pdu->ahs_len, pdu->data, pdu->data_len);
	held->ahs_len = pdu->ahs_len;
	held->data_len = pdu->data_len;
	session->held_bytes += len;
	return true;
}

bool session_skip(struct session *session, uint32_t cmd_sn)
{
	struct held *held = held_slot(session, cmd_sn);

	if (!held)
		return false;
	if (held->bytes)
		session->held_bytes -= BHS_LEN + held->ahs_len + held->data_len;
	free(held->bytes);
	*held = (struct held){ .gone = true };
	return true;
}

int session_next_held(struct session *session, struct pdu *pdu, uint8_t **bytes)
{
	struct held *held;
	bool run;

	if (!session->held)
		return 0;
	held = &session->held[session->exp_cmd_sn % SESSION_QUEUE];
	if (!held->bytes && !held->gone)
		return 0;
	run = held->bytes != NULL;
	*bytes = held->bytes;
	*pdu = (struct pdu){
		.bhs = held->bytes,
		.ahs = run ? held->bytes + BHS_LEN : NULL,
		.ahs_len = held->ahs_len,
		.data = run ? held->bytes + BHS_LEN + held->ahs_len : NULL,
		.data_len = held->data_len,
	};
	if (run)
		session->held_bytes -= BHS_LEN + held->ahs_len + held->data_len;
	*held = (struct held){ 0 };
	session->exp_cmd_sn++;
	return run ? 1 : 2;
}

const uint8_t *session_held_bytes(const struct session *session, uint32_t cmd_sn)
{
	return session->held ? session->held[cmd_sn % SESSION_QUEUE].bytes : NULL;
}

void session_drop_held(struct session *session)
{
	if (!session->held)
		return;
	for (int i = 0; i < SESSION_QUEUE; i++)
		free(session->held[i].bytes);
	memset(session->held, 0, SESSION_QUEUE * sizeof(struct held));
	session->held_bytes = 0;
}
