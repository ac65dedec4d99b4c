/* SPDX-License-Identifier: MIT */
/* Sessions: the nexus of an initiator and a target, its numbers, and the table that finds it. */
#ifndef SGW_TARGET_SESSION_H
#define SGW_TARGET_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iscsi/params.h"
#include "iscsi/pdu.h"
#include "scsi.h"

struct connection;
struct err;
struct gateway;
struct settling;
struct target;
struct task_pool;

enum {
	SESSION_QUEUE = 128, /* commands an initiator may have under way: the CmdSN window */
	SESSION_HELD_BYTES = 1024 * 1024, /* of commands that came before their turn */
	SESSION_TSIHS = 65536,
};

/* A command that came before its turn; at its CmdSN modulo SESSION_QUEUE. */
struct held {
	uint8_t *bytes; /* BHS, AHS, data; NULL where nothing is held */
	size_t ahs_len, data_len;
	bool gone; /* counts as received, and is not run (ABORT TASK, 11.6.1) */
};

/*
 * Unit attention conditions (SAM-5, 5.14), the one that is told first first.
 * Each is reported once, by the command that meets it.
 */
enum attention {
	ATTENTION_POWER_ON, /* the logical unit does not know this nexus */
	ATTENTION_RESET,
	ATTENTION_NEXUS_LOSS, /* it knew the nexus, whose session ended (RFC 7143, 6.3.5.1) */
	ATTENTION_CLEARED, /* another initiator cleared its commands */
};

struct session {
	struct gateway *gateway;
	struct connection *connection; /* its one and only */
	struct session *hash_next;
	struct session *target_next, **target_link; /* among the normal sessions of its target */
	struct target *target; /* NULL: discovery */
	char *initiator; /* InitiatorName, in lower case */
	bool discovery;
	uint8_t isid[ISID_LEN];
	uint16_t tsih;
	size_t portal; /* index of the portal it came in by */

	uint32_t exp_cmd_sn;
	struct held *held; /* SESSION_QUEUE of them; NULL until one is needed */
	size_t held_bytes;
	struct task_pool *pool; /* NULL until a command has to wait */
	uint32_t waiting; /* numbered commands in it that are not done: the window is the smaller */
	struct settling *settling; /* a task management function that waits; or NULL */
	uint8_t attentions; /* unit attentions that are pending, one bit an enum attention */
	const char *chap; /* auth_word */
	uint32_t value[PARAM_COUNT]; /* what was negotiated (params.h) */
};

struct session_table {
	struct session **by_tsih; /* SESSION_TSIHS */
	struct session **buckets; /* by initiator and ISID */
	uint16_t last_tsih;
	uint32_t count;
};

int session_table_init(struct session_table *table, struct err *err) __attribute__((nonnull));
void session_table_done(struct session_table *table) __attribute__((nonnull));

/* What identifies a session (RFC 7143, 4.4.3 and 6.3.5). */
struct session_key {
	const char *initiator;
	const uint8_t *isid;
	const struct target *target; /* NULL: an unnamed discovery session, which is one a portal */
	bool discovery;
	size_t portal;
};

/* The live session with that identity, or NULL. */
struct session *session_find(const struct gateway *gateway, const struct session_key *key)
	__attribute__((nonnull));
struct session *session_find_tsih(const struct gateway *gateway, uint16_t tsih)
	__attribute__((nonnull));
/* Whether one more initiator may use the target (--initiators). */
bool session_admits(const struct gateway *gateway, const struct target *target,
		    const char *initiator) __attribute__((nonnull));

/* A new session in the table; NULL where there is no memory or no free TSIH. */
struct session *session_new(struct gateway *gateway, const struct session_key *key)
	__attribute__((nonnull));
/* Out of the table and away; its connection is no concern of this. NULL is fine. */
void session_free(struct session *session);

static inline void session_attend(struct session *session, enum attention attention)
{
	session->attentions |= (uint8_t)(1U << attention);
}
/* The sense data of the unit attention that is told next, which is told then; SENSE_NONE: none. */
enum sense session_take_attention(struct session *session) __attribute__((nonnull));

/*
 * The last CmdSN that is admitted now (4.2.2.1). It never goes back: a command
 * that begins to wait was counted by ExpCmdSN, and one that is done opens the
 * window again.
 */
static inline uint32_t session_max_cmd_sn(const struct session *session)
{
	return session->exp_cmd_sn + SESSION_QUEUE - 1 - session->waiting;
}

/*
 * Keep a command that came early, its CmdSN inside the window and not the one
 * expected. False where the session holds too much; one that is held already
 * stays as it is.
 */
bool session_hold(struct session *session, uint32_t cmd_sn, const struct pdu *pdu)
	__attribute__((nonnull(1)));
/* Count a CmdSN inside the window as received, with nothing to run, not even what is held of it. */
bool session_skip(struct session *session, uint32_t cmd_sn) __attribute__((nonnull));
/*
 * The held command whose turn has come, its CmdSN counted as received; views
 * of *pdu into *bytes, which the caller frees. 0 where there is none, 1, or 2
 * where it is not to be run.
 */
int session_next_held(struct session *session, struct pdu *pdu, uint8_t **bytes)
	__attribute__((nonnull));
/* The bytes of one that is held, BHS first; NULL: none is. */
const uint8_t *session_held_bytes(const struct session *session, uint32_t cmd_sn)
	__attribute__((nonnull));
/* Drop all that is held. */
void session_drop_held(struct session *session) __attribute__((nonnull));

#endif
