/* SPDX-License-Identifier: MIT */
/* One look at one target: log in from user space, ask what is there, log out (RFC 7143). */
#ifndef SGW_ISCSI_PROBE_H
#define SGW_ISCSI_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "iscsi/cdb.h"
#include "iscsi/login.h"
#include "iscsi/params.h"
#include "iscsi/portal.h"

struct loop;
struct probe;

enum {
	PROBE_UNITS_MAX = 64, /* logical units that are asked; of more there is a note */
	PROBE_PINGS = 4,
};

/* All that is pointed to outlives the probe. */
struct probe_config {
	struct portal portal;
	struct login_config login; /* its ISID is chosen by the probe: a random one */
	const struct params *params; /* what to offer */
	bool login_only; /* ask nothing: log in and out */
	uint32_t connect_ms; /* each address: 3000 */
	uint32_t answer_ms; /* silence while an answer is due: 10000 */
	uint32_t total_ms; /* in all: 30000 */
};

/* How far it came. */
enum probe_stage {
	PROBE_RESOLVE,
	PROBE_CONNECT,
	PROBE_LOGIN,
	PROBE_COMMANDS, /* logged in */
	PROBE_LOGOUT, /* all was asked */
};

struct probe_unit {
	uint8_t lun[8];
	struct cdb_identity identity; /* where identified */
	bool identified;
	uint64_t blocks; /* of a disk; 0: not told */
	uint32_t block_size;
	char problem[160]; /* what it refused to tell, and why; bytes of nobody */
};
/* Its number, or its eight bytes where it has none (SAM-5, 4.7). */
uint64_t probe_unit_number(const struct probe_unit *unit) __attribute__((nonnull));

struct probe_result {
	/*
	 * 0: logged in, asked, and logged out; a unit may have a problem. Or the
	 * negative errno in err, whose place is the portal.
	 */
	int rc;
	struct err err;
	enum probe_stage stage;
	uint16_t status; /* of the last Login Response; enum login_status */
	enum login_verdict ours, theirs;
	int algorithm; /* enum chap_algorithm; 0: none was agreed */
	struct params params; /* from PROBE_COMMANDS on: what was offered and what is in force */
	bool has_answered;
	struct portal answered; /* the address in use */
	uint64_t connect_us, login_us, ping_us; /* the ping: the fastest of PROBE_PINGS NOP-Outs */
	struct probe_unit *units;
	size_t unit_count;
	struct buf notes; /* remarks, a line each, escaped */
};

/* Frees what the result holds, not the result. All zero is fine. */
void probe_result_done(struct probe_result *result) __attribute__((nonnull));
/* One more remark. */
void probe_result_note(struct probe_result *result, const char *text) __attribute__((nonnull));

/*
 * Begin. done is called once, inside the loop, and then the probe is gone; to
 * keep the result, copy the struct and set *result to all zero. NULL with *err
 * set where it cannot be begun.
 */
struct probe *probe_start(struct loop *loop, const struct probe_config *config,
			  void (*done)(void *arg, struct probe_result *result), void *arg,
			  struct err *err) __attribute__((nonnull(1, 2, 3, 5)));

/* The main thing that went wrong. */
enum probe_cause {
	PROBE_FINE,
	PROBE_UNREACHABLE, /* nobody there: look-up or connect failed */
	PROBE_SILENT, /* connected, but an answer did not come in time */
	PROBE_REFUSED_US, /* the target refused our name or secret */
	PROBE_WRONG_PROOF, /* we refused the target: its proof is wrong */
	PROBE_WRONG_NAME, /* … it proved itself under another name */
	PROBE_NO_PROOF, /* … it was asked for a proof and gave none */
	PROBE_REFLECTED, /* … it sent our own challenge or response back */
	PROBE_CHAP_DEMANDED, /* and we have no credentials */
	PROBE_NO_METHOD, /* we have credentials, and the target does no CHAP */
	PROBE_NO_ALGORITHM,
	PROBE_NOT_ADMITTED,
	PROBE_NO_TARGET, /* no such name there, or no longer */
	PROBE_UNAVAILABLE, /* the target's own fault: try later */
	PROBE_REFUSED, /* any other refusal of the login */
	PROBE_PROTOCOL, /* an answer that breaks the standard, or a lost connection */
	PROBE_CREDENTIALS, /* ours cannot be used as they are */
	PROBE_UNIT, /* a logical unit did not tell what it is */
	PROBE_CAUSES,
};

/* chap: whether credentials were at hand. */
enum probe_cause probe_cause(const struct probe_result *result, bool chap) __attribute__((nonnull));
/* "target-refused-us": the same in every release, for programs. */
const char *probe_cause_word(enum probe_cause cause);
/* One sentence, and what the administrator can do about it; the remedy may be NULL. */
const char *probe_cause_text(enum probe_cause cause);
const char *probe_cause_remedy(enum probe_cause cause);

#endif
