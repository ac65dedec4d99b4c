/* SPDX-License-Identifier: MIT */
/* The steps of an initiator's login as a table, and what is done in each; for login.c alone. */
#ifndef SGW_ISCSI_LOGIN_STEPS_H
#define SGW_ISCSI_LOGIN_STEPS_H

#include "iscsi/login.h"

/* The security keys of one response, as a set and as values inside its text. */
enum {
	KEY_NONE = 0x01, /* AuthMethod=None */
	KEY_CHAP = 0x02, /* AuthMethod=CHAP */
	KEY_A = 0x04,
	KEY_I = 0x08,
	KEY_C = 0x10,
	KEY_N = 0x20,
	KEY_R = 0x40,
};

struct login_answer {
	unsigned int keys;
	const char *a, *i, *c, *n, *r;
};

/* What each step asks for: the stages in its requests, and whether it is ready to move on. */
struct login_stages {
	enum login_stage csg, nsg;
	bool transit;
	const char *name;
};
extern const struct login_stages login_stages[];

/* One answer that a target may give, and what follows. */
struct login_row {
	enum login_step step;
	unsigned int keys; /* exactly these */
	bool transit;
	/* Adds our next keys to login->text. 0, or a negative errno with the verdicts set. */
	int (*act)(struct login *login, const struct login_answer *answer, struct err *err);
	enum login_step next;
	const char *section; /* of RFC 7143 */
};

/* NULL where no target may answer so. */
const struct login_row *login_find_row(enum login_step step, unsigned int keys, bool transit);

/* A fault of the target's: -EPROTO, with the step and the section in the message. */
int login_fault(const struct login *login, const char *section, struct err *err, const char *fmt,
		...) __attribute__((format(printf, 4, 5)));
/* Add a line to login->notes, escaped. */
void login_note(struct login *login, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
