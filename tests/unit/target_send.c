/* SPDX-License-Identifier: MIT */
#include "target_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "iscsi/bytes.h"
#include "iscsi/text.h"

void peer_open(struct script *script, struct peer *peer)
{
	struct socket_address local;
	uint8_t isid = (uint8_t)(peer - script->peers + 1);

	*peer = (struct peer){ .used = true, .open = true, .isid = isid, .cmd_sn = 100 };
	socket_address_parse("127.0.0.1", 3260, &local);
	pdu_reader_init(&peer->reader, 16777215);
	if (connection_init(&peer->connection, script->gateway, 0, &local, "192.0.2.7:49152") < 0)
		abort();
}

void peer_close(struct peer *peer)
{
	if (!peer->used)
		return;
	connection_done(&peer->connection);
	pdu_reader_done(&peer->reader);
	buf_done(&peer->in);
	buf_done(&peer->kept);
	peer->used = false;
}

size_t peer_receive(struct pdu_reader *reader, const void *bytes, size_t len)
{
	uint8_t *space;
	size_t room;
	struct err err;

	if (pdu_reader_space(reader, &space, &room, &err) < 0)
		abort();
	room = room < len ? room : len;
	memcpy(space, bytes, room);
	pdu_reader_received(reader, room);
	return room;
}

void peer_deliver(struct script *script, struct peer *peer)
{
	struct out *out = &script->gateway->out;
	const struct connection *connection = &peer->connection;

	for (size_t i = 0; i < out->count; i++)
		buf_add(&peer->kept, out->pieces[i].bytes, out->pieces[i].len);
	if (!connection->paused) {
		buf_add(&peer->in, peer->kept.data, peer->kept.len);
		peer->kept.len = 0;
	} else if (out->count > 0 && connection_is_stalled(connection)) {
		buf_add(&peer->in, peer->kept.data, connection->answered);
		peer->kept.len -= connection->answered;
		memmove(peer->kept.data, peer->kept.data + connection->answered, peer->kept.len);
	}
	out_reset(out);
}

static void feed(struct script *script, struct peer *peer, const char *bytes, size_t len)
{
	bool more;

	while (len > 0 && peer->connection.phase < CONNECTION_CLOSING) {
		size_t some = peer_receive(&peer->connection.reader, bytes, len);

		bytes += some;
		len -= some;
		do {
			more = connection_handle(&peer->connection);
			peer_deliver(script, peer);
		} while (more);
	}
}

/* The CHAP_I and CHAP_C we send are what the target's answer is held against. */
static void note_challenge(struct peer *peer, const struct buf *text)
{
	struct text_iter it = { buf_text(text), text->len };
	const char *id = NULL, *challenge = NULL;
	struct text_pair pair;
	struct err err;

	while (text_next(&it, &pair, &err) > 0) {
		if (strcmp(pair.key, "CHAP_I") == 0)
			id = pair.value;
		if (strcmp(pair.key, "CHAP_C") == 0)
			challenge = pair.value;
	}
	if (id && challenge)
		(void)chap_challenge_parse(&peer->ours, id, challenge, &err);
}

static void put_login(struct script *script, struct peer *peer, const struct words *words,
		      uint8_t *bhs)
{
	const char *tsih = words_value(words, "tsih");

	bhs[BHS_OPCODE] = OPCODE_IMMEDIATE | OP_LOGIN_REQUEST;
	bhs[BHS_FLAGS] = login_flags(words->word[1]);
	bhs[LOGIN_VERSION_MAX] = (uint8_t)words_number(words, "vmax", 0);
	bhs[LOGIN_VERSION_MIN] = (uint8_t)words_number(words, "vmin", 0);
	bhs[LOGIN_ISID] = 0x80;
	bhs[LOGIN_ISID + 5] = (uint8_t)words_number(words, "isid", peer->isid);
	put_be16(bhs + LOGIN_TSIH,
		 (uint16_t)(tsih && tsih[0] >= 'a' ? script->peers[tsih[0] - 'a'].tsih
						   : words_number(words, "tsih", 0)));
	put_be32(bhs + BHS_ITT, words_number(words, "itt", 1));
	put_be16(bhs + LOGIN_CID, (uint16_t)words_number(words, "cid", 0));
	put_be32(bhs + BHS_CMD_SN, words_number(words, "sn", peer->cmd_sn));
	peer->cmd_sn = words_number(words, "sn", peer->cmd_sn);
}

static const struct verb {
	const char *name;
	uint8_t opcode;
} verbs[] = {
	{ "nop", OP_NOP_OUT },
	{ "cmd", OP_SCSI_COMMAND },
	{ "tmf", OP_TASK_REQUEST },
	{ "text", OP_TEXT_REQUEST },
	{ "dataout", OP_DATA_OUT },
	{ "logout", OP_LOGOUT_REQUEST },
	{ "snack", OP_SNACK_REQUEST },
	{ "login", OP_LOGIN_REQUEST },
	{ "op", 0 },
};

/* ttt=N, ttt=* the last text response's, ttt=rN that of the R2T with R2TSN N. */
static uint32_t tag_of(const struct peer *peer, const struct words *words)
{
	const char *value = words_value(words, "ttt");

	if (value && value[0] == '*')
		return peer->ttt;
	if (value && value[0] == 'r')
		return peer->r2t[(value[1] - '0') % 10];
	return words_number(words, "ttt", TAG_NONE);
}

static bool put_request(struct script *script, struct peer *peer, const struct words *words,
			uint8_t *bhs)
{
	const struct verb *verb = NULL;
	bool numbered;

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (strcmp(verbs[i].name, words->word[1]) == 0)
			verb = &verbs[i];
	if (!verb)
		return script_fail(script, "no such verb: %s", words->word[1]);
	numbered = !words_have(words, "I") && verb->opcode != OP_DATA_OUT &&
		   words->word[1][0] != 'o' && words_number(words, "itt", 0) != TAG_NONE;
	bhs[BHS_OPCODE] = (uint8_t)words_number(words, "op", verb->opcode);
	if (words_have(words, "I"))
		bhs[BHS_OPCODE] |= OPCODE_IMMEDIATE;
	bhs[BHS_FLAGS] = (uint8_t)((words_have(words, "F") ? FLAG_FINAL : 0) |
				   (words_have(words, "C") || words_have(words, "R") ? 0x40 : 0) |
				   (words_have(words, "W") ? COMMAND_WRITE : 0) |
				   words_number(words, "fn", 0));
	put_be16(bhs + BHS_LUN, (uint16_t)words_number(words, "lun", 0));
	put_be32(bhs + BHS_ITT, words_number(words, "itt", ++peer->tag + 0x1000));
	put_be32(bhs + BHS_TTT, tag_of(peer, words));
	put_be32(bhs + BHS_CMD_SN, words_number(words, "sn", peer->cmd_sn));
	if (numbered && !words_value(words, "sn"))
		peer->cmd_sn++;
	switch (verb->opcode) {
	case OP_SCSI_COMMAND:
		put_be32(bhs + COMMAND_EXPECTED_LENGTH, words_number(words, "len", 0));
		break;
	case OP_DATA_OUT:
		put_be32(bhs + DATA_SN, words_number(words, "datasn", 0));
		put_be32(bhs + DATA_OFFSET, words_number(words, "offset", 0));
		break;
	case OP_TASK_REQUEST:
		put_be32(bhs + TASK_REFERENCED_TAG, words_number(words, "ref", 0));
		put_be32(bhs + TASK_REF_CMD_SN, words_number(words, "refsn", 0));
		break;
	case OP_LOGOUT_REQUEST:
		put_be16(bhs + LOGOUT_CID, (uint16_t)words_number(words, "cid", 0));
		put_be16(bhs + LOGOUT_CID + 2, 0);
		break;
	}
	return true;
}

static size_t from_hex(const char *hex, uint8_t *out, size_t size)
{
	size_t len = 0;

	for (unsigned int byte; hex && len < size && sscanf(hex, "%2x", &byte) == 1; hex += 2)
		out[len++] = (uint8_t)byte;
	return len;
}

/* One request as bytes: header, AHS given in hex (ahs=), data; digests as the session has them. */
bool script_send(struct script *script, struct peer *peer, const struct words *words)
{
	CLEANUP(buf_done) struct buf text = { 0 };
	CLEANUP(buf_done) struct buf pdu = { 0 };
	uint8_t head[PDU_HEAD_MAX] = { 0 }, tail[PDU_TAIL_MAX];
	const struct connection *connection = &peer->connection;
	bool login = words->word[1][0] >= '0' && words->word[1][0] <= '9', digest;
	size_t ahs_len, head_len;

	if (login)
		put_login(script, peer, words, head);
	else if (!put_request(script, peer, words, head))
		return false;
	put_be32(head + BHS_EXP_STAT_SN, peer->exp_stat_sn);
	head[BHS_OPCODE] = (uint8_t)words_number(words, "op", head[BHS_OPCODE]);
	if (strcmp(words->word[1], "cmd") == 0 && words->text)
		from_hex(words->text, head + COMMAND_CDB, 16);
	else
		script_add_text(script, peer, words->text, words_have(words, "raw"), &text);
	for (uint32_t i = words_number(words, "data", 0); i > 0; i--)
		buf_add(&text, words_value(words, "byte") ? words_value(words, "byte") : "d", 1);
	note_challenge(peer, &text);
	ahs_len = from_hex(words_value(words, "ahs"), head + BHS_LEN, PDU_AHS_MAX);
	digest = connection->phase == CONNECTION_FULL && connection->header_digest;
	head_len = pdu_seal_head(head, ahs_len, (uint32_t)text.len, digest);
	if (words_value(words, "dsl"))
		put_be24(head + BHS_DATA_LEN, words_number(words, "dsl", 0));
	if (words_value(words, "badhead"))
		head[head_len - 1] ^= 1;
	buf_add(&pdu, head, head_len);
	buf_add(&pdu, text.data, text.len);
	digest = connection->phase == CONNECTION_FULL && connection->data_digest;
	head_len = pdu_seal_tail(tail, buf_text(&text), text.len, digest);
	if (words_value(words, "baddata"))
		tail[head_len - 1] ^= 1;
	buf_add(&pdu, tail, head_len);
	feed(script, peer, pdu.data, words_number(words, "cut", (uint32_t)pdu.len));
	return true;
}
