/* SPDX-License-Identifier: MIT */
/* The gateway that is played: its targets, portals, sessions, and what its connections share. */
#ifndef SGW_TARGET_GATEWAY_H
#define SGW_TARGET_GATEWAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "documents/chap_file.h"
#include "deadline.h"
#include "events.h"
#include "iscsi/chap.h"
#include "os/sockets.h"
#include "out.h"
#include "persona.h"
#include "session.h"

struct buf;
struct connection;
struct err;
struct expectations;
struct faults;
struct transcript;

enum {
	PORTAL_GROUP_TAG = 1, /* all portals of a gateway are one group */
	GATEWAY_MAX_RECV = 262144, /* MaxRecvDataSegmentLength we declare */
	GATEWAY_TEXT_MAX = 262144, /* data of one Text Response, whatever the initiator allows */
};

/* What a connection can wait for; each kind has one length. */
enum wait {
	WAIT_LOGIN, /* the end of its login */
	WAIT_PDU, /* the rest of a PDU that has begun */
	WAIT_QUIET, /* nothing: after a moment it gives its receive buffer back */
	WAIT_IDLE, /* nothing: after a while the initiator is pinged */
	WAIT_ANSWER, /* the answer to that */
	WAIT_LINGER, /* the peer to close */
	WAIT_TASKS, /* beside one of these: data of aborted tasks (task_management.c) */
	WAIT_COUNT,
};

struct limits {
	uint32_t connections; /* beyond it a login is answered 0302 */
	uint32_t sessions;
	uint32_t initiators; /* of one target; 0: no limit */
	uint32_t login_requests; /* PDUs of one login */
	uint32_t login_text; /* bytes of one request in parts (C bit) */
	uint32_t login_part; /* bytes of one Login Response's data */
	uint32_t wait_ms[WAIT_COUNT];
};

/* A place where the gateway listens. */
struct gateway_portal {
	struct socket_address address; /* the port is the real one */
	bool any_address; /* 0.0.0.0 or ::, each connection names its own */
	int lost; /* errno: why the port is open to others; 0: it is ours, though all be away */
};

struct gateway {
	enum persona persona;
	struct target_list targets;
	struct chap_file chap;
	struct gateway_portal *portals;
	size_t portal_count;
	const char *
		advertise; /* the address SendTargets tells, without brackets; NULL: the portals' */
	uint16_t advertise_port; /* 0: the portals' */
	struct limits limits;

	uint64_t now; /* milliseconds, of the loop */
	uint32_t connection_number; /* of the last one */
	uint32_t connection_count;
	struct session_table sessions;
	struct events events;
	void (*warn)(const struct err *err); /* of what whoever runs it should know; or NULL */
	struct faults *faults; /* NULL: none can be asked for */
	struct transcript *transcript; /* NULL: none is kept */
	struct expectations *expectations; /* NULL: none */
	struct chap_memory challenges; /* ours, so that none is answered */

	struct deadline_queue waits[WAIT_COUNT];
	struct deadline_queue stalled_connections, stalled_tasks; /* stall.c */
	struct connection
		*ended; /* linked by connection->ended_next: closed by who owns the sockets */
	uint8_t scratch[TASK_SCRATCH]; /* of the command that runs */
	struct out out;
};

/* An empty gateway with the limits of a careful target; NULL: no memory. */
struct gateway *gateway_new(struct err *err) __attribute__((nonnull));
/* NULL is fine. All connections are gone by now. */
void gateway_free(struct gateway *gateway);

/*
 * After targets and chap are filled in: make names findable, tie credentials
 * to targets, and set the deadlines by the limits. Names in *unused an entry
 * of the CHAP file whose target is not here (NULL: none).
 */
int gateway_prepare(struct gateway *gateway, const char **unused, struct err *err)
	__attribute__((nonnull));

/* When gateway_expire has something to do; UINT64_MAX: never as things stand. */
uint64_t gateway_next_deadline(const struct gateway *gateway) __attribute__((nonnull));
/*
 * The next connection whose time is over: it was ended, or pinged, and its
 * output waits in gateway->out; or it was stalled and can be served again.
 * NULL: none is due.
 */
struct connection *gateway_expire(struct gateway *gateway) __attribute__((nonnull));

/*
 * The address of a portal as SendTargets writes it, with the tag:
 * "192.0.2.1:3260,1". Empty where the portal cannot be named to this
 * connection. arrived: the connection's own end; its portal's index is `via`.
 */
void gateway_portal_text(const struct gateway *gateway, size_t portal,
			 const struct socket_address *arrived, size_t via, struct buf *out)
	__attribute__((nonnull));

#endif
