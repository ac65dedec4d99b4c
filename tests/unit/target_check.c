/* SPDX-License-Identifier: MIT */
#include "target_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "iscsi/bytes.h"
#include "iscsi/text.h"

/* Numbers of a response: StatSN counts, ExpCmdSN and MaxCmdSN never go back. */
static bool check_numbers(struct script *script, struct peer *peer, const struct pdu *pdu)
{
	uint8_t opcode = pdu_opcode(pdu->bhs);
	uint32_t stat_sn = get_be32(pdu->bhs + BHS_STAT_SN);
	uint32_t exp = get_be32(pdu->bhs + BHS_EXP_CMD_SN);
	uint32_t max = get_be32(pdu->bhs + BHS_MAX_CMD_SN);
	bool counts = !(opcode == OP_DATA_IN && !(pdu->bhs[BHS_FLAGS] & DATA_STATUS_PRESENT)) &&
		      !(opcode == OP_NOP_IN && get_be32(pdu->bhs + BHS_ITT) == TAG_NONE) &&
		      opcode != OP_R2T;

	if (max - exp + 1 > 0x7fffffff)
		return script_fail(script, "MaxCmdSN %u, ExpCmdSN %u", max, exp);
	if (counts && peer->begun && stat_sn != peer->exp_stat_sn)
		return script_fail(script, "StatSN %u, %u was due", stat_sn, peer->exp_stat_sn);
	if (peer->begun &&
	    (serial_before(exp, peer->exp_cmd_sn) || serial_before(max, peer->max_cmd_sn)))
		return script_fail(script, "ExpCmdSN or MaxCmdSN went back");
	if (counts)
		peer->exp_stat_sn = stat_sn + 1;
	peer->begun = true;
	peer->exp_cmd_sn = exp;
	peer->max_cmd_sn = max;
	return true;
}

int peer_next(struct script *script, struct peer *peer, struct pdu *pdu)
{
	struct err err;
	int rc;

	while ((rc = pdu_reader_next(&peer->reader, pdu, &err)) == 0 && peer->taken < peer->in.len)
		peer->taken += peer_receive(&peer->reader, peer->in.data + peer->taken,
					    peer->in.len - peer->taken);
	if (rc < 0 || (rc > 0 && pdu->data_digest_bad))
		return script_fail(script, "bad PDU from the target: %s", err.reason), -1;
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
		return script_fail(script, "%s", err.reason);
	if (peer != script->peers)
		script->earlier = script->peers[0].theirs;
	if (peer->theirs.len < 16 || chap_memory_has(&script->challenges, &peer->theirs))
		return script_fail(script, "the challenge is short, or was sent before");
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
			return script_fail(script, "%s=%s is there", pair.key, pair.value);
		if (found)
			return script_fail(script, "%s is there twice", pair.key);
		if (strcmp(equals + 1, "*") != 0 && strcmp(equals + 1, pair.value) != 0)
			return script_fail(script, "%s=%s, wanted %s", pair.key, pair.value,
					   wanted);
		found = true;
	}
	return found || absent || script_fail(script, "no %s", wanted);
}

static bool check_text(struct script *script, struct peer *peer, const struct pdu *pdu,
		       const struct words *words)
{
	CLEANUP(buf_done) struct buf wanted = { 0 };
	const char *text = words->text;
	bool exact = text && text[0] == '!';

	if (!text)
		return true;
	script_add_text(script, peer, text + exact, words_have(words, "raw"), &wanted);
	if (exact && (wanted.len != pdu->data_len ||
		      (wanted.len > 0 && memcmp(wanted.data, pdu->data, wanted.len) != 0)))
		return script_fail(script, "data of %zu bytes '%.*s', wanted '%s'", pdu->data_len,
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
		return script_fail(script, "opcode 0x%02x", pdu->bhs[0]);
	if (status != wanted)
		return script_fail(script, "status %04x, wanted %04x", status, wanted);
	if (pdu->data_len > PDU_LOGIN_DATA_MAX)
		return script_fail(script, "%zu bytes in a login response", pdu->data_len);
	if (status != 0 && (flags != 0 || (status >> 8 != 1 && pdu->data_len > 0)))
		return script_fail(script, "flags %02x and %zu bytes in a refusal", flags,
				   pdu->data_len);
	if (words->count > 2 && !strchr(words->word[2], '=') &&
	    flags != login_flags(words->word[2]))
		return script_fail(script, "flags %02x, wanted %s", flags, words->word[2]);
	if (get_be32(pdu->bhs + BHS_ITT) != words_number(words, "itt", 1))
		return script_fail(script, "ITT %u", get_be32(pdu->bhs + BHS_ITT));
	if (words_value(words, "exp") &&
	    get_be32(pdu->bhs + BHS_EXP_CMD_SN) != words_number(words, "exp", 0))
		return script_fail(script, "ExpCmdSN %u", get_be32(pdu->bhs + BHS_EXP_CMD_SN));
	if ((flags & LOGIN_TRANSIT) && (flags & LOGIN_NSG) == STAGE_FULL_FEATURE) {
		peer->tsih = get_be16(pdu->bhs + LOGIN_TSIH);
		if (peer->tsih == 0)
			return script_fail(script, "TSIH 0 in the last response");
		/* What follows comes with the digests that were agreed on. */
		peer->reader.header_digest = peer->connection.header_digest;
		peer->reader.data_digest = peer->connection.data_digest;
		if (!script->attentive && peer->connection.session)
			session_take_attention(peer->connection.session);
	} else if (status == 0 && !words_value(words, "tsih") &&
		   get_be16(pdu->bhs + LOGIN_TSIH) != 0) {
		return script_fail(script, "TSIH before the last response");
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
	{ "reject", OP_REJECT },     { "r2t", OP_R2T },
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
		{ "r2tlen", get_be32(pdu->bhs + R2T_LENGTH) },
		{ "r2tsn", get_be32(pdu->bhs + R2T_SN) },
		{ "datasn", get_be32(pdu->bhs + DATA_SN) },
		{ "offset", get_be32(pdu->bhs + DATA_OFFSET) },
		{ "dsl", (uint32_t)pdu->data_len },
		{ "key", pdu->data_len >= 20 ? pdu->data[4] & 0xfu : 0 },
		{ "asc", pdu->data_len >= 20 ? get_be16(pdu->data + 14) : 0u },
		{ "byte0", pdu->data_len > 0 ? pdu->data[0] : 0u },
		{ "byte1", pdu->data_len > 1 ? pdu->data[1] : 0u },
		{ "byte2", pdu->data_len > 2 ? pdu->data[2] : 0u },
		{ "byte12", pdu->data_len > 12 ? pdu->data[12] : 0u },
	};

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		uint32_t wanted = words_number(words, fields[i].name, fields[i].value);

		if (wanted != fields[i].value)
			return script_fail(script, "%s is 0x%x, wanted 0x%x", fields[i].name,
					   fields[i].value, wanted);
	}
	return true;
}

bool script_check(struct script *script, struct peer *peer, const struct words *words)
{
	const char *word = words->word[1];
	const struct kind *kind = NULL;
	struct pdu pdu;
	int rc = peer_next(script, peer, &pdu);
	char name[16];

	if (rc < 0)
		return false;
	if (strcmp(word, "none") == 0 || strcmp(word, "open") == 0 || strcmp(word, "closed") == 0) {
		bool closed = peer->connection.phase >= CONNECTION_CLOSING;

		if (rc > 0)
			return script_fail(script, "%s, wanted nothing",
					   pdu_opcode_name(pdu.bhs[0], name));
		if (word[0] != 'n' && closed != (word[0] == 'c'))
			return script_fail(script, closed ? "it was closed" : "it is still open");
		return true;
	}
	if (rc == 0)
		return script_fail(script, "nothing came, wanted %s", word);
	if (word[0] >= '0' && word[0] <= '9')
		return check_login(script, peer, words, &pdu);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].name, word) == 0)
			kind = &kinds[i];
	if (!kind || pdu_opcode(pdu.bhs) != kind->opcode)
		return script_fail(script, "%s, wanted %s", pdu_opcode_name(pdu.bhs[0], name),
				   word);
	if (kind->opcode == OP_TEXT_RESPONSE)
		peer->ttt = get_be32(pdu.bhs + BHS_TTT);
	if (kind->opcode == OP_R2T)
		peer->r2t[get_be32(pdu.bhs + R2T_SN) % ARRAY_LEN(peer->r2t)] =
			get_be32(pdu.bhs + BHS_TTT);
	return check_fields(script, words, &pdu) && check_text(script, peer, &pdu, words);
}

/*
 * Ask for all targets, follow the answer to its end, and count the records:
 * a TargetName, each greater than the one before, and one TargetAddress.
 */
bool script_pull(struct script *script, struct peer *peer, uint32_t most)
{
	char first[] = "> text F itt=7 : SendTargets=All", next[] = "> text F itt=7 ttt=* :";
	char name[TEXT_VALUE_MAX + 1] = "";
	uint32_t count = 0;
	struct words words;
	bool named = false;

	words_split(first, &words);
	for (;;) {
		struct text_pair pair;
		struct text_iter it;
		struct pdu pdu;
		struct err err;

		if (!script_send(script, peer, &words))
			return false;
		if (peer_next(script, peer, &pdu) <= 0 || pdu_opcode(pdu.bhs) != OP_TEXT_RESPONSE)
			return script_fail(script, "no text response after %u targets", count);
		it = (struct text_iter){ (const char *)pdu.data, pdu.data_len };
		while (text_next(&it, &pair, &err) > 0) {
			bool is_name = strcmp(pair.key, "TargetName") == 0;

			if (is_name == named || (is_name && strcmp(pair.value, name) <= 0))
				return script_fail(script, "%s=%s behind %s", pair.key, pair.value,
						   name);
			if (is_name)
				snprintf(name, sizeof(name), "%s", pair.value);
			named = is_name;
			count += is_name;
		}
		peer->ttt = get_be32(pdu.bhs + BHS_TTT);
		if (pdu.bhs[BHS_FLAGS] & FLAG_FINAL)
			break;
		memcpy(next, "> text F itt=7 ttt=* :", sizeof(next));
		words_split(next, &words);
	}
	return count == most || script_fail(script, "%u targets, wanted %u", count, most);
}

/* Read BYTES from block 0 by READ(16): N Data-In PDUs, in order, the last with the status. */
bool script_count(struct script *script, struct peer *peer, const char *numbers)
{
	unsigned int count = 0, bytes = 0, offset = 0;
	char step[128];
	struct words words;
	struct pdu pdu;

	sscanf(numbers, "%u %u", &count, &bytes);
	snprintf(step, sizeof(step), "> cmd F R len=%u : 88000000000000000000%08x0000", bytes,
		 bytes / 512);
	words_split(step, &words);
	if (!script_send(script, peer, &words))
		return false;
	for (unsigned int i = 0; i < count; i++) {
		if (peer_next(script, peer, &pdu) <= 0 || pdu_opcode(pdu.bhs) != OP_DATA_IN)
			return script_fail(script, "no data PDU %u", i);
		if (get_be32(pdu.bhs + DATA_SN) != i || get_be32(pdu.bhs + DATA_OFFSET) != offset)
			return script_fail(script, "data PDU %u out of order", i);
		if (((pdu.bhs[BHS_FLAGS] & DATA_STATUS_PRESENT) != 0) != (i == count - 1))
			return script_fail(script, "status with data PDU %u", i);
		offset += (unsigned int)pdu.data_len;
	}
	return offset == bytes || script_fail(script, "%u bytes, wanted %u", offset, bytes);
}
