/* SPDX-License-Identifier: MIT */
#include "target_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "iscsi/bytes.h"

void words_split(char *line, struct words *words)
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

bool words_have(const struct words *words, const char *flag)
{
	for (int i = 1; i < words->count; i++)
		if (strcmp(words->word[i], flag) == 0)
			return true;
	return false;
}

const char *words_value(const struct words *words, const char *name)
{
	size_t len = strlen(name);

	for (int i = 1; i < words->count; i++)
		if (strncmp(words->word[i], name, len) == 0 && words->word[i][len] == '=')
			return words->word[i] + len + 1;
	return NULL;
}

uint32_t words_number(const struct words *words, const char *name, uint32_t fallback)
{
	const char *value = words_value(words, name);

	return value ? (uint32_t)strtoul(value, NULL, 0) : fallback;
}

uint8_t login_flags(const char *word)
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
		{ 'I', "InitiatorName=" SCRIPT_INITIATOR },
		{ 'T', "TargetName=" SCRIPT_TARGET },
		{ 'D', "SessionType=Discovery" },
		{ 'N', "SessionType=Normal" },
	};

	for (size_t i = 0; len == 1 && i < ARRAY_LEN(pairs); i++)
		if (pairs[i].name == *p)
			return pairs[i].pair;
	return NULL;
}

void script_add_text(struct script *script, struct peer *peer, const char *text, bool raw,
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
