/* SPDX-License-Identifier: MIT */
#include <stddef.h>

#include "command.h"

const struct command *const commands[] = {
	&command_discover, &command_probe,	&command_apply,	  &command_check,   &command_undo,
	&command_connect,  &command_disconnect, &command_devices, &command_profile, NULL,
};
