/* SPDX-License-Identifier: MIT */
/*
 * The codes a target answers with, in words, and whose fault each is (RFC 7143,
 * 11.13.5, 11.17.1).
 */
#ifndef SGW_ISCSI_STATUS_H
#define SGW_ISCSI_STATUS_H

#include <stdint.h>

/* Status-Class and Status-Detail of a Login Response (11.13.5). */
enum login_status {
	LOGIN_SUCCESS = 0x0000,
	LOGIN_MOVED_TEMPORARILY = 0x0101,
	LOGIN_MOVED_PERMANENTLY = 0x0102,
	LOGIN_INITIATOR_ERROR = 0x0200,
	LOGIN_AUTHENTICATION_FAILED = 0x0201,
	LOGIN_FORBIDDEN = 0x0202,
	LOGIN_NOT_FOUND = 0x0203,
	LOGIN_REMOVED = 0x0204,
	LOGIN_VERSION_UNSUPPORTED = 0x0205,
	LOGIN_TOO_MANY_CONNECTIONS = 0x0206,
	LOGIN_MISSING_PARAMETER = 0x0207,
	LOGIN_CANNOT_SPAN = 0x0208,
	LOGIN_TYPE_UNSUPPORTED = 0x0209,
	LOGIN_NO_SESSION = 0x020a,
	LOGIN_INVALID_REQUEST = 0x020b,
	LOGIN_TARGET_ERROR = 0x0300,
	LOGIN_UNAVAILABLE = 0x0301,
	LOGIN_OUT_OF_RESOURCES = 0x0302,
};

enum status_fault {
	FAULT_NONE,
	FAULT_REDIRECT, /* nobody's: the target is elsewhere */
	FAULT_INITIATOR, /* do not retry as it is (class 2) */
	FAULT_TARGET, /* may be retried later (class 3) */
	FAULT_UNKNOWN, /* a code the standard does not have */
};

struct status_words {
	uint16_t code;
	enum status_fault fault;
	const char *words;
	const char *remedy; /* what the administrator can look at; may be NULL */
};

/* Never NULL: a code without a row of its own gets that of its class, or "unknown". */
const struct status_words *status_of_login(uint16_t code);

/* Reject reasons (11.17.1). */
enum {
	REJECT_DATA_DIGEST = 0x02,
	REJECT_SNACK = 0x03,
	REJECT_PROTOCOL = 0x04,
	REJECT_NOT_SUPPORTED = 0x05,
	REJECT_TOO_MANY_IMMEDIATE = 0x06,
	REJECT_TASK_IN_PROGRESS = 0x07,
	REJECT_DATA_ACK = 0x08,
	REJECT_INVALID_FIELD = 0x09,
	REJECT_LONG_OPERATION = 0x0a,
	REJECT_NEGOTIATION_RESET = 0x0b, /* obsolete */
	REJECT_WAITING_FOR_LOGOUT = 0x0c,
};
/* Never NULL. */
const char *status_of_reject(uint8_t reason);

/* Events of an Asynchronous Message (11.9.1). */
enum {
	ASYNC_SCSI = 0,
	ASYNC_LOGOUT_REQUESTED = 1,
	ASYNC_CONNECTION_DROPS = 2,
	ASYNC_SESSION_DROPS = 3,
	ASYNC_NEGOTIATE = 4,
	ASYNC_FAST_ABORT = 5,
	ASYNC_VENDOR = 255,
};
/* Never NULL. */
const char *status_of_async(uint8_t event);

/* Responses to a Logout (11.15.1). */
enum {
	LOGOUT_CLOSED = 0,
	LOGOUT_CID_NOT_FOUND = 1,
	LOGOUT_RECOVERY_UNSUPPORTED = 2,
	LOGOUT_CLEANUP_FAILED = 3,
};
/* Never NULL. */
const char *status_of_logout(uint8_t response);

#endif
