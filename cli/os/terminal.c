/* SPDX-License-Identifier: MIT */
#include "os/terminal.h"

#include <unistd.h>

bool terminal_is(FILE *stream)
{
	return isatty(fileno(stream)) != 0;
}
