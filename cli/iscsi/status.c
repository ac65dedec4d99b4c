/* SPDX-License-Identifier: MIT */
#include "iscsi/status.h"

#include <stddef.h>

#include "buf.h"

/* clang-format off */
static const struct status_words logins[] = {
	{ 0x0000, FAULT_NONE, "success", NULL },
	{ 0x0101, FAULT_REDIRECT, "the target has moved for now", NULL },
	{ 0x0102, FAULT_REDIRECT, "the target has moved for good",
	  "use the new address from now on" },
	{ 0x0200, FAULT_INITIATOR, "the target found a fault in the login", NULL },
	{ 0x0201, FAULT_INITIATOR, "the target did not accept the initiator's proof",
	  "compare CHAP user name and secret with those set at the target" },
	{ 0x0202, FAULT_INITIATOR, "the target does not admit this initiator",
	  "add this host's InitiatorName to the target's access list" },
	{ 0x0203, FAULT_INITIATOR, "the target has no such name",
	  "compare the target name with what discovery lists" },
	{ 0x0204, FAULT_INITIATOR, "the target was removed and no new address is known", NULL },
	{ 0x0205, FAULT_INITIATOR, "the target speaks another protocol version", NULL },
	{ 0x0206, FAULT_INITIATOR, "the session has too many connections", NULL },
	{ 0x0207, FAULT_INITIATOR, "the target misses a parameter", NULL },
	{ 0x0208, FAULT_INITIATOR, "the session cannot include this portal", NULL },
	{ 0x0209, FAULT_INITIATOR, "the target does not do this type of session", NULL },
	{ 0x020a, FAULT_INITIATOR, "the target does not know this session", NULL },
	{ 0x020b, FAULT_INITIATOR, "the target saw something that is no login request", NULL },
	{ 0x0300, FAULT_TARGET, "the target has an error of its own", "try again later" },
	{ 0x0301, FAULT_TARGET, "the target's service is unavailable", "try again later" },
	{ 0x0302, FAULT_TARGET, "the target is out of resources",
	  "try again later; it may allow fewer sessions than there are" },
};

static const struct status_words classes[] = {
	{ 0, FAULT_UNKNOWN, "a success that the standard does not know", NULL },
	{ 1, FAULT_REDIRECT, "a redirection that the standard does not know", NULL },
	{ 2, FAULT_INITIATOR, "an initiator error that the standard does not know", NULL },
	{ 3, FAULT_TARGET, "a target error that the standard does not know", NULL },
	{ 4, FAULT_UNKNOWN, "a status that the standard does not know", NULL },
};
/* clang-format on */

const struct status_words *status_of_login(uint16_t code)
{
	unsigned int class = code >> 8;

	for (size_t i = 0; i < ARRAY_LEN(logins); i++)
		if (logins[i].code == code)
			return &logins[i];
	return &classes[class < 4 ? class : 4];
}

struct code_words {
	uint8_t code;
	const char *words;
};

static const char *find_words(const struct code_words *table, size_t count, uint8_t code)
{
	for (size_t i = 0; i < count; i++)
		if (table[i].code == code)
			return table[i].words;
	return "a code that the standard does not know";
}

const char *status_of_reject(uint8_t reason)
{
	static const struct code_words rejects[] = {
		{ REJECT_DATA_DIGEST, "data digest error" },
		{ REJECT_SNACK, "SNACK refused" },
		{ REJECT_PROTOCOL, "protocol error" },
		{ REJECT_NOT_SUPPORTED, "command not supported" },
		{ REJECT_TOO_MANY_IMMEDIATE, "too many immediate commands" },
		{ REJECT_TASK_IN_PROGRESS, "task in progress" },
		{ REJECT_DATA_ACK, "invalid data acknowledgement" },
		{ REJECT_INVALID_FIELD, "invalid PDU field" },
		{ REJECT_LONG_OPERATION, "out of resources for long operations" },
		{ REJECT_NEGOTIATION_RESET, "negotiation reset" },
		{ REJECT_WAITING_FOR_LOGOUT, "waiting for a logout" },
	};

	return find_words(rejects, ARRAY_LEN(rejects), reason);
}

const char *status_of_async(uint8_t event)
{
	static const struct code_words events[] = {
		{ ASYNC_SCSI, "a SCSI event" },
		{ ASYNC_LOGOUT_REQUESTED, "the target asks for a logout" },
		{ ASYNC_CONNECTION_DROPS, "the target drops the connection" },
		{ ASYNC_SESSION_DROPS, "the target drops all connections of the session" },
		{ ASYNC_NEGOTIATE, "the target asks for a negotiation" },
		{ ASYNC_FAST_ABORT, "tasks of a logical unit were ended" },
		{ ASYNC_VENDOR, "a vendor's event" },
	};

	return find_words(events, ARRAY_LEN(events), event);
}

const char *status_of_logout(uint8_t response)
{
	static const struct code_words responses[] = {
		{ LOGOUT_CLOSED, "closed" },
		{ LOGOUT_CID_NOT_FOUND, "the connection was not found" },
		{ LOGOUT_RECOVERY_UNSUPPORTED, "connection recovery is not supported" },
		{ LOGOUT_CLEANUP_FAILED, "the cleanup failed" },
	};

	return find_words(responses, ARRAY_LEN(responses), response);
}
