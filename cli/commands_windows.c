/* SPDX-License-Identifier: MIT */
#include <stddef.h>

#include "command.h"

/* What asks and what shows: the others tune open-iscsi, which Windows has not. */
const struct command *const commands[] = { &command_discover, &command_probe, &command_profile,
					   NULL };
