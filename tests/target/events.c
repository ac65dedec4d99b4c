/* SPDX-License-Identifier: MIT */
#include "events.h"

const struct event_def event_defs[EVENT_COUNT] = {
	[EVENT_CONNECT] = { "connect", "connections" },
	[EVENT_LOGIN] = { "login", "logins" },
	[EVENT_DISCOVERY] = { "discovery", "discoveries" },
	[EVENT_REFUSED] = { "refuse", "refused" },
	[EVENT_TEXT] = { "text", "texts" },
	[EVENT_NOP_OUT] = { "nop-out", "nop-outs" },
	[EVENT_COMMAND] = { "scsi", "commands" },
	[EVENT_DATA_OUT] = { "data-out", "data-outs" },
	[EVENT_TASK] = { "task", "tasks" },
	[EVENT_LOGOUT] = { "logout", "logouts" },
	[EVENT_REJECT] = { "reject", "rejects" },
};
