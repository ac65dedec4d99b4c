/* SPDX-License-Identifier: MIT */
#include "transcript.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection.h"
#include "err.h"
#include "facts.h"
#include "gateway.h"
#include "iscsi/status.h"
#include "iscsi/text.h"

struct transcript {
	FILE *file;
	bool failed;
};

struct transcript *transcript_open(const char *path, struct err *err)
{
	struct transcript *transcript = calloc(1, sizeof(*transcript));

	if (!transcript) {
		err_oom(err);
		return NULL;
	}
	transcript->file = fopen(path, "wb");
	if (transcript->file)
		return transcript;
	err_sys(err, errno, "cannot write the transcript");
	err_at(err, "%s", path);
	free(transcript);
	return NULL;
}

int transcript_done(struct transcript *transcript, struct err *err)
{
	bool failed;

	if (!transcript)
		return 0;
	failed = transcript->failed || ferror(transcript->file);
	failed |= fclose(transcript->file) != 0;
	free(transcript);
	return failed ? err_set(err, EIO, "the transcript could not be written to its end") : 0;
}

static json_t *begin_line(const struct gateway *gateway, const char *event)
{
	json_t *line = json_object();

	json_object_set_new(line, "event", json_string(event));
	json_object_set_new(line, "time_ms", json_integer((json_int_t)gateway->now));
	return line;
}

static json_t *begin(const struct connection *connection, const char *event)
{
	json_t *line = begin_line(connection->gateway, event);

	json_object_set_new(line, "connection", json_integer(connection->number));
	return line;
}

/* Each line at once: a script may be waiting for it. */
static void end_line(struct transcript *transcript, json_t *line)
{
	if (!line || json_dumpf(line, transcript->file, JSON_COMPACT) < 0 ||
	    fputc('\n', transcript->file) == EOF || fflush(transcript->file) != 0)
		transcript->failed = true;
	json_decref(line);
}

static void end(const struct connection *connection, json_t *line)
{
	end_line(connection->gateway->transcript, line);
}

void transcript_connect(const struct connection *connection, const char *peer)
{
	char local[SOCKET_TEXT_MAX];
	json_t *line;

	if (!connection->gateway->transcript)
		return;
	socket_address_text(&connection->local, local);
	line = begin(connection, "connect");
	json_object_set_new(line, "peer", json_string(peer));
	json_object_set_new(line, "portal", json_string(local));
	end(connection, line);
}

void transcript_close(const struct connection *connection, const char *why)
{
	json_t *line;

	if (!connection->gateway->transcript)
		return;
	line = begin(connection, "close");
	json_object_set_new(line, "reason", facts_text(why, strlen(why)));
	end(connection, line);
}

static bool is_secret(const char *text, size_t len)
{
	static const char key[] = "CHAP_R=";

	return len >= sizeof(key) - 1 && memcmp(text, key, sizeof(key) - 1) == 0;
}

void transcript_login_text(const struct connection *connection, bool received, unsigned int stage,
			   const char *text, size_t len)
{
	json_t *line, *keys;
	size_t at = 0;

	if (!connection->gateway->transcript || len == 0)
		return;
	line = begin(connection, received ? "login-request" : "login-response");
	json_object_set_new(line, "stage",
			    json_string(stage == STAGE_SECURITY ? "security" : "operational"));
	keys = json_array();
	while (at < len) {
		const char *nul = memchr(text + at, '\0', len - at);
		size_t size = nul ? (size_t)(nul - (text + at)) : len - at;

		if (is_secret(text + at, size))
			json_array_append_new(keys, json_string("CHAP_R=(redacted)"));
		else if (size > 0)
			json_array_append_new(keys, facts_text(text + at, size));
		at += size + 1;
	}
	json_object_set_new(line, "keys", keys);
	end(connection, line);
}

void transcript_login(const struct connection *connection, const struct login_facts *facts)
{
	char status[8];
	json_t *line;

	if (!connection->gateway->transcript)
		return;
	line = begin(connection, "login");
	snprintf(status, sizeof(status), "0x%04x", facts->status & 0xffff);
	json_object_set_new(line, "status", json_string(status));
	json_object_set_new(line, "words",
			    json_string(status_of_login((uint16_t)facts->status)->words));
	if (facts->reason)
		json_object_set_new(line, "reason",
				    facts_text(facts->reason, strlen(facts->reason)));
	json_object_set_new(line, "type", json_string(facts->discovery ? "discovery" : "normal"));
	if (facts->initiator)
		json_object_set_new(line, "initiator",
				    facts_text(facts->initiator, strlen(facts->initiator)));
	if (facts->target)
		json_object_set_new(line, "target", facts_text(facts->target, facts->target_len));
	json_object_set_new(line, "chap", json_string(facts->chap));
	if (facts->status == 0)
		json_object_set_new(line, "negotiated",
				    facts_values(facts->value, facts->discovery));
	end(connection, line);
}

void transcript_fault(const struct gateway *gateway, const struct connection *connection,
		      const char *rule)
{
	json_t *line;

	if (!gateway->transcript)
		return;
	line = connection ? begin(connection, "fault") : begin_line(gateway, "fault");
	json_object_set_new(line, "rule", facts_text(rule, strlen(rule)));
	end_line(gateway->transcript, line);
}

void transcript_lost(const struct gateway *gateway, const struct gateway_portal *portal,
		     const char *why)
{
	char text[SOCKET_TEXT_MAX];
	json_t *line;

	if (!gateway->transcript)
		return;
	socket_address_text(&portal->address, text);
	line = begin_line(gateway, "lost");
	json_object_set_new(line, "portal", json_string(text));
	json_object_set_new(line, "reason", json_string(why));
	end_line(gateway->transcript, line);
}

void transcript_reject(const struct connection *connection, const uint8_t *bhs, uint8_t reason)
{
	char name[16];
	json_t *line;

	if (!connection->gateway->transcript)
		return;
	line = begin(connection, "reject");
	json_object_set_new(line, "pdu", json_string(pdu_opcode_name(bhs[BHS_OPCODE], name)));
	json_object_set_new(line, "reason", json_string(status_of_reject(reason)));
	end(connection, line);
}
