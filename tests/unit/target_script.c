/* SPDX-License-Identifier: MIT */
#include "target_script.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../target/faults.h"
#include "array.h"
#include "err.h"
#include "iscsi/bytes.h"
#include "target_parts.h"

enum { LINE_MAX_LEN = 4096 };

bool script_fail(struct script *script, const char *fmt, ...)
{
	va_list args;
	int used = snprintf(script->why, 512, "line %d: ", script->line);

	va_start(args, fmt);
	vsnprintf(script->why + used, 512 - (size_t)used, fmt, args);
	va_end(args);
	return false;
}

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
		.target = strdup(SCRIPT_TARGET),
		.initiator = any ? NULL : strdup(SCRIPT_INITIATOR),
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
	if (!ARRAY_ROOM(gateway->portals, gateway->portal_count))
		abort();
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
	char line[256], name[64], hostile[1024];
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
		else if (sscanf(line, "hostile %u", &number) == 1 && number < sizeof(hostile)) {
			memset(hostile, '/', number);
			memcpy(hostile, "../\n=\xff", number < 6 ? number : 6);
			persona_add_named(&gateway->targets, hostile, number, PERSONA_VOLUME_SIZE,
					  &err);
		} else if (sscanf(line, "targets %u", &number) == 1)
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
	static const char *const words[] = { "chap ", "limit ",	  "portal ",  "targets ",
					     "tape",  "hostile ", "generous", "attentive" };

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
		while ((connection = gateway_expire(script->gateway)) != NULL) {
			(void)connection_handle(connection);
			peer_deliver(script, (struct peer *)(void *)connection);
		}
	}
}

static bool add_fault(struct script *script, const char *rule)
{
	struct err err;

	if (!script->faults)
		script->faults = faults_new(script->gateway, NULL, &err);
	if (!script->faults || faults_take(script->faults, rule, &err) < 0)
		return script_fail(script, "%s", err.reason);
	return true;
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
	if (strncmp(line, "fault ", 6) == 0)
		return add_fault(script, line + 6);
	if (!peer->used || strcmp(line, "new") == 0) {
		if (peer->theirs.len > 0)
			script->earlier = peer->theirs;
		peer_close(peer);
		peer_open(script, peer);
	}
	if (strncmp(line, "pull ", 5) == 0)
		return script_pull(script, peer, (uint32_t)strtoul(line + 5, NULL, 10));
	if (strncmp(line, "count ", 6) == 0)
		return script_count(script, peer, line + 6);
	if (line[0] != '>' && line[0] != '<')
		return true;
	words_split(line, &words);
	if (words.count < 2)
		return script_fail(script, "a step of one word");
	return line[0] == '>' ? script_send(script, peer, &words)
			      : script_check(script, peer, &words);
}

bool script_run(const char *text, char why[512])
{
	static struct script script;
	char line[LINE_MAX_LEN];
	bool good = true;
	struct err err;

	script = (struct script){ .why = why, .attentive = strstr(text, "attentive\n") != NULL };
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
		peer_close(&script.peers[i]);
	faults_free(script.faults);
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
