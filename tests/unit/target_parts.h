/* SPDX-License-Identifier: MIT */
/*
 * What the files of target_script.c share: the connections of a script, and the
 * words of its steps.
 */
#ifndef SGW_TEST_TARGET_PARTS_H
#define SGW_TEST_TARGET_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../target/connection.h"
#include "../target/gateway.h"
#include "buf.h"
#include "iscsi/chap.h"

enum { PEERS = 4 };

#define SCRIPT_INITIATOR "iqn.2026-01.com.example:host"
#define SCRIPT_TARGET "iqn.1997-05.com.amazon:myvolume"

/* One connection, seen from the initiator. */
struct peer {
	struct connection connection;
	bool used, open;
	struct buf in; /* what the target sent */
	struct buf kept; /* what it will send when a stall is over */
	size_t taken; /* of that, by the reader */
	struct pdu_reader reader;
	uint8_t isid;
	uint16_t tsih;
	uint32_t tag, cmd_sn, exp_stat_sn, ttt;
	uint32_t r2t[10]; /* Target Transfer Tags by R2TSN */
	bool begun; /* a response was seen: its numbers are known */
	uint32_t exp_cmd_sn, max_cmd_sn;
	int algorithm;
	struct chap_challenge theirs, ours;
};

struct script {
	struct gateway *gateway;
	struct faults *faults; /* none yet, where there was no "fault" */
	struct peer peers[PEERS];
	struct chap_challenge earlier;
	struct chap_memory challenges; /* all that the target has sent */
	char *why;
	int line;
	bool attentive; /* logins keep their unit attention */
};

/* The words of a step; "NAME=NUMBER" and bare flags. */
struct words {
	char *word[24];
	int count;
	char *text; /* behind " : ", or NULL */
};

/* Say why the script fails; false. */
bool script_fail(struct script *script, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * target_words.c: a step cut into words (in place), what they say, and texts
 * with values filled in.
 */
void words_split(char *line, struct words *words);
bool words_have(const struct words *words, const char *flag);
const char *words_value(const struct words *words, const char *name);
uint32_t words_number(const struct words *words, const char *name, uint32_t fallback);
/* "0/1T" as the flags of a login PDU. */
uint8_t login_flags(const char *word);
/* "A=1|B=2" to pairs that end in NUL each, or of raw text all but the last. */
void script_add_text(struct script *script, struct peer *peer, const char *text, bool raw,
		     struct buf *out);

/* target_send.c: connections, and what is sent by them. */
void peer_open(struct script *script, struct peer *peer);
void peer_close(struct peer *peer);
/* As much of the bytes as the reader takes now; how much that was. */
size_t peer_receive(struct pdu_reader *reader, const void *bytes, size_t len);
/* What gathered for a connection reaches it, as far as no stall keeps it back. */
void peer_deliver(struct script *script, struct peer *peer);
bool script_send(struct script *script, struct peer *peer, const struct words *words);

/* target_check.c: what came. 1, 0 where nothing did, -1 where it is wrong in itself. */
int peer_next(struct script *script, struct peer *peer, struct pdu *pdu);
bool script_check(struct script *script, struct peer *peer, const struct words *words);
bool script_pull(struct script *script, struct peer *peer, uint32_t count);
bool script_count(struct script *script, struct peer *peer, const char *numbers);

#endif
