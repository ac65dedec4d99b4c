/* SPDX-License-Identifier: MIT */
#include "target_script.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../target/connection.h"
#include "../target/gateway.h"
#include "buf.h"
#include "err.h"
#include "iscsi/bytes.h"
#include "iscsi/chap.h"
#include "iscsi/text.h"

enum { PEERS = 4, LINE_MAX_LEN = 4096 };

#define INITIATOR "iqn.2026-01.com.example:host"
#define TARGET "iqn.1997-05.com.amazon:myvolume"

/* One connection, seen from the initiator. */
struct peer {
	struct connection connection;
	bool used, open;
	struct buf in; /* what the target sent */
	size_t taken; /* of that, by the reader */
	struct pdu_reader reader;
	uint8_t isid;
	uint16_t tsih;
	uint32_t tag, cmd_sn, exp_stat_sn, ttt;
	bool begun; /* a response was seen: its numbers are known */
	uint32_t exp_cmd_sn, max_cmd_sn;
	int algorithm;
	struct chap_challenge theirs, ours;
};

struct script {
	struct gateway *gateway;
	struct peer peers[PEERS];
	struct chap_challenge earlier;
	struct chap_memory challenges; /* all that the target has sent */
	char *why;
	int line;
};

static bool fail(struct script *script, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static bool fail(struct script *script, const char *fmt, ...)
{
	va_list args;
	int used = snprintf(script->why, 512, "line %d: ", script->line);

	va_start(args, fmt);
	vsnprintf(script->why + used, 512 - (size_t)used, fmt, args);
	va_end(args);
	return false;
}

/* The words of a step; "NAME=NUMBER" and bare flags. */
struct words {
	char *word[24];
	int count;
	char *text; /* behind " : ", or NULL */
};

static void split(char *line, struct words *words)
{
	char *text = strstr(line, " : ");
	size_t len = strlen(line);

	*words = (struct words){ .count = 0 };
	if (text) {
		*text = '\0';
		words->text = text + 3;
	} else if (len >= 2 && strcmp(line + len - 2, " :") == 0) {
		line[len - 2] = '\0';
		words->text = line + len;
	}
	while (words->count < (int)ARRAY_LEN(words->word)) {
		line += strspn(line, " \t");
		if (*line == '\0')
			break;
		words->word[words->count++] = line;
		line += strcspn(line, " \t");
		if (*line != '\0')
			*line++ = '\0';
	}
}

static bool has(const struct words *words, const char *flag)
{
	for (int i = 1; i < words->count; i++)
		if (strcmp(words->word[i], flag) == 0)
			return true;
	return false;
}

static const char *value_of(const struct words *words, const char *name)
{
	size_t len = strlen(name);

	for (int i = 1; i < words->count; i++)
		if (strncmp(words->word[i], name, len) == 0 && words->word[i][len] == '=')
			return words->word[i] + len + 1;
	return NULL;
}

static uint32_t number_of(const struct words *words, const char *name, uint32_t fallback)
{
	const char *value = value_of(words, name);

	return value ? (uint32_t)strtoul(value, NULL, 0) : fallback;
}

/* ---- values ---- */

static void add_response(struct peer *peer, char form, const char *secret, struct buf *out)
{
	struct chap_secret key = { secret, strlen(secret) };
	const struct chap_challenge *challenge = form == 'M' ? &peer->ours : &peer->theirs;
	uint8_t bytes[CHAP_RESPONSE_MAX + 2] = { 0 };
	size_t len = chap_response_len((unsigned int)peer->algorithm);
	static const char base64[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct err err;

	if (chap_respond((unsigned int)peer->algorithm, challenge, key, bytes, &err) < 0)
		return;
	if (form == 'Z')
		bytes[len - 1] ^= 1;
	len = form == 'L' ? len + 1 : form == 'S' ? len - 1 : len;
	if (form != 'B') {
		buf_adds(out, form == 'U' ? "0X" : form == 'D' ? "" : "0x");
		for (size_t i = 0; i < len; i++)
			buf_addf(out, form == 'U' ? "%02X" : "%02x", bytes[i]);
		return;
	}
	buf_adds(out, "0b");
	for (size_t i = 0; i < len; i += 3) {
		uint32_t bits = get_be24(bytes + i);

		for (int k = 0; k < 4; k++)
			buf_addf(out, "%c",
				 (size_t)k > len - i ? '=' : base64[bits >> (18 - 6 * k) & 63]);
	}
}

static void add_challenge(const struct chap_challenge *challenge, struct buf *out)
{
	buf_adds(out, "0x");
	for (size_t i = 0; i < challenge->len; i++)
		buf_addf(out, "%02x", challenge->bytes[i]);
}

/* Expand the % forms of a value. */
static void expand(struct script *script, struct peer *peer, const char *p, const char *end,
		   struct buf *out)
{
	while (p < end) {
		char form, argument[128] = "";
		unsigned long count;
		const char *brace;

		if (*p != '%') {
			buf_add(out, p++, 1);
			continue;
		}
		form = p[1];
		p += 2;
		if (p < end && *p == '{') {
			brace = memchr(p, '}', (size_t)(end - p));
			snprintf(argument, sizeof(argument), "%.*s", (int)(brace - p - 1), p + 1);
			p = brace + 1;
		}
		count = strtoul(argument, NULL, 10);
		if (form == 'x' || form == '0' || form == 'h') {
			buf_adds(out, form == 'h' ? "0x" : "");
			for (; count > 0; count--)
				buf_add(out,
					form == 'h'   ? "a5"
					: form == 'x' ? "x"
						      : "",
					form == 'h' ? 2 : 1);
		} else if (form == 'b')
			buf_add(out, &(char){ (char)strtoul(argument, NULL, 16) }, 1);
		else if (form == 'C')
			add_challenge(&peer->theirs, out);
		else if (form == 'O')
			add_challenge(&script->earlier, out);
		else
			add_response(peer, form, argument, out);
	}
}

static const char *named_pair(const char *p, size_t len)
{
	static const struct {
		char name;
		const char *pair;
	} pairs[] = {
		{ 'I', "InitiatorName=" INITIATOR },
		{ 'T', "TargetName=" TARGET },
		{ 'D', "SessionType=Discovery" },
		{ 'N', "SessionType=Normal" },
	};

	for (size_t i = 0; len == 1 && i < ARRAY_LEN(pairs); i++)
		if (pairs[i].name == *p)
			return pairs[i].pair;
	return NULL;
}

/* "A=1|B=2" to pairs that end in NUL each, or of raw text all but the last. */
static void add_text(struct script *script, struct peer *peer, const char *text, bool raw,
		     struct buf *out)
{
	while (text && *text != '\0') {
		const char *end = strchr(text, '|'), *pair;
		size_t len = end ? (size_t)(end - text) : strlen(text);

		pair = raw ? NULL : named_pair(text, len);
		if (pair)
			buf_adds(out, pair);
		else
			expand(script, peer, text, text + len, out);
		if (end || !raw)
			buf_add(out, "", 1);
		text = end ? end + 1 : NULL;
	}
}

/* ---- sending ---- */

static void open_peer(struct script *script, struct peer *peer)
{
	struct socket_address local;
	uint8_t isid = (uint8_t)(peer - script->peers + 1);

	*peer = (struct peer){ .used = true, .open = true, .isid = isid, .cmd_sn = 100 };
	socket_address_parse("127.0.0.1", 3260, &local);
	pdu_reader_init(&peer->reader, 16777215);
	if (connection_init(&peer->connection, script->gateway, 0, &local, "192.0.2.7:49152") < 0)
		abort();
}

static void close_peer(struct peer *peer)
{
	if (!peer->used)
		return;
	connection_done(&peer->connection);
	pdu_reader_done(&peer->reader);
	buf_done(&peer->in);
	peer->used = false;
}

/* As much as the reader takes now. */
static size_t receive_some(struct pdu_reader *reader, const void *bytes, size_t len)
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

/* What gathered for a connection reaches it. */
static void deliver(struct script *script, struct peer *peer)
{
	struct out *out = &script->gateway->out;

	for (size_t i = 0; i < out->count; i++)
		buf_add(&peer->in, out->pieces[i].bytes, out->pieces[i].len);
	out_reset(out);
}

static void feed(struct script *script, struct peer *peer, const char *bytes, size_t len)
{
	bool more;

	while (len > 0 && peer->connection.phase < CONNECTION_CLOSING) {
		size_t some = receive_some(&peer->connection.reader, bytes, len);

		bytes += some;
		len -= some;
		do {
			more = connection_handle(&peer->connection);
			deliver(script, peer);
		} while (more);
	}
}

static uint8_t stage_flags(const char *word)
{
	uint8_t flags = (uint8_t)((word[0] - '0') << LOGIN_CSG_SHIFT);

	if (word[1] == '/')
		flags |= (uint8_t)(word[2] - '0');
	if (strchr(word, 'T'))
		flags |= LOGIN_TRANSIT;
	if (strchr(word, 'C'))
		flags |= FLAG_CONTINUE;
	return flags;
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
	const char *tsih = value_of(words, "tsih");

	bhs[BHS_OPCODE] = OPCODE_IMMEDIATE | OP_LOGIN_REQUEST;
	bhs[BHS_FLAGS] = stage_flags(words->word[1]);
	bhs[LOGIN_VERSION_MAX] = (uint8_t)number_of(words, "vmax", 0);
	bhs[LOGIN_VERSION_MIN] = (uint8_t)number_of(words, "vmin", 0);
	bhs[LOGIN_ISID] = 0x80;
	bhs[LOGIN_ISID + 5] = (uint8_t)number_of(words, "isid", peer->isid);
	put_be16(bhs + LOGIN_TSIH,
		 (uint16_t)(tsih && tsih[0] >= 'a' ? script->peers[tsih[0] - 'a'].tsih
						   : number_of(words, "tsih", 0)));
	put_be32(bhs + BHS_ITT, number_of(words, "itt", 1));
	put_be16(bhs + LOGIN_CID, (uint16_t)number_of(words, "cid", 0));
	put_be32(bhs + BHS_CMD_SN, number_of(words, "sn", peer->cmd_sn));
	peer->cmd_sn = number_of(words, "sn", peer->cmd_sn);
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

static bool put_request(struct script *script, struct peer *peer, const struct words *words,
			uint8_t *bhs)
{
	const struct verb *verb = NULL;
	bool numbered;

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (strcmp(verbs[i].name, words->word[1]) == 0)
			verb = &verbs[i];
	if (!verb)
		return fail(script, "no such verb: %s", words->word[1]);
	numbered = !has(words, "I") && verb->opcode != OP_DATA_OUT && words->word[1][0] != 'o' &&
		   number_of(words, "itt", 0) != TAG_NONE;
	bhs[BHS_OPCODE] = (uint8_t)number_of(words, "op", verb->opcode);
	if (has(words, "I"))
		bhs[BHS_OPCODE] |= OPCODE_IMMEDIATE;
	bhs[BHS_FLAGS] =
		(uint8_t)((has(words, "F") ? FLAG_FINAL : 0) |
			  (has(words, "C") || has(words, "R") ? 0x40 : 0) |
			  (has(words, "W") ? COMMAND_WRITE : 0) | number_of(words, "fn", 0));
	put_be16(bhs + BHS_LUN, (uint16_t)number_of(words, "lun", 0));
	put_be32(bhs + BHS_ITT, number_of(words, "itt", ++peer->tag + 0x1000));
	put_be32(bhs + BHS_TTT, value_of(words, "ttt") && value_of(words, "ttt")[0] == '*'
					? peer->ttt
					: number_of(words, "ttt", TAG_NONE));
	put_be32(bhs + BHS_CMD_SN, number_of(words, "sn", peer->cmd_sn));
	if (numbered && !value_of(words, "sn"))
		peer->cmd_sn++;
	switch (verb->opcode) {
	case OP_SCSI_COMMAND:
		put_be32(bhs + COMMAND_EXPECTED_LENGTH, number_of(words, "len", 0));
		break;
	case OP_TASK_REQUEST:
		put_be32(bhs + TASK_REFERENCED_TAG, number_of(words, "ref", 0));
		put_be32(bhs + TASK_REF_CMD_SN, number_of(words, "refsn", 0));
		break;
	case OP_LOGOUT_REQUEST:
		put_be16(bhs + LOGOUT_CID, (uint16_t)number_of(words, "cid", 0));
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
static bool send_step(struct script *script, struct peer *peer, const struct words *words)
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
	head[BHS_OPCODE] = (uint8_t)number_of(words, "op", head[BHS_OPCODE]);
	if (strcmp(words->word[1], "cmd") == 0 && words->text)
		from_hex(words->text, head + COMMAND_CDB, 16);
	else
		add_text(script, peer, words->text, has(words, "raw"), &text);
	for (uint32_t i = number_of(words, "data", 0); i > 0; i--)
		buf_add(&text, "d", 1);
	note_challenge(peer, &text);
	ahs_len = from_hex(value_of(words, "ahs"), head + BHS_LEN, PDU_AHS_MAX);
	digest = connection->phase == CONNECTION_FULL && connection->header_digest;
	head_len = pdu_seal_head(head, ahs_len, (uint32_t)text.len, digest);
	if (value_of(words, "dsl"))
		put_be24(head + BHS_DATA_LEN, number_of(words, "dsl", 0));
	if (value_of(words, "badhead"))
		head[head_len - 1] ^= 1;
	buf_add(&pdu, head, head_len);
	buf_add(&pdu, text.data, text.len);
	digest = connection->phase == CONNECTION_FULL && connection->data_digest;
	head_len = pdu_seal_tail(tail, buf_text(&text), text.len, digest);
	if (value_of(words, "baddata"))
		tail[head_len - 1] ^= 1;
	buf_add(&pdu, tail, head_len);
	feed(script, peer, pdu.data, number_of(words, "cut", (uint32_t)pdu.len));
	return true;
}

/* ---- receiving ---- */

/* Numbers of a response: StatSN counts, ExpCmdSN and MaxCmdSN never go back. */
static bool check_numbers(struct script *script, struct peer *peer, const struct pdu *pdu)
{
	uint8_t opcode = pdu_opcode(pdu->bhs);
	uint32_t stat_sn = get_be32(pdu->bhs + BHS_STAT_SN);
	uint32_t exp = get_be32(pdu->bhs + BHS_EXP_CMD_SN);
	uint32_t max = get_be32(pdu->bhs + BHS_MAX_CMD_SN);
	bool counts = !(opcode == OP_DATA_IN && !(pdu->bhs[BHS_FLAGS] & DATA_STATUS_PRESENT)) &&
		      !(opcode == OP_NOP_IN && get_be32(pdu->bhs + BHS_ITT) == TAG_NONE);

	if (max - exp + 1 > 0x7fffffff)
		return fail(script, "MaxCmdSN %u, ExpCmdSN %u", max, exp);
	if (counts && peer->begun && stat_sn != peer->exp_stat_sn)
		return fail(script, "StatSN %u, %u was due", stat_sn, peer->exp_stat_sn);
	if (peer->begun &&
	    (serial_before(exp, peer->exp_cmd_sn) || serial_before(max, peer->max_cmd_sn)))
		return fail(script, "ExpCmdSN or MaxCmdSN went back");
	if (counts)
		peer->exp_stat_sn = stat_sn + 1;
	peer->begun = true;
	peer->exp_cmd_sn = exp;
	peer->max_cmd_sn = max;
	return true;
}

static int next_pdu(struct script *script, struct peer *peer, struct pdu *pdu)
{
	struct err err;
	int rc;

	while ((rc = pdu_reader_next(&peer->reader, pdu, &err)) == 0 && peer->taken < peer->in.len)
		peer->taken += receive_some(&peer->reader, peer->in.data + peer->taken,
					    peer->in.len - peer->taken);
	if (rc < 0 || (rc > 0 && pdu->data_digest_bad))
		return fail(script, "bad PDU from the target: %s", err.reason), -1;
	return rc > 0 && !check_numbers(script, peer, pdu) ? -1 : rc;
}

/* The target's challenge, to be answered by %R. */
static bool note_response(struct script *script, struct peer *peer, const struct pdu *pdu)
{
	struct text_iter it = { (const char *)pdu->data, pdu->data_len };
	const char *id = NULL, *challenge = NULL;
	struct text_pair pair;
	struct err err;

	while (text_next(&it, &pair, &err) > 0) {
		if (strcmp(pair.key, "CHAP_A") == 0)
			peer->algorithm = pair.value[0] - '0';
		if (strcmp(pair.key, "CHAP_I") == 0)
			id = pair.value;
		if (strcmp(pair.key, "CHAP_C") == 0)
			challenge = pair.value;
	}
	if (!id || !challenge || peer->algorithm == 0)
		return true;
	if (peer->theirs.len > 0)
		script->earlier = peer->theirs;
	if (chap_challenge_parse(&peer->theirs, id, challenge, &err) < 0)
		return fail(script, "%s", err.reason);
	if (peer != script->peers)
		script->earlier = script->peers[0].theirs;
	if (peer->theirs.len < 16 || chap_memory_has(&script->challenges, &peer->theirs))
		return fail(script, "the challenge is short, or was sent before");
	chap_memory_add(&script->challenges, &peer->theirs);
	return true;
}

/* One wanted pair against those of the response; `wanted` is KEY=VALUE, KEY=* or -KEY. */
static bool check_pair(struct script *script, const struct pdu *pdu, const char *wanted)
{
	struct text_iter it = { (const char *)pdu->data, pdu->data_len };
	bool absent = wanted[0] == '-', found = false;
	const char *equals = strchr(wanted, '=');
	size_t key_len = equals ? (size_t)(equals - wanted) : strlen(wanted + 1);
	const char *key = absent ? wanted + 1 : wanted;
	struct text_pair pair;
	struct err err;

	while (text_next(&it, &pair, &err) > 0) {
		if (strlen(pair.key) != key_len || memcmp(pair.key, key, key_len) != 0)
			continue;
		if (absent)
			return fail(script, "%s=%s is there", pair.key, pair.value);
		if (found)
			return fail(script, "%s is there twice", pair.key);
		if (strcmp(equals + 1, "*") != 0 && strcmp(equals + 1, pair.value) != 0)
			return fail(script, "%s=%s, wanted %s", pair.key, pair.value, wanted);
		found = true;
	}
	return found || absent || fail(script, "no %s", wanted);
}

static bool check_text(struct script *script, struct peer *peer, const struct pdu *pdu,
		       const struct words *words)
{
	CLEANUP(buf_done) struct buf wanted = { 0 };
	const char *text = words->text;
	bool exact = text && text[0] == '!';

	if (!text)
		return true;
	add_text(script, peer, text + exact, has(words, "raw"), &wanted);
	if (exact && (wanted.len != pdu->data_len ||
		      (wanted.len > 0 && memcmp(wanted.data, pdu->data, wanted.len) != 0)))
		return fail(script, "data of %zu bytes '%.*s', wanted '%s'", pdu->data_len,
			    (int)pdu->data_len, (const char *)pdu->data, text + 1);
	for (size_t at = 0; !exact && at < wanted.len; at += strlen(wanted.data + at) + 1)
		if (!check_pair(script, pdu, wanted.data + at))
			return false;
	return true;
}

static bool check_login(struct script *script, struct peer *peer, const struct words *words,
			const struct pdu *pdu)
{
	unsigned int wanted = (unsigned int)strtoul(words->word[1], NULL, 16);
	unsigned int status = get_be16(pdu->bhs + LOGIN_STATUS);
	uint8_t flags = pdu->bhs[BHS_FLAGS];

	if (pdu_opcode(pdu->bhs) != OP_LOGIN_RESPONSE)
		return fail(script, "opcode 0x%02x", pdu->bhs[0]);
	if (status != wanted)
		return fail(script, "status %04x, wanted %04x", status, wanted);
	if (pdu->data_len > PDU_LOGIN_DATA_MAX)
		return fail(script, "%zu bytes in a login response", pdu->data_len);
	if (status != 0 && (flags != 0 || (status >> 8 != 1 && pdu->data_len > 0)))
		return fail(script, "flags %02x and %zu bytes in a refusal", flags, pdu->data_len);
	if (words->count > 2 && !strchr(words->word[2], '=') &&
	    flags != stage_flags(words->word[2]))
		return fail(script, "flags %02x, wanted %s", flags, words->word[2]);
	if (get_be32(pdu->bhs + BHS_ITT) != number_of(words, "itt", 1))
		return fail(script, "ITT %u", get_be32(pdu->bhs + BHS_ITT));
	if (value_of(words, "exp") &&
	    get_be32(pdu->bhs + BHS_EXP_CMD_SN) != number_of(words, "exp", 0))
		return fail(script, "ExpCmdSN %u", get_be32(pdu->bhs + BHS_EXP_CMD_SN));
	if ((flags & LOGIN_TRANSIT) && (flags & LOGIN_NSG) == STAGE_FULL_FEATURE) {
		peer->tsih = get_be16(pdu->bhs + LOGIN_TSIH);
		if (peer->tsih == 0)
			return fail(script, "TSIH 0 in the last response");
		/* What follows comes with the digests that were agreed on. */
		peer->reader.header_digest = peer->connection.header_digest;
		peer->reader.data_digest = peer->connection.data_digest;
	} else if (status == 0 && !value_of(words, "tsih") &&
		   get_be16(pdu->bhs + LOGIN_TSIH) != 0) {
		return fail(script, "TSIH before the last response");
	}
	return note_response(script, peer, pdu) && check_text(script, peer, pdu, words);
}

static const struct kind {
	const char *name;
	uint8_t opcode;
} kinds[] = {
	{ "nop", OP_NOP_IN },	     { "status", OP_SCSI_RESPONSE },
	{ "tmf", OP_TASK_RESPONSE }, { "text", OP_TEXT_RESPONSE },
	{ "data", OP_DATA_IN },	     { "logout", OP_LOGOUT_RESPONSE },
	{ "reject", OP_REJECT },
};

/* A field the step names must have that value. */
static bool check_fields(struct script *script, const struct words *words, const struct pdu *pdu)
{
	const struct {
		const char *name;
		uint32_t value;
	} fields[] = {
		{ "code", pdu->bhs[RESPONSE_CODE] },
		{ "st", pdu->bhs[RESPONSE_STATUS] },
		{ "flags", pdu->bhs[BHS_FLAGS] },
		{ "itt", get_be32(pdu->bhs + BHS_ITT) },
		{ "ttt", get_be32(pdu->bhs + BHS_TTT) },
		{ "exp", get_be32(pdu->bhs + BHS_EXP_CMD_SN) },
		{ "max", get_be32(pdu->bhs + BHS_MAX_CMD_SN) },
		{ "res", get_be32(pdu->bhs + RESPONSE_RESIDUAL) },
		{ "datasn", get_be32(pdu->bhs + DATA_SN) },
		{ "offset", get_be32(pdu->bhs + DATA_OFFSET) },
		{ "dsl", (uint32_t)pdu->data_len },
		{ "key", pdu->data_len >= 20 ? pdu->data[4] & 0xfu : 0 },
		{ "asc", pdu->data_len >= 20 ? get_be16(pdu->data + 14) : 0u },
		{ "byte0", pdu->data_len > 0 ? pdu->data[0] : 0u },
		{ "byte1", pdu->data_len > 1 ? pdu->data[1] : 0u },
	};

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		uint32_t wanted = number_of(words, fields[i].name, fields[i].value);

		if (wanted != fields[i].value)
			return fail(script, "%s is 0x%x, wanted 0x%x", fields[i].name,
				    fields[i].value, wanted);
	}
	return true;
}

static bool check_step(struct script *script, struct peer *peer, const struct words *words)
{
	const char *word = words->word[1];
	const struct kind *kind = NULL;
	struct pdu pdu;
	int rc = next_pdu(script, peer, &pdu);
	char name[16];

	if (rc < 0)
		return false;
	if (strcmp(word, "none") == 0 || strcmp(word, "open") == 0 || strcmp(word, "closed") == 0) {
		bool closed = peer->connection.phase >= CONNECTION_CLOSING;

		if (rc > 0)
			return fail(script, "%s, wanted nothing",
				    pdu_opcode_name(pdu.bhs[0], name));
		if (word[0] != 'n' && closed != (word[0] == 'c'))
			return fail(script, closed ? "it was closed" : "it is still open");
		return true;
	}
	if (rc == 0)
		return fail(script, "nothing came, wanted %s", word);
	if (word[0] >= '0' && word[0] <= '9')
		return check_login(script, peer, words, &pdu);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].name, word) == 0)
			kind = &kinds[i];
	if (!kind || pdu_opcode(pdu.bhs) != kind->opcode)
		return fail(script, "%s, wanted %s", pdu_opcode_name(pdu.bhs[0], name), word);
	if (kind->opcode == OP_TEXT_RESPONSE)
		peer->ttt = get_be32(pdu.bhs + BHS_TTT);
	return check_fields(script, words, &pdu) && check_text(script, peer, &pdu, words);
}

/*
 * Ask for all targets, follow the answer to its end, and count the records:
 * a TargetName, each greater than the one before, and one TargetAddress.
 */
static bool pull_targets(struct script *script, struct peer *peer, uint32_t most)
{
	char first[] = "> text F itt=7 : SendTargets=All", next[] = "> text F itt=7 ttt=* :";
	char name[TEXT_VALUE_MAX + 1] = "";
	uint32_t count = 0;
	struct words words;
	bool named = false;

	split(first, &words);
	for (;;) {
		struct text_pair pair;
		struct text_iter it;
		struct pdu pdu;
		struct err err;

		if (!send_step(script, peer, &words))
			return false;
		if (next_pdu(script, peer, &pdu) <= 0 || pdu_opcode(pdu.bhs) != OP_TEXT_RESPONSE)
			return fail(script, "no text response after %u targets", count);
		it = (struct text_iter){ (const char *)pdu.data, pdu.data_len };
		while (text_next(&it, &pair, &err) > 0) {
			bool is_name = strcmp(pair.key, "TargetName") == 0;

			if (is_name == named || (is_name && strcmp(pair.value, name) <= 0))
				return fail(script, "%s=%s behind %s", pair.key, pair.value, name);
			if (is_name)
				snprintf(name, sizeof(name), "%s", pair.value);
			named = is_name;
			count += is_name;
		}
		peer->ttt = get_be32(pdu.bhs + BHS_TTT);
		if (pdu.bhs[BHS_FLAGS] & FLAG_FINAL)
			break;
		memcpy(next, "> text F itt=7 ttt=* :", sizeof(next));
		split(next, &words);
	}
	return count == most || fail(script, "%u targets, wanted %u", count, most);
}

/* ---- the gateway and the script ---- */

/* c0 00 and a length in four bytes: answers as many, of whatever was announced as wanted. */
static void answer_many(struct task *task)
{
	static uint8_t many[1024 * 1024];
	size_t len = get_be32(task->cdb + 2);

	for (size_t i = 0; i < sizeof(many); i++)
		many[i] = (uint8_t)(i / 512);
	task_answer(task, many, len < sizeof(many) ? len : sizeof(many), len, DATA_LASTING);
}

static const struct device_type generous_device = {
	.ops = { SCSI_COMMON_OPS, [0xc0] = { .name = "many", .run = answer_many } },
};

static void chap_kind(struct script *script, const char *kind)
{
	static struct chap_entry entry;
	bool any = strcmp(kind, "any") == 0;

	/* gateway_free gives it back as it gives back what was parsed. */
	entry = (struct chap_entry){
		.target = strdup(TARGET),
		.initiator = any ? NULL : strdup(INITIATOR),
		.initiator_secret = strdup("initiatorsecret"),
		.target_secret = strcmp(kind, "oneway") == 0 ? NULL : strdup("targetsecret1"),
	};
	script->gateway->chap.entries = malloc(sizeof(entry));
	*script->gateway->chap.entries = entry;
	script->gateway->chap.count = 1;
}

static void add_portal(struct gateway *gateway, const char *text)
{
	const char *colon = strrchr(text, ':');
	char host[80];
	size_t len = (size_t)(colon - text);

	snprintf(host, sizeof(host), "%.*s", (int)len, text);
	gateway->portals =
		realloc(gateway->portals, (gateway->portal_count + 1) * sizeof(*gateway->portals));
	gateway->portals[gateway->portal_count] = (struct gateway_portal){
		.any_address = strcmp(host, "0.0.0.0") == 0,
	};
	if (socket_address_parse(host, (uint16_t)strtoul(colon + 1, NULL, 10),
				 &gateway->portals[gateway->portal_count].address) < 0)
		abort();
	gateway->portal_count++;
}

static void set_limit(struct gateway *gateway, const char *name, uint32_t value)
{
	const struct {
		const char *name;
		uint32_t *limit;
	} limits[] = {
		{ "connections", &gateway->limits.connections },
		{ "sessions", &gateway->limits.sessions },
		{ "initiators", &gateway->limits.initiators },
		{ "part", &gateway->limits.login_part },
		{ "requests", &gateway->limits.login_requests },
		{ "text", &gateway->limits.login_text },
	};

	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		if (strcmp(limits[i].name, name) == 0)
			*limits[i].limit = value;
}

/* What comes before the first step with a connection. */
static void set_up(struct script *script, const char *text)
{
	struct gateway *gateway = script->gateway;
	const char *unused;
	char line[256], name[64];
	unsigned int number;
	struct err err;

	add_portal(gateway, "127.0.0.1:3260");
	if (strncmp(text, "tape\n", 5) == 0)
		persona_add_tape(&gateway->targets, &err);
	persona_add_volume(&gateway->targets, "myvolume", PERSONA_VOLUME_SIZE, &err);
	for (const char *p = text; p && *p != '\0';
	     p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL) {
		snprintf(line, sizeof(line), "%.*s", (int)strcspn(p, "\n"), p);
		if (sscanf(line, "chap %63s", name) == 1)
			chap_kind(script, name);
		else if (sscanf(line, "limit %63s %u", name, &number) == 2)
			set_limit(gateway, name, number);
		else if (sscanf(line, "portal %63s", name) == 1)
			add_portal(gateway, name);
		else if (sscanf(line, "targets %u", &number) == 1)
			for (unsigned int i = 1; i <= number; i++) {
				snprintf(name, sizeof(name), "volume-%05u", i);
				persona_add_volume(&gateway->targets, name, PERSONA_VOLUME_SIZE,
						   &err);
			}
	}
	if (strstr(text, "generous\n"))
		gateway->targets.targets[0].device.type = &generous_device;
	if (gateway_prepare(gateway, &unused, &err) < 0)
		abort();
}

static bool is_setup(const char *line)
{
	static const char *const words[] = { "chap ",	 "limit ", "portal ",
					     "targets ", "tape",   "generous" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strncmp(line, words[i], strlen(words[i])) == 0)
			return true;
	return line[0] == '\0';
}

/* Time passes in steps, as a loop would let it. */
static void pass_time(struct script *script, uint64_t ms)
{
	uint64_t end = script->gateway->now + ms;

	while (script->gateway->now < end) {
		uint64_t next = gateway_next_deadline(script->gateway);
		struct connection *connection;

		script->gateway->now = next < end ? next : end;
		while ((connection = gateway_expire(script->gateway)) != NULL)
			deliver(script, (struct peer *)(void *)connection);
	}
}

static bool run_line(struct script *script, char *line)
{
	struct peer *peer = script->peers;
	struct words words;

	if (line[0] >= 'a' && line[0] < 'a' + PEERS && line[1] == ' ') {
		peer += line[0] - 'a';
		line += 2;
	}
	if (strncmp(line, "wait ", 5) == 0) {
		pass_time(script, strtoul(line + 5, NULL, 10));
		return true;
	}
	if (!peer->used || strcmp(line, "new") == 0) {
		if (peer->theirs.len > 0)
			script->earlier = peer->theirs;
		close_peer(peer);
		open_peer(script, peer);
	}
	if (strncmp(line, "pull ", 5) == 0)
		return pull_targets(script, peer, (uint32_t)strtoul(line + 5, NULL, 10));
	if (line[0] != '>' && line[0] != '<')
		return true;
	split(line, &words);
	if (words.count < 2)
		return fail(script, "a step of one word");
	return line[0] == '>' ? send_step(script, peer, &words) : check_step(script, peer, &words);
}

bool script_run(const char *text, char why[512])
{
	static struct script script;
	char line[LINE_MAX_LEN];
	bool good = true;
	struct err err;

	script = (struct script){ .why = why };
	script.gateway = gateway_new(&err);
	if (!script.gateway)
		abort();
	script.gateway->now = 1000;
	set_up(&script, text);
	while (good && *text != '\0') {
		size_t len = strcspn(text, "\n");

		script.line++;
		snprintf(line, sizeof(line), "%.*s", (int)len, text);
		text += len + (text[len] == '\n');
		if (!is_setup(line))
			good = run_line(&script, line);
	}
	for (int i = 0; i < PEERS; i++)
		close_peer(&script.peers[i]);
	gateway_free(script.gateway);
	return good;
}

int script_run_rows(const struct script_row *rows, int count)
{
	int failed = 0;

	for (int i = 0; i < count; i++) {
		char why[512] = "";

		if (script_run(rows[i].script, why))
			continue;
		failed++;
		fprintf(stderr, "%s: %s\n", rows[i].name, why);
	}
	return failed;
}
