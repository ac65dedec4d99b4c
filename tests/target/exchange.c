/* SPDX-License-Identifier: MIT */
#include "exchange.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "connection.h"
#include "err.h"
#include "gateway.h"
#include "iscsi/bytes.h"
#include "iscsi/status.h"
#include "iscsi/text.h"

enum { EXCHANGE_TEXT_MAX = 65536 }; /* a request in parts */

struct exchange {
	uint32_t tag; /* ITT of all its requests */
	uint32_t ttt; /* that names it in the initiator's next one */
	struct params params; /* in force when the exchange ends, and not before (6.4) */
	struct buf text; /* a request in parts (C bit), as far as it is here */

	/* What is still to be answered: pairs, and then the records of targets next … end - 1. */
	struct buf pairs;
	size_t sent; /* of the pairs */
	size_t next, end;
	struct buf addresses; /* the pairs behind the TargetName of any record */
};

void exchange_free(struct exchange *exchange)
{
	if (!exchange)
		return;
	buf_done(&exchange->text);
	buf_done(&exchange->pairs);
	buf_done(&exchange->addresses);
	free(exchange);
}

static struct exchange *exchange_new(struct connection *connection, uint32_t tag)
{
	const struct session *session = connection->session;
	struct exchange *exchange = calloc(1, sizeof(*exchange));

	if (!exchange)
		return NULL;
	if (++connection->text_tag == TAG_NONE)
		connection->text_tag = 1;
	exchange->tag = tag;
	exchange->ttt = connection->text_tag;
	params_init(&exchange->params, PARAMS_TARGET);
	memcpy(exchange->params.value, session->value, sizeof(session->value));
	return exchange;
}

/* TargetAddress pairs: they are the same for all targets. */
static void collect_addresses(const struct connection *connection, struct buf *out)
{
	const struct gateway *gateway = connection->gateway;
	CLEANUP(buf_done) struct buf address = { 0 };

	for (size_t i = 0; i < gateway->portal_count; i++) {
		address.len = 0;
		gateway_portal_text(gateway, i, &connection->local, connection->portal, &address);
		if (address.len > 0)
			text_add(out, "TargetAddress", buf_text(&address));
	}
	out->failed = out->failed || address.failed;
}

/* Names are compared in lower case, as logins do; NULL where there is no such target. */
static const struct target *find_named(const struct gateway *gateway, const char *name)
{
	char folded[TEXT_VALUE_MAX + 1];
	size_t len = strlen(name);

	target_name_fold(name, len, folded);
	return target_list_find(&gateway->targets, folded, len);
}

/*
 * SendTargets (appendix C): a discovery session may ask for all or for one; a
 * normal session sees its own target, however it asks.
 */
static void send_targets(struct connection *connection, struct exchange *exchange,
			 const char *value)
{
	static const char *const types[] = { "iqn.", "eui.", "naa." };
	const struct gateway *gateway = connection->gateway;
	const struct target *own = connection->session->target, *one = own;
	bool discovery = connection->session->discovery, name = false;

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		name = name || strncmp(value, types[i], 4) == 0;
	if (name) {
		one = find_named(gateway, value);
		if (!discovery && one != own)
			one = NULL;
	} else if (strcmp(value, "All") == 0 && discovery) {
		exchange->next = 0;
		exchange->end = gateway->targets.count;
		one = NULL;
	} else if (value[0] == '\0' && discovery) {
		one = NULL;
	} else if (value[0] != '\0' && strcmp(value, "All") != 0) {
		text_add(&exchange->pairs, "SendTargets", "Reject");
		return;
	}
	if (one) {
		exchange->next = (size_t)(one - gateway->targets.targets);
		exchange->end = exchange->next + 1;
	}
	collect_addresses(connection, &exchange->addresses);
	event_ask(&gateway->events, EVENT_SEND_TARGETS, connection, NULL);
}

void exchange_add_name(struct connection *connection, const void *name, size_t len)
{
	struct exchange *exchange = connection->exchange;

	buf_adds(&exchange->pairs, "TargetName=");
	buf_add(&exchange->pairs, name, len);
	buf_add(&exchange->pairs, "", 1);
	buf_add(&exchange->pairs, exchange->addresses.data, exchange->addresses.len);
}

void exchange_set_address(struct connection *connection, const char *address)
{
	struct exchange *exchange = connection->exchange;

	exchange->addresses.len = 0;
	text_add(&exchange->addresses, "TargetAddress", address);
}

void exchange_set_answer(struct connection *connection, const void *bytes, size_t len)
{
	struct exchange *exchange = connection->exchange;

	exchange->pairs.len = 0;
	exchange->next = exchange->end = 0;
	buf_add(&exchange->pairs, bytes, len);
}

/* All pairs of a request. 0, or a reason to reject it. */
static uint8_t take_text(struct connection *connection, struct text_iter it)
{
	struct exchange *exchange = connection->exchange;
	struct text_pair pair;
	struct err err;
	int rc;

	while ((rc = text_next(&it, &pair, &err)) != 0) {
		enum param key = PARAM_UNKNOWN;

		if (rc < 0)
			return REJECT_PROTOCOL;
		rc = params_receive(&exchange->params, STAGE_FULL_FEATURE, &pair, &exchange->pairs,
				    &key, &err);
		if (rc < 0)
			return REJECT_PROTOCOL;
		if (key == PARAM_SEND_TARGETS)
			send_targets(connection, exchange, pair.value);
		else if (key != PARAM_UNKNOWN && connection->session->discovery)
			return REJECT_PROTOCOL; /* 4.3: nothing else has a place there */
	}
	return 0;
}

/* The next record into the empty `pairs`; false where there is none. */
static bool next_record(const struct gateway *gateway, struct exchange *exchange)
{
	const struct target *target;

	exchange->pairs.len = exchange->sent = 0;
	if (exchange->next == exchange->end)
		return false;
	target = &gateway->targets.targets[exchange->next++];
	buf_adds(&exchange->pairs, "TargetName=");
	buf_add(&exchange->pairs, target->name, target->name_len + 1);
	buf_add(&exchange->pairs, exchange->addresses.data, exchange->addresses.len);
	return true;
}

/*
 * Fill one part of up to `most` bytes. A record that does not fit waits for
 * the next part; one that is longer than a part is cut between its pairs, and
 * only a longer pair inside, which *cut tells (C bit). Returns whether that
 * was the last of the answer.
 */
static bool fill_part(const struct gateway *gateway, struct exchange *exchange, struct buf *part,
		      size_t most, bool *cut)
{
	*cut = false;
	for (;;) {
		size_t left = exchange->pairs.len - exchange->sent, take = left;
		const char *from = buf_text(&exchange->pairs) + exchange->sent;

		if (left == 0) {
			if (!next_record(gateway, exchange))
				return true;
			continue;
		}
		if (left > most - part->len) {
			if (part->len > 0)
				return false;
			for (take = most; take > 0 && from[take - 1] != '\0'; take--)
				;
			*cut = take == 0;
			take = *cut ? most : take;
		}
		buf_add(part, from, take);
		exchange->sent += take;
		if (take < left || part->failed)
			return false;
	}
}

/* The negotiation is over: what it changed holds from here on. */
static void end_exchange(struct connection *connection)
{
	struct exchange *exchange = TAKE_PTR(connection->exchange);
	uint32_t max_recv = exchange->params.value[PARAM_MAX_RECV_DATA_SEGMENT_LENGTH];

	connection->session->value[PARAM_MAX_RECV_DATA_SEGMENT_LENGTH] = max_recv;
	connection->max_send = max_recv;
	exchange_free(exchange);
}

static void respond(struct connection *connection, bool final, const struct buf *part, bool cut)
{
	struct exchange *exchange = connection->exchange;
	uint8_t flags = (uint8_t)((final ? FLAG_FINAL : 0) | (cut ? FLAG_CONTINUE : 0));
	uint8_t *bhs = connection_answer(connection, OP_TEXT_RESPONSE, flags);

	put_be32(bhs + BHS_ITT, exchange->tag);
	put_be32(bhs + BHS_TTT, final ? TAG_NONE : exchange->ttt);
	connection_number(connection, bhs, true);
	connection_send(connection, bhs, part->data, part->len, DATA_SCRATCH);
	if (final)
		end_exchange(connection);
}

/* A whole request is here and understood: send what comes next. */
static void answer(struct connection *connection, bool final)
{
	CLEANUP(buf_done) struct buf part = { 0 };
	struct exchange *exchange = connection->exchange;
	size_t most =
		connection->max_send < GATEWAY_TEXT_MAX ? connection->max_send : GATEWAY_TEXT_MAX;
	bool cut, last = fill_part(connection->gateway, exchange, &part, most, &cut);

	if (part.failed || exchange->pairs.failed || exchange->addresses.failed)
		connection_close(connection, "no memory for a text exchange");
	else
		respond(connection, final && last, &part, cut);
}

/* The exchange a request belongs to: a new one, or the one its tags name. A reason, or 0. */
static uint8_t find_exchange(struct connection *connection, const uint8_t *bhs)
{
	struct exchange *exchange = connection->exchange;
	uint32_t tag = get_be32(bhs + BHS_ITT), ttt = get_be32(bhs + BHS_TTT);

	if (ttt != TAG_NONE)
		return exchange && exchange->ttt == ttt && exchange->tag == tag
			       ? 0
			       : REJECT_INVALID_FIELD;
	exchange_free(exchange);
	connection->exchange = exchange_new(connection, tag);
	return connection->exchange ? 0 : REJECT_LONG_OPERATION;
}

static uint8_t take_request(struct connection *connection, const struct pdu *pdu)
{
	bool final = pdu->bhs[BHS_FLAGS] & FLAG_FINAL;
	bool continued = pdu->bhs[BHS_FLAGS] & FLAG_CONTINUE;
	struct exchange *exchange;
	uint8_t reason = 0;

	if (final && continued)
		return REJECT_INVALID_FIELD;
	reason = find_exchange(connection, pdu->bhs);
	if (reason != 0)
		return reason;
	exchange = connection->exchange;
	if (exchange->sent < exchange->pairs.len || exchange->next < exchange->end) {
		if (pdu->data_len > 0 || continued)
			return REJECT_PROTOCOL; /* the answer comes first (6.2) */
		answer(connection, final);
		return 0;
	}
	if (exchange->text.len + pdu->data_len > EXCHANGE_TEXT_MAX)
		return REJECT_PROTOCOL;
	buf_add(&exchange->text, pdu->data, pdu->data_len);
	if (continued) {
		respond(connection, false, &(struct buf){ 0 }, false);
		return 0;
	}
	reason = take_text(connection,
			   (struct text_iter){ buf_text(&exchange->text), exchange->text.len });
	exchange->text.len = 0;
	if (reason == 0)
		answer(connection, final);
	return reason;
}

void exchange_receive(struct connection *connection, const struct pdu *pdu)
{
	uint8_t reason = take_request(connection, pdu);

	/* A failed exchange leaves everything as it was. */
	if (reason != 0) {
		exchange_free(TAKE_PTR(connection->exchange));
		connection_reject(connection, pdu->bhs, reason);
	}
}
