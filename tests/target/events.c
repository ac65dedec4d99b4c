/* SPDX-License-Identifier: MIT */
#include "events.h"

#include <stddef.h>

const struct event_def event_defs[EVENT_COUNT] = {
	[EVENT_CONNECT] = { "connect", "connections", false },
	[EVENT_LOGIN_REQUEST] = { "login-request", NULL, false },
	[EVENT_LOGIN] = { "login", "logins", true },
	[EVENT_DISCOVERY] = { "discovery", "discoveries", false },
	[EVENT_REFUSED] = { NULL, "refused", false },
	[EVENT_TEXT] = { "text", "texts", true },
	[EVENT_SEND_TARGETS] = { "send-targets", NULL, true },
	[EVENT_NOP_OUT] = { "nop-out", "nop-outs", true },
	[EVENT_COMMAND] = { "scsi", "commands", true },
	[EVENT_DATA_OUT] = { "data-out", "data-outs", true },
	[EVENT_TASK] = { "task", "tasks", true },
	[EVENT_LOGOUT] = { "logout", "logouts", true },
	[EVENT_REJECT] = { NULL, "rejects", false },
	[EVENT_FAULT] = { NULL, "faults", false },
};
