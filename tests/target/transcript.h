/* SPDX-License-Identifier: MIT */
/* The transcript: one JSON object a line for what happened on the wire, without secrets. */
#ifndef SGW_TARGET_TRANSCRIPT_H
#define SGW_TARGET_TRANSCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct connection;
struct err;
struct gateway;
struct gateway_portal;
struct transcript;

/* How a login ended; what is not known is NULL. */
struct login_facts {
	unsigned int status; /* RFC 7143, 11.13.5; 0: it went through */
	const char *reason; /* of a refusal */
	const char *initiator;
	const char *target; /* name of target_len bytes */
	size_t target_len;
	bool discovery;
	const char *chap; /* auth_word */
	const uint32_t *value; /* what was negotiated, by enum param */
};

/* Create or empty the file. NULL with *err set. */
struct transcript *transcript_open(const char *path, struct err *err) __attribute__((nonnull));
/* 0, or -EIO where not all of it could be written. NULL is fine. */
int transcript_done(struct transcript *transcript, struct err *err) __attribute__((nonnull(2)));

/* All of these do nothing where the gateway keeps no transcript. */
void transcript_connect(const struct connection *connection, const char *peer)
	__attribute__((nonnull));
void transcript_close(const struct connection *connection, const char *why)
	__attribute__((nonnull));
/* Text of a login, from the initiator or to it; CHAP_R is left out. */
void transcript_login_text(const struct connection *connection, bool received, unsigned int stage,
			   const char *text, size_t len) __attribute__((nonnull(1)));
void transcript_login(const struct connection *connection, const struct login_facts *facts)
	__attribute__((nonnull));
/* A rule struck; connection: what it struck, or NULL. */
void transcript_fault(const struct gateway *gateway, const struct connection *connection,
		      const char *rule) __attribute__((nonnull(1, 3)));
/* A portal where nobody can connect any more, and why. */
void transcript_lost(const struct gateway *gateway, const struct gateway_portal *portal,
		     const char *why) __attribute__((nonnull));
void transcript_reject(const struct connection *connection, const uint8_t *bhs, uint8_t reason)
	__attribute__((nonnull));

#endif
