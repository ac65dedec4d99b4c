/* SPDX-License-Identifier: MIT */
/*
 * The two locks: the one among runs of sgw-init, and that of open-iscsi's
 * database, which iscsiadm and iscsid honour.
 */
#ifndef SGW_LOCK_H
#define SGW_LOCK_H

struct err;
struct paths;

#define LOCK_PROGRAM "/run/lock/sgw-init.lock"
#define LOCK_DATABASE_DIR "/run/lock/iscsi" /* LOCK_DIR of open-iscsi */

enum {
	LOCK_PROGRAM_WAIT = 10000, /* ms */
	LOCK_DATABASE_WAIT = 30000, /* ms: as long as iscsiadm waits before it gives up */
};

/*
 * Lock LOCK_PROGRAM, made where it is missing and never written to. Returns a
 * descriptor whose closing releases it (as does the end of the process);
 * -EBUSY naming the other process after wait_ms.
 */
int lock_program(const struct paths *paths, unsigned wait_ms, struct err *err);

/* Held while dirfd is not negative. */
struct lock {
	int dirfd;
	char own[32]; /* "sgw-init.PID", which lock.write is a link to */
};

/* clang-format off */
#define LOCK_NONE { .dirfd = -1 }
/* clang-format on */

/*
 * Take the database's lock as open-iscsi does: link a file as lock.write,
 * trying every 10 ms. Our file names its owner (process, start time, boot), so
 * that a lock whose owner died is told from a live one and taken away; a lock
 * of others never is. -EBUSY after wait_ms, -EINTR where a signal that would
 * end the process waits to be delivered. Only under lock_program().
 */
int lock_database(struct lock *lock, const struct paths *paths, unsigned wait_ms, struct err *err);
/*
 * Nothing is left behind even where it fails, but for a directory that refuses
 * twice. A lock that is not held is no error.
 */
int lock_release(struct lock *lock, const struct paths *paths, struct err *err);

/* Take away what a killed run of sgw-init left there. Only under lock_program(). */
int lock_sweep(const struct paths *paths, struct err *err);

#endif
